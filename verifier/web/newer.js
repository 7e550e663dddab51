/**
 * Proofs that are fetched, and what they decide (protocol.md section 8, last paragraphs).
 *
 * Sources are asked in their order, the service first: it alone knows of what is accepted and not anchored, so that no mirror's
 * "absent" is shown before it was asked. Whatever a source sends is examined as *fetched*: a bad one brands nobody's paper.
 */

import { hex } from "./bytes.js";
import { OtherProtocol, parseProof } from "./proof.js";
import { Malformed } from "./json.js";
import { commitmentOfProof, examineFile, examineProof, unknown, unread } from "./recipe.js";

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
 * @callback Source
 * @param {Wanted} wanted
 * @returns {Promise<Uint8Array | ArrayBuffer | string | null>} a proof file; null where it has none. Rejects where it does not
 *   answer; with a `code` of messages.js on the error, that is the reason shown.
 */

/**
 * A source over HTTP: the service, or a mirror of its proofs.
 * @param {string} url of the host @param {typeof globalThis.fetch} [fetch] @param {number} [timeout_ms]
 * @returns {Source}
 */
export const proofsAt =
  (url, fetch = globalThis.fetch, timeout_ms = 10_000) =>
  async ({ number, commitment, seq }) => {
    const response = await fetch.call(globalThis, new URL("/v1/proofs", url).href, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number, ...(commitment && { commitment }), ...(seq && { seq }) }),
      signal: AbortSignal.timeout(timeout_ms),
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
    });
    if (response.status === 404) return null;
    if (response.status === 409) throw new NotYetKnown();
    if (!response.ok) throw new Error(`${response.status}`);
    return response.arrayBuffer();
  };

/** The source has accepted an entry of that number which is not final yet. */
class NotYetKnown extends Error {
  code = "fetched.not_yet_known";
}

/**
 * Nothing was presented: what the sources say about a number, or about one copy of it.
 * @param {Question} question @param {Given} given @param {Source[]} sources @param {number | null} seq head
 * @returns {Promise<Examination>}
 */
export async function examineFetched(question, given, sources, seq) {
  /** @type {Examination} */
  let best = unread(unknown("fetched.nothing"));
  for (const [i, source] of sources.entries()) {
    const { material, reason } = await askFor(source, question, seq);
    const found = material === null ? unread(unknown(reason)) : await examineFile(material, given, question, true);
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
    const { material } = await askFor(source, wanted, view.head);
    const newer = material === null ? null : parsed(material);
    if (newer?.shape !== "anchored" || newer.number !== proof.number) continue;
    // The paper's own content and receipt stay; only its place in log and register is the fetched one's.
    const found = await examineProof({ ...proof, shape: "anchored", inclusion: newer.inclusion, register: newer.register }, given, question, true);
    if (found.verdict === "undecided" || seqOf(found) <= seqOf(best)) continue;
    best = found;
    if (isDecisive(found)) break;
  }
  return best;
}

/** @param {Source} source @param {Question} wanted @param {number | null} seq */
async function askFor(source, { number, commitment }, seq) {
  try {
    const material = await source({ number, commitment: commitment && hex(commitment), seq });
    return { material, reason: "fetched.none" };
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
    return { material: null, reason: code.startsWith("fetched.") ? code : "fetched.unreachable" };
  }
}

/** @param {Uint8Array | ArrayBuffer | string} material */
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

/** How much it settles, where none is decisive. Of what is accepted and not anchored, an absence knows nothing. @param {Examination} examination */
function rank({ verdict, checks }) {
  if (verdict === "pending" || checks.form.code === "fetched.not_yet_known") return PENDING;
  return verdict === "undecided" ? 0 : 1;
}

const PENDING = 2;
