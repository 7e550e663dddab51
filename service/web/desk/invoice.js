/** `/audit/invoices/NUMBER`: an invoice's whole story, and its proof checked by this browser against the chain. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask, once, save } from "./ask.js";
import { content } from "./content.js";
import { data } from "./data.js";
import { anchorLink, badge, bones, facts, hash, invoiceLink, nothing, time, word } from "./show.js";
import { announce, busy, button, page, part, said, start, titled, trouble } from "./start.js";

const number = /** @type {Record<string, string>} */ (data.params).number;
const path = `/v1/invoices/${encodeURIComponent(number)}`;

start();

/** The verifier comes while the invoice does. */
const checking = import("./checking.js");
/** @type {typeof import("./checking.js") | null} */
let checker = null;
/** @type {any} */
let invoice = null;
/** @type {any[]} */
let entries = [];
/** @type {any} */
let answer = null;
/** @type {{node: string, said: string, seq: number | null, behind: number | null}[]} */
let nodes = [];
/** @type {any[]} */
let looks = [];
/** @type {unknown} */
let wrong = null;

const evidence = button("invoice.evidence", { icon: "save", primary: true, run: (event) => busy(/** @type {any} */ (event.currentTarget), takeEvidence) });
const failed = part(() => wrong && trouble(wrong), "div", {});
const head = part(() => (invoice ? headView() : bones()), "section", { class: "card stack" });
const proof = part(() => (answer && checker ? checker.viewOf(answer, []) : waiting()), "section", { class: "proof", "aria-live": "polite" });
const story = part(() => [said("invoice.timeline", "h2"), timelineView()], "section", { class: "card stack" });
const inside = part(() => invoice && [said("invoice.content", "h2"), ...content(invoice.sections)], "section", { class: "card stack" });
const asked = part(() => [said("invoice.nodes", "h2"), nodesView()], "section", { class: "card stack" });
const seen = part(() => [said("invoice.looks", "h2"), looksView()], "section", { class: "card stack" });

page(
  "heading.invoice",
  [evidence],
  failed.element,
  h("div", { class: "columns" }, h("div", { class: "stack wide-gap" }, head.element, inside.element, story.element), h("div", { class: "stack wide-gap" }, proof.element, asked.element, seen.element)),
);
titled("heading.invoice.of", { number });
load();

async function load() {
  try {
    invoice = await ask("GET", path);
    head.draw();
    inside.draw();
    await Promise.all([check(), tell(), askNodes(), look()]);
  } catch (error) {
    wrong = error;
    failed.draw();
    for (const each of [head, proof, story, inside, asked, seen]) each.element.remove();
  }
}

/** The proof file, by the verifier's own recipe, in this browser. */
async function check() {
  const statement = ask("POST", "/v1/statements", { number, commitment: invoice.commitment }).catch(() => null);
  const material = new Uint8Array(await (await once("GET", `${path}/proof`, undefined)).arrayBuffer());
  checker = await checking;
  answer = await checker.examined(material, statement);
  proof.draw();
  announce(t(answer.word.key));
}

async function tell() {
  ({ entries } = await ask("GET", `${path}/timeline`));
  story.draw();
}

/** Each node is asked by this browser, and believed as far as the chain bears it out. */
async function askNodes() {
  const { heard } = await checking;
  nodes = await Promise.all(data.nodes.map((url) => heard(url, { number, commitment: invoice.commitment })));
  asked.draw();
}

async function look() {
  const found = await ask("GET", `/v1/activity?limit=10&object=${encodeURIComponent(number)}`);
  looks = found.items;
  seen.draw();
}

async function takeEvidence() {
  try {
    await save("GET", `/v1/evidence/${encodeURIComponent(number)}`);
    announce(t("invoice.evidence.taken"));
    await look();
  } catch (error) {
    wrong = error;
    failed.draw();
  }
}

function waiting() {
  return h("div", { class: "answer waiting" }, h("section", { class: "verdict", "data-role": "neutral" }, h("span", { class: "seal spinner" }), said("invoice.checking", "p", { class: "word" })));
}

