/** The proof file: its shapes, parsed once and strictly into something that cannot be wrong (protocol.md section 7). */

import { canonicalBytes } from "./canonical.js";
import { SECTIONS } from "./commitment.js";
import { KINDS, MAX_BATCH } from "./entry.js";
import { bytes, chain, hashes, integer, invoiceNumber, members, object, oneOf } from "./fields.js";
import { Malformed, readJson } from "./json.js";
import { MAX_SIBLINGS, STATUSES } from "./register.js";

export const PROTOCOL = "zp1";
const MAX_PATH = 16;

/** A proof file of another protocol: only its syntax and its `protocol` were looked at. */
export class OtherProtocol extends Error {
  /** @param {string} protocol */
  constructor(protocol) {
    super(protocol);
    this.name = "OtherProtocol";
    this.protocol = protocol;
  }
}

/**
 * @typedef {{salt: Uint8Array, value: any, canonical: Uint8Array} | {hash: Uint8Array}} Section open, or withheld
 * @typedef {{key_id: string, deadline: number, signature: Uint8Array<ArrayBuffer>}} Receipt
 * @typedef {{seq: number, index: number, size: number, path: Uint8Array[]}} Inclusion
 * @typedef {object} RegisterProof
 * @property {number} seq
 * @property {Uint8Array[]} siblings from the root down
 * @property {import("./register.js").State | null} state null where it is not shown or there is none
 * @property {Uint8Array | null} state_hash where the state is not shown
 * @property {{key: Uint8Array, state_hash: Uint8Array} | null} neighbour of an absent number
 *
 * @typedef {object} Proof
 * @property {"anchored" | "pending" | "absence" | "presence"} shape
 * @property {import("./fields.js").Chain} chain
 * @property {string} number
 * @property {Record<string, Section> | null} sections null for absence and presence, as entry and inclusion
 * @property {import("./entry.js").Entry | null} entry
 * @property {Receipt | null} receipt
 * @property {Inclusion | null} inclusion
 * @property {RegisterProof | null} register null while pending
 */

/**
 * @param {Uint8Array | ArrayBuffer | string} bytesOrText
 * @returns {Proof}
 * @throws {Malformed} this is no proof file
 * @throws {OtherProtocol}
 */
export function parseProof(bytesOrText) {
  const { value, flaw, repeated } = readJson(bytesOrText);
  object(value, "");
  if (typeof value.protocol !== "string" || repeated.has("protocol")) throw new Malformed("form.protocol");
  if (value.protocol !== PROTOCOL) throw new OtherProtocol(value.protocol);
  if (flaw) throw flaw;
  return "number" in value ? numberProof(value) : invoiceProof(value);
}

/** Absence or presence of a number. @param {any} value @returns {Proof} */
function numberProof(value) {
  members(value, "", ["protocol", "chain", "number", "register"]);
  const { register } = value;
  object(register, "/register");
  const shape = register.state === null ? "absence" : "presence";
  const shown = shape === "absence" ? ["state", "neighbour"] : ["state" in register ? "state" : "state_hash"];
  members(register, "/register", ["seq", "siblings", ...shown]);
  const { neighbour } = register;
  return {
    shape,
    chain: chain(value.chain, "/chain"),
    number: invoiceNumber(value.number, "/number"),
    sections: null,
    entry: null,
    receipt: null,
    inclusion: null,
    register: {
      ...registerPath(register),
      state: shape === "presence" && "state" in register ? parseState(register.state) : null,
      state_hash: "state_hash" in register ? bytes(register.state_hash, 32, "/register/state_hash") : null,
      neighbour: shape === "absence" && neighbour !== null ? parseNeighbour(neighbour) : null,
    },
  };
}

/** An invoice, anchored or pending. @param {any} value @returns {Proof} */
function invoiceProof(value) {
  const anchored = "inclusion" in value || "register" in value;
  members(value, "", ["protocol", "chain", "sections", "entry", ...(anchored ? ["inclusion", "register"] : [])], ["receipt"]);
  const sections = parseSections(value.sections);
  return {
    shape: anchored ? "anchored" : "pending",
    chain: chain(value.chain, "/chain"),
    number: sections.header.value.number,
    sections,
    entry: parseEntry(value.entry),
    receipt: "receipt" in value ? parseReceipt(value.receipt) : null,
    inclusion: anchored ? parseInclusion(value.inclusion) : null,
    register: anchored ? parseRegister(value.register) : null,
  };
}

