/** What a visitor dropped: proof files, PDFs and pictures, each told by its first bytes, and what each of them leads to. */

import { parseProof } from "../proof.js";
import { amountOf, issuedOn, unanswered } from "./answer.js";
import { bestOf, codeFromText } from "./codes.js";
import { NoDetector } from "./detector.js";
import { copyLook, fileLook } from "./examining.js";
import { readPdf, UnreadablePdf } from "./pdf.js";
import { codesInPicture, Unreadable } from "./picture.js";

/**
 * @typedef {import("./answer.js").Answer} Answer
 * @typedef {import("./answer.js").Note} Note
 * @typedef {import("./codes.js").Code} Code
 * @typedef {import("./examining.js").Outcome} Outcome
 *
 * @typedef {object} Parts what is loaded only when it is needed
 * @property {import("./detector.js").LoadPonyfill} detector
 * @property {import("./pdf.js").PdfParts} pdf
 *
 * @typedef {object} Surroundings
 * @property {import("./examining.js").Trusted} trusted
 * @property {string[]} ownHosts
 * @property {Parts} parts
 *
 * @typedef {object} Item one thing to look at
 * @property {string} name of the file, and of the attachment
 * @property {() => Promise<Outcome>} look
 * @property {File | null} undecoded a picture or PDF that says nothing here: the server may be asked, if the visitor wants that
 * @property {Code | null} code that led here
 * @property {any} [shown] what the service is asked of it where that is not the code or the file (service/web/scripts/diagnosis.js)
 * @property {File | null} [given] a trust or anchors file among what is to be checked
 */

const MAX_PROOF = 4 * 1024 * 1024;

/** @param {File} file @param {Surroundings} around @returns {Promise<Item[]>} at least one */
export async function itemsOf(file, around) {
  const head = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  if (isPdf(head)) return pdfItems(file, around);
  if (isPicture(head) || file.type.startsWith("image/")) return [await pictureItem(file, around)];
  // One byte more than the verifier takes is enough for it to say so.
  const bytes = new Uint8Array(await file.slice(0, MAX_PROOF + 1).arrayBuffer());
  return [{ name: file.name, look: fileLook(bytes, null, around.trusted), undecoded: null, code: null }];
}

/** @param {File} file @param {Surroundings} around @returns {Promise<Item>} */
async function pictureItem(file, around) {
  try {
    const texts = await codesInPicture(file, around.parts.detector);
    if (texts.length === 0) return saying(file, "no_code", {}, file);
    return codeItem(file.name, texts, around);
  } catch (error) {
    if (error instanceof Unreadable) return saying(file, error.code);
    if (error instanceof NoDetector) return saying(file, "no_detector", {}, file);
    throw error;
  }
}

/** @param {string} name @param {string[]} texts @param {Surroundings} around @returns {Item} */
export function codeItem(name, texts, around) {
  const codes = texts.map((text) => codeFromText(text, around.ownHosts));
  if (copiesOf(codes).length > 1)
    return { name, look: () => Promise.resolve(outcome(unanswered("several_codes"))), undecoded: null, code: null };
  return itemOfCode(name, bestOf(codes), around);
}

/**
 * What a code leads to. One of another site asks nothing of this registry, unless the visitor wants that (`isMeant`).
 * @param {string} name @param {Code} code @param {Surroundings} around @param {boolean} [isMeant] @returns {Item}
 */
export function itemOfCode(name, code, around, isMeant = false) {
  const { trusted } = around;
  if (code.kind !== "copy" || (code.issuer !== "own" && !isMeant))
    return { name, look: () => Promise.resolve(outcome(codeAnswer(code))), undecoded: null, code };
  const look =
    trusted.sources.length > 0
      ? copyLook(code.copy, trusted)
      : () => Promise.resolve(outcome(unanswered(trusted.anchors ? "needs_trust" : "needs_source", { number: code.copy.number })));
  return { name, look: noted(look, () => hostNotes(code)), undecoded: null, code: isMeant ? null : code };
}

/** What a code says that leads to no proof here. @param {Code} code @returns {Answer} */
export function codeAnswer(code) {
  if (code.kind === "official") return unanswered("official_code", { number: code.official.number });
  if (code.kind === "unknown") return unanswered("other_code");
  if (code.issuer === "look_alike") return { ...unanswered("look_alike", { host: code.host }), role: "bad", icon: "warning" };
  return unanswered(code.kind === "copy" ? "other_registry" : "other_site", { host: code.host });
}

/** Whose address the code has, where it is not ours. @param {Extract<Code, {kind: "copy"}>} code @returns {Note[]} */
const hostNotes = ({ issuer, host }) =>
  issuer === "own" ? [] : [{ role: "caution", icon: "warning", said: { key: `note.${issuer}`, params: { host } } }];

/** The copies that the codes name, each once. @param {Code[]} codes */
const copiesOf = (codes) => [
  ...new Map(
    codes.flatMap((code) => (code.kind === "copy" ? [[`${code.copy.number} ${code.copy.commitment}`, code]] : [])),
  ).values(),
];

// --- PDF

