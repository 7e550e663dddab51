/** `/audit/charts`: what a day brings, how long it takes, what waits, who lags. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { chart } from "./chart.js";
import { bones, timeText } from "./show.js";
import { page, part, said, start, trouble } from "./start.js";

const SPANS = [7, 30, 90];
const DAY_MS = 86_400_000;
const BEIJING_MS = 8 * 3_600_000;

start();
let days = 30;
/** @type {any} */
let figures = null;
/** @type {unknown} */
let wrong = null;

const spans = part(
  () => SPANS.map((span) => h("button", { type: "button", class: "chip", "aria-pressed": String(span === days), onclick: () => choose(span) }, t("charts.days", { count: span }))),
  "div",
  { class: "chips", role: "group", "aria-label": t("charts.span") },
);
const drawn = part(() => (wrong ? trouble(wrong) : figures ? charts() : bones()), "div", { class: "charts" });
page("heading.charts", [spans.element], drawn.element, said("charts.note", "p", { class: "hint" }));
onLanguage(() => spans.element.setAttribute("aria-label", t("charts.span")));
load();

/** @param {number} span */
function choose(span) {
  days = span;
  spans.draw();
  load();
}

async function load() {
  const span = days;
  /** @type {[any, unknown]} */
  let found;
  try {
    found = [await ask("GET", `/v1/figures?days=${span}`), null];
  } catch (error) {
    found = [figures, error];
  }
  if (span !== days) return; // another one was chosen meanwhile
  [figures, wrong] = found;
  drawn.draw();
}

/** A day on which nothing came on chain is a day too. @param {any[]} known @returns {any[]} */
function everyDay(known) {
  if (known.length === 0) return [];
  const byDay = new Map(known.map((day) => [day.on, day]));
  const today = Date.now() + BEIJING_MS;
  const all = Array.from({ length: days }, (_, n) => new Date(today - (days - 1 - n) * DAY_MS).toISOString().slice(0, 10));
  return all.map((on) => byDay.get(on) ?? { on, invoices: 0, anchors: 0 });
}

function charts() {
  const { recent, backlog, followers } = figures;
  const daily = everyDay(figures.daily);
  const waited = recent.filter((/** @type {any} */ { final_s }) => final_s !== null);
  const perDay = (/** @type {string} */ name) => daily.map((day) => ({ label: day.on.slice(5), value: day[name] }));
  const perAnchor = (/** @type {string} */ name) => waited.map((/** @type {any} */ one) => ({ label: `#${one.seq}`, value: one[name] }));
  return [
    chart("chart.invoices", "chart.invoices.said", "chart.unit.invoices", [{ key: "chart.invoices.series", points: perDay("invoices") }], "chart.day"),
    chart("chart.anchors", "chart.anchors.said", "chart.unit.anchors", [{ key: "chart.anchors.series", points: perDay("anchors") }], "chart.day"),
    chart(
      "chart.times",
      "chart.times.said",
      "chart.unit.seconds",
      [
        { key: "chart.times.final", shape: "line", points: perAnchor("final_s") },
        { key: "chart.times.mined", shape: "line", points: perAnchor("mined_s") },
        { key: "chart.times.sealed", shape: "line", points: perAnchor("sealed_s") },
      ],
      "chart.anchor",
    ),
    chart(
      "chart.backlog",
      "chart.backlog.said",
      "chart.unit.entries",
      [{ key: "chart.backlog.series", shape: "line", points: backlog.map((/** @type {any} */ { at, waiting }) => ({ label: timeText(at, "minute"), value: waiting })) }],
      "chart.time",
    ),
    chart(
      "chart.lag",
      "chart.lag.said",
      "chart.unit.behind",
      [{ key: "chart.lag.series", points: followers.map((/** @type {any} */ one) => ({ label: one.label || one.consumer, value: one.behind })) }],
      "chart.follower",
    ),
  ];
}