/** @param {any} value @returns {Record<string, any>} */
function parseSections(value) {
  members(value, "/sections", SECTIONS);
  const sections = Object.create(null);
  for (const name of SECTIONS) {
    const pointer = `/sections/${name}`;
    const section = value[name];
    object(section, pointer);
    if ("hash" in section && name !== "header") {
      members(section, pointer, ["hash"]);
      sections[name] = { hash: bytes(section.hash, 32, `${pointer}/hash`) };
    } else {
      members(section, pointer, ["salt", "value"]);
      sections[name] = {
        salt: bytes(section.salt, 16, `${pointer}/salt`),
        value: section.value,
        canonical: sectionBytes(name, section.value, `${pointer}/value`),
      };
    }
  }
  invoiceNumber(sections.header.value.number, "/sections/header/value/number");
  return sections;
}

/** @param {string} name @param {any} value @param {string} pointer @returns {Uint8Array} */
function sectionBytes(name, value, pointer) {
  if (name !== "lines") object(value, pointer);
  else if (!Array.isArray(value) || value.length === 0) throw new Malformed("form.lines", { pointer });
  else value.forEach((line, i) => object(line, `${pointer}/${i}`));
  try {
    return canonicalBytes(value);
  } catch (error) {
    if (error instanceof Malformed) throw new Malformed(error.code, { pointer: pointer + error.params.pointer });
    throw error;
  }
}

/** @param {any} value @returns {import("./entry.js").Entry} */
function parseEntry(value) {
  members(value, "/entry", ["kind", "recorded_at", "key", "copy", "other", "auth"]);
  return {
    kind: oneOf(value.kind, KINDS, "/entry/kind"),
    recorded_at: integer(value.recorded_at, "/entry/recorded_at"),
    key: bytes(value.key, 32, "/entry/key"),
    copy: bytes(value.copy, 32, "/entry/copy"),
    other: bytes(value.other, 32, "/entry/other"),
    auth: bytes(value.auth, 32, "/entry/auth"),
  };
}

/** @param {any} value @returns {Receipt} */
function parseReceipt(value) {
  members(value, "/receipt", ["key_id", "deadline", "signature"]);
  bytes(value.key_id, 8, "/receipt/key_id");
  return {
    key_id: value.key_id,
    deadline: integer(value.deadline, "/receipt/deadline"),
    signature: bytes(value.signature, 64, "/receipt/signature"),
  };
}

/** @param {any} value @returns {Inclusion} */
function parseInclusion(value) {
  members(value, "/inclusion", ["seq", "index", "size", "path"]);
  const size = integer(value.size, "/inclusion/size", 1, MAX_BATCH);
  return {
    seq: integer(value.seq, "/inclusion/seq", 1),
    index: integer(value.index, "/inclusion/index", 0, size - 1),
    size,
    path: hashes(value.path, MAX_PATH, "/inclusion/path"),
  };
}

/** @param {any} value @returns {RegisterProof} */
function parseRegister(value) {
  members(value, "/register", ["seq", "siblings", "state"]);
  return { ...registerPath(value), state: parseState(value.state), state_hash: null, neighbour: null };
}

/** @param {any} value */
const registerPath = (value) => ({
  seq: integer(value.seq, "/register/seq", 1),
  siblings: hashes(value.siblings, MAX_SIBLINGS, "/register/siblings"),
});

/** @param {any} value @returns {import("./register.js").State} */
function parseState(value) {
  members(value, "/register/state", ["status", "version", "seq", "index", "copy", "other"]);
  return {
    status: oneOf(value.status, STATUSES, "/register/state/status"),
    version: integer(value.version, "/register/state/version", 1, 2 ** 32 - 1),
    seq: integer(value.seq, "/register/state/seq", 1),
    index: integer(value.index, "/register/state/index", 0, MAX_BATCH - 1),
    copy: bytes(value.copy, 32, "/register/state/copy"),
    other: bytes(value.other, 32, "/register/state/other"),
  };
}

/** @param {any} value */
function parseNeighbour(value) {
  members(value, "/register/neighbour", ["key", "state_hash"]);
  return {
    key: bytes(value.key, 32, "/register/neighbour/key"),
    state_hash: bytes(value.state_hash, 32, "/register/neighbour/state_hash"),
  };
}
