/**
 * Proofs that are fetched, and what they decide (protocol.md section 8, last paragraphs).
 *
 * Sources are asked in their order, the service first: it alone knows of what is accepted and not anchored, so that no mirror's
 * "absent" is shown before it was asked. Whatever a source sends is examined as *fetched*: a bad one brands nobody's paper.
 */

import { hex } from "./bytes.js";
import { Malformed } from "./json.js";
import { OtherProtocol, parseProof } from "./proof.js";
import { commitmentOfProof, examineFile, examineProof, unknown, unread } from "./recipe.js";
import { host } from "./rpc.js";

/**
 * @typedef {import("./recipe.js").Examination} Examination
 * @typedef {import("./recipe.js").Given} Given
 * @typedef {import("./trust.js").Question} Question
 *
 * @typedef {object} Wanted
 * @property {string} number
 * @property {string | null} commitment in hex; null: absence or presence
 * @property {number | null} seq head, as read; null where the chain could not be read
 *
 * @typedef {object} Source
 * @property {string} name how it is shown
 * @property {(wanted: Wanted) => Promise<Material>} ask a proof file. Rejects with NoProof, or anything else where it fails
 *
 * @typedef {Uint8Array | ArrayBuffer | string} Material
 */

/** A source answered, and has no proof to give; `code` is a key of messages.js. */
export class NoProof extends Error {
  /**
   * @param {"fetched.none" | "fetched.not_yet_known" | "fetched.refused" | "fetched.timeout"} code
   * @param {Record<string, number>} [params]
   */
  constructor(code, params = {}) {
    super(code);
    this.name = "NoProof";
    this.code = code;
    this.params = params;
  }
}

/**
 * A source over HTTP: the service, or a mirror of its proofs.
 * @param {string} url of the host @param {typeof globalThis.fetch} [fetch] @param {number} [timeout_ms]
 * @returns {Source}
 */
export const proofsAt = (url, fetch = globalThis.fetch, timeout_ms = 10_000) => ({
  name: host(url),
  async ask({ number, commitment, seq }) {
    const signal = AbortSignal.timeout(timeout_ms);
    try {
      const response = await fetch.call(globalThis, new URL("/v1/proofs", url).href, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ number, ...(commitment && { commitment }), ...(seq && { seq }) }),
        signal,
        credentials: "omit",
        redirect: "error",
        cache: "no-store",
      });
      if (response.status === 404) throw new NoProof("fetched.none");
      // An entry of that number is accepted, and not final yet.
      if (response.status === 409) throw new NoProof("fetched.not_yet_known");
      if (!response.ok) throw new NoProof("fetched.refused", { status_code: response.status });
      return await response.arrayBuffer();
    } catch (error) {
      throw signal.aborted ? new NoProof("fetched.timeout") : error;
    }
  },
});

/**
 * Nothing was presented: what the sources say about a number, or about one copy of it.
 * @param {Question} question @param {Given} given @param {Source[]} sources @param {number | null} seq head
 * @returns {Promise<Examination>}
 */
export async function examineFetched(question, given, sources, seq) {
  /** @type {Examination} */
  let best = unread(unknown("fetched.nothing"));
  for (const [i, source] of sources.entries()) {
    const got = await askFor(source, question, seq);
    const found =
      "problem" in got
        ? unread(unknown(got.problem.code, got.problem.params))
        : await examineFile(got.material, given, question, true);
    if (isDecisive(found) && (found.proof?.shape === "anchored" || rank(best) < PENDING)) return found;
    if (i === 0 || rank(found) > rank(best)) best = found;
  }
  return best;
}

/**
 * A file was presented and does not say how things are now: the newest proof about it that is to be had.
 * @param {Examination} old @param {Given} given @param {Question | null} question @param {Source[]} sources
 * @returns {Promise<Examination>} `old` where no newer one can be had
 */
export async function examineNewer(old, given, question, sources) {
  const { proof, view } = old;
  if (sources.length === 0 || proof === null || view === null || !isOutdated(old)) return old;
  if (proof.sections === null) {
    const found = await examineFetched(question ?? { number: proof.number, commitment: null }, given, sources, view.head);
    return isDecisive(found) || rank(found) > rank(old) ? found : old;
  }
  const wanted = { number: proof.number, commitment: await commitmentOfProof(proof) };
  let best = old;
  for (const source of sources) {
    const got = await askFor(source, wanted, view.head);
    const newer = "problem" in got ? null : parsed(got.material);
    if (newer?.shape !== "anchored" || newer.number !== proof.number) continue;
    // The paper's own content and receipt stay; only its place in log and register is the fetched one's.
    const found = await examineProof(
      { ...proof, shape: "anchored", inclusion: newer.inclusion, register: newer.register },
      given,
      question,
      true,
    );
    if (found.verdict === "undecided" || seqOf(found) <= seqOf(best)) continue;
    best = found;
    if (isDecisive(found)) break;
  }
  return best;
}

/**
 * @param {Source} source @param {Question} wanted @param {number | null} seq
 * @returns {Promise<{material: Material} | {problem: import("./anchors.js").Problem}>}
 */
async function askFor(source, { number, commitment }, seq) {
  try {
    return { material: await source.ask({ number, commitment: commitment && hex(commitment), seq }) };
  } catch (error) {
    const { code, params } = error instanceof NoProof ? error : { code: "fetched.unreachable", params: {} };
    return { problem: { code, params: { mirror: source.name, ...params } } };
  }
}

/** @param {Material} material */
function parsed(material) {
  try {
    return parseProof(material);
  } catch (error) {
    if (error instanceof Malformed || error instanceof OtherProtocol) return null;
    throw error;
  }
}

/** It is about a chain that can be read, and head may say otherwise. @param {Examination} examination */
const isOutdated = ({ verdict, fresh, view, proof }) =>
  verdict !== "forged" && view !== null && (proof?.shape === "pending" ? view.time !== null : view.problem === null) && !fresh;

/** @param {Examination} examination */
const isDecisive = ({ verdict, fresh }) => fresh && !["undecided", "pending", "stale"].includes(verdict);

/** @param {Examination} examination */
const seqOf = ({ proof }) => proof?.register?.seq ?? 0;

/**
 * How much it settles, where none is decisive. Of what is accepted and not anchored, an absence knows nothing.
 * @param {Examination} examination
 */
function rank({ verdict, checks }) {
  if (verdict === "pending" || checks.form.code === "fetched.not_yet_known") return PENDING;
  return verdict === "undecided" ? 0 : 1;
}

const PENDING = 2;
