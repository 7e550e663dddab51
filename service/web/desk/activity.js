/** `/audit/activity`, `/operator/activity`: what people have done, and whether the record of it was changed. */

import { h } from "../../../verifier/web/page/dom.js";
import { has, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import "./case_texts.js";
import { data } from "./data.js";
import { errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { exportButton } from "./exporting.js";
import { keptFilters } from "./filters.js";
import { anchorLink, hash, nothing, paged, table, time, word } from "./show.js";
import { announce, busy, button, notice, page, part, said, start, trouble } from "./start.js";
import zh from "./texts/zh-CN.json" with { type: "json" };

/** Whatever the service records has its words (tests/unit/test_activity_words.py), and so can be chosen. */
const ACTS = Object.keys(zh).filter((key) => key.startsWith("act."));
/** Details whose value is a word of ours, and the text that says it. @type {Record<string, (value: string) => string>} */
const VALUES = {
  purpose: (value) => `purpose.${value}`,
  role: (value) => `role.${value}`,
  state: (value) => `case_state.${value}`,
  step: (value) => `looked_for.${value}`,
  type: (value) => `material.${value}`,
  method: (value) => `payment_method.${value}`,
  device: (value) => `device.${value}`,
  verdict: (value) => `verdict.${value}`,
  why: (value) => `status.${value}`,
  kind: (value) => (has(`run.kind.${value}`) ? `run.kind.${value}` : `reprint_kind.${value}`),
};

start();
const isAuditor = data.session?.person.role === "auditor";
const submit = button("activity.find", { primary: true, type: "submit", icon: "search" });
const form = h(
  "form",
  { class: "card search", novalidate: true, onsubmit: submitted },
  errorSummary(),
  h(
    "div",
    { class: "grid" },
    field("action", "activity.action", { options: [["", "invoices.any"], ...ACTS.map((key) => /** @type {[string, string]} */ ([key.slice("act.".length), key]))] }),
    field("object", "activity.object", { hint: "activity.object.hint" }),
    field("actor", "activity.actor", { hint: "activity.actor.hint" }),
    field("since", "activity.since", { type: "datetime-local" }),
    field("until", "activity.until", { type: "datetime-local" }),
  ),
  h("div", { class: "row" }, submit),
);

/** @type {any} */
let verified = null;
/** @type {unknown} */
let wrong = null;
const verifyButton = button("activity.verify", { icon: "check", run: (event) => busy(/** @type {any} */ (event.currentTarget), verify) });
const verdict = part(() => (wrong ? trouble(wrong) : verified && verdictView()), "div", { "aria-live": "polite" });
const list = paged(
  (cursor) => ask("GET", `/v1/activity?${new URLSearchParams({ ...criteria(), limit: "50", ...(cursor && { cursor }) })}`),
  view,
  (error) => {
    showErrors(form, errorsOf(error));
    return trouble(error);
  },
);
onLanguage(list.draw);
page("heading.activity", [verifyButton, isAuditor && exportButton("activity", criteria)], said("activity.intro", "p", { class: "intro" }), verdict.element, form, keptFilters("activity", () => shown(), fill), list.element);
list.again();

/** What the form holds. @returns {Record<string, string>} */
function shown() {
  return Object.fromEntries(Object.entries(valuesOf(form)).filter(([, value]) => value !== ""));
}

/** The same as the API takes it: times with an offset. @returns {Record<string, string>} */
function criteria() {
  return Object.fromEntries(Object.entries(shown()).map(([name, value]) => [name, name === "since" || name === "until" ? new Date(value).toISOString() : value]));
}

/** @param {Record<string, string>} wanted */
function fill(wanted) {
  for (const name of ["action", "object", "actor", "since", "until"]) form.elements.namedItem(name).value = wanted[name] ?? "";
  list.again();
}

/** @param {Event} event */
async function submitted(event) {
  event.preventDefault();
  showErrors(form, {});
  await busy(submit, async () => {
    announce(t("list.found", { count: (await list.again()).length }));
  });
}

/** A part at a time, each of them less than a second. */
async function verify() {
  verified = { isOver: false, last: 0, records: 0 };
  wrong = null;
  try {
    let after = 0;
    for (;;) {
      const part = await ask("GET", `/v1/activity/verification?after=${after}`);
      verified = { ...part, isOver: part.next === null };
      verdict.draw();
      if (part.next === null) break;
      after = part.next;
    }
  } catch (error) {
    wrong = error;
    verified = null;
  }
  verdict.draw();
}

function verdictView() {
  const { isOver, last, records, broken_at, missing, newest_note } = verified;
  if (!isOver) return notice("wait", "clock", h("p", {}, t("activity.verifying", { last: String(last), records: String(records) })), h("progress", { max: Math.max(1, records), value: last, "aria-label": t("run.progress") }));
  if (broken_at !== null) return notice("bad", "broken", h("p", { class: "strong" }, t("activity.broken")), h("p", {}, t("activity.broken.said", { record: String(broken_at) })));
  if (missing.length > 0) return notice("bad", "broken", h("p", { class: "strong" }, t("activity.missing")), h("p", {}, t("activity.missing.said", { seq: String(missing[0].seq) })));
  const anchored = newest_note?.record ? h("p", {}, t("activity.sound.anchored", { record: String(newest_note.record) }), " ", isAuditor ? anchorLink(newest_note.seq) : `#${newest_note.seq}`) : h("p", {}, t("activity.sound.not_anchored"));
  return notice(newest_note?.record ? "good" : "neutral", "check", h("p", { class: "strong" }, t("activity.sound", { count: records })), anchored);
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("activity.none", "log");
  return table(
    "heading.activity",
    [
      { head: "activity.id", end: true, cell: ({ id }) => String(id) },
      { head: "activity.at", cell: ({ at }) => time(at) },
      { head: "activity.who", cell: ({ actor, actor_name }) => h("span", { title: actor }, actor_name ?? word(`actor.${actor}`, actor)) },
      { head: "activity.action", row: true, cell: ({ action }) => word(`act.${action}`, action) },
      { head: "activity.object", cell: ({ object }) => h("span", { class: "digits" }, object) },
      { head: "activity.details", cell: ({ details }) => detailsView(details) },
      { head: "activity.hash", cell: (item) => hash(item.hash) },
    ],
    items,
  );
}

/** @param {Record<string, string>} details */
function detailsView(details) {
  const entries = Object.entries(details);
  if (entries.length === 0) return "—";
  return entries.map(([name, value]) => h("span", { class: "block" }, `${word(`detail_of.${name}`, name)} `, h("span", { class: "soft" }, word(VALUES[name]?.(value) ?? "", value.length > 40 ? `${value.slice(0, 12)}…` : value))));
}
