/**
 * What is shown of an examination: verdict, facts to compare, three ticks, where it leads, what to do. No page in here and no
 * words: keys of the catalogue with what fills them, so that an answer can be shown in either language, again and again.
 */

import { commitmentOfProof } from "../recipe.js";
import { equal, hex } from "../bytes.js";
import { numberKey } from "../entry.js";

/**
 * @typedef {import("../recipe.js").Examination} Examination
 * @typedef {import("../verdict.js").CheckName} CheckName
 * @typedef {import("../verdict.js").Check} Check
 *
 * @typedef {"good" | "caution" | "bad" | "wait" | "neutral"} Role
 * @typedef {{key: string, params?: Record<string, Param>}} Said a text of the catalogue
 * @typedef {string | number | {moment: number} | {day: number} | {date: string} | {text: string} | {check: Check}} Param put into
 *   words when it is shown: seconds since 1970, a date of an invoice, another text of the catalogue, a check's sentence
 *
 * @typedef {object} Statement the service's own word (api.md), unproven
 * @property {string} status
 * @property {string} state
 * @property {string} [since]
 * @property {number} [findings] that the rules had when it was registered
 * @property {string} [other_number]
 * @property {{kind: string, other_number?: string}} [pending]
 *
 * @typedef {object} Fact one line to compare with the paper
 * @property {"number" | "date" | "seller" | "amount"} name
 * @property {string} value
 * @property {string | null} more the seller's tax id, the amount in capitals
 * @property {string} [currency]
 *
 * @typedef {object} Tick
 * @property {"content" | "register" | "receipt"} name
 * @property {Role} role
 * @property {Said} said
 * @property {{name: CheckName, check: Check}[]} steps
 *
 * @typedef {{role: Role, icon: string, said: Said}} Note
 *
 * @typedef {object} Answer
 * @property {Examination | null} examination
 * @property {Role} role
 * @property {string} icon
 * @property {Said} word
 * @property {Said[]} sentences the first is the verdict's
 * @property {Said | null} as_of
 * @property {{role: Role, said: Said[]} | null} announcement of the service, above the verdict
 * @property {Note[]} notes about what the answer was made from
 * @property {{heading: Said, facts: Fact[]} | null} compare
 * @property {Tick[]} ticks
 * @property {{number: string, said: Said} | null} lead to another invoice
 * @property {Said[]} advice
 * @property {Said} checked by this browser, when and against what
 * @property {Statement | null} statement
 * @property {{name: string, value: string}[]} hashes
 * @property {boolean} waits it may be another one soon: asked again without being told to
 */

/** @type {Record<import("../verdict.js").Verdict, [Role, string]>} role and icon */
const LOOKS = {
  valid: ["good", "check"],
  partly_reversed: ["caution", "half"],
  replaced: ["bad", "replaced"],
  void: ["bad", "void"],
  reversed: ["bad", "reversed"],
  released: ["bad", "void"],
  forged: ["bad", "broken"],
  absent: ["bad", "absent"],
  not_current: ["bad", "replaced"],
  registered: ["neutral", "number"],
  pending: ["wait", "clock"],
  stale: ["wait", "clock"],
  undecided: ["neutral", "question"],
  malformed: ["neutral", "file"],
};

/** @type {Record<Tick["name"], CheckName[]>} the one that has the tick's own name decides whether there is anything to tick */
const TICKS = {
  content: ["form", "content", "entry"],
  register: ["trust", "inclusion", "register", "final", "newest", "current"],
  receipt: ["receipt"],
};

const WAITING = new Set(["pending", "stale", "undecided"]);
/** Nothing that failed to be told gets better by waiting for these. */
const SETTLED = new Set(["form.other_protocol", "trust.fail", "fetched.nothing", "chain.no_endpoint", "chain.not_in_file"]);

/**
 * @param {Examination} examination
 * @param {Statement | null} [statement]
 * @returns {Promise<Answer>}
 */