function headView() {
  return [
    h("p", { class: "row" }, badge("status", invoice.status), badge("state", invoice.state)),
    facts([
      ["invoice.registered", time(invoice.registered_at)],
      ["invoice.profile", word(`profile.${invoice.profile}`, invoice.profile)],
      ["invoice.external", invoice.external_id ?? "—"],
      ["invoice.commitment", hash(invoice.commitment, "invoice.commitment")],
    ]),
    invoice.findings.length > 0 &&
      h(
        "details",
        { class: "numbers" },
        h("summary", {}, h("span", {}, t("invoice.findings", { count: invoice.findings.length })), icon("chevron")),
        h("ul", { class: "plain-list" }, invoice.findings.map((/** @type {any} */ { detail, pointer }) => h("li", {}, detail, " ", h("code", {}, pointer)))),
      ),
  ];
}

function timelineView() {
  if (entries.length === 0) return bones();
  return h("ol", { class: "story" }, [...entries].reverse().map(entryView));
}

/** @param {any} entry */
function entryView({ kind, state, reason, other_number, hops }) {
  return h(
    "li",
    {},
    h("div", { class: "row" }, h("h3", {}, word(`kind.${kind}`, kind)), badge("state", state)),
    reason && h("p", {}, t("invoice.reason", { reason })),
    other_number && h("p", {}, t("invoice.other"), " ", invoiceLink(other_number)),
    h("ol", { class: "hops" }, hops.map(hopView)),
  );
}

/** @param {any} hop */
function hopView(hop) {
  const evidence = [
    hop.seq && anchorLink(hop.seq),
    hop.index !== undefined && hop.index !== null && h("span", { class: "soft" }, t("hop.place", { n: String(hop.index + 1) })),
    hop.block && h("span", { class: "soft" }, t("hop.block", { block: String(hop.block) })),
    hop.external_id && h("span", { class: "soft" }, hop.external_id),
    ...(hop.transactions ?? []).map((/** @type {string} */ each) => hash(each, "anchor.transaction")),
    hop.receipt && h("span", { class: "soft" }, t("hop.promise"), " ", time(new Date(hop.receipt.deadline).toISOString(), "time")),
    hop.consumer && h("span", { class: "soft" }, t("hop.delivered.to", { name: hop.label ?? hop.consumer, seq: String(hop.cursor) })),
    ...(hop.nodes ?? []).map((/** @type {any} */ { node, state }) => h("span", { class: "row" }, node, badge("seen", state))),
    hop.hop === "restored" && h("span", { class: "soft" }, t("hop.restored.what", { source: word(`source.${hop.source}`, hop.source), what: hop.restored.join(", ") })),
  ].filter(Boolean);
  return h("li", {}, h("span", { class: "hop" }, word(`hop.${hop.hop}`, hop.hop)), time(hop.at), evidence.length > 0 && h("span", { class: "hop-evidence" }, evidence));
}

function nodesView() {
  if (data.nodes.length === 0) return nothing("invoice.nodes.none", "node");
  if (nodes.length === 0) return bones();
  return h(
    "ul",
    { class: "lines" },
    nodes.map(({ node, said: verdict, seq, behind }) => {
      const state = seq === null ? "silent" : behind !== null && behind > 0 ? "behind" : verdict === answer?.examination?.verdict || !answer ? "same" : "other";
      return h(
        "li",
        {},
        h("span", {}, node),
        h("span", { class: "row end" }, badge("node", state), h("span", { class: "soft" }, seq === null ? t("node.silent.said") : t("node.said", { verdict: word(`verdict.${verdict}`, verdict), seq: String(seq) }))),
      );
    }),
  );
}

function looksView() {
  if (looks.length === 0) return bones();
  return h("ul", { class: "lines" }, looks.map(({ at, actor, actor_name, action }) => h("li", {}, h("span", {}, `${actor_name ?? actor} · ${word(`act.${action}`, action)}`), h("span", { class: "soft" }, time(at, "minute")))));
}
