/** The evidence of a hop in a few lines; whole it stands in the file that the visitor can save. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { has, moment, t } from "../../../verifier/web/page/texts.js";

/** @typedef {(value: any) => (Element | string | null)[]} Lines */

/** @param {string} label @param {any} value */
const line = (label, value) => h("p", { class: "dx-line" }, h("span", { class: "hint" }, t(label)), " ", value);

/** @param {string} value */
const code = (value) => h("code", {}, value);

/** A name of the API in words, or as it stands. @param {string} group @param {string} name */
const word = (group, name) => (has(`${group}.${name}`) ? t(`${group}.${name}`) : name);

/** @param {string[]} names */
const listed = (names) => code(names.join(", "));

/** @param {{seq: number, at: string}} anchor */
const anchor = ({ seq, at }) => t("dx.anchor", { seq: String(seq), time: moment(Date.parse(at) / 1000) });

/** By the member's name. @type {Record<string, Lines>} */
const MEMBERS = {
  material: (material) => [h("p", { class: "dx-line" }, word("dx.material", material))],
  report: ({ verdict }) => [line("dx.report", word("verdict", verdict))],
  external_id: (id) => [line("dx.external", code(id))],
  receipt: ({ deadline, key_id }) => [line("dx.promised", moment(deadline / 1000)), line("dx.key", code(key_id))],
  seq: (seq) => [h("p", { class: "dx-line" }, t("dx.seq", { seq: String(seq) }))],
  index: (index) => [h("p", { class: "dx-line" }, t("dx.index", { n: String(index + 1) }))],
  transactions: (hashes) => hashes.map((/** @type {string} */ hash) => line("dx.transaction", code(hash))),
  block: (block) => [h("p", { class: "dx-line" }, t("dx.block", { block: String(block) }))],
  shown_by: (how) => [h("p", { class: "dx-line" }, word("dx.shown_by", how))],
  last_in_time: (last) => [line("dx.last_in_time", anchor(last))],
  later_anchor: (later) => [line("dx.later_anchor", anchor(later))],
  lost: (names) => [line("dx.lost", listed(names))],
  columns: (names) => [line("dx.columns", listed(names))],
  status: (status) => [h("p", { class: "dx-line" }, word("status", status))],
  other_number: (number) => [line("dx.other_number", h("a", { href: `/#${number}` }, number))],
  consumer: (consumer) => [line("dx.consumer", code(consumer))],
  cursor: (cursor) => [line("dx.cursor", t("dx.seq", { seq: String(cursor) }))],
  nodes: (nodes) => [h("ul", { class: "dx-nodes" }, nodes.map(nodeView))],
};

/** @type {Record<string, string>} */
const NODE_ICONS = { visible: "tick", behind: "clock", missing: "cross", unknown: "question" };

/** @param {{node: string, state: string, seq: number | null}} node */
const nodeView = ({ node, state, seq }) =>
  h(
    "li",
    {},
    icon(NODE_ICONS[state] ?? "question"),
    h("span", {}, code(node), " ", word("dx.node", state), seq === null ? null : ` · ${t("dx.seq", { seq: String(seq) })}`),
  );

/** @param {{evidence: Record<string, any>}} hop */
export const evidenceOf = ({ evidence }) =>
  Object.entries(MEMBERS).flatMap(([name, lines]) => (evidence[name] === undefined || evidence[name] === null || evidence[name].length === 0 ? [] : lines(evidence[name])));
