/** Which step a case is at, who owes what, and until when. No page in here: keys of the catalogue with what fills them. */

/**
 * @typedef {import("./case.js").Case} Case
 * @typedef {"done" | "now" | "later" | "ended"} Mark
 */

export const STEPS = ["confirm", "apply", "materials", "review", "completion"];
const ENDED = new Set(["rejected", "cancelled", "expired"]);

/** @param {Case | null} found null while there is none: the first step @returns {Mark[]} of the five steps */
export function marksOf(found) {
  const now = found === null ? 1 : found.step;
  return STEPS.map((_, i) => {
    if (found?.state === "completed") return "done";
    if (i + 1 < now) return found && ENDED.has(found.state) && i + 1 >= reached(found) ? "later" : "done";
    if (i + 1 > now) return "later";
    return found && ENDED.has(found.state) ? "ended" : "now";
  });
}

/** The first step that a case which has ended did not finish: what it came from says so. @param {Case} found */
function reached(found) {
  const last = found.history.at(-1)?.source;
  return last ? (STEP_OF[last] ?? 5) : 5;
}

/** @type {Record<string, number>} */
const STEP_OF = {
  started: 2,
  submitted: 2,
  materials_pending: 3,
  materials_submitted: 4,
  fee_due: 4,
  review_1: 4,
  review_2: 4,
  approved: 5,
};

/**
 * Who owes the next step, and what it is.
 * @param {Case} found @returns {{who: "applicant" | "reviewer" | "system" | "issuer" | "nobody", key: string, until: string | null}}
 */
export function owedOf(found) {
  const { state, owed_by, due_at } = found;
  const isReturned = state === "materials_pending" && returnOf(found) !== null;
  const name = owed_by === "issuer" ? "issuer" : isReturned ? "returned" : state;
  return { who: owed_by, key: `owed.${name}`, until: owed_by === "nobody" ? null : due_at };
}

/** Why it was given back, as long as that is what is to be done now. @param {Case} found */
export function returnOf({ state, history }) {
  if (state !== "materials_pending") return null;
  const last = [...history].reverse().find(({ source, target }) => source !== target);
  return last?.event === "return" ? last : null;
}

/** While somebody else owes a step the page asks again by itself; seconds until it does. @param {Case} found @param {number} count */
export function pauseOf({ state, owed_by, result }, count) {
  if (state === "approved" || (state === "completed" && !result?.document_ready)) return count < 40 ? 3 : 15;
  if (state === "fee_due") return 10;
  if (state === "completed" || owed_by === "nobody") return null;
  return owed_by === "applicant" ? null : 30;
}
