/**
 * Charts of one idea each, drawn by hand in SVG: labelled axes with units, readable without colour, and the table that they are of.
 */

import { h, icon, svg } from "../../../verifier/web/page/dom.js";
import { language, t } from "../../../verifier/web/page/texts.js";

/** In the pixels of a phone or of half a desk, so that what is written in a chart is as large as what stands around it. */
export const WIDTH = globalThis.innerWidth < 640 ? 320 : 420;
const HEIGHT = 230;
const LEFT = 52;
const RIGHT = 12;
const TOP = 32;
const BOTTOM = 32;
/** Names along the axis that there is room for. */
const NAMES = 4;
/** Width of a character of a label, with room to spare for the wide ones. */
const CHARACTER = 8;

/**
 * @typedef {object} Point
 * @property {string} label along the axis
 * @property {number | null} value
 *
 * @typedef {object} Series
 * @property {string} key of its name
 * @property {Point[]} points all series of a chart have the same labels
 * @property {"bars" | "line"} [shape]
 */

/**
 * @param {string} heading key @param {string} sentence key of what is seen @param {string} unit key of what stands at the axis
 * @param {Series[]} series @param {string} labels key of what the points are
 */
export function chart(heading, sentence, unit, series, labels) {
  const points = series[0]?.points ?? [];
  const id = `chart-${heading.replaceAll(".", "-")}`;
  const isEmpty = points.length === 0;
  return h(
    "figure",
    { class: "card chart", "aria-labelledby": id },
    h("figcaption", {}, h("h2", { id }, t(heading)), h("p", { class: "soft" }, t(sentence))),
    isEmpty ? h("p", { class: "nothing" }, icon("dash"), h("span", {}, t("chart.empty"))) : drawing(series, unit, t(heading)),
    !isEmpty && series.length > 1 && legend(series),
    !isEmpty && numbers(series, labels, id),
  );
}

/** @param {Series[]} series @param {string} unit @param {string} name */
function drawing(series, unit, name) {
  const points = series[0].points;
  const most = Math.max(1, ...series.flatMap((one) => one.points.map(({ value }) => value ?? 0)));
  const { top, ticks } = scale(most);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, points.length);
  const x = (/** @type {number} */ n) => LEFT + step * (n + 0.5);
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: 1, notation: top >= 100_000 ? "compact" : "standard" });
  const grid = ticks.flatMap((tick) => [
    svg("line", { class: tick === 0 ? "axis" : "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
    text(number.format(tick), { class: "tick", x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }),
  ]);
  const longest = Math.max(...points.map(({ label }) => label.length)) * CHARACTER + 16;
  const every = Math.ceil(points.length / Math.max(1, Math.min(NAMES, Math.floor((WIDTH - LEFT - RIGHT) / longest))));
  const names = points.flatMap(({ label }, n) =>
    n % every === 0 ? [text(label, { class: "tick", x: x(n), y: HEIGHT - BOTTOM + 20, "text-anchor": "middle" })] : [],
  );
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "drawing" });
  const title = svg("title");
  title.textContent = name;
  const shapes = series.flatMap((one, n) => (one.shape === "line" ? line(one, n, x, y) : bars(one, n, series.filter(({ shape }) => shape !== "line").length, step, x, y)));
  drawn.append(title, ...grid, ...shapes, ...names, text(t(unit), { class: "unit", x: 0, y: 12 }));
  return drawn;
}

/** @param {string} content @param {Record<string, string | number>} attributes */
function text(content, attributes) {
  const made = svg("text", attributes);
  made.textContent = content;
  return made;
}

/** @param {Series} one @param {number} n @param {number} of @param {number} step @param {(n: number) => number} x @param {(v: number) => number} y */
function bars({ points }, n, of, step, x, y) {
  const width = Math.max(1, Math.min(28, (step * 0.72) / of));
  return points.flatMap(({ label, value }, at) => {
    if (value === null) return [];
    const bar = svg("rect", { class: `column series-${n}`, x: x(at) - (width * of) / 2 + width * n, y: y(value), width, height: Math.max(0, y(0) - y(value)) });
    const title = svg("title");
    title.textContent = `${label}: ${value}`;
    bar.append(title);
    return [bar];
  });
}

/** @param {Series} one @param {number} n @param {(n: number) => number} x @param {(v: number) => number} y */
function line({ points }, n, x, y) {
  let path = "";
  let isDown = false;
  points.forEach(({ value }, at) => {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== null;
  });
  const marks = points.length > 60 ? [] : points.flatMap(({ value }, at) => (value === null ? [] : [svg("circle", { class: `mark series-${n}`, cx: x(at), cy: y(value), r: 2.5 })]));
  return [svg("path", { class: `line series-${n}`, d: path }), ...marks];
}

/** Round steps up to what has to be shown. @param {number} most */
function scale(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? power * 10;
  const whole = most <= 4 ? 1 : step;
  const count = Math.ceil(most / whole);
  return { top: whole * count, ticks: Array.from({ length: count + 1 }, (_, n) => whole * n) };
}

/** @param {Series[]} series */
const legend = (series) =>
  h(
    "ul",
    { class: "legend" },
    series.map(({ key, shape }, n) => {
      const drawn = svg("svg", { viewBox: "0 0 28 12", width: 28, height: 12, "aria-hidden": "true" });
      drawn.append(shape === "line" ? svg("path", { class: `line series-${n}`, d: "M1 6H27" }) : svg("rect", { class: `column series-${n}`, x: 6, y: 0, width: 16, height: 12 }));
      return h("li", {}, drawn, h("span", {}, t(key)));
    }),
  );

/** The table behind it. @param {Series[]} series @param {string} labels key of what the rows are @param {string} id of the heading */
function numbers(series, labels, id) {
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: 1 });
  const rows = [...series[0].points.keys()].reverse();
  return h(
    "details",
    { class: "numbers" },
    h("summary", {}, h("span", {}, t("chart.table")), icon("chevron")),
    h(
      "div",
      { class: "sheet scrolled", tabindex: "0", role: "region", "aria-labelledby": id },
      h(
        "table",
        { class: "plain-table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t(labels)), series.map(({ key }) => h("th", { scope: "col", class: "end" }, t(key))))),
        h(
          "tbody",
          {},
          rows.map((n) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, series[0].points[n].label),
              series.map(({ points }) => h("td", { class: "end" }, points[n].value === null ? "—" : number.format(/** @type {number} */ (points[n].value)))),
            ),
          ),
        ),
      ),
    ),
  );
}
