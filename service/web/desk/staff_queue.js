/** `/staff`: cases of reprints, those that wait longest for us first; what was asked for stands behind the #. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { caseLink, due, feeSaid, stateBadge } from "./case_shown.js";
import { field, valuesOf } from "./dialog.js";
import { keptFilters } from "./filters.js";
import { stepper } from "./list_steps.js";
import { shortcuts } from "./shortcuts.js";
import { duration, nothing, paged, table, word } from "./show.js";
import { announce, button, page, said, start } from "./start.js";

const STATES = ["started", "submitted", "materials_pending", "materials_submitted", "fee_due", "review_1", "review_2", "approved", "completed", "rejected", "cancelled", "expired"];
const TICKS = ["mine", "late"];

start();

const state = field("state", "queue.state", {
  options: [["", "queue.waiting"], ["all", "queue.all"], ...STATES.map((each) => /** @type {[string, string]} */ ([each, `case_state.${each}`]))],
});
const tick = (/** @type {string} */ name) => h("label", { class: "tickbox" }, h("input", { type: "checkbox", name, value: "true" }), said(`queue.${name}`));
const form = h("form", { class: "card search queue-form", novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault(), onchange: changed }, state, h("div", { class: "row" }, TICKS.map(tick)));
const list = paged(read, view);
onLanguage(list.draw);

const { step, first } = stepper(list.element);
const keys = shortcuts([
  { key: "j", text: "shortcuts.down", run: () => step(1) },
  { key: "k", text: "shortcuts.up", run: () => step(-1) },
  { key: "Enter", text: "shortcuts.open", run: first },
  { key: "m", text: "shortcuts.mine", run: () => toggle("mine") },
  { key: "l", text: "shortcuts.late", run: () => toggle("late") },
  { key: "u", text: "shortcuts.again", run: fromHash },
]);
page("heading.staff_queue", [keys], said("queue.intro", "p", { class: "intro" }), form, keptFilters("staff", criteria, fill), list.element);
window.addEventListener("hashchange", fromHash);
fromHash();

function fromHash() {
  const known = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  form.elements.namedItem("state").value = known.state ?? "";
  for (const name of TICKS) form.elements.namedItem(name).checked = known[name] === "true";
  list.again().then((items) => announce(t("list.found", { count: items.length })));
}

/** @param {Record<string, string>} wanted */
function fill(wanted) {
  const hash = String(new URLSearchParams(wanted));
  if (location.hash.slice(1) === hash) fromHash();
  else location.hash = hash;
}

function changed() {
  fill(criteria());
}

/** @returns {Record<string, string>} */
function criteria() {
  return Object.fromEntries(Object.entries(valuesOf(form)).filter(([, value]) => value !== ""));
}

/** @param {string} name */
function toggle(name) {
  const box = form.elements.namedItem(name);
  box.checked = !box.checked;
  changed();
}

/** @param {string | null} cursor */
function read(cursor) {
  return ask("GET", `/v1/reprints?${new URLSearchParams({ ...criteria(), limit: "50", ...(cursor && { cursor }) })}`);
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("queue.none", "tick");
  return table(
    "heading.staff_queue",
    [
      { head: "queue.case", row: true, cell: ({ id, number }) => h("span", {}, caseLink(id), h("span", { class: "soft block digits" }, number)) },
      { head: "queue.state", cell: stateBadge },
      { head: "queue.due", cell: (item) => due(item) },
      { head: "queue.age", cell: ({ age_s }) => duration(age_s) },
      { head: "queue.kind", cell: ({ kind }) => (kind ? word(`reprint_kind.${kind}`, kind) : "—") },
      { head: "queue.fee", cell: ({ fee, fee_state }) => feeSaid({ kind: fee, state: fee_state }) },
      { head: "queue.approved", cell: ({ first_reviewer }) => first_reviewer ?? "—" },
    ],
    items,
  );
}