export async function answerOf(examination, statement = null) {
  const { verdict, proof, view, checks } = examination;
  const since = await sinceOf(examination);
  const lead = await leadOf(examination, statement);
  const contradicts = statement !== null && contradictionOf(examination, statement);
  const announced = statement?.pending ? announcementOf(statement) : contradicts ? [{ key: "announce.differs" }] : null;
  const [role, icon] =
    announced && LOOKS[verdict][0] === "good" ? /** @type {[Role, string]} */ (["wait", "clock"]) : LOOKS[verdict];
  return {
    examination,
    role,
    icon,
    word: { key: `verdict.${verdict}` },
    sentences: sentencesOf(examination, since, lead, announced !== null),
    as_of: announced ? null : asOf(examination),
    announcement: announced && { role: "wait", said: announced },
    notes: findingsOf(statement),
    compare: compareOf(examination),
    ticks: proof ? ticksOf(examination, !announced && (role === "good" || role === "caution")) : [],
    lead,
    advice: adviceOf(examination, announced !== null),
    checked: checkedBy(view),
    statement,
    hashes: proof ? await hashesOf(examination) : [],
    waits: announced !== null || (WAITING.has(verdict) && !SETTLED.has(reasonOf(checks)?.code ?? "")),
  };
}

/** Those that are more than "not recognised". */
const WORDS = new Set([
  "official_code",
  "other_code",
  "other_registry",
  "other_site",
  "look_alike",
  "no_code",
  "needs_source",
  "first_trust",
]);

/**
 * An answer to which no examination led: a picture without a code, an address that is none.
 * @param {string} reason what the texts `sentence.…` and `advice.…` are of @param {Record<string, Param>} [params]
 * @returns {Answer}
 */
export const unanswered = (reason, params = {}) => ({
  examination: null,
  role: "neutral",
  icon: "question",
  word: { key: WORDS.has(reason) ? `word.${reason}` : "verdict.malformed" },
  sentences: [{ key: `sentence.${reason}`, params }],
  as_of: null,
  announcement: null,
  notes: [],
  compare: null,
  ticks: [],
  lead: null,
  advice: [{ key: `advice.${reason}` }],
  checked: { key: "checked.not" },
  statement: null,
  hashes: [],
  waits: false,
});

// --- the verdict's own sentence

/**
 * @param {Examination} examination @param {number | null} since @param {Answer["lead"]} lead @param {boolean} isAnnounced
 * @returns {Said[]}
 */
function sentencesOf(examination, since, lead, isAnnounced) {
  const { verdict, checks, proof, status, as_of, view } = examination;
  switch (verdict) {
    case "valid": {
      if (isAnnounced) return [{ key: "sentence.valid.announced", params: { time: { moment: Number(view?.time) } } }];
      const seller = sellerOf(proof);
      const params = { day: { day: Number(checks.inclusion.params.time) }, ...(seller && { seller }) };
      return [{ key: seller ? "sentence.valid" : "sentence.valid.unnamed", params }, { key: "meaning.valid" }];
    }
    case "void":
      return [dated("sentence.void", since), { key: "meaning.void" }];
    case "replaced":
      return [dated("sentence.replaced", since)];
    case "reversed":
      return [lead ? dated("sentence.reversed.named", since, { number: lead.number }) : dated("sentence.reversed", since)];
    case "forged":
      return [{ key: "sentence.forged", params: { step: { text: `step.${failed(checks)}` } } }];
    case "absent":
      return [{ key: "sentence.absent", params: { time: { moment: Number(as_of?.time) } } }];
    case "pending":
      return proof?.shape === "pending"
        ? [{ key: "sentence.pending", params: { time: { moment: Number(proof.receipt?.deadline) / 1000 } } }]
        : [{ key: "sentence.pending.not_final" }];
    case "stale":
      return status
        ? [{ key: "sentence.stale", params: { time: { moment: Number(as_of?.time) }, status: { text: `status.${status}` } } }]
        : [{ key: "sentence.stale.unknown", params: { time: { moment: Number(as_of?.time ?? view?.time) } } }];
    case "undecided": {
      const reason = reasonOf(checks);
      return [
        ...(reason ? [{ key: "sentence.reason", params: { reason: { check: reason } } }] : []),
        { key: "sentence.undecided" },
      ];
    }
    case "malformed":
      return [{ key: "sentence.malformed" }, { key: "sentence.reason", params: { reason: { check: checks.form } } }];
    default:
      return [{ key: `sentence.${verdict}` }];
  }
}

/** @param {string} key @param {number | null} since @param {Record<string, Param>} [params] @returns {Said} */
const dated = (key, since, params = {}) =>
  since === null ? { key: `${key}.undated`, params } : { key, params: { ...params, day: { day: since } } };

/** The first check that failed. @param {Examination["checks"]} checks */
const failed = (checks) => /** @type {CheckName[]} */ (Object.keys(checks)).find((name) => checks[name].result === "fail");

