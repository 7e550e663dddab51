/**
 * The recipe of protocol.md section 8, with its numbers:
 *
 *  (1) form       the file is well formed
 *  (2) trust      its chain and contract are among those given
 *  (3) content    the sections lead to the commitment, that to the entry's copy, the number to its key; and to the question
 *  (4) entry      it issues or reprints, and agrees with an open provenance
 *  (5) receipt    the issuer's signature
 *  (6) inclusion  the path leads to the anchored log root
 *  (7) register   the path leads to the anchored register root, and the state fits the entry
 *  (8) final      the contract holds both anchors at F
 *  (9) newest     the register root is head's
 * (10) current    the state's copy is this one
 *
 * Checks carry codes and parameters; report.js puts them into words. There is no page in here, and no network but chain.js's.
 */

import { equal, hex, ZERO } from "./bytes.js";
import { commitmentOf, copyOf, sectionLeaf, SECTIONS } from "./commitment.js";
import { isSigned } from "./ed25519.js";
import { encodeEntry, isNumber, numberKey } from "./entry.js";
import { Malformed } from "./json.js";
import { leafHash, rootFromPath } from "./merkle.js";
import { OtherProtocol, parseProof } from "./proof.js";
import { receiptMessage } from "./receipt.js";
import { rootOfAbsence, rootOfPresence, stateHash } from "./register.js";
import { verdictOf } from "./verdict.js";

/**
 * @typedef {import("./proof.js").Proof} Proof
 * @typedef {import("./verdict.js").Check} Check
 * @typedef {import("./anchors.js").ChainView} ChainView
 * @typedef {import("./anchors.js").Held} Held
 * @typedef {import("./trust.js").Question} Question
 *
 * @typedef {object} Given what the verifier trusts, apart from the material
 * @property {import("./trust.js").ServiceKeys} keys
 * @property {(chain: import("./fields.js").Chain, seqs: number[]) => Promise<ChainView | null>} view null: not among those given
 *
 * @typedef {object} Examination
 * @property {import("./verdict.js").Verdict} verdict
 * @property {import("./verdict.js").Checks} checks
 * @property {Proof | null} proof null where there is no proof file of this protocol
 * @property {keyof typeof import("./register.js").STATUSES | null} status as proven; null where it is not
 * @property {{seq: number, time: number} | null} as_of the anchor that proves it
 * @property {boolean} fresh the register root is that of head itself
 * @property {ChainView | null} view
 */

/**
 * @param {Uint8Array | ArrayBuffer | string} bytesOrText a proof file
 * @param {Given} given @param {Question | null} question
 * @param {boolean} [fetched] not presented by the person who asks: a failure of (1) to (7) is then the carrier's, and counts as
 *   "could not check"
 * @returns {Promise<Examination>}
 */
export async function examineFile(bytesOrText, given, question, fetched = false) {
  // (1) form
  let proof;
  try {
    proof = parseProof(bytesOrText);
  } catch (error) {
    if (error instanceof OtherProtocol) return unread(unknown("form.other_protocol", { protocol: error.protocol.slice(0, 40) }));
    if (error instanceof Malformed) return unread((fetched ? unknown : fail)(error.code, error.params));
    throw error;
  }
  return examineProof(proof, given, question, fetched);
}

/** No file was read, for the reason of `form`. @param {Check} form @returns {Examination} */
export function unread(form) {
  const checks = allOf(skip("skipped.form"), { form });
  const verdict = verdictOf(checks, { shape: null, status: null, in_time: false, other_copy: false });
  return { verdict, checks, proof: null, status: null, as_of: null, fresh: false, view: null };
}

/**
 * @param {Proof} proof @param {Given} given @param {Question | null} question @param {boolean} fetched
 * @returns {Promise<Examination>}
 */
