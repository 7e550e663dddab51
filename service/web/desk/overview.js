/** `/audit`: how the registry stands, at one look; everything else is a step away. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { anchorLink, badge, count, duration, nothing, table, time, word } from "./show.js";
import { notice, page, part, said, start, trouble } from "./start.js";

start();

/** @type {any} */
let status = null;
/** @type {any} */
let run = null;
/** @type {any[]} */
let anchors = [];
/** @type {any} */
let figures = null;
/** @type {unknown} */
let wrong = null;

const troubles = part(() => [wrong ? trouble(wrong) : null, status?.trouble && inTrouble(), incidents()], "div", { class: "stack" });
const stats = part(() => (status ? statistics() : null), "div", { class: "stats" });
const lastRun = part(() => [said("overview.run", "h2"), run ? runView() : status && nothing("overview.run.none", "balance")], "section", { class: "card stack" });
const newest = part(() => [said("overview.anchors", "h2"), anchorsView(), h("p", {}, h("a", { href: "/audit/anchors" }, t("overview.anchors.all")))], "section", { class: "card stack" });
const followers = part(() => [said("overview.followers", "h2"), followersView()], "section", { class: "card stack" });

page("heading.overview", [], search(), troubles.element, stats.element, h("div", { class: "columns" }, newest.element, h("div", { class: "stack wide-gap" }, lastRun.element, followers.element)));
load();

function search() {
  const input = h("input", { type: "search", name: "q", id: "quick", maxlength: 100, autocomplete: "off", spellcheck: "false" });
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (input.value.trim() !== "") location.assign(`/audit/invoices#${new URLSearchParams({ q: input.value.trim() })}`);
  };
  return h(
    "form",
    { class: "quick", role: "search", onsubmit: go },
    h("label", { for: "quick", class: "visually-hidden", "data-t": "overview.search" }, t("overview.search")),
    icon("search"),
    input,
    h("button", { type: "submit", class: "button primary" }, said("overview.search.go")),
    h("p", { class: "hint" }, said("overview.search.hint")),
  );
}

async function load() {
  try {
    const [told, runs, listed, read] = await Promise.all([
      ask("GET", "/status"),
      ask("GET", "/v1/reconciliations?limit=1"),
      ask("GET", "/v1/anchors?limit=6"),
      ask("GET", "/v1/figures?days=1"),
    ]);
    [status, run, anchors, figures, wrong] = [told, runs.items[0] ?? null, listed.items, read, null];
  } catch (error) {
    wrong = error;
  }
  for (const each of [troubles, stats, lastRun, newest, followers]) each.draw();
}

const inTrouble = () =>
  notice("caution", "warning", h("p", { class: "strong" }, t("overview.trouble")), h("p", {}, word(`trouble.${status.trouble.code}`, status.trouble.code), " ", status.trouble.since && time(status.trouble.since)));

function incidents() {
  const entries = Object.entries(status?.incidents ?? {});
  if (entries.length === 0) return null;
  return notice("caution", "warning", h("p", {}, t("overview.incidents")), h("ul", { class: "plain-list" }, entries.map(([code, times]) => h("li", {}, t("overview.incident", { what: word(`incident.${code}`, code), count: Number(times) })))));
}

function statistics() {
  const today = figures?.daily.at(-1);
  return [
    stat("overview.head", status.final_head ?? "—", status.final_block === null ? null : t("overview.block", { block: String(status.final_block) })),
    stat("overview.backlog", count(status.backlog), status.oldest_pending_s === null ? t("overview.backlog.none") : t("overview.oldest", { time: duration(status.oldest_pending_s) })),
    stat("overview.lag", status.lag_s === null ? "—" : duration(status.lag_s), t("overview.lag.hint")),
    stat("overview.today", today ? count(today.invoices) : "0", t("overview.today.hint", { count: today?.anchors ?? 0 })),
  ];
}

/** @param {string} key @param {string | number} value @param {string | null} more */
const stat = (key, value, more) => h("div", { class: "card stat" }, h("p", { class: "stat-name" }, t(key)), h("p", { class: "stat-value" }, String(value)), more && h("p", { class: "soft" }, more));

function runView() {
  const found = Object.values(run.counts).reduce((/** @type {number} */ sum, each) => sum + Number(each), 0);
  const outcome = run.state === "done" ? (run.matches ? "matches" : "differs") : run.state;
  return h(
    "div",
    { class: "stack" },
    h("p", { class: "row" }, badge("run", outcome), h("span", { class: "soft" }, time(run.finished_at ?? run.created_at))),
    h("p", {}, run.matches ? t("overview.run.matches", { seq: String(run.seq) }) : found > 0 ? t("run.found", { count: found }) : t(`run.${run.state}.said`)),
    h("p", {}, h("a", { href: `/audit/runs/${run.id}` }, t("overview.run.open"))),
  );
}

function anchorsView() {
  if (anchors.length === 0) return status ? nothing("anchors.none", "anchor") : null;
  return table(
    "overview.anchors",
    [
      { head: "anchor.seq", row: true, cell: ({ seq }) => anchorLink(seq) },
      { head: "anchor.size", end: true, cell: ({ size }) => count(size) },
      { head: "anchor.sealed", cell: ({ sealed_at }) => time(sealed_at, "minute") },
      { head: "anchor.state", cell: ({ state }) => badge("state", state) },
    ],
    anchors,
  );
}

function followersView() {
  if (!figures) return null;
  if (figures.followers.length === 0) return nothing("overview.followers.none", "node");
  return h(
    "ul",
    { class: "lines" },
    figures.followers.map((/** @type {any} */ each) =>
      h("li", {}, h("span", {}, each.label || each.consumer), h("span", { class: "soft" }, each.behind === 0 ? t("follower.same") : t("follower.behind", { count: each.behind, time: duration(each.lag_s) }))),
    ),
  );
}
