/** How a case is shown in lists and on its own page. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { money, t } from "../../../verifier/web/page/texts.js";
import { isOpen, until } from "./case_rules.js";
import { badge, time } from "./show.js";

/** @param {string} id */
export const caseLink = (id) => h("a", { href: `/staff/cases/${encodeURIComponent(id)}`, class: "number" }, id);

/** @param {{state: string}} item */
export const stateBadge = ({ state }) => badge("case_state", state);

/**
 * When it is due, in words; what is late has a sign and a word of its own.
 * @param {{state: string, due_at: string | null}} item @param {number} [now] ms
 */
export function due(item, now = Date.now()) {
  if (item.due_at === null || !isOpen(item.state)) return h("span", { class: "soft" }, "—");
  const { isLate, unit, count } = until(item.due_at, now);
  const at = h("span", { class: "soft block" }, time(item.due_at, "minute"));
  if (!isLate) return h("span", {}, t(`due.${unit}`, { count }), at);
  return h("span", {}, h("span", { class: "badge", "data-role": "bad" }, icon("late"), h("span", {}, t(`late.${unit}`, { count }))), at);
}

/** @param {{kind: string, amount?: string | null, currency?: string, state: string}} fee */
export function feeSaid({ kind, amount, currency, state }) {
  const sum = amount ? ` ${money(amount, currency ?? "")}` : "";
  return h("span", {}, t(`fee_kind.${kind}`), sum, state !== "none" && h("span", { class: "block" }, badge("fee_state", state)));
}
