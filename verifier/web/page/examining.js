/** From what a visitor holds to an answer: the verifier's examination, and beside it what the service says of the same copy. */

import { hex } from "../bytes.js";
import { NoProof } from "../newer.js";
import { commitmentOfProof } from "../recipe.js";
import { examineOffline, examineOnline, examineQuestion } from "../verify.js";
import { answerOf } from "./answer.js";

/**
 * @typedef {import("./answer.js").Answer} Answer
 * @typedef {import("./answer.js").Statement} Statement
 * @typedef {import("./codes.js").Copy} Copy
 * @typedef {import("../newer.js").Source} Source
 *
 * @typedef {object} Trusted what the page checks against
 * @property {unknown} [trust] a trust file
 * @property {string[]} [endpoints] in place of the trust file's
 * @property {unknown[]} [anchors] anchors files, in place of a chain
 * @property {string[]} [anchorsNames]
 * @property {Source[]} sources of newer proofs, the service first
 * @property {(copy: Copy) => Promise<Statement | null>} stated what the service says of a copy; null where it says nothing
 *
 * @typedef {{answer: Answer, material: Uint8Array | null, result?: string}} Outcome with the proof file that it rests on, and what
 *   the service called it
 */

/**
 * A look at the copy that a QR code names, as often as one likes: a source that can be reached no more says again what it said.
 * @param {Copy} copy @param {Trusted} trusted @returns {() => Promise<Outcome>}
 */
export function copyLook(copy, trusted) {
  const sources = trusted.sources.map(remembering);
  const options = { endpoints: trusted.endpoints, sources };
  return async () => {
    const [examination, statement] = await Promise.all([
      examineQuestion(copy, trusted.trust, options),
      trusted.stated(copy).catch(() => null),
    ]);
    const material = sources.map(({ last }) => last()).find((found) => found !== null) ?? null;
    return { answer: await answerOf(examination, statement), material: examination.proof && material };
  };
}

/**
 * A look at a file. The service is asked of its copy, if the file is of the chain that is trusted: no one else's is told of.
 * @param {Uint8Array} bytes @param {Copy | null} question @param {Trusted} trusted @returns {() => Promise<Outcome>}
 */
export const fileLook = (bytes, question, trusted) => async () => {
  const examination = trusted.anchors
    ? await examineOffline(bytes, trusted.anchors, question, trusted.anchorsNames)
    : await examineOnline(bytes, trusted.trust, { endpoints: trusted.endpoints, sources: trusted.sources }, question);
  const { proof, checks } = examination;
  const isOurs = checks.trust.result === "pass" && checks.content.result === "pass";
  const copy = proof?.sections && isOurs ? { number: proof.number, commitment: hex(await commitmentOfProof(proof)) } : null;
  const statement = copy && (await trusted.stated(copy).catch(() => null));
  return { answer: await answerOf(examination, statement), material: bytes };
};

/** @param {Source} source @returns {Source & {last: () => Uint8Array | null}} */
function remembering(source) {
  /** @type {Uint8Array | null} */
  let said = null;
  return {
    name: source.name,
    last: () => said,
    async ask(wanted) {
      try {
        const material = await source.ask(wanted);
        said = typeof material === "string" ? new TextEncoder().encode(material) : new Uint8Array(material);
      } catch (error) {
        const isGone = !(error instanceof NoProof) || error.code === "fetched.timeout" || error.code === "fetched.refused";
        if (!isGone || said === null) throw error;
      }
      return said;
    },
  };
}

/**
 * A promise that is taken for null when it takes longer.
 * @template T @param {Promise<T>} promise @param {number} ms @returns {Promise<T | null>}
 */
export const within = (promise, ms) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms, null))]);
