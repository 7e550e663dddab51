/**
 * The four answers to what was typed: 一致, 不一致, 查无此票, 暂不能确定. The service compares; what its answer rests on, that the
 * number is in the register or is not, is checked here against the chain, and without that none of the first three is shown.
 */

import { answerOf, unanswered } from "../../../verifier/web/page/answer.js";
import { examineQuestion, NoProof } from "../../../verifier/web/verify.js";
import { lookedUp, Refused } from "./service.js";

/**
 * @typedef {import("../../../verifier/web/page/answer.js").Answer} Answer
 * @typedef {import("../../../verifier/web/page/examining.js").Outcome} Outcome
 * @typedef {"match" | "mismatch" | "not_registered" | "not_yet_known"} Result
 * @typedef {{result: Result, status?: string | null, proof?: object | null, tries_left: number}} Found
 */

/**
 * @param {import("./lookup_form.js").Facts} facts @param {import("../../../verifier/web/page/examining.js").Trusted} trusted
 * @returns {() => Promise<Outcome>} asked of the service once, unless it does not know yet: a guess counts
 */
export function lookupLook(facts, trusted) {
  /** @type {Found | null} */
  let found = null;
  return async () => {
    try {
      if (found === null || found.result === "not_yet_known") found = await lookedUp(facts);
    } catch (error) {
      return { answer: trouble(error), material: null, result: error instanceof Refused ? error.code : undefined };
    }
    const { result } = /** @type {Found} */ (found);
    return { answer: await answerTo(/** @type {Found} */ (found), facts.number, trusted), material: null, result };
  };
}

/** @param {Found} found @param {string} number @param {import("../../../verifier/web/page/examining.js").Trusted} trusted */
async function answerTo(found, number, trusted) {
  if (found.result === "not_yet_known") return { ...unknown("found.not_yet_known"), waits: true };
  const given = { name: trusted.sources[0].name, ask: async () => handed(found.proof) };
  const options = { endpoints: trusted.endpoints, sources: [given, ...trusted.sources] };
  const proven = await answerOf(await examineQuestion({ number }, trusted.trust, options));
  const verdict = proven.examination?.verdict;
  if (found.result === "not_registered")
    return verdict === "absent" || verdict === "released" ? counted(proven, found) : unproven(proven);
  if (verdict !== "registered") return unproven(proven);
  return found.result === "match" ? match(proven, found.status ?? null) : counted(mismatch(proven), found);
}

/** @param {object | null | undefined} proof */
function handed(proof) {
  if (!proof) throw new NoProof("fetched.none");
  return JSON.stringify(proof);
}

/**
 * Not green: that these facts are the registered ones, and that the invoice is valid, is the service's word.
 * @param {Answer} proven @param {string | null} status @returns {Answer}
 */
function match(proven, status) {
  const isGood = status === null || status === "valid";
  const looks = LOOKS[status ?? "valid"] ?? LOOKS.valid;
  return {
    ...proven,
    role: looks.role,
    icon: looks.icon,
    word: { key: isGood ? "found.match" : `verdict.${status}` },
    sentences: [
      { key: "found.match.sentence" },
      ...(status ? [{ key: "found.status", params: { status: { text: `status.${status}` } } }] : []),
    ],
    notes: [COMPARED],
    advice: [{ key: isGood ? "advice.match" : `advice.${status}` }],
  };
}

/** @type {Record<string, {role: Answer["role"], icon: string}>} */
const LOOKS = {
  valid: { role: "neutral", icon: "check" },
  void: { role: "bad", icon: "void" },
  reversed: { role: "bad", icon: "reversed" },
  partly_reversed: { role: "caution", icon: "half" },
};

/** @param {Answer} proven @returns {Answer} */
const mismatch = (proven) => ({
  ...proven,
  role: "bad",
  icon: "differs",
  word: { key: "found.mismatch" },
  sentences: [{ key: "found.mismatch.sentence" }],
  notes: [COMPARED],
  advice: [{ key: "advice.mismatch" }],
});

/** How many wrong guesses are left. @param {Answer} answer @param {Found} found @returns {Answer} */
const counted = (answer, { tries_left }) => ({
  ...answer,
  advice: [...answer.advice, { key: "found.tries", params: { count: tries_left } }],
});

/** @type {import("../../../verifier/web/page/answer.js").Note} */
const COMPARED = { role: "neutral", icon: "service", said: { key: "note.compared_by_service" } };

/** The service answered, and its answer rests on nothing. @param {Answer} proven @returns {Answer} */
const unproven = (proven) => ({
  ...proven,
  role: "neutral",
  icon: "question",
  word: { key: "verdict.undecided" },
  sentences: [{ key: "found.unproven" }, ...proven.sentences],
  advice: [{ key: "advice.undecided" }],
  waits: true,
});

/** @param {string} key @returns {Answer} */
const unknown = (key) => ({
  ...unanswered("undecided"),
  word: { key: "verdict.undecided" },
  sentences: [{ key }, { key: "sentence.undecided" }],
});

/** @param {unknown} error @returns {Answer} */
function trouble(error) {
  if (!(error instanceof Refused)) return { ...unknown("sentence.unreachable"), waits: true };
  const isLimited = error.status === 429;
  const said = { ...unknown("sentence.refused"), sentences: [{ key: "sentence.refused", params: { detail: error.detail } }] };
  return isLimited ? { ...said, advice: [{ key: "advice.limited" }] } : { ...said, waits: error.status >= 500 };
}
