/** `/audit/runs`: reconciliations, and how to start one. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { badge, nothing, paged, table, time } from "./show.js";
import { button, page, said, start } from "./start.js";

const AGAIN_MS = 3_000;

start();
const list = paged((cursor) => ask("GET", `/v1/reconciliations?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.runs", [button("runs.start", { primary: true, icon: "plus", run: begin })], said("runs.intro", "p", { class: "intro" }), list.element);
watch();

/** What is under way is looked at again, as long as the page is seen. */
async function watch() {
  const items = await list.again();
  const isOpen = items.some(({ state }) => state === "queued" || state === "running");
  setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", () => watch(), { once: true }) : watch()), isOpen ? AGAIN_MS : 10 * AGAIN_MS);
}

async function begin() {
  const targets = [["", "runs.store"], ...data.nodes.map((node) => [node, node])];
  const choice = field("target", "runs.target", { hint: "runs.target.hint", options: /** @type {any} */ ([["", "runs.store"]]) });
  const select = /** @type {HTMLSelectElement} */ (choice.querySelector("select"));
  select.append(...targets.slice(1).map(([value]) => h("option", { value }, t("runs.node", { node: new URL(value).host }))));
  /** @type {any} */
  let made = null;
  const is = await dialog("runs.heading", [said("runs.start.intro", "p"), errorSummary(), choice], { confirm: "runs.confirm" }, async (form) => {
    const { target } = valuesOf(form);
    try {
      made = await ask("POST", "/v1/reconciliations", target ? { kind: "node", node: target } : { kind: "store" });
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (is) location.assign(`/audit/runs/${made.id}`);
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("runs.none", "balance");
  return table(
    "heading.runs",
    [
      { head: "run.id", row: true, cell: ({ id }) => h("a", { href: `/audit/runs/${id}` }, `#${id}`) },
      { head: "run.kind", cell: ({ kind, source }) => h("span", {}, t(`run.kind.${kind}`), source && h("span", { class: "soft block" }, source)) },
      { head: "run.outcome", cell: outcome },
      { head: "run.findings", end: true, cell: ({ counts, state }) => (state === "queued" ? "—" : String(Object.values(counts).reduce((/** @type {number} */ sum, each) => sum + Number(each), 0))) },
      { head: "run.as_of", end: true, cell: ({ seq }) => (seq === null ? "—" : `#${seq}`) },
      { head: "run.began", cell: ({ created_at }) => time(created_at) },
      { head: "run.ended", cell: ({ finished_at }) => time(finished_at) },
    ],
    items,
  );
}

/** @param {any} run */
const outcome = ({ state, matches, done, total }) => {
  if (state === "running") return h("span", { class: "row" }, badge("run", state), h("progress", { max: Math.max(1, total), value: done, "aria-label": t("run.progress") }));
  return badge("run", state === "done" ? (matches ? "matches" : "differs") : state);
};
