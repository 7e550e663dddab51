/** Step 4: the fee with its evidence, the ways to pay it, and what has happened so far. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { has, money, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { hopList } from "./diagnosed.js";
import { busy, button, copyable, drawn, factList, said, trouble } from "./parts.js";
import { minute } from "./when.js";

/**
 * @typedef {import("./case.js").Case} Case
 * @typedef {import("./case.js").Opened} Opened
 */

/** What the reprint costs, and whose evidence says so. @param {Case} found @returns {HTMLElement} */
export function feeCard(found) {
  const { fee, diagnosis } = found;
  const hop = diagnosis?.evidence.find((/** @type {any} */ one) => one.hop === fee.rests_on);
  return h(
    "section",
    { class: "card stack", "aria-labelledby": "fee-heading" },
    said("fee.heading", "h2", { id: "fee-heading" }),
    h(
      "p",
      { class: "fee", "data-fee": fee.kind },
      fee.kind === "charged" ? money(fee.amount, fee.currency) : t(`fee.${fee.kind}`),
      fee.state !== "none" && h("span", { class: "badge", "data-role": fee.state === "due" ? "caution" : "neutral" }, t(`fee.state.${fee.state}`)),
    ),
    h("p", {}, t(fee.decided_by === "reviewer" ? "fee.by.reviewer" : `fee.by.${fee.kind}`)),
    fee.reason && h("p", { class: "quote" }, fee.reason),
    hop && h("p", { class: "hint" }, t("fee.evidence", { hop: hop.hop_name, state: hop.state_name })),
    diagnosis && hopList(diagnosis.evidence),
  );
}

/**
 * How it is paid: by a method of those that there are, or as it was begun.
 * @param {Opened} opened @returns {HTMLElement}
 */
export function payCard(opened) {
  /** @type {string[] | null} those that there are, once they are known */
  let methods = null;
  /** @type {any} */
  let chosen = null;
  /** @type {unknown} */
  let wrong = null;
  const body = h("div", { class: "stack" });

  async function read() {
    wrong = null;
    try {
      const found = await opened.get("payment");
      methods = found.methods;
      chosen ??= found.items.findLast((/** @type {any} */ { state }) => state === "open") ?? null;
    } catch (error) {
      wrong = error;
    }
    draw();
  }

  /** @param {string} method */
  async function choose(method) {
    wrong = null;
    try {
      chosen = await opened.act("payment", { method });
    } catch (error) {
      wrong = error;
    }
    draw();
  }

  const other = () => {
    chosen = null;
    draw();
  };

  /** @param {string} method @param {number} i */
  function methodButton(method, i) {
    const pressed = button(`pay.${method}`, {
      icon: method === "bank_transfer" ? "letter" : "pay",
      primary: i === 0,
      run: () => void busy(pressed, () => choose(method)),
    });
    return pressed;
  }

  const draw = drawn(body, () => {
    if (wrong !== null && methods === null) return trouble(wrong, () => void read());
    if (methods === null) return said("pay.waiting", "p", { class: "pulse-text", role: "status" });
    if (chosen) return paymentView(chosen, methods.length > 1 ? other : null);
    return [said("pay.choose", "p"), h("div", { class: "buttons" }, methods.map(methodButton)), wrong !== null && trouble(wrong)];
  });
  onLanguage(() => void read());
  void read();
  return h("section", { class: "card stack", "aria-labelledby": "pay-heading" }, said("pay.heading", "h2", { id: "pay-heading", tabindex: "-1" }), body);
}

/** @param {any} payment @param {(() => void) | null} other */
function paymentView({ method, reference, amount, currency, url, instructions }, other) {
  const isWeb = /^https?:\/\//.test(url ?? "");
  return [
    factList([
      ["pay.amount", h("span", { class: "strong" }, money(amount, currency))],
      method === "bank_transfer" && ["pay.reference", copyable(reference, "pay.reference")],
    ]),
    instructions ? h("p", { class: "quote" }, instructions) : said("pay.provider.how", "p"),
    // In this tab, to which the provider leads back: another one would not have the case's token.
    isWeb && h("div", { class: "buttons" }, h("a", { class: "button primary", href: url, rel: "noreferrer" }, icon("pay"), said("pay.open"))),
    h("p", { class: "hint", role: "status" }, h("span", { class: "pulse", "aria-hidden": "true" }), " ", t(`pay.waits.${method}`)),
    other && h("p", {}, button("pay.other", { quiet: true, run: other })),
  ];
}

/** Everything that happened, the newest first. @param {Case} found @returns {HTMLElement} */
export const timeline = (found) =>
  h(
    "section",
    { class: "card stack", "aria-labelledby": "timeline-heading" },
    said("timeline.heading", "h2", { id: "timeline-heading" }),
    h(
      "ol",
      { class: "timeline" },
      [...found.history].reverse().map(({ at, event, by, reason }, i) =>
        h(
          "li",
          { "data-newest": i === 0 },
          h("p", { class: "timeline-what" }, has(`event.${event}`) ? t(`event.${event}`) : event),
          h("p", { class: "hint" }, minute(at), " · ", t(`by.${by}`)),
          reason && h("p", { class: "quote" }, reason),
        ),
      ),
    ),
  );

/** What was applied for. @param {Case} found @returns {HTMLElement | null} */
export function applicationCard(found) {
  const { application } = found;
  if (!application) return null;
  return h(
    "details",
    { class: "card plain-details" },
    h("summary", {}, said("case.applied"), icon("chevron")),
    factList([
      ["apply.kind", t(`kind.${application.kind}`)],
      ["apply.reason", application.reason],
      ["apply.name", application.name],
      application.company && ["apply.company", application.company],
      ["apply.contact", found.contact_hint],
      ["apply.delivery", t(`delivery.${application.delivery}`)],
    ]),
  );
}
