/** A report that the server made (protocol.md section 8): shown as its word, in no colour of ours. */

import { unanswered } from "../../../verifier/web/page/answer.js";

/** @param {any} report @returns {import("../../../verifier/web/page/answer.js").Answer} */
export function serverAnswer(report) {
  const failed = report.checks.filter((/** @type {any} */ { result }) => result === "fail" || result === "could_not_check");
  const { name, detail } = failed[0] ?? report.checks[0];
  const base = unanswered("server");
  return {
    ...base,
    icon: "service",
    word: { key: `verdict.${report.verdict}` },
    sentences: [
      ...(report.number ? [{ key: "sentence.server.number", params: { number: report.number } }] : []),
      { key: "sentence.server.step", params: { step: { text: `step.${name}` }, detail } },
    ],
    notes: [{ role: "caution", icon: "warning", said: { key: "note.server" } }],
    advice: [{ key: `advice.${report.verdict}` }],
  };
}
