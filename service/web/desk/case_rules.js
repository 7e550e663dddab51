/** What of a case follows from what the service said of it: what is late, what a reviewer may do and why not, what has changed. */

/** States in which a reviewer decides. */
const IN_REVIEW = ["review_1", "review_2"];
/** And those in which a case may be sent back, though nobody has to decide. */
const HANDED_IN = ["materials_submitted", "fee_due", "review_1", "review_2", "approved"];
const CLOSED = ["completed", "rejected", "cancelled", "expired"];

/** @param {string} state */
export const isOpen = (state) => !CLOSED.includes(state);

/**
 * How long from now, or since when it is late, in the largest unit that says enough.
 * @param {string} due_at @param {number} now ms @returns {{isLate: boolean, unit: "days" | "hours" | "minutes", count: number}}
 */
export function until(due_at, now) {
  const distance = Date.parse(due_at) - now;
  const minutes = Math.floor(Math.abs(distance) / 60_000);
  const isLate = distance < 0;
  if (minutes >= 2880) return { isLate, unit: "days", count: Math.floor(minutes / 1440) };
  if (minutes >= 60) return { isLate, unit: "hours", count: Math.floor(minutes / 60) };
  return { isLate, unit: "minutes", count: minutes };
}

/**
 * @typedef {object} Situation what decides about what this reviewer may do
 * @property {string} state
 * @property {boolean} hasSeenMaterials
 * @property {string | null} cannotApprove what the service says that forbids an approval
 * @property {string[]} actions that the service would take from this reviewer now
 *
 * @typedef {"approve" | "return" | "reject"} Decision
 */

/**
 * Why a decision cannot be made now: a key of the catalogue; null where it can be.
 * @param {Decision} decision @param {Situation} situation @returns {string | null}
 */
export function whyNot(decision, { state, hasSeenMaterials, cannotApprove, actions }) {
  if (!isOpen(state)) return "why_not.closed";
  if (cannotApprove === "reviewer_is_applicant") return "why_not.reviewer_is_applicant";
  if (decision === "return" && !HANDED_IN.includes(state)) return "why_not.not_handed_in";
  if (decision === "approve") {
    if (!IN_REVIEW.includes(state)) return `why_not.${state}`;
    if (cannotApprove !== null) return `why_not.${cannotApprove}`;
    if (!hasSeenMaterials) return "why_not.unseen";
  }
  return actions.includes(decision) ? null : "why_not.service";
}

/** The part of a case by the fact that belongs to it; what is not named here stands on the invoice. @type {Record<string, string>} */
const PART_OF = {
  ...Object.fromEntries(["reprint", "reason", "delivery", "applicant", "company", "contact", "language"].map((name) => [name, "application"])),
  ...Object.fromEntries(["diagnosis", "verdict", "responsible"].map((name) => [name, "diagnosis"])),
  ...Object.fromEntries(["fee", "fee_amount", "fee_rests_on", "fee_decided_by"].map((name) => [name, "fee"])),
  materials: "materials",
  replacement: "replacement",
};

/**
 * Which parts of what was shown are not what they were.
 * @param {Record<string, string>} before facts of a review @param {Record<string, string>} after @returns {string[]} names, each once
 */
export function changedParts(before, after) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
  return [...new Set(names.map((name) => PART_OF[name] ?? "invoice"))];
}
