/** `/operator`: requests for the release of a number, those that wait first. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { field, showErrors, valuesOf } from "./dialog.js";
import { badge, invoiceLink, nothing, paged, table, time } from "./show.js";
import { button, page, said, start } from "./start.js";

start();
const where = "/operator/releases/";
const submit = button("releases.open", { primary: true, type: "submit" });
const form = h("form", { class: "card search inline", novalidate: true, onsubmit: open }, field("number", "releases.number", { hint: "releases.number.hint", inputmode: "text", maxlength: 100 }), h("div", { class: "row" }, submit));
const list = paged((cursor) => ask("GET", `/v1/releases?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.releases", [], said("releases.intro", "p", { class: "intro" }), form, list.element);
list.again();

/** @param {Event} event */
function open(event) {
  event.preventDefault();
  const number = valuesOf(form).number.normalize("NFKC").replace(/\s/g, "").toUpperCase();
  if (/^[0-9A-Z][0-9A-Z._:-]{0,63}$/.test(number)) location.assign(`${where}${encodeURIComponent(number)}`);
  else showErrors(form, { number: t("error.number") });
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("releases.none", "release");
  const waits = (/** @type {any} */ { state }) => Number(state === "pending");
  return listView([...items].sort((a, b) => waits(b) - waits(a)));
}

/** @param {any[]} items */
const listView = (items) =>
  table(
    "heading.releases",
    [
      { head: "releases.number", row: true, cell: ({ number }) => invoiceLink(number, where) },
      { head: "releases.state", cell: ({ state }) => badge("release", state) },
      { head: "releases.reason", cell: ({ reason }) => reason },
      { head: "releases.requested", cell: ({ requested_by_name, requested_by, requested_at }) => h("span", {}, requested_by_name ?? requested_by, h("span", { class: "soft block" }, time(requested_at, "minute"))) },
      { head: "releases.decided", cell: ({ decided_by_name, decided_by, decided_at }) => (decided_by ? h("span", {}, decided_by_name ?? decided_by, h("span", { class: "soft block" }, time(decided_at, "minute"))) : "—") },
    ],
    items,
  );
