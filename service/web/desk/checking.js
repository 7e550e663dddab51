/** The verifier, as an auditor's browser runs it. It is loaded beside the invoice that it checks. */

import { utf8 } from "../../../verifier/web/bytes.js";
import { answerOf } from "../../../verifier/web/page/answer.js";
import { fileLook } from "../../../verifier/web/page/examining.js";
import { examineOnline, examineQuestion, proofsAt } from "../../../verifier/web/verify.js";
import { data } from "./data.js";

export { viewOf } from "../../../verifier/web/page/answer_view.js";

/** @param {string} url @returns {import("../../../verifier/web/verify.js").OnlineOptions} */
const by = (url) => ({ endpoints: data.trust.rpc_urls, sources: [proofsAt(url)] });

/** What a proof file comes to. @param {Uint8Array} material @param {Promise<any>} statement what the registry says of it */
export async function examined(material, statement) {
  return answerOf(await examineOnline(material, data.trust, by(location.origin)), await statement);
}

/**
 * What a proof comes to that somebody handed on, and what the registry says of the copy that it is of.
 * @param {unknown} proof its JSON @param {(copy: {number: string, commitment: string}) => Promise<any>} stated
 */
export async function handed(proof, stated) {
  const trusted = { trust: data.trust, endpoints: data.trust.rpc_urls, sources: [proofsAt(location.origin)], stated };
  return (await fileLook(utf8(JSON.stringify(proof)), null, trusted)()).answer;
}

/**
 * What a node says of a number, as far as the chain bears it out; how many batches it is behind where that is known.
 * @param {string} url @param {import("../../../verifier/web/verify.js").Question} question
 * @returns {Promise<{node: string, said: string, seq: number | null, behind: number | null}>}
 */
export async function heard(url, question) {
  const node = new URL(url).host;
  try {
    const { proof, verdict, view } = await examineQuestion(question, data.trust, by(url));
    const seq = proof?.register?.seq ?? null;
    return { node, said: verdict, seq, behind: seq === null || !view || view.problem ? null : Number(view.head) - seq };
  } catch {
    return { node, said: "undecided", seq: null, behind: null };
  }
}
