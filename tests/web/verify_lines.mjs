/**
 * The browser's verifier as a filter, for tests that compare it with Python's: a JSON object a line in, and one a line out, in the
 * same order: the report, or {"usage": code}. In goes {"proof_b64", "question"} with "anchors", the text of an anchors file, or with
 * "trust", a trust file, and "now", the verifier's clock in seconds.
 */

import { createInterface } from "node:readline";

import { UsageError, verifyOnline, verifyProof } from "../../verifier/web/verify.js";

const AT_ONCE = 64;

/** @param {string} line @returns {Promise<string>} */
async function answer(line) {
  const { proof_b64, anchors, trust, now, question } = JSON.parse(line);
  const proof = new Uint8Array(Buffer.from(proof_b64, "base64"));
  try {
    const report = trust
      ? await verifyOnline(proof, trust, { lang: "en", now: () => now * 1000 }, question)
      : await verifyProof(proof, anchors, question, { lang: "en" });
    return JSON.stringify(report);
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
