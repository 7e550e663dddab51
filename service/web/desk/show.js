/** How desks show what they show often: times, amounts, hashes, states, tables, pages of a list. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { has, integer, language, t } from "../../../verifier/web/page/texts.js";
import { button, busy, said, trouble } from "./start.js";

/** @typedef {import("../../../verifier/web/page/dom.js").Child} Child */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {"time" | "minute" | "day"} form */
function format(form) {
  const key = `${form} ${language()}`;
  if (!formats.has(key)) {
    const date = /** @type {const} */ ({ year: "numeric", month: "2-digit", day: "2-digit" });
    const clock = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const parts = { time: { ...date, ...clock, second: "2-digit" }, minute: { month: "2-digit", day: "2-digit", ...clock }, day: date };
    formats.set(key, new Intl.DateTimeFormat(language() === "en" ? "en-GB" : language(), /** @type {any} */ (parts[form])));
  }
  return /** @type {Intl.DateTimeFormat} */ (formats.get(key));
}

/** A moment in the reader's own time, exact to the second where that matters. @param {string | null} at RFC 3339 @param {"time" | "minute" | "day"} [form] */
export function time(at, form = "time") {
  if (at === null || at === undefined) return h("span", { class: "soft" }, "—");
  return h("time", { datetime: at, title: at }, format(form).format(new Date(at)));
}

/** @param {string | number} at @param {"time" | "minute" | "day"} [form] */
export const timeText = (at, form = "time") => format(form).format(new Date(at));

/** How long, in words. @param {number} seconds */
export function duration(seconds) {
  const rounded = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  if (rounded < 120) return t("duration.seconds", { n: decimal(rounded) });
  if (rounded < 7200) return t("duration.minutes", { n: decimal(Math.round(rounded / 60)) });
  if (rounded < 172_800) return t("duration.hours", { n: decimal(Math.round(rounded / 360) / 10) });
  return t("duration.days", { n: decimal(Math.round(rounded / 8640) / 10) });
}

/** @param {number} value */
const decimal = (value) => new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(value);

/** Cut in the middle where there is no room; whole for whoever copies it. @param {string | null} value @param {string} [label] key of what it is */
export function hash(value, label) {
  if (!value) return h("span", { class: "soft" }, "—");
  const shown = h("code", { class: "cut", title: value }, h("span", {}, value.slice(0, -8)), h("span", {}, value.slice(-8)));
  return h("span", { class: "hash" }, shown, label && copyButton(value, label));
}

/** @param {string} value @param {string} label key */
export function copyButton(value, label) {
  if (!navigator.clipboard) return null;
  const name = () => t("copy.of", { what: t(label) });
  const made = h("button", { type: "button", class: "copy", "aria-label": name(), title: name(), onclick: () => copy() }, icon("copy"));
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    made.replaceChildren(icon("tick"));
    made.setAttribute("aria-label", t("details.copied"));
    setTimeout(() => {
      made.replaceChildren(icon("copy"));
      made.setAttribute("aria-label", name());
    }, 2000);
  };
  return made;
}

/** @type {Record<string, [role: string, icon: string]>} */
const LOOKS = {
  "status.valid": ["neutral", "tick"],
  "status.void": ["bad", "void"],
  "status.reversed": ["bad", "reversed"],
  "status.partly_reversed": ["caution", "half"],
  "status.released": ["bad", "release"],
  "status.awaiting_approval": ["wait", "clock"],
  "state.pending": ["wait", "clock"],
  "state.sealed": ["wait", "clock"],
  "state.broadcast": ["wait", "upload"],
  "state.mined": ["wait", "clock"],
  "state.final": ["neutral", "anchor"],
  "run.queued": ["wait", "clock"],
  "run.running": ["wait", "again"],
  "run.failed": ["neutral", "question"],
  "run.matches": ["good", "check"],
  "run.differs": ["bad", "differs"],
  "user.invited": ["wait", "clock"],
  "user.active": ["neutral", "tick"],
  "user.disabled": ["bad", "void"],
  "key.active": ["neutral", "tick"],
  "key.revoked": ["bad", "void"],
  "release.pending": ["wait", "clock"],
  "release.released": ["neutral", "release"],
  "release.declined": ["neutral", "cross"],
  "release.lapsed": ["neutral", "clock"],
  "case_state.started": ["neutral", "edit"],
  "case_state.submitted": ["wait", "clock"],
  "case_state.materials_pending": ["wait", "upload"],
  "case_state.materials_submitted": ["wait", "again"],
  "case_state.fee_due": ["wait", "money"],
  "case_state.review_1": ["caution", "eye"],
  "case_state.review_2": ["caution", "eye"],
  "case_state.approved": ["wait", "again"],
  "case_state.completed": ["good", "check"],
  "case_state.rejected": ["bad", "cross"],
  "case_state.cancelled": ["neutral", "cross"],
  "case_state.expired": ["neutral", "clock"],
  "replacement_sent.yes": ["neutral", "tick"],
  "replacement_sent.no": ["caution", "edit"],
  "feedback_state.open": ["caution", "talk"],
  "feedback_state.answered": ["neutral", "tick"],
  "feedback_state.closed": ["neutral", "cross"],
  "webhook_state.enabled": ["neutral", "tick"],
  "webhook_state.failing": ["caution", "warning"],
  "webhook_state.disabled": ["bad", "void"],
  "delivery_state.queued": ["wait", "clock"],
  "delivery_state.sending": ["wait", "upload"],
  "delivery_state.sent": ["neutral", "tick"],
  "delivery_state.dead": ["bad", "warning"],
  "fee_state.due": ["wait", "clock"],
  "fee_state.paid": ["good", "tick"],
  "fee_state.refund_due": ["caution", "warning"],
  "fee_state.refunded": ["neutral", "tick"],
  "node.same": ["good", "tick"],
  "node.behind": ["wait", "clock"],
  "node.other": ["bad", "differs"],
  "node.silent": ["neutral", "question"],
  "seen.visible": ["neutral", "tick"],
  "seen.behind": ["wait", "clock"],
  "seen.missing": ["bad", "cross"],
  "seen.unknown": ["neutral", "question"],
};

