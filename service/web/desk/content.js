/** What stands on an invoice, section by section, in the order of the paper. */

import { h } from "../../../verifier/web/page/dom.js";
import { has, money, t } from "../../../verifier/web/page/texts.js";
import { LINE, memberPlace, ORDER } from "./section_order.js";
import { table } from "./show.js";

const NUMERIC = new Set(["quantity", "unit_price", "amount", "tax", "rate_label", "rate"]);
const MONEY = new Set(["amount", "tax", "amount_with_tax"]);

/** @param {Record<string, any>} sections @returns {HTMLElement[]} */
export const content = (sections) =>
  ORDER.filter((name) => sections[name] && Object.keys(sections[name]).length > 0).map((name) =>
    h("section", { class: `content ${name}` }, h("h3", {}, t(`section.${name}`)), name === "lines" ? lines(sections.lines) : members(sections[name], sections.totals?.currency)),
  );

/** @param {Record<string, any>} section @param {string | undefined} currency */
const members = (section, currency) =>
  h(
    "dl",
    { class: "facts" },
    inOrder(Object.entries(section)).map(([name, value]) => h("div", {}, h("dt", {}, label(name)), h("dd", { class: MONEY.has(name) ? "digits" : null }, shown(name, value, currency)))),
  );

/** @param {[string, any][]} entries */
const inOrder = (entries) => entries.sort(([a], [b]) => memberPlace(a) - memberPlace(b));

/** @param {string} name @param {any} value @param {string | undefined} currency @returns {any} */
function shown(name, value, currency) {
  if (Array.isArray(value)) return h("ul", { class: "plain-list" }, value.map((each) => h("li", {}, shown("", each, currency))));
  if (value !== null && typeof value === "object") return members(value, currency);
  if (MONEY.has(name)) return money(String(value), currency ?? "");
  if (name === "kind" && has(`kind_of.${value}`)) return t(`kind_of.${value}`);
  return String(value);
}

/** Members of a line that stand in the cell of another, so that a line has room on half a desk. @type {Record<string, string>} */
const BELOW = { item: "specification" };
/** @type {Record<string, string>} */
const BEHIND = { quantity: "unit" };
const FOLDED = new Set([...Object.values(BELOW), ...Object.values(BEHIND)]);

/** @param {any[]} all */
function lines(all) {
  const there = LINE.filter((name) => all.some((line) => line[name] !== undefined));
  const isShown = (/** @type {string} */ name) => !FOLDED.has(name) || !there.some((one) => BELOW[one] === name || BEHIND[one] === name);
  const columns = there.filter(isShown).map((name) => ({ head: `member.${name}`, end: NUMERIC.has(name), row: name === "item", cell: (/** @type {any} */ line) => cell(line, name) }));
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("section.lines") }, table("section.lines", columns, all));
}

/** @param {any} line @param {string} name */
function cell(line, name) {
  const [below, behind] = [line[BELOW[name]], line[BEHIND[name]]];
  return [line[name] ?? "", behind && ` ${behind}`, below && h("span", { class: "soft block", title: t(`member.${BELOW[name]}`) }, below)];
}

/** @param {string} name */
const label = (name) => (has(`member.${name}`) ? t(`member.${name}`) : h("code", {}, name));
