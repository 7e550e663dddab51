/** A chart of things that have names: a bar each, the name above it, what it comes to at its end, and the table behind. */

import { h, icon, svg } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { WIDTH } from "./chart.js";

/** Of a name and the room above it. */
const NAME = 24;
/** Between the last bar of one and the name of the next. */
const BETWEEN = 10;
const BAR = 14;
const GAP = 4;
/** Room for the number at the end of the longest bar. */
const END = 72;

/** @typedef {{label: string, values: number[]}} Row a value for each of `series` */

/**
 * @param {string} heading key @param {string} sentence key of what is seen @param {string[]} series keys of their names
 * @param {Row[]} rows @param {string} labels key of what the rows are @param {(value: number) => string} said
 */
export function ranking(heading, sentence, series, rows, labels, said) {
  const id = `chart-${heading.replaceAll(".", "-")}`;
  const isEmpty = rows.length === 0;
  return h(
    "figure",
    { class: "card chart", "aria-labelledby": id },
    h("figcaption", {}, h("h2", { id }, t(heading)), h("p", { class: "soft" }, t(sentence))),
    isEmpty ? h("p", { class: "nothing" }, icon("dash"), h("span", {}, t("chart.empty"))) : drawing(rows, t(heading), said),
    !isEmpty && series.length > 1 && legend(series),
    !isEmpty && numbers(series, rows, labels, id, said),
  );
}

/** @param {Row[]} rows @param {string} name @param {(value: number) => string} said */
function drawing(rows, name, said) {
  const most = Math.max(1, ...rows.flatMap(({ values }) => values));
  const length = (/** @type {number} */ value) => ((WIDTH - END) * value) / most;
  // A further value of none has no bar: the table behind has it.
  const bars = rows.map(({ values }) => values.filter((value, at) => at === 0 || value > 0).length);
  const heights = bars.map((count) => NAME + count * (BAR + GAP) + BETWEEN);
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${heights.reduce((sum, one) => sum + one, 0)}`, role: "img", class: "drawing" });
  const title = svg("title");
  title.textContent = name;
  drawn.append(title);
  let top = 0;
  rows.forEach(({ label, values }, n) => {
    drawn.append(text(label, { class: "tick named", x: 0, y: top + 16 }));
    values.forEach((value, at) => {
      if (value === 0 && at > 0) return;
      const y = top + NAME + at * (BAR + GAP);
      drawn.append(
        svg("rect", { class: `column series-${at}`, x: 0, y, width: Math.max(value > 0 ? 2 : 0, length(value)), height: BAR }),
        text(said(value), { class: "tick", x: length(value) + (value > 0 ? 8 : 0), y: y + BAR - 1 }),
      );
    });
    top += heights[n];
  });
  return drawn;
}

/** @param {string} content @param {Record<string, string | number>} attributes */
function text(content, attributes) {
  const made = svg("text", attributes);
  made.textContent = content;
  return made;
}

/** @param {string[]} series */
const legend = (series) =>
  h(
    "ul",
    { class: "legend" },
    series.map((key, n) => {
      const drawn = svg("svg", { viewBox: "0 0 28 12", width: 28, height: 12, "aria-hidden": "true" });
      drawn.append(svg("rect", { class: `column series-${n}`, x: 0, y: 0, width: 28, height: 12 }));
      return h("li", {}, drawn, h("span", {}, t(key)));
    }),
  );

/** @param {string[]} series @param {Row[]} rows @param {string} labels @param {string} id @param {(value: number) => string} said */
const numbers = (series, rows, labels, id, said) =>
  h(
    "details",
    { class: "numbers" },
    h("summary", {}, h("span", {}, t("chart.table")), icon("chevron")),
    h(
      "div",
      { class: "sheet scrolled", tabindex: "0", role: "region", "aria-labelledby": id },
      h(
        "table",
        { class: "plain-table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t(labels)), series.map((key) => h("th", { scope: "col", class: "end" }, t(key))))),
        h("tbody", {}, rows.map(({ label, values }) => h("tr", {}, h("th", { scope: "row" }, label), values.map((value) => h("td", { class: "end" }, said(value)))))),
      ),
    ),
  );