/** Why it cannot be told. @param {Examination["checks"]} checks @returns {Check | null} */
export function reasonOf(checks) {
  if (checks.trust.result === "fail") return checks.trust;
  const open = Object.values(checks).find(({ result }) => result === "could_not_check");
  if (open) return open;
  // A pending file whose promise cannot be checked or is past: check 6 says which.
  return checks.inclusion.code.startsWith("pending.") || checks.inclusion.code.startsWith("chain.") ? checks.inclusion : null;
}

/** Seconds since 1970 of the anchor that made the present state, as the chain has it. @param {Examination} examination */
async function sinceOf({ verdict, proof, view }) {
  if (!["void", "reversed", "replaced", "released", "partly_reversed"].includes(verdict)) return null;
  const seq = proof?.register?.state?.seq;
  if (seq === undefined || !view) return null;
  const held = (await view.anchors([seq])).get(seq);
  return held && "anchor" in held && held.anchor && held.final ? held.anchor.time : null;
}

/** @param {Examination} examination @returns {Said | null} */
function asOf({ verdict, view, as_of }) {
  // Of these the sentence has the time in it, or there is none.
  if (["malformed", "forged", "undecided", "absent", "stale"].includes(verdict)) return null;
  if (view?.source.kind === "anchors_file")
    return as_of && { key: "as_of.anchor", params: { time: { moment: as_of.time }, seq: String(as_of.seq) } };
  const block = view?.source.block;
  return block ? { key: "as_of.block", params: { time: { moment: block.time } } } : null;
}

/** @param {import("../anchors.js").ChainView | null} view @returns {Said} */
function checkedBy(view) {
  if (view === null || view.problem) return { key: "checked.not" };
  const { kind, block, endpoints } = view.source;
  if (kind === "anchors_file" || !block)
    return { key: "checked.file", params: { seq: String(view.head), files: endpoints.join(", ") } };
  const params = { block: String(block.number), time: { moment: block.time }, endpoint: endpoints[0], count: endpoints.length };
  return { key: endpoints.length === 1 ? "checked.one" : "checked.several", params };
}

// --- facts

/** @param {Examination} examination @returns {Answer["compare"]} */
function compareOf({ verdict, proof, checks }) {
  if (proof === null || proof.sections === null || checks.content.result !== "pass" || verdict === "forged") return null;
  const { header, seller, totals } = proof.sections;
  /** @type {Fact[]} */
  const facts = [{ name: "number", value: proof.number, more: null }];
  const [date, name, amount] = [textOf(header, "issued_on"), textOf(seller, "name"), textOf(totals, "amount_with_tax")];
  if (date) facts.push({ name: "date", value: date, more: null });
  if (name) facts.push({ name: "seller", value: name, more: textOf(seller, "tax_id") });
  if (amount) {
    const currency = textOf(totals, "currency") ?? "";
    facts.push({ name: "amount", value: amount, more: textOf(totals, "amount_in_capitals"), currency });
  }
  const isAnchored = checks.register.result === "pass" || checks.inclusion.result === "pass";
  return { heading: { key: isAnchored ? "compare.heading" : "compare.heading.unproven" }, facts };
}

/** @param {import("../proof.js").Section | undefined} section @param {string} name @returns {string | null} */
function textOf(section, name) {
  const value = section && "value" in section ? section.value?.[name] : null;
  return typeof value === "string" && value !== "" ? value : null;
}

/** @param {Examination["proof"]} proof */
export const sellerOf = (proof) => textOf(proof?.sections?.seller, "name");

/** @param {Examination["proof"]} proof @returns {[amount: string | null, currency: string]} */
export const amountOf = (proof) => [
  textOf(proof?.sections?.totals, "amount_with_tax"),
  textOf(proof?.sections?.totals, "currency") ?? "",
];

/** @param {Examination["proof"]} proof */
export const issuedOn = (proof) => textOf(proof?.sections?.header, "issued_on");

// --- ticks

/** @param {Examination} examination @param {boolean} isGreen whether the answer is: nothing else in it may be, if it is not */
function ticksOf(examination, isGreen) {
  return /** @type {Tick["name"][]} */ (Object.keys(TICKS)).map((name) => {
    const checks = TICKS[name].map((step) => ({ name: step, check: examination.checks[step] }));
    const says = tickSays(examination, name, checks);
    return { name, role: tickRole(says, isGreen), said: { key: `tick.${name}.${says}` }, steps: checks };
  });
}

