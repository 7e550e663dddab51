/** `/audit/gaps`: numbers of a seller that ought to be there, and are not. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { keptFilters } from "./filters.js";
import { count, invoiceLink, nothing, table } from "./show.js";
import { announce, busy, button, page, part, said, start } from "./start.js";

start();
const submit = button("gaps.find", { primary: true, type: "submit", icon: "search" });
const form = h(
  "form",
  { class: "card search", novalidate: true, onsubmit: find },
  errorSummary(),
  h(
    "div",
    { class: "grid" },
    field("seller", "gaps.seller", { hint: "gaps.seller.hint" }),
    field("issued_from", "invoices.issued_from", { type: "date" }),
    field("issued_to", "invoices.issued_to", { type: "date" }),
  ),
  h("div", { class: "row" }, submit),
);
/** @type {any} */
let found = null;
const result = part(() => found && view(), "section", { class: "stack", "aria-live": "polite" });
page("heading.gaps", [], said("gaps.intro", "p", { class: "intro" }), form, keptFilters("gaps", criteria, fill), result.element);

function criteria() {
  return Object.fromEntries(Object.entries(valuesOf(form)).filter(([, value]) => value !== ""));
}

/** @param {Record<string, string>} wanted */
function fill(wanted) {
  for (const name of ["seller", "issued_from", "issued_to"]) form.elements.namedItem(name).value = wanted[name] ?? "";
  form.requestSubmit();
}

/** @param {Event} event */
async function find(event) {
  event.preventDefault();
  showErrors(form, criteria().seller ? {} : { seller: t("gaps.seller.missing") });
  if (!criteria().seller) return;
  await busy(submit, async () => {
    try {
      found = await ask("POST", "/v1/gaps", criteria());
      announce(t("gaps.found", { count: missing() }));
    } catch (error) {
      found = null;
      showErrors(form, errorsOf(error));
    }
    result.draw();
  });
}

const missing = () => found.items.reduce((/** @type {number} */ sum, /** @type {any} */ series) => sum + series.missing, 0);

function view() {
  const { items, issued_from, issued_to } = found;
  if (items.length === 0) return nothing("gaps.none", "search");
  return [h("p", {}, t("gaps.said", { from: issued_from, to: issued_to, count: missing() })), ...items.map(seriesView)];
}

/** @param {any} series */
function seriesView({ prefix, registered, first, last, ranges, missing, gaps }) {
  return h(
    "section",
    { class: "card stack" },
    h("div", { class: "row between" }, h("h2", { class: "digits" }, prefix ? `${prefix}…` : t("gaps.series.bare")), h("span", { class: "badge", "data-role": missing > 0 ? "caution" : "neutral" }, icon(missing > 0 ? "gaps" : "tick"), h("span", {}, t("gaps.missing", { count: missing })))),
    h("p", { class: "soft" }, t("gaps.series", { count: registered, first, last }), " ", ranges > 1 && t("gaps.ranges", { count: ranges })),
    gaps.length > 0 &&
      table(
        "heading.gaps",
        [
          { head: "gap.missing", row: true, cell: (/** @type {any} */ gap) => h("span", { class: "digits" }, gap.first === gap.last ? gap.first : `${gap.first} – ${gap.last}`) },
          { head: "gap.count", end: true, cell: (gap) => count(gap.missing) },
          { head: "gap.before", cell: ({ before }) => invoiceLink(before) },
          { head: "gap.after", cell: ({ after }) => invoiceLink(after) },
        ],
        gaps,
      ),
  );
}
