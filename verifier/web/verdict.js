/** What the ten checks amount to: the table of protocol.md section 8, line by line. */

/**
 * @typedef {"pass" | "fail" | "could_not_check" | "not_applicable"} Result
 * @typedef {{result: Result, code: string, params: Record<string, string | number>}} Check `code` is a key of messages.js
 * @typedef {"form" | "trust" | "content" | "entry" | "receipt" | "inclusion" | "register" | "final" | "newest" | "current"} CheckName
 * @typedef {Record<CheckName, Check>} Checks
 * @typedef {"malformed" | "forged" | "undecided" | "pending" | "replaced" | "void" | "reversed" | "released" | "stale"
 *   | "partly_reversed" | "valid" | "absent" | "not_current" | "registered"} Verdict
 */

/**
 * @param {Checks} checks
 * @param {object} facts
 * @param {import("./proof.js").Proof["shape"] | null} facts.shape null where there is no proof file
 * @param {keyof typeof import("./register.js").STATUSES | null} facts.status null where the state is not shown or is from before the entry
 * @param {boolean} facts.in_time pending: F is not past the receipt's deadline
 * @param {boolean} facts.other_copy presence: the question's copy is not the state's
 * @returns {Verdict} an earlier line outranks a later one
 */
export function verdictOf(checks, { shape, status, in_time, other_copy }) {
  const is = (/** @type {Result} */ result, /** @type {CheckName[]} */ ...names) =>
    names.some((name) => checks[name].result === result);
  const all = /** @type {CheckName[]} */ (Object.keys(checks));

  if (is("fail", "form")) return "malformed";
  if (is("fail", "content", "entry", "receipt", "inclusion", "register")) return "forged";
  if (is("fail", "trust") || is("could_not_check", ...all)) return "undecided";
  if (shape === "pending") return is("pass", "receipt") && in_time ? "pending" : "undecided";
  if (is("fail", "final")) return "pending";
  if (shape === "anchored") {
    if (is("fail", "current")) return "replaced";
    if (status === "void" || status === "reversed" || status === "released") return status;
    if (is("fail", "newest")) return "stale";
    return status === "partly_reversed" ? status : "valid";
  }
  if (is("fail", "newest")) return "stale";
  if (shape === "absence") return "absent";
  if (other_copy) return "not_current";
  return status === null || status === "valid" ? "registered" : status;
}

/** The exit status of a program that says so. */
export const EXIT = Object.freeze({
  malformed: 65,
  forged: 1,
  undecided: 2,
  pending: 2,
  replaced: 1,
  void: 1,
  reversed: 1,
  released: 1,
  stale: 2,
  partly_reversed: 3,
  valid: 0,
  absent: 1,
  not_current: 1,
  registered: 3,
});