/** @param {Examination} examination @param {Tick["name"]} name @param {Tick["steps"]} steps @returns {string} */
function tickSays({ checks, status, proof }, name, steps) {
  const results = steps.map(({ check }) => check.result);
  if (name === "register" && checks.trust.result === "fail") return "not_trusted";
  if (results.includes("fail")) {
    if (name !== "register" || checks.register.result !== "pass" || checks.inclusion.result === "fail") return "fail";
    return checks.current.result === "fail" ? "other_copy" : "late";
  }
  if (results.includes("could_not_check")) return "could_not_check";
  if (name === "register" && proof?.shape === "pending") return "pending";
  if (checks[name].result !== "pass") return "not_applicable";
  if (name !== "register") return proof?.sections ? "pass" : "number";
  if (status !== null) return `pass.${status}`;
  return proof?.shape === "absence" ? "absent" : proof?.shape === "presence" ? "present" : "pass";
}

/** @param {string} says @param {boolean} isGreen @returns {Role} */
function tickRole(says, isGreen) {
  if (says === "late" || says === "pending") return "wait";
  if (says === "fail" || says === "other_copy") return "bad";
  if (says === "pass.partly_reversed") return "caution";
  if (says === "pass" || says === "pass.valid") return isGreen ? "good" : "neutral";
  return says.startsWith("pass.") ? "bad" : "neutral";
}

// --- the service's word

/** @param {Statement} statement @returns {Said[]} */
function announcementOf({ pending }) {
  const kind = KINDS.has(pending?.kind ?? "") ? pending?.kind : "other";
  const number = kind === "void" && pending?.other_number;
  return [number ? { key: "announce.void.named", params: { number } } : { key: `announce.${kind}` }, { key: "announce.wait" }];
}

const KINDS = new Set(["issue", "void", "reverse", "reprint", "reverse_part", "release"]);

/** How much of it the rules found fault with, beside whatever the verdict is. @param {Statement | null} statement @returns {Note[]} */
function findingsOf(statement) {
  const count = statement?.findings ?? 0;
  return count > 0 ? [{ role: "caution", icon: "warning", said: { key: "note.findings", params: { count } } }] : [];
}

/** It says of this copy something else than what is proven, and not that anything is on its way. */
function contradictionOf(/** @type {Examination} */ { verdict, status }, /** @type {Statement} */ statement) {
  return (verdict === "valid" || verdict === "partly_reversed") && statement.status !== status;
}

/**
 * Where a void, replaced or reversed invoice leads: the number that the service names, if the register's state is about that one.
 * @param {Examination} examination @param {Statement | null} statement @returns {Promise<Answer["lead"]>}
 */
async function leadOf({ verdict, proof, status }, statement) {
  const other = proof?.register?.state?.other;
  const number = statement?.other_number;
  if (!other || !number || !["void", "reversed", "partly_reversed"].includes(verdict) || status !== verdict) return null;
  try {
    if (!equal(await numberKey(number), other)) return null;
  } catch {
    return null; // no number at all
  }
  return { number, said: { key: `lead.${verdict}` } };
}

/** @param {Examination} examination @param {boolean} isAnnounced @returns {Said[]} */
function adviceOf({ verdict, checks, view }, isAnnounced) {
  if (isAnnounced) return [{ key: "advice.announced" }];
  const hasNoEndpoint = view?.problem?.code === "chain.no_endpoint" || reasonOf(checks)?.code === "chain.no_endpoint";
  return [{ key: verdict === "undecided" && hasNoEndpoint ? "advice.no_endpoint" : `advice.${verdict}` }];
}

// --- details

/** @param {Examination} examination */
async function hashesOf({ proof, view }) {
  const found = [];
  const add = (/** @type {string} */ name, /** @type {string | undefined} */ value) => value && found.push({ name, value });
  if (proof?.sections) add("commitment", hex(await commitmentOfProof(proof)));
  if (proof?.entry) add("copy", hex(proof.entry.copy));
  if (proof?.inclusion) add("inclusion_seq", String(proof.inclusion.seq));
  if (proof?.register) add("register_seq", String(proof.register.seq));
  if (view?.source.block) {
    add("block", String(view.source.block.number));
    add("block_hash", view.source.block.hash);
  }
  add("contract", proof?.chain.contract);
  add("chain_id", String(proof?.chain.chain_id));
  for (const endpoint of view?.source.endpoints ?? []) add(view?.source.kind === "rpc" ? "endpoint" : "anchors_file", endpoint);
  return found;
}
