/**
 * The verifier: what a page, a program or a person's console calls. Nothing of the service is needed, and nothing is sent to it.
 *
 *     import { verifyProof } from "./verify.js";
 *     const report = await verifyProof(await file.bytes(), anchorsText);
 *
 * `examine…` give the same as codes and parsed fields, for pages that render them in their own way and language;
 * `verify…` give the report of protocol.md section 8.
 */

import { viewOfAnchors } from "./anchors.js";
import { openChain } from "./chain.js";
import { examineFetched, examineNewer } from "./newer.js";
import { examineFile } from "./recipe.js";
import { reportOf } from "./report.js";
import { parseAnchors, parseQuestion, parseTrust } from "./trust.js";

export { NoProof, proofsAt } from "./newer.js";
export { reportOf } from "./report.js";
export { UsageError } from "./trust.js";
export { EXIT } from "./verdict.js";

/**
 * @typedef {import("./newer.js").Material} Material a proof file's bytes or text
 * @typedef {{number: string, commitment?: string | null}} Question of a QR code, a PDF or a form; commitment in hex
 * @typedef {import("./recipe.js").Examination} Examination
 * @typedef {import("./report.js").Report} Report
 *
 * @typedef {object} Wording
 * @property {string} [lang] `zh` (default) or `en`
 * @property {string} [file] the proof file's name
 * @property {string[]} [anchors] the anchors files' names
 *
 * @typedef {object} Online
 * @property {import("./newer.js").Source[]} [sources] where newer proofs are to be had, the service first
 * @typedef {import("./chain.js").Options & Online} OnlineOptions
 */

/**
 * Check a proof file against anchors files, without a network.
 * @param {Material} material
 * @param {unknown} anchors an anchors file, or an array of them: text, bytes, or what its JSON parses to
 * @param {Question | null} [question] @param {Wording} [options]
 * @returns {Promise<Report>}
 * @throws {import("./trust.js").UsageError} for anchors or a question that are not well formed; never for the proof file
 */
export const verifyProof = async (material, anchors, question, options) =>
  worded(await examineOffline(material, anchors, question, options?.anchors), options);

/**
 * Check a proof file against the chain, and by newer proofs where it is old and `sources` has them.
 * @param {Material} material
 * @param {unknown} trust a trust file
 * @param {OnlineOptions & Wording} [options] @param {Question | null} [question]
 * @returns {Promise<Report>}
 * @throws {import("./trust.js").UsageError}
 */
export const verifyOnline = async (material, trust, options = {}, question) =>
  worded(await examineOnline(material, trust, options, question), options);

/**
 * Check what the sources say about a number, or about the copy of a QR code, against the chain.
 * @param {Question} question @param {unknown} trust @param {OnlineOptions & Wording} options
 * @returns {Promise<Report>}
 * @throws {import("./trust.js").UsageError}
 */
export const verifyQuestion = async (question, trust, options) => worded(await examineQuestion(question, trust, options), options);

/**
 * As `verifyProof`.
 * @param {Material} material @param {unknown} anchors @param {Question | null} [question] @param {string[]} [names] of the anchors files
 * @returns {Promise<Examination>}
 */
export async function examineOffline(material, anchors, question, names = []) {
  const files = await Promise.all((Array.isArray(anchors) ? anchors : [anchors]).map(parseAnchors));
  const keys = new Map(files.flatMap((file) => [...file.keys]));
  /** @type {import("./recipe.js").Given["view"]} */
  const view = async (chain) => {
    const ofChain = files.filter((file) => isSame(file.chain, chain));
    return ofChain.length > 0 ? viewOfAnchors(ofChain, names) : null;
  };
  return examineFile(material, { keys, view }, await parseQuestion(question));
}

/**
 * As `verifyOnline`.
 * @param {Material} material @param {unknown} trust @param {OnlineOptions} [options] @param {Question | null} [question]
 * @returns {Promise<Examination>}
 */
export async function examineOnline(material, trust, options = {}, question) {
  const asked = await parseQuestion(question);
  const { given } = await live(trust, options);
  return examineNewer(await examineFile(material, given, asked), given, asked, options.sources ?? []);
}

/**
 * As `verifyQuestion`.
 * @param {Question} question @param {unknown} trust @param {OnlineOptions} options @returns {Promise<Examination>}
 */
export async function examineQuestion(question, trust, options) {
  const asked = /** @type {import("./trust.js").Question} */ (await parseQuestion(question));
  const { given, open } = await live(trust, options);
  const view = await open([]);
  return examineFetched(asked, given, options.sources ?? [], view.problem ? null : view.head);
}

/**
 * One look at the chain, at one block, for all that one call examines.
 * @param {unknown} source @param {OnlineOptions} options
 */
async function live(source, options) {
  const trust = await parseTrust(source);
  /** @type {Promise<import("./anchors.js").ChainView> | undefined} */
  let opened;
  const open = (/** @type {number[]} */ seqs) => (opened ??= openChain(trust, options, seqs));
  /** @type {import("./recipe.js").Given["view"]} */
  const view = async (chain, seqs) => (isSame(chain, trust.chain) ? open(seqs) : null);
  return { given: { keys: trust.keys, view }, open };
}

/** @param {import("./fields.js").Chain} a @param {import("./fields.js").Chain} b */
const isSame = (a, b) => a.chain_id === b.chain_id && a.contract === b.contract;

/** @param {Examination} examination @param {Wording} [options] */
const worded = (examination, { lang = "zh", file } = {}) => reportOf(examination, file ?? null, lang);
