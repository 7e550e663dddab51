/** `/staff/payments`: bank transfers whose arrival is confirmed, and refunds that are to be made, each by hand and by the statement. */

import { h } from "../../../verifier/web/page/dom.js";
import { money, onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { caseLink } from "./case_shown.js";
import { data } from "./data.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { shortcuts } from "./shortcuts.js";
import { copyButton, facts, nothing, paged, table, time } from "./show.js";
import { announce, button, page, part, said, start } from "./start.js";

const STATES = ["open", "refund_due", "paid", "refunded"];

start();
let state = STATES.includes(location.hash.slice(1)) ? location.hash.slice(1) : STATES[0];
const tabs = part(
  () => STATES.map((each) => h("button", { type: "button", class: "chip", "aria-pressed": String(each === state), onclick: () => choose(each) }, t(`payments.${each}`))),
  "div",
  { class: "chips", role: "group", "aria-label": t("payments.state") },
);
const intro = part(() => t(`payments.${state}.said`), "p", { class: "intro" });
const list = paged((cursor) => ask("GET", `/v1/payments?${new URLSearchParams({ state, limit: "50", ...(cursor && { cursor }) })}`), view);
onLanguage(() => {
  tabs.element.setAttribute("aria-label", t("payments.state"));
  list.draw();
});
const keys = shortcuts(STATES.map((each, n) => ({ key: String(n + 1), text: `payments.${each}`, run: () => choose(each) })));
page("heading.staff_payments", [keys], tabs.element, intro.element, list.element);
read();

/** @param {string} wanted */
function choose(wanted) {
  state = wanted;
  history.replaceState(null, "", `#${state}`);
  tabs.draw();
  intro.draw();
  read();
}

async function read() {
  const items = await list.again();
  announce(t("list.found", { count: items.length }));
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("payments.none", "tick");
  const mayOpen = data.session?.person.role === "reviewer";
  return table(
    "heading.staff_payments",
    [
      { head: "payments.reference", row: true, cell: ({ reference }) => h("span", { class: "row" }, h("strong", { class: "digits" }, reference), copyButton(reference, "payments.reference")) },
      { head: "payments.amount", end: true, cell: ({ amount, currency }) => money(amount, currency) },
      { head: "queue.case", cell: ({ case: id }) => (mayOpen ? caseLink(id) : id) },
      { head: "payments.method", cell: ({ method }) => t(`payment_method.${method}`) },
      { head: "payments.since", cell: (payment) => time(payment.refunded_at ?? payment.refund_due_at ?? payment.paid_at ?? payment.opened_at, "minute") },
      { head: "payments.acts", cell: act },
    ],
    items,
  );
}

/** @param {any} payment */
function act(payment) {
  if (payment.method !== "bank_transfer") return "—";
  if (payment.state === "open") return button("payments.confirm", { icon: "check", small: true, run: () => confirm(payment) });
  if (payment.state === "refund_due") return button("payments.refund", { icon: "back", small: true, run: () => refund(payment) });
  return "—";
}

/** The amount is typed from the bank's statement: what differs is refused. @param {any} payment */
const confirm = (payment) =>
  settle(
    "payments.confirm",
    [h("p", {}, t("payments.confirm.said")), told(payment), field("amount", "payments.amount", { hint: "payments.amount.hint", inputmode: "decimal", maxlength: 20 })],
    ({ amount }) => (amount === "" ? { amount: t("payments.amount.missing") } : {}),
    ({ amount }) => ask("POST", `/v1/reprints/${encodeURIComponent(payment.case)}/payment/confirm`, { reference: payment.reference, amount: amount.replace(/[¥￥,，\s]/g, "") }),
    "payments.confirmed",
  );

/** @param {any} payment */
const refund = (payment) =>
  settle(
    "payments.refund",
    [h("p", {}, t("payments.refund.said")), told(payment), field("bank_reference", "payments.refund.reference", { hint: "payments.refund.reference.hint", maxlength: 64 })],
    ({ bank_reference }) => (bank_reference === "" ? { bank_reference: t("payments.refund.reference.missing") } : {}),
    ({ bank_reference }) => ask("POST", `/v1/reprints/${encodeURIComponent(payment.case)}/payment/refund`, { reference: payment.reference, bank_reference }),
    "payments.refunded.done",
  );

/** @param {any} payment */
const told = ({ reference, amount, currency, case: id }) =>
  facts([
    ["payments.reference", h("strong", { class: "digits" }, reference)],
    ["payments.amount", money(amount, currency)],
    ["queue.case", h("span", { class: "digits" }, id)],
  ]);

/**
 * @param {string} heading key, of the question and of its answer @param {import("../../../verifier/web/page/dom.js").Child[]} content
 * @param {(values: Record<string, string>) => Record<string, string>} check @param {(values: Record<string, string>) => Promise<unknown>} work
 * @param {string} done key
 */
async function settle(heading, content, check, work, done) {
  const isDone = await dialog(heading, [errorSummary(), ...content, said("review.activity", "p", { class: "hint" })], { confirm: heading }, async (form) => {
    const values = valuesOf(form);
    const wrong = check(values);
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return false;
    try {
      await work(values);
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (!isDone) return;
  await list.again();
  announce(t(done));
}