/** @param {File} file @param {Surroundings} around @returns {Promise<Item[]>} */
async function pdfItems(file, around) {
  let content;
  try {
    content = await readPdf(file, around.parts.pdf, around.parts.detector);
  } catch (error) {
    if (error instanceof UnreadablePdf) return [saying(file, error.code, {}, error.code === "pdf_no_reader" ? file : null)];
    if (error instanceof NoDetector) return [saying(file, "no_detector", {}, file)];
    throw error;
  }
  const { proofs, codes } = content;
  if (proofs.length === 0) {
    if (codes.length === 0) return [saying(file, "pdf_without_proof", {}, file)];
    const item = codeItem(file.name, codes, around);
    return [{ ...item, look: noted(item.look, () => [note("neutral", "dash", "note.pdf.no_attachment")]) }];
  }
  return proofs.map(({ name, bytes }) => {
    const title = proofs.length === 1 ? file.name : `${file.name} · ${name}`;
    return { name: title, look: attachmentLook(bytes, codes, around), undecoded: null, code: null };
  });
}

/**
 * An attachment, held against what the codes on the pages say. What is printed in words is not read: that is said.
 * @param {Uint8Array} bytes @param {string[]} texts @param {Surroundings} around @returns {() => Promise<Outcome>}
 */
function attachmentLook(bytes, texts, around) {
  const codes = texts.map((text) => codeFromText(text, around.ownHosts));
  const copies = copiesOf(codes);
  if (copies.length > 1) return () => Promise.resolve(outcome(unanswered("several_codes")));
  const [copy] = copies;
  const official = codes.find((code) => code.kind === "official")?.official;
  const look = fileLook(bytes, copy ? copy.copy : null, around.trusted);
  return async () => {
    const { answer, material } = await look();
    const { examination } = answer;
    const isRead = examination?.proof?.sections != null && examination.checks.content.result !== "could_not_check";
    if (!isRead) return { answer, material };
    const { result, code: why } = examination.checks.content;
    const notes = copy ? hostNotes(copy) : [note("caution", "warning", "note.pdf.no_code")];
    if (copy && result === "pass") notes.push(note("neutral", "tick", "note.pdf.code_agrees"));
    if (copy && QUESTION_FAILED.has(why)) notes.push(note("bad", "cross", "note.pdf.code_differs"));
    const differs = official !== undefined && !agrees(official, bytes);
    if (official)
      notes.push(differs ? note("bad", "cross", "note.pdf.official_differs") : note("neutral", "tick", "note.pdf.official_agrees"));
    notes.push(note("neutral", "dash", "note.pdf.print_not_compared"));
    const shown = differs ? pageDiffers(answer) : copy && copy.issuer !== "own" ? ofAnother(answer) : answer;
    return { answer: withNotes(shown, notes), material };
  };
}

/** The content is sound, and not what the code on the page asks for. */
const QUESTION_FAILED = new Set(["content.question_number", "content.question_commitment"]);

/**
 * The official code names number, date and amount. @param {import("./official_qr.js").Official} official @param {Uint8Array} bytes
 */
function agrees({ number, issued_on, amount, with_tax }, bytes) {
  const proof = parseProof(bytes);
  const totals = proof.sections?.totals;
  const [withTax] = amountOf(proof);
  const shown = with_tax ? withTax : totals && "value" in totals ? totals.value.amount : null;
  const isSameAmount = typeof shown !== "string" || Number(shown) === Number(amount);
  return proof.number === number && (issuedOn(proof) ?? issued_on) === issued_on && isSameAmount;
}

/** The attachment may be sound: the page that it hangs on is another invoice. @param {Answer} answer @returns {Answer} */
const pageDiffers = (answer) => ({
  ...answer,
  role: "bad",
  icon: "broken",
  word: { key: "verdict.page_differs" },
  sentences: [{ key: "sentence.page_differs" }],
  advice: [{ key: "advice.forged" }],
  ticks: answer.ticks.map((tick) => (tick.role === "good" ? { ...tick, role: "neutral" } : tick)),
});

/**
 * Sound as it is, the code on its page leads elsewhere: that is looked at before anything is green.
 * @param {Answer} answer @returns {Answer}
 */
const ofAnother = (answer) => (answer.role === "good" ? { ...answer, role: "caution", icon: "warning" } : answer);

// --- what several of them need

/** @param {Answer["role"]} role @param {string} shape @param {string} key @returns {Note} */
const note = (role, shape, key) => ({ role, icon: shape, said: { key } });

/** @param {Answer} answer @param {Note[]} notes @returns {Answer} */
const withNotes = (answer, notes) => ({ ...answer, notes: [...answer.notes, ...notes] });

/** @param {() => Promise<Outcome>} look @param {() => Note[]} notes @returns {() => Promise<Outcome>} */
export const noted = (look, notes) => async () => {
  const { answer, material } = await look();
  return { answer: withNotes(answer, notes()), material };
};

/** @param {Answer} answer @returns {Outcome} */
const outcome = (answer) => ({ answer, material: null });

/**
 * @param {{name: string}} file @param {string} reason @param {Record<string, string>} [params] @param {File | null} [undecoded]
 * @returns {Item}
 */
export const saying = (file, reason, params = {}, undecoded = null) => ({
  name: file.name,
  look: () => Promise.resolve(outcome(unanswered(reason, params))),
  undecoded,
  code: null,
});

/** Within the first 1,024 bytes, as readers take it. @param {Uint8Array} head */
function isPdf(head) {
  const text = String.fromCharCode(...head);
  return text.includes("%PDF-") && !text.trimStart().startsWith("{"); // a proof file may have the same words in it
}

/** @param {Uint8Array} head */
function isPicture(head) {
  const start = String.fromCharCode(...head.subarray(0, 12));
  return /^(\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF....WEBP|....ftyp(avif|heic|heix|mif1))/s.test(start);
}
