/** `/audit/runs/ID/FINDING`: one difference, side by side, and what it means. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { marked } from "./differing.js";
import { anchorLink, bones, facts, hash, invoiceLink, nothing, time, word } from "./show.js";
import { notice, page, part, said, start, titled, trouble } from "./start.js";

const { run, finding } = /** @type {Record<string, string>} */ (data.params);

start();
/** @type {any} */
let shown = null;
/** @type {unknown} */
let wrong = null;

const about = part(() => (wrong ? trouble(wrong) : shown ? aboutView() : bones()), "section", { class: "card stack" });
const sides = part(() => shown && [said("finding.sides", "h2"), sidesView()], "section", { class: "card stack" });
page("heading.finding", [], about.element, sides.element, h("p", {}, h("a", { href: `/audit/runs/${run}` }, "← ", said("finding.back"))));
ask("GET", `/v1/reconciliations/${run}/findings/${finding}`).then(
  (answer) => {
    shown = answer;
    about.draw();
    sides.draw();
    titled("heading.finding.of", { what: word(`code.${answer.finding.code}`, answer.finding.code), id: finding });
  },
  (error) => {
    wrong = error;
    about.draw();
    sides.element.remove();
  },
);

function aboutView() {
  const { finding: item } = shown;
  return [
    notice("caution", "warning", h("p", { class: "strong" }, word(`code.${item.code}`, item.code)), h("p", {}, word(`code.${item.code}.said`, ""))),
    facts([
      ["finding.number", item.number ? invoiceLink(item.number) : "—"],
      ["finding.place", item.place ? h("code", {}, item.place) : "—"],
      ["finding.where", item.seq ? h("span", { class: "row" }, anchorLink(item.seq), item.index !== null && t("hop.place", { n: String(item.index + 1) })) : "—"],
      ["finding.key", hash(item.key, "finding.key")],
      ["finding.state", word(`finding.${item.state}`, item.state)],
      ["finding.since", time(item.found_at)],
    ]),
    Object.keys(item.detail).length > 0 && h("div", {}, h("h3", {}, t("finding.detail")), h("pre", { class: "json" }, JSON.stringify(item.detail, null, 2))),
  ];
}

function sidesView() {
  const { rows, side } = shown;
  if (rows.length === 0) return nothing("finding.no_sides");
  return h(
    "div",
    { class: "sides" },
    h("p", { class: "soft" }, t(`finding.side.${side}.said`)),
    rows.map((/** @type {any} */ { name, expected, here }) => {
      const differs = expected !== null && here !== null && expected !== here;
      return h(
        "section",
        { class: "side-by-side", "data-differs": differs ? "" : null },
        h("h3", {}, word(`member.${name}`, name)),
        h("div", {}, h("p", { class: "side-name" }, t(`finding.side.${side}`)), value(expected, here)),
        h("div", {}, h("p", { class: "side-name" }, t("finding.here")), value(here, expected)),
      );
    }),
  );
}

/** @param {string | null} text @param {string | null} other */
const value = (text, other) => (text === null ? h("p", { class: "soft" }, t("finding.unknown")) : marked(text, other));