export async function examineProof(proof, given, question, fetched) {
  const { shape, inclusion, register } = proof;
  const seqs = [inclusion, register].flatMap((part) => (part ? [part.seq] : []));
  // (2) trust
  const view = await given.view(proof.chain, seqs);
  const checks = allOf(skip("skipped.trust"), {
    form: pass(`form.${shape}`),
    trust: view ? pass("trust.pass") : fail("trust.fail", proof.chain),
    content: await checkContent(proof, question), // (3)
    entry: checkEntry(proof, await originalKey(proof)), // (4)
  });
  let in_time = false;
  let fresh = false;
  let as_of = null;
  if (view) {
    checks.receipt = await checkReceipt(proof, given.keys); // (5)
    if (register === null) {
      in_time = view.time !== null && (proof.receipt?.deadline ?? -1) >= view.time * 1000;
      Object.assign(checks, whilePending(proof, view, in_time)); // (6) to (10)
    } else {
      const held = await view.anchors(seqs);
      const ofInclusion = inclusion && knownOf(held, inclusion.seq, view);
      const ofRegister = knownOf(held, register.seq, view);
      checks.inclusion = ofInclusion ? await checkInclusion(proof, ofInclusion) : skip("skipped.number"); // (6)
      checks.register = await checkRegister(proof, ofRegister); // (7)
      checks.final = checkFinal(ofInclusion ? [ofInclusion, ofRegister] : [ofRegister], view); // (8)
      checks.newest = await checkNewest(proof, ofRegister, view); // (9)
      checks.current = checkCurrent(proof); // (10)
      if ("anchor" in ofRegister && ofRegister.anchor) {
        fresh = ofRegister.anchor.register_root === view.head_root;
        as_of = { seq: register.seq, time: ofRegister.anchor.time };
      }
    }
  }
  if (fetched)
    for (const name of CARRIED) if (checks[name].result === "fail") checks[name] = { ...checks[name], result: "could_not_check" };

  const status = isBeforeEntry(proof) ? null : (register?.state?.status ?? null);
  const other_copy = await isOtherCopy(proof, question);
  const verdict = verdictOf(checks, { shape, status, in_time, other_copy });
  const isProven = !["forged", "undecided", "pending"].includes(verdict);
  return { verdict, checks, proof, status: isProven ? status : null, as_of: isProven ? as_of : null, fresh, view };
}

/** What a bad mirror can spoil. */
const CARRIED = /** @type {const} */ (["form", "trust", "content", "entry", "receipt", "inclusion", "register"]);

// --- (3) content

/** @param {Proof} proof an invoice's @returns {Promise<Uint8Array>} the commitment that its sections lead to */
export async function commitmentOfProof({ sections }) {
  return commitmentOf(
    await Promise.all(
      SECTIONS.map((name, index) => {
        const section = /** @type {NonNullable<typeof sections>} */ (sections)[name];
        return "hash" in section ? section.hash : sectionLeaf(index, section.salt, section.canonical);
      }),
    ),
  );
}

/** @param {Proof} proof @param {Question | null} question @returns {Promise<Check>} */
async function checkContent(proof, question) {
  const { number, entry } = proof;
  if (entry === null) {
    if (question === null) return skip("content.no_question");
    return number === question.number ? pass("content.number", { number }) : fail("content.question_number", { number });
  }
  const commitment = await commitmentOfProof(proof);
  if (!equal(await copyOf(commitment), entry.copy)) return fail("content.copy");
  if (!equal(await numberKey(number), entry.key)) return fail("content.key", { number });
  if (question === null) return pass("content.pass", { number });
  if (number !== question.number) return fail("content.question_number", { number });
  if (question.commitment === null) return pass("content.number", { number });
  return equal(commitment, question.commitment) ? pass("content.question", { number }) : fail("content.question_commitment");
}

// --- (4) entry

/**
 * The key that provenance names as the original: undefined where it names none, null where it is no number.
 * @param {Proof} proof
 */
async function originalKey({ sections }) {
  const provenance = sections?.provenance;
  if (!provenance || "hash" in provenance || provenance.value.original === undefined) return undefined;
  const number = provenance.value.original?.number;
  return isNumber(number) ? numberKey(number) : null;
}

