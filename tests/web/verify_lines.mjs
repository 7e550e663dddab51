/**
 * The browser's verifier as a filter, for tests that compare it with Python's: a JSON object a line in,
 * {"proof_b64", "anchors", "question"}, and a JSON object a line out, in the same order: the report, or {"usage": code}.
 */

import { createInterface } from "node:readline";

import { UsageError, verifyProof } from "../../verifier/web/verify.js";

const AT_ONCE = 64;

/** @param {string} line @returns {Promise<string>} */
async function answer(line) {
  const { proof_b64, anchors, question } = JSON.parse(line);
  try {
    return JSON.stringify(await verifyProof(new Uint8Array(Buffer.from(proof_b64, "base64")), anchors, question, { lang: "en" }));
  } catch (error) {
    if (error instanceof UsageError) return JSON.stringify({ usage: error.code });
    throw error;
  }
}

/** Digests of several files overlap; order is kept. @type {Promise<string>[]} */
let waiting = [];
const flush = async () => {
  const answers = await Promise.all(waiting);
  waiting = [];
  if (answers.length > 0) process.stdout.write(`${answers.join("\n")}\n`);
};
for await (const line of createInterface({ input: process.stdin })) {
  waiting.push(answer(line));
  if (waiting.length === AT_ONCE) await flush();
}
await flush();
