/** `/audit/anchors/SEQ`: everything about one, and what the contract itself says of it, read by this browser. */

import { openChain } from "../../../verifier/web/chain.js";
import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { parseTrust } from "../../../verifier/web/trust.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { badge, bones, count, facts, hash, invoiceLink, nothing, paged, table, time, word } from "./show.js";
import { notice, page, part, said, start, titled, trouble } from "./start.js";

const seq = Number(/** @type {Record<string, string>} */ (data.params).seq);

start();
/** @type {any} */
let anchor = null;
/** @type {any} */
let journey = null;
/** @type {{role: string, icon: string, key: string, params?: Record<string, string>} | null} */
let checked = null;
/** @type {unknown} */
let wrong = null;

const about = part(() => (wrong ? trouble(wrong) : anchor ? aboutView() : bones()), "section", { class: "card stack" });
const onChain = part(() => [said("anchor.chain", "h2"), chainView()], "section", { class: "card stack", "aria-live": "polite" });
const way = part(() => [said("anchor.way", "h2"), journey ? wayView() : bones()], "section", { class: "card stack" });
const list = paged((cursor) => ask("GET", `/v1/anchors/${seq}/entries?limit=100${cursor ? `&cursor=${cursor}` : ""}`), entriesView);
onLanguage(list.draw);

page(
  "heading.anchor",
  [],
  h("div", { class: "columns" }, about.element, h("div", { class: "stack wide-gap" }, onChain.element, way.element)),
  h("section", { class: "stack" }, said("anchor.entries", "h2"), list.element),
  h("nav", { class: "row between", "aria-label": t("anchor.others") }, seq > 1 ? h("a", { href: `/audit/anchors/${seq - 1}` }, `← #${seq - 1}`) : h("span", {}), h("a", { href: `/audit/anchors/${seq + 1}` }, `#${seq + 1} →`)),
);
titled("heading.anchor.of", { seq: String(seq) });
list.again();
load();

async function load() {
  try {
    [anchor, journey] = await Promise.all([ask("GET", `/v1/anchors/${seq}`), ask("GET", `/v1/anchors/${seq}/transactions`)]);
    about.draw();
    way.draw();
    checked = await check();
    onChain.draw();
  } catch (error) {
    wrong = error;
    about.draw();
    onChain.element.remove();
    way.element.remove();
  }
}

/** What the contract holds under this seq, at the lowest final block of the endpoints. */
async function check() {
  const view = await openChain(await parseTrust(data.trust), { endpoints: data.trust.rpc_urls }, [seq]);
  const endpoints = view.source.endpoints.join(", ");
  if (view.problem) return { role: "neutral", icon: "question", key: "anchor.unread", params: { endpoints: endpoints || "—" } };
  const held = (await view.anchors([seq])).get(seq);
  if (!held || !("anchor" in held) || !held.anchor) return { role: anchor.state === "final" ? "bad" : "wait", icon: "clock", key: "anchor.not_held", params: { block: String(view.source.block?.number) } };
  const same = ["log_root", "register_root", "size"].every((name) => /** @type {any} */ (held.anchor)[name] === anchor[name]);
  const block = String(view.source.block?.number);
  if (!same && !anchor.foreign) return { role: "bad", icon: "differs", key: "anchor.differs", params: { block } };
  return { role: held.final ? "good" : "wait", icon: held.final ? "check" : "clock", key: held.final ? "anchor.same" : "anchor.same.not_final", params: { block, endpoints } };
}

function chainView() {
  if (!checked) return h("p", { class: "pulse-text" }, t("anchor.reading"));
  return notice(checked.role, checked.icon, h("p", {}, t(checked.key, checked.params ?? {})));
}

function aboutView() {
  return [
    h("p", { class: "row" }, anchor.foreign ? badge("anchor", "foreign") : badge("state", anchor.state)),
    facts([
      ["anchor.size", count(anchor.size)],
      ["anchor.log_root", hash(`0x${anchor.log_root}`, "anchor.log_root")],
      ["anchor.register_root", hash(`0x${anchor.register_root}`, "anchor.register_root")],
      ["anchor.sealed", time(anchor.sealed_at)],
      ["anchor.block", anchor.block === null ? "—" : String(anchor.block)],
      ["anchor.block_at", time(anchor.block_at)],
      ["anchor.contract", hash(data.trust.chain.contract, "anchor.contract")],
      ["anchor.chain_id", String(data.trust.chain.chain_id)],
    ]),
  ];
}

function wayView() {
  return [
    facts([
      ["anchor.broadcast", time(journey.broadcast_at)],
      ["anchor.final", time(journey.final_at)],
      ["anchor.final_block", journey.final_block === null ? "—" : h("span", { class: "row" }, String(journey.final_block), hash(journey.final_block_hash, "anchor.block_hash"))],
    ]),
    journey.items.length > 0 &&
      table(
        "anchor.transactions",
        [
          { head: "anchor.transaction", row: true, cell: (/** @type {any} */ each) => hash(each.hash, "anchor.transaction") },
          { head: "anchor.nonce", end: true, cell: ({ nonce }) => String(nonce) },
          { head: "anchor.max_fee", end: true, cell: ({ max_fee_gwei }) => String(max_fee_gwei) },
          { head: "anchor.signed", cell: ({ signed_at }) => time(signed_at) },
        ],
        journey.items,
      ),
    journey.delivered.length > 0 && h("div", {}, h("h3", {}, t("anchor.delivered")), h("ul", { class: "lines" }, journey.delivered.map((/** @type {any} */ each) => h("li", {}, h("span", { class: "row" }, icon("node"), each.label || each.consumer), time(each.at))))),
  ];
}

/** @param {any[]} items */
function entriesView(items) {
  if (items.length === 0) return nothing("anchor.empty", "anchor");
  return table(
    "anchor.entries",
    [
      { head: "entry.index", end: true, cell: ({ index }) => String(index + 1) },
      { head: "entry.kind", cell: ({ kind }) => word(`kind.${kind}`, kind) },
      { head: "entry.number", row: true, cell: ({ number }) => (number ? invoiceLink(number) : h("span", { class: "soft" }, "—")) },
      { head: "entry.recorded", cell: ({ recorded_at }) => time(recorded_at) },
      { head: "entry.copy", cell: ({ copy }) => hash(copy) },
    ],
    items,
  );
}
