/** A chart of things that have names: a bar each, the name above it, what it comes to at its end, and the table behind. */

import { h, icon, svg } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";

const WIDTH = 420;
const ROW = 48;
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
  const count = rows[0].values.length;
  const height = ROW + (count - 1) * (BAR + GAP);
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${rows.length * height}`, role: "img", class: "drawing" });
  const title = svg("title");
  title.textContent = name;
  drawn.append(title);
  rows.forEach(({ label, values }, n) => {
    const top = n * height;
    drawn.append(text(label, { class: "tick named", x: 0, y: top + 16 }));
    values.forEach((value, at) => {
      if (value === 0 && at > 0) return; // the table behind has it
      const y = top + 24 + at * (BAR + GAP);
      drawn.append(
        svg("rect", { class: `column series-${at}`, x: 0, y, width: Math.max(value > 0 ? 2 : 0, length(value)), height: BAR }),
        text(said(value), { class: "tick", x: length(value) + 8, y: y + BAR - 1 }),
      );
    });
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
