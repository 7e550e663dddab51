/** What a visitor can do with an answer: one thing first, two more at the most. */

import { downloadProof } from "./downloads.js";

/**
 * @typedef {import("./answer_view.js").Action} Action
 * @typedef {import("./examining.js").Outcome} Outcome
 *
 * @typedef {object} Ways
 * @property {Action} next to the next invoice
 * @property {() => void} again
 * @property {Action | null} [other] what this page has beside, where the answer settles nothing: first of all then
 */

/** @param {Outcome} outcome @param {Ways} ways @returns {Action[]} */
export function actionsFor({ answer, material }, { next, again, other }) {
  const { examination, waits, role } = answer;
  const verdict = examination?.verdict;
  const repeat = { key: "action.again", icon: "again", run: again };
  const print = { key: "action.print", icon: "print", run: () => globalThis.print() };
  const number = examination?.proof?.number;
  const save = material && number ? { key: "action.save", icon: "save", run: () => downloadProof(material, number) } : null;
  if (other) return [other, next];
  if (waits || verdict === "undecided") return [repeat, next, ...(save ? [save] : [])];
  if (!examination) return [next];
  if (verdict === "absent" || verdict === "malformed") return [next, repeat];
  const isSaved = role !== "bad" || verdict === "void" || verdict === "reversed" || verdict === "replaced";
  return [next, ...(save && isSaved ? [save] : []), print];
}
