/** The form for what is typed from a paper: errors beside the field and summed up on top, and nothing typed is lost. */

import { byId, h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { groupsOf, parseAmount, parseDate, parseNumber } from "../../../verifier/web/page/typed.js";

/** @typedef {{number: string, issued_on: string, amount?: string, amount_with_tax?: string}} Facts */

/** @type {Record<string, (typed: string) => string | null>} */
const PARSERS = { number: parseNumber, issued_on: parseDate, amount: parseAmount };
const NAMES = Object.keys(PARSERS);
/** @type {Record<string, string>} */
const ERRORS = { number: "error.number", issued_on: "error.date", amount: "error.amount" };

/**
 * The page has #lookup (form) with those fields and `with_tax`, and #lookup-errors.
 * @param {() => void} show the form, if it is not to be seen @param {(facts: Facts) => void} ask
 */
export function lookupForm(show, ask) {
  const form = byId("lookup");
  const summary = byId("lookup-errors");
  const field = (/** @type {string} */ name) => form.elements.namedItem(name);
  /** @type {string[]} */
  let wrong = [];

  function showErrors() {
    summary.hidden = wrong.length === 0;
    summary.replaceChildren(
      h("p", { class: "error" }, t("form.errors")),
      h(
        "ul",
        {},
        wrong.map((name) =>
          h("li", {}, h("a", { href: `#${field(name).id}`, onclick: (/** @type {Event} */ e) => go(e, name) }, t(ERRORS[name]))),
        ),
      ),
    );
    for (const name of NAMES) {
      const isWrong = wrong.includes(name);
      const said = byId(`${field(name).id}-error`);
      said.hidden = !isWrong;
      said.replaceChildren(...(isWrong ? [icon("warning"), h("span", {}, t(ERRORS[name]))] : []));
      field(name).closest(".field").classList.toggle("wrong", isWrong);
      if (isWrong) field(name).setAttribute("aria-invalid", "true");
      else field(name).removeAttribute("aria-invalid");
    }
  }

  /** @param {Event} event @param {string} name */
  function go(event, name) {
    event.preventDefault();
    field(name).focus();
  }

  function submit() {
    const typed = Object.fromEntries(NAMES.map((name) => [name, PARSERS[name](field(name).value)]));
    wrong = NAMES.filter((name) => typed[name] === null);
    showErrors();
    if (wrong.length > 0) {
      summary.focus();
      return;
    }
    const { number, issued_on, amount } = /** @type {Record<string, string>} */ (typed);
    group();
    ask({ number, issued_on, [field("with_tax").value === "1" ? "amount_with_tax" : "amount"]: amount });
  }

  /** A number of 20 digits in groups, while nobody is typing in it. */
  function group() {
    const number = parseNumber(field("number").value);
    if (number !== null && groupsOf(number).length > 1) field("number").value = groupsOf(number).join(" ");
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  });
  field("number").addEventListener("blur", group);
  onLanguage(showErrors);

  return {
    focus: () => field("number").focus(),
    /** What is known of an invoice; asked at once if that is all. @param {URLSearchParams} known */
    fill(known) {
      show();
      const withTax = known.get("amount_with_tax");
      field("number").value = known.get("number") ?? "";
      field("issued_on").value = known.get("issued_on") ?? "";
      field("amount").value = withTax ?? known.get("amount") ?? "";
      field("with_tax").value = withTax === null && known.has("amount") ? "0" : "1";
      group();
      wrong = [];
      showErrors();
      if (NAMES.every((name) => field(name).value !== "")) submit();
      else field(NAMES.find((name) => field(name).value === "")).focus();
    },
    /** @param {import("../../../verifier/web/page/official_qr.js").Official} official */
    submit({ number, issued_on, amount, with_tax }) {
      this.fill(new URLSearchParams({ number, issued_on, [with_tax ? "amount_with_tax" : "amount"]: amount }));
    },
  };
}