/** @param {Proof} proof @param {Uint8Array | null | undefined} original @returns {Check} */
function checkEntry({ entry, sections }, original) {
  if (entry === null || sections === null) return skip("skipped.number");
  const { kind, recorded_at } = entry;
  if (kind !== "issue" && kind !== "reprint") return fail("entry.kind", { kind });
  const { provenance } = sections;
  if ("hash" in provenance) return pass("entry.withheld", { kind, recorded_at });
  const isReprint = provenance.value.reprint !== undefined;
  if (isReprint !== (kind === "reprint")) return fail(isReprint ? "entry.not_reprint" : "entry.reprint_missing");
  if (kind === "issue" && (original === null || !equal(entry.other, original ?? ZERO))) return fail("entry.original");
  return pass("entry.pass", { kind, recorded_at });
}

// --- (5) receipt

/** @param {Proof} proof @param {import("./trust.js").ServiceKeys} keys @returns {Promise<Check>} */
async function checkReceipt({ receipt, entry, chain }, keys) {
  if (entry === null) return skip("skipped.number");
  if (receipt === null) return skip("receipt.none");
  const { key_id, deadline, signature } = receipt;
  const key = keys.get(key_id);
  if (key === undefined) return skip("receipt.key_not_given", { key_id });
  const message = await receiptMessage(chain, encodeEntry(entry), deadline);
  try {
    return (await isSigned(key, signature, message))
      ? pass("receipt.pass", { key_id, deadline })
      : fail("receipt.fail", { key_id });
  } catch {
    return unknown("receipt.no_engine"); // neither the browser's nor noble's could be had
  }
}

// --- (6) inclusion

/** @param {Proof} proof @param {Held} held @returns {Promise<Check>} */
async function checkInclusion({ entry, inclusion }, held) {
  if ("problem" in held) return unknown(held.problem.code, held.problem.params);
  const { seq, index, size, path } = /** @type {import("./proof.js").Inclusion} */ (inclusion);
  const leaf = await leafHash(encodeEntry(/** @type {import("./entry.js").Entry} */ (entry)));
  const root = await rootFromPath(leaf, index, size, path);
  if (!held.anchor || root === null || hex(root) !== held.anchor.log_root || size !== held.anchor.size)
    return mismatch("inclusion", seq, held);
  return pass("inclusion.pass", { seq, position: index + 1, size, time: held.anchor.time });
}

// --- (7) register

/** @param {Proof} proof @param {Held} held @returns {Promise<Check>} */
async function checkRegister(proof, held) {
  if ("problem" in held) return unknown(held.problem.code, held.problem.params);
  const { seq, state } = registerOf(proof);
  const root = await registerRoot(proof);
  if (!held.anchor || root === null || hex(root) !== held.anchor.register_root) return mismatch("register", seq, held);
  if (state && state.seq > seq) return fail("register.state_after_anchor");
  if (proof.inclusion && proof.entry && state && !isBeforeEntry(proof)) {
    const { inclusion, entry } = proof;
    const order = state.seq - inclusion.seq || state.index - inclusion.index;
    const isSameCopy = equal(state.copy, entry.copy);
    if (order < 0) return fail("register.state_before_entry");
    if (order > 0 && state.status === "valid" && isSameCopy) return fail("register.valid_elsewhere");
    if (order === 0 && !isSameCopy) return fail("register.same_position");
  }
  return pass(`register.${proof.shape}`, { seq, time: held.anchor.time, ...(state && { status: state.status }) });
}

/** @param {Proof} proof @returns {Promise<Uint8Array | null>} null where a neighbour could not stand there */
async function registerRoot(proof) {
  const { state, state_hash, neighbour, siblings } = registerOf(proof);
  const key = proof.entry?.key ?? (await numberKey(proof.number));
  const hash = state ? await stateHash(state) : state_hash;
  return hash ? rootOfPresence(key, hash, siblings) : rootOfAbsence(key, neighbour, siblings);
}

// --- (8) final

/** @param {Held[]} anchors @param {ChainView} view @returns {Check} */
function checkFinal(anchors, view) {
  for (const held of anchors) if ("problem" in held) return unknown(held.problem.code, held.problem.params);
  const { block, endpoints } = view.source;
  if (!anchors.every((held) => "anchor" in held && held.anchor && held.final)) return fail("final.fail");
  if (block === null) return pass("final.file", { head: view.head });
  return pass(endpoints.length === 1 ? "final.one_endpoint" : "final.pass", {
    block: block.number,
    time: block.time,
    endpoints: endpoints.length,
  });
}

