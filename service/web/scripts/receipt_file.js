/** What an issuer keeps: the answer that it got from the service, alone or with the sections that it had sent. */

import { unanswered } from "../../../verifier/web/page/answer.js";

const MAX_BYTES = 16 * 1024 * 1024;
/** Of an acknowledgement, what leads to the entry: content and salts stay here. */
const TOLD = ["entry", "receipt", "number", "chain", "commitment"];

/**
 * @param {File} file
 * @returns {Promise<import("../../../verifier/web/page/dropped.js").Item | null>} null for any other file
 */
export async function receiptItem(file) {
  if (file.size > MAX_BYTES || !/^\s*\{/.test(await file.slice(0, 64).text())) return null;
  const kept = parsed(await file.text());
  const acknowledgement = kept?.acknowledgement ?? kept;
  if (!acknowledgement?.entry || !acknowledgement.receipt || acknowledgement.protocol) return null;
  await import("./diagnosis_place.js"); // it has the words
  const body = Object.fromEntries(TOLD.filter((name) => name in acknowledgement).map((name) => [name, acknowledgement[name]]));
  const answer = {
    ...unanswered("malformed"),
    icon: "document",
    word: { key: "dx.receipt" },
    sentences: [{ key: "dx.receipt.sentence", params: { number: String(acknowledgement.number ?? "—") } }],
    advice: [{ key: "dx.receipt.advice" }],
  };
  return {
    name: file.name,
    look: () => Promise.resolve({ answer, material: null, result: "acknowledgement" }),
    undecoded: null,
    code: null,
    shown: { body, copy: kept.sections && kept.acknowledgement ? kept : null },
  };
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
