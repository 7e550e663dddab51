/** `/audit/runs/ID`: how far a run is, what it compared, what it found. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { exportButton } from "./exporting.js";
import { anchorLink, badge, bones, count, facts, hash, invoiceLink, nothing, paged, table, time, timeText, word } from "./show.js";
import { announce, notice, page, part, said, start, titled, trouble } from "./start.js";

const AGAIN_MS = 1_500;
const id = /** @type {Record<string, string>} */ (data.params).run;

start();
/** @type {any} */
let run = null;
/** @type {unknown} */
let wrong = null;
let code = "";

const about = part(() => (wrong ? trouble(wrong) : run ? aboutView() : bones()), "section", { class: "card stack", "aria-live": "polite" });
const codes = part(() => run && codesView(), "div", { class: "chips", role: "group", "aria-label": t("run.codes") });
const list = paged((cursor) => ask("GET", `/v1/reconciliations/${id}/findings?${new URLSearchParams({ limit: "50", ...(code && { code }), ...(cursor && { cursor }) })}`), view);
onLanguage(list.draw);

const found = h("section", { class: "stack" }, said("run.found.heading", "h2"), codes.element, list.element);
page("heading.run", [exportButton("findings", () => ({ run: Number(id), ...(code && { code }) }))], about.element, found);
titled("heading.run.of", { id });
watch();

async function watch() {
  try {
    const before = run?.state;
    run = await ask("GET", `/v1/reconciliations/${id}`);
    about.draw();
    codes.draw();
    const isOver = run.state === "done" || run.state === "failed";
    if (before === undefined || (isOver && before !== run.state)) await list.again();
    if (isOver) {
      if (before !== undefined) announce(t(run.matches ? "run.matches" : "run.over"));
      return;
    }
  } catch (error) {
    wrong = error;
    about.draw();
    found.remove();
    return;
  }
  setTimeout(watch, AGAIN_MS);
}

function aboutView() {
  const found = Object.values(run.counts).reduce((/** @type {number} */ sum, each) => sum + Number(each), 0);
  return [
    run.state === "done" && (run.matches ? notice("good", "check", h("p", { class: "strong" }, t("run.matches")), h("p", {}, t("run.matches.said", { seq: String(run.seq ?? 0) }))) : notice("bad", "differs", h("p", { class: "strong" }, t("run.found", { count: found })), h("p", {}, t("run.found.said")))),
    run.state === "failed" && notice("neutral", "question", h("p", { class: "strong" }, t("run.failed.said")), h("p", {}, word(`run.problem.${run.problem?.code}`, String(run.problem?.code ?? "")))),
    (run.state === "queued" || run.state === "running") && progress(),
    facts([
      ["run.kind", h("span", {}, t(`run.kind.${run.kind}`), run.source && ` · ${run.source}`)],
      ["run.state", badge("run", run.state === "done" ? (run.matches ? "matches" : "differs") : run.state)],
      ["run.began", time(run.created_at)],
      ["run.ended", time(run.finished_at)],
      ["run.as_of", run.seq === null ? "—" : anchorLink(run.seq)],
      ["run.block", run.block ? h("span", { class: "row" }, `${run.block.number} · ${timeText(run.block.time * 1000)}`, hash(run.block.hash, "anchor.block_hash")) : "—"],
      ["run.records", count(run.done)],
    ]),
  ];
}

function progress() {
  const part = run.total > 0 ? Math.min(1, run.done / run.total) : 0;
  return h(
    "div",
    { class: "stack" },
    h("p", { class: "row between" }, h("span", {}, t(`run.${run.state}.said`)), h("span", { class: "digits" }, new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(part))),
    h("progress", { max: Math.max(1, run.total), value: run.done, "aria-label": t("run.progress") }),
  );
}

function codesView() {
  const entries = Object.entries(run.counts);
  if (entries.length === 0) return null;
  const chip = (/** @type {string} */ value, /** @type {string} */ text) =>
    h("button", { type: "button", class: "chip", "aria-pressed": String(code === value), onclick: () => choose(value) }, text);
  return [chip("", t("run.codes.all")), ...entries.map(([each, many]) => chip(each, `${word(`code.${each}`, each)} ${count(Number(many))}`))];
}

/** @param {string} value */
function choose(value) {
  code = value;
  codes.draw();
  list.again();
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing(run?.state === "done" ? "run.nothing" : "run.nothing.yet", "check");
  return table(
    "run.found.heading",
    [
      { head: "finding.code", row: true, cell: (/** @type {any} */ item) => h("a", { href: `/audit/runs/${id}/${item.id}` }, word(`code.${item.code}`, item.code)) },
      { head: "finding.number", cell: ({ number, seq }) => (number ? invoiceLink(number) : seq ? anchorLink(seq) : "—") },
      { head: "finding.place", cell: ({ place }) => (place ? h("code", {}, place) : "—") },
      { head: "finding.where", end: true, cell: ({ seq, index }) => (seq ? `#${seq}${index === null ? "" : ` · ${index + 1}`}` : "—") },
      { head: "finding.state", cell: ({ state, repaired }) => h("span", {}, word(`finding.${state}`, state), repaired && h("span", { class: "soft block" }, t("finding.repaired"))) },
      { head: "finding.since", cell: ({ found_at }) => time(found_at) },
    ],
    items,
  );
}