/** A state in a word, a colour and a shape. @param {string} kind `status`, `state` … @param {string} value */
export function badge(kind, value) {
  const [role, shape] = LOOKS[`${kind}.${value}`] ?? ["neutral", "dash"];
  return h("span", { class: "badge", "data-role": role }, icon(shape), h("span", {}, word(`${kind}.${value}`, value)));
}

/** A text of the catalogue, or what there is to say without one. @param {string} key @param {string} otherwise */
export const word = (key, otherwise) => (has(key) ? t(key) : otherwise);

/**
 * @template T
 * @typedef {object} Column
 * @property {string} head key
 * @property {(item: T) => Child | Child[]} cell
 * @property {boolean} [end] its values are numbers, at the right
 * @property {boolean} [row] it is the row's head
 */

/**
 * A table, whose rows become cards on a phone.
 * @template T
 * @param {string} caption key, for who does not see what it stands under
 * @param {Column<T>[]} columns @param {T[]} items
 */
export function table(caption, columns, items) {
  const head = columns.map(({ head, end }) => h("th", { scope: "col", class: end ? "end" : null }, t(head)));
  const cells = (/** @type {T} */ item) =>
    columns.map(({ head, cell, end, row }) =>
      h(row ? "th" : "td", { ...(row && { scope: "row" }), class: end ? "end" : null, "data-label": t(head) }, h("span", { class: "cell" }, cell(item))),
    );
  return h(
    "div",
    { class: "sheet" },
    h("table", {}, h("caption", { class: "visually-hidden" }, t(caption)), h("thead", {}, h("tr", {}, head)), h("tbody", {}, items.map((item) => h("tr", {}, cells(item))))),
  );
}

/** Name and value, a line each. @param {[key: string, value: Child | Child[]][]} facts */
export const facts = (facts) =>
  h("dl", { class: "facts" }, facts.map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))));

/**
 * A list that is read a page at a time.
 * @template T
 * @param {(cursor: string | null) => Promise<{items: T[], next_cursor: string | null}>} read
 * @param {(items: T[]) => Child | Child[]} view
 * @param {(error: unknown) => Child} [failed]
 */
export function paged(read, view, failed = trouble) {
  const element = h("div", { class: "paged", "aria-busy": "true" });
  /** @type {T[]} */
  let items = [];
  /** @type {string | null} */
  let next = null;
  /** @type {unknown} */
  let wrong = null;
  let isRead = false;
  let turn = 0;
  /** @type {Promise<void>} */
  let reading = Promise.resolve();

  const draw = () => {
    const more = button("list.more", { run: (event) => busy(/** @type {any} */ (event.currentTarget), () => go()) });
    element.replaceChildren(
      ...[
        isRead ? view(items) : bones(),
        wrong !== null ? failed(wrong) : null,
        next !== null && h("p", { class: "more" }, more, h("span", { class: "soft" }, t("list.shown", { count: items.length }))),
      ]
        .flat(Infinity)
        .filter((child) => child !== null && child !== undefined && child !== false),
    );
    element.setAttribute("aria-busy", "false");
  };

  async function go() {
    const mine = turn;
    /** @type {{items: T[], next_cursor: string | null} | null} */
    let page = null;
    /** @type {unknown} */
    let failure = null;
    try {
      page = await read(isRead ? next : null);
    } catch (error) {
      failure = error;
    }
    if (mine !== turn) return; // it was begun anew meanwhile, perhaps by another filter
    if (page) [items, next] = [[...items, ...page.items], page.next_cursor];
    wrong = failure;
    isRead = true;
    draw();
  }

  return {
    element,
    draw,
    /** From the start. */
    async again() {
      turn += 1;
      items = [];
      next = null;
      isRead = false;
      element.setAttribute("aria-busy", "true");
      reading = go();
      for (let seen = null; seen !== reading; ) await (seen = reading);
      return items;
    },
  };
}

/** What stands where something will. */
export const bones = () => h("div", { class: "bones", "aria-hidden": "true" }, Array.from({ length: 4 }, () => h("p", { class: "bone" })));

/** @param {string} key @param {string} [shape] */
export const nothing = (key, shape = "dash") => h("p", { class: "nothing" }, icon(shape), said(key));

/** @param {string} number @param {string} [where] */
export const invoiceLink = (number, where = "/audit/invoices/") => h("a", { href: `${where}${encodeURIComponent(number)}`, class: "number" }, number);

/** @param {number} seq */
export const anchorLink = (seq) => h("a", { href: `/audit/anchors/${seq}` }, `#${seq}`);

/** A count as it is said. @param {number} count */
export const count = (count) => integer(count);
