/** `/audit/anchors`: every batch that was sealed, and how far it has come. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { exportButton } from "./exporting.js";
import { anchorLink, badge, count, hash, nothing, paged, table, time } from "./show.js";
import { page, start } from "./start.js";

start();
const list = paged((cursor) => ask("GET", `/v1/anchors?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.anchors", [exportButton("anchors", () => ({}))], list.element);
list.again();

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("anchors.none", "anchor");
  return table(
    "heading.anchors",
    [
      { head: "anchor.seq", row: true, cell: ({ seq }) => anchorLink(seq) },
      { head: "anchor.state", cell: ({ state, foreign }) => (foreign ? h("span", {}, badge("anchor", "foreign")) : badge("state", state)) },
      { head: "anchor.size", end: true, cell: ({ size }) => count(size) },
      { head: "anchor.log_root", cell: ({ log_root }) => hash(`0x${log_root}`) },
      { head: "anchor.register_root", cell: ({ register_root }) => hash(`0x${register_root}`) },
      { head: "anchor.block", end: true, cell: ({ block }) => (block === null ? "—" : String(block)) },
      { head: "anchor.block_at", cell: ({ block_at }) => time(block_at) },
    ],
    items,
  );
}