// --- (9) newest

/** @param {Proof} proof @param {Held} held @param {ChainView} view @returns {Promise<Check>} */
async function checkNewest(proof, held, view) {
  const { seq } = registerOf(proof);
  if ("problem" in held) return unknown(held.problem.code, held.problem.params);
  if (!held.anchor || isBeforeEntry(proof)) return fail("newest.before_entry", { seq });
  const root = held.anchor.register_root;
  if (root === view.head_root) return pass("newest.pass", { seq, head: view.head });
  if (seq > view.head) return fail("newest.not_final", { seq, head: view.head });
  const isRecent = proof.shape === "anchored" && (await view.within_grace(seq, root));
  if (isRecent === null) return unknown("newest.unknown");
  return isRecent
    ? pass("newest.grace", { seq, head: view.head })
    : fail("newest.old", { seq, head: view.head, time: held.anchor.time });
}

// --- (10) current

/** @param {Proof} proof @returns {Check} */
function checkCurrent(proof) {
  if (proof.entry === null) return skip("skipped.number");
  if (isBeforeEntry(proof)) return skip("current.before_entry");
  const { state } = registerOf(proof);
  return state && equal(state.copy, proof.entry.copy) ? pass("current.pass") : fail("current.fail");
}

// --- what several of them need

/**
 * (6) to (10) of a pending file do not apply; (6) says where its promise stands.
 * @param {Proof} proof @param {ChainView} view @param {boolean} in_time
 */
function whilePending({ receipt }, view, in_time) {
  const why = view.problem;
  const deadline = receipt?.deadline ?? 0;
  const waits = skip("skipped.pending");
  const promise =
    receipt === null
      ? skip("pending.no_receipt")
      : view.time === null && why !== null
        ? skip(why.code, why.params)
        : skip(in_time ? "pending.in_time" : "pending.overdue", { deadline });
  return { inclusion: promise, register: waits, final: waits, newest: waits, current: waits };
}

/** @param {Map<number, Held>} anchors @param {number} seq @param {ChainView} view @returns {Held} */
const knownOf = (anchors, seq, view) => (view.problem ? { problem: view.problem } : /** @type {Held} */ (anchors.get(seq)));

/**
 * Where the anchor is not final, a reorganisation may yet decide.
 * @param {"inclusion" | "register"} name @param {number} seq @param {{final: boolean}} held
 */
const mismatch = (name, seq, { final }) => (final ? fail(`${name}.fail`, { seq }) : unknown(`${name}.not_final`, { seq }));

/** @param {Proof} proof */
const registerOf = (proof) => /** @type {import("./proof.js").RegisterProof} */ (proof.register);

/** A register from before the entry says nothing about it. @param {Proof} proof */
const isBeforeEntry = ({ inclusion, register }) => inclusion !== null && register !== null && register.seq < inclusion.seq;

/** @param {Proof} proof @param {Question | null} question */
async function isOtherCopy({ shape, register }, question) {
  if (shape !== "presence" || !register?.state || !question?.commitment) return false;
  return !equal(await copyOf(question.commitment), register.state.copy);
}

/** @param {string} code @param {Check["params"]} [params] @returns {Check} */
const pass = (code, params = {}) => ({ result: "pass", code, params });
/** @param {string} code @param {Check["params"]} [params] @returns {Check} */
const fail = (code, params = {}) => ({ result: "fail", code, params });
/** @param {string} code @param {Check["params"]} [params] @returns {Check} */
export const unknown = (code, params = {}) => ({ result: "could_not_check", code, params });
/** @param {string} code @param {Check["params"]} [params] @returns {Check} */
const skip = (code, params = {}) => ({ result: "not_applicable", code, params });

/**
 * All ten, in their order.
 * @param {Check} unless @param {Partial<import("./verdict.js").Checks>} made
 * @returns {import("./verdict.js").Checks}
 */
const allOf = (unless, made) => ({
  form: unless,
  trust: unless,
  content: unless,
  entry: unless,
  receipt: unless,
  inclusion: unless,
  register: unless,
  final: unless,
  newest: unless,
  current: unless,
  ...made,
});
