/** `/issuer/replacements`: reissues that wait for the new sections of the original's issuer. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { stateBadge } from "./case_shown.js";
import { field, showErrors, valuesOf } from "./dialog.js";
import { badge, nothing, paged, table, time } from "./show.js";
import { button, page, said, start } from "./start.js";

start();
const where = "/issuer/replacements/";
const submit = button("replacements.open", { primary: true, type: "submit" });
const form = h("form", { class: "card search inline", novalidate: true, onsubmit: open }, field("case", "replacements.case", { hint: "replacements.case.hint", maxlength: 40 }), h("div", { class: "row" }, submit));
const list = paged((cursor) => ask("GET", `/v1/reprints/replacements?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.issuer_replacements", [], said("replacements.intro", "p", { class: "intro" }), list.element, form);
list.again();

/** @param {Event} event */
function open(event) {
  event.preventDefault();
  const id = valuesOf(form).case.normalize("NFKC").replace(/\s/g, "").toUpperCase();
  if (/^R[0-9]{6}-[0-9A-Z]{8}$/.test(id)) location.assign(where + id);
  else showErrors(form, { case: t("replacements.case.wrong") });
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("replacements.none", "tick");
  return table(
    "heading.issuer_replacements",
    [
      { head: "queue.case", row: true, cell: ({ id }) => h("a", { href: where + id, class: "number" }, id) },
      { head: "member.number", cell: ({ number }) => h("span", { class: "digits" }, number) },
      { head: "queue.state", cell: stateBadge },
      { head: "replacements.sent", cell: ({ sent }) => badge("replacement_sent", sent ? "yes" : "no") },
      { head: "case.opened", cell: ({ opened_at }) => time(opened_at, "minute") },
    ],
    items,
  );
}
