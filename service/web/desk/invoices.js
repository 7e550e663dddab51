/** `/audit/invoices`: any text or any facts; what was asked stands behind the #, which no server sees. */

import { h } from "../../../verifier/web/page/dom.js";
import { money, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { exportButton } from "./exporting.js";
import { keptFilters } from "./filters.js";
import { badge, invoiceLink, nothing, paged, table, time } from "./show.js";
import { announce, button, busy, page, part, said, start, trouble } from "./start.js";

const FACTS = ["number", "seller", "buyer", "issued_from", "issued_to", "amount_from", "amount_to", "status", "state"];

start();

const submit = button("invoices.find", { primary: true, type: "submit", icon: "search" });
const any = (/** @type {string} */ kind, /** @type {string[]} */ values) => /** @type {[string, string][]} */ ([["", "invoices.any"], ...values.map((value) => [value, `${kind}.${value}`])]);
const details = h(
  "details",
  { class: "facts-wanted" },
  h("summary", {}, said("invoices.more"), h("span", { class: "count", id: "facts-count" })),
  h(
    "div",
    { class: "grid" },
    field("number", "invoices.number"),
    field("seller", "invoices.seller", { hint: "invoices.seller.hint" }),
    field("buyer", "invoices.buyer", { hint: "invoices.buyer.hint" }),
    field("issued_from", "invoices.issued_from", { type: "date" }),
    field("issued_to", "invoices.issued_to", { type: "date" }),
    field("amount_from", "invoices.amount_from", { inputmode: "decimal" }),
    field("amount_to", "invoices.amount_to", { inputmode: "decimal" }),
    field("status", "invoices.status", { options: any("status", ["valid", "void", "reversed", "partly_reversed", "released"]) }),
    field("state", "invoices.state", { options: any("state", ["pending", "sealed", "broadcast", "mined", "final"]) }),
  ),
);
const form = h("form", { class: "card search", novalidate: true, onsubmit: submitted }, errorSummary(), field("q", "invoices.q", { hint: "invoices.q.hint" }), details, h("div", { class: "row" }, submit, button("invoices.clear", { run: () => fill({}) })));

/** @type {any} */
let indexed = null;
const index = part(() => indexed && h("p", { class: "hint", id: "indexed" }, indexed.behind > 0 ? t("invoices.indexed.behind", { count: indexed.behind }) : t("invoices.indexed", { seq: String(indexed.seq) })), "div", {});
const list = paged(read, view, failed);
onLanguage(list.draw);

page("heading.invoices", [exportButton("invoices", criteria)], form, keptFilters("invoices", criteriaShown, fill), index.element, list.element);
window.addEventListener("hashchange", fromHash);
fromHash();

function fromHash() {
  const known = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  for (const name of ["q", ...FACTS]) form.elements.namedItem(name).value = known[name] ?? "";
  details.open = FACTS.some((name) => known[name]);
  counted();
  list.again().then((items) => announce(t("list.found", { count: items.length })));
}

/** @param {Record<string, string>} wanted */
function fill(wanted) {
  const hash = String(new URLSearchParams(wanted));
  if (location.hash.slice(1) === hash) fromHash();
  else location.hash = hash;
}

/** @param {Event} event */
async function submitted(event) {
  event.preventDefault();
  showErrors(form, {});
  await busy(submit, async () => fill(criteriaShown()));
}

/** What the form holds, as it is typed. @returns {Record<string, string>} */
function criteriaShown() {
  return Object.fromEntries(Object.entries(valuesOf(form)).filter(([, value]) => value !== ""));
}

/** The same as the API takes it: amounts without thousands separators. */
function criteria() {
  const plain = (/** @type {string} */ text) => text.replace(/[¥￥,，\s]/g, "");
  return Object.fromEntries(Object.entries(criteriaShown()).map(([name, value]) => [name, name.startsWith("amount_") ? plain(value) : value]));
}

function counted() {
  const given = FACTS.filter((name) => form.elements.namedItem(name).value !== "").length;
  const place = /** @type {HTMLElement} */ (form.querySelector("#facts-count"));
  place.textContent = given > 0 ? String(given) : "";
}

/** @param {string | null} cursor */
async function read(cursor) {
  const found = await ask("POST", "/v1/invoices/search", { ...criteria(), limit: 50, ...(cursor && { cursor }) });
  indexed = found.indexed;
  index.draw();
  return found;
}

/** @param {unknown} error */
function failed(error) {
  showErrors(form, errorsOf(error));
  if (form.querySelector('[aria-invalid="true"]:not([name="q"])')) details.open = true;
  return trouble(error);
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("invoices.none", "search");
  return table(
    "heading.invoices",
    [
      { head: "invoices.number", row: true, cell: ({ number }) => invoiceLink(number) },
      { head: "invoices.issued_on", cell: ({ issued_on }) => h("span", { class: "digits" }, issued_on) },
      { head: "invoices.seller.name", cell: ({ seller }) => seller.name ?? "—" },
      { head: "invoices.buyer.name", cell: ({ buyer }) => buyer.name ?? "—" },
      { head: "invoices.amount", end: true, cell: ({ amount_with_tax, currency }) => (amount_with_tax ? money(amount_with_tax, currency ?? "") : "—") },
      { head: "invoices.status", cell: ({ status }) => badge("status", status) },
      { head: "invoices.state", cell: ({ state }) => badge("state", state) },
      { head: "invoices.accepted", cell: ({ accepted_at }) => time(accepted_at, "minute") },
    ],
    items,
  );
}
