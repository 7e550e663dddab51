/** `/staff/statistics`: cases by state, cause and time. */

import { h } from "../../../verifier/web/page/dom.js";
import { integer, onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { chart } from "./chart.js";
import { ranking } from "./ranking.js";
import { bones, duration } from "./show.js";
import { page, part, said, start, trouble } from "./start.js";

const SPANS = [7, 30, 90];

start();
let days = 30;
/** @type {any} */
let statistics = null;
/** @type {unknown} */
let wrong = null;

const spans = part(
  () => SPANS.map((span) => h("button", { type: "button", class: "chip", "aria-pressed": String(span === days), onclick: () => choose(span) }, t("charts.days", { count: span }))),
  "div",
  { class: "chips", role: "group", "aria-label": t("charts.span") },
);
const told = part(() => statistics && figures(), "div", { class: "stats" });
const drawn = part(() => (wrong ? trouble(wrong) : statistics ? charts() : bones()), "div", { class: "charts" });
page("heading.staff_statistics", [spans.element], told.element, drawn.element, said("statistics.note", "p", { class: "hint" }));
onLanguage(() => spans.element.setAttribute("aria-label", t("charts.span")));
load();

/** @param {number} span */
function choose(span) {
  days = span;
  spans.draw();
  load();
}

async function load() {
  try {
    statistics = await ask("GET", `/v1/reprints/statistics?days=${days}`);
    wrong = null;
  } catch (error) {
    wrong = error;
  }
  told.draw();
  drawn.draw();
}

function figures() {
  const { states, whole } = statistics;
  const inState = (/** @type {string[]} */ names) => states.filter((/** @type {any} */ { state }) => names.includes(state));
  const sum = (/** @type {any[]} */ rows, /** @type {"cases" | "late"} */ name) => rows.reduce((total, row) => total + row[name], 0);
  const reviews = inState(["review_1", "review_2"]);
  return [
    stat("statistics.waiting", integer(sum(reviews, "cases")), t("statistics.late", { count: sum(reviews, "late") })),
    stat("statistics.applicant", integer(sum(inState(["started", "submitted", "materials_pending", "fee_due"]), "cases")), t("statistics.applicant.said")),
    stat("statistics.whole", whole ? duration(whole.median_s) : "—", whole ? t("statistics.whole.said", { time: duration(whole.p90_s) }) : t("statistics.whole.none")),
  ];
}

/** @param {string} key @param {string} value @param {string} more */
const stat = (key, value, more) => h("div", { class: "card stat" }, h("p", { class: "stat-name" }, t(key)), h("p", { class: "stat-value" }, value), h("p", { class: "soft" }, more));

function charts() {
  const { states, causes, fees, daily, times } = statistics;
  const byDay = (/** @type {string} */ name) => daily.map((/** @type {any} */ day) => ({ label: day.on.slice(5), value: day[name] }));
  return [
    ranking(
      "statistics.states",
      "statistics.states.said",
      ["statistics.cases", "statistics.cases.late"],
      states.filter((/** @type {any} */ { cases }) => cases > 0).map((/** @type {any} */ { state, cases, late }) => ({ label: t(`case_state.${state}`), values: [cases, late] })),
      "queue.state",
      integer,
    ),
    ranking(
      "statistics.times",
      "statistics.times.said",
      ["statistics.median", "statistics.most"],
      times.map((/** @type {any} */ { state, median_s, p90_s }) => ({ label: t(`case_state.${state}`), values: [median_s, p90_s] })),
      "queue.state",
      duration,
    ),
    ranking(
      "statistics.causes",
      "statistics.causes.said",
      ["statistics.cases"],
      causes.map((/** @type {any} */ { verdict, responsible, cases }) => ({ label: t("statistics.cause", { what: t(`cause.${verdict}`), who: t(`responsible.${responsible}`) }), values: [cases] })),
      "statistics.cause.name",
      integer,
    ),
    ranking(
      "statistics.fees",
      "statistics.fees.said",
      ["statistics.cases"],
      fees.map((/** @type {any} */ { fee, cases }) => ({ label: t(`fee_kind.${fee}`), values: [cases] })),
      "queue.fee",
      integer,
    ),
    chart(
      "statistics.daily",
      "statistics.daily.said",
      "statistics.unit",
      [
        { key: "statistics.opened", points: byDay("opened") },
        { key: "statistics.completed", shape: "line", points: byDay("completed") },
        { key: "statistics.ended", shape: "line", points: byDay("ended") },
      ],
      "chart.day",
    ),
  ];
}
