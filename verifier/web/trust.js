/** What a verifier is given and trusts: trust file, anchors files, question (protocol.md section 8). */

import { hex } from "./bytes.js";
import { isSoundPoint } from "./ed25519.js";
import { MAX_BATCH } from "./entry.js";
import { bytes, chain, integer, invoiceNumber, members, object } from "./fields.js";
import { sha256 } from "./hash.js";
import { Malformed, readStrictJson } from "./json.js";
import { PROTOCOL } from "./proof.js";
import { origin } from "./rpc.js";

/** The verifier was called with something that it cannot use; no verdict on a proof file. */
export class UsageError extends Error {
  /**
   * @param {"trust" | "anchors" | "question"} subject
   * @param {string} code a key of messages.js @param {Record<string, string | number>} [params]
   */
  constructor(subject, code, params = {}) {
    super(`${subject}: ${code} ${JSON.stringify(params)}`);
    this.name = "UsageError";
    this.subject = subject;
    this.code = code;
    this.params = params;
  }
}

/**
 * @typedef {import("./fields.js").Chain} Chain
 * @typedef {Map<string, Uint8Array<ArrayBuffer>>} ServiceKeys Ed25519 public keys by key_id
 * @typedef {{log_root: string, register_root: string, size: number, time: number}} Anchor roots in hex, seconds since 1970 UTC
 * @typedef {{number: string, commitment: Uint8Array | null}} Question
 *
 * @typedef {object} Trust
 * @property {Chain} chain
 * @property {ServiceKeys} keys
 * @property {string[]} rpc_urls
 * @property {"finalized" | {confirmations: number}} finality
 * @property {number} promise_s
 * @property {number} heartbeat_s
 * @property {number} grace_s
 * @property {number} max_lag_s
 *
 * @typedef {object} Anchors one anchors file
 * @property {Chain} chain
 * @property {ServiceKeys} keys
 * @property {number} head the newest final seq, 0 while there is none
 * @property {Map<number, {anchor: Anchor, final: boolean}>} anchors
 */

const DEFAULTS = { promise_s: 60, heartbeat_s: 3600, grace_s: 300, max_lag_s: 3600 };
const SECONDS = /** @type {(keyof typeof DEFAULTS)[]} */ (Object.keys(DEFAULTS));
const SEQ = /^[1-9][0-9]{0,15}$/;

/**
 * @param {unknown} source a trust file: text, bytes, or what its JSON parses to @returns {Promise<Trust>}
 * @throws {UsageError}
 */
export const parseTrust = (source) =>
  reading("trust", async () => {
    const value = read(source);
    const optional = ["service_keys", "rpc_urls", "finality", ...SECONDS];
    members(value, "", ["protocol", "chain"], optional);
    protocol(value.protocol);
    const seconds = SECONDS.map((name) => [name, name in value ? integer(value[name], `/${name}`) : DEFAULTS[name]]);
    return {
      chain: chain(value.chain, "/chain"),
      keys: await serviceKeys(value.service_keys ?? {}),
      rpc_urls: urls(value.rpc_urls ?? []),
      finality: finality(value.finality ?? "finalized"),
      .../** @type {typeof DEFAULTS} */ (Object.fromEntries(seconds)),
    };
  });

/**
 * @param {unknown} source an anchors file: text, bytes, or what its JSON parses to @returns {Promise<Anchors>}
 * @throws {UsageError}
 */
export const parseAnchors = (source) =>
  reading("anchors", async () => {
    const value = read(source);
    members(value, "", ["protocol", "chain", "service_keys", "head", "anchors"]);
    protocol(value.protocol);
    object(value.anchors, "/anchors");
    const anchors = new Map();
    for (const [seq, anchor] of Object.entries(value.anchors)) {
      const pointer = `/anchors/${seq.slice(0, 20)}`;
      if (!SEQ.test(seq) || !Number.isSafeInteger(Number(seq))) throw new Malformed("form.range", { pointer });
      members(anchor, pointer, ["log_root", "register_root", "size", "time", "final"]);
      if (typeof anchor.final !== "boolean") throw new Malformed("form.boolean", { pointer: `${pointer}/final` });
      bytes(anchor.log_root, 32, `${pointer}/log_root`);
      bytes(anchor.register_root, 32, `${pointer}/register_root`);
      integer(anchor.size, `${pointer}/size`, 0, MAX_BATCH);
      integer(anchor.time, `${pointer}/time`, 1);
      const { final, log_root, register_root, size, time } = anchor;
      anchors.set(Number(seq), { anchor: { log_root, register_root, size, time }, final });
    }
    return {
      chain: chain(value.chain, "/chain"),
      keys: await serviceKeys(value.service_keys),
      head: integer(value.head, "/head"),
      anchors,
    };
  });

/**
 * @param {{number: string, commitment?: string | null} | null | undefined} source commitment in hex
 * @returns {Promise<Question | null>} @throws {UsageError}
 */
export const parseQuestion = (source) =>
  reading("question", async () => {
    if (source === null || source === undefined) return null;
    const value = read(source);
    members(value, "", ["number"], ["commitment"]);
    return {
      number: invoiceNumber(value.number, "/number"),
      commitment: (value.commitment ?? null) === null ? null : bytes(value.commitment, 32, "/commitment"),
    };
  });

/** @template T @param {UsageError["subject"]} subject @param {() => Promise<T>} parse @returns {Promise<T>} */
async function reading(subject, parse) {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof Malformed) throw new UsageError(subject, error.code, error.params);
    throw error;
  }
}

/** One reader for text and for objects, so that both are held to the same. @param {unknown} source @returns {any} */
function read(source) {
  const isFile = typeof source === "string" || source instanceof Uint8Array || source instanceof ArrayBuffer;
  return readStrictJson(isFile ? source : (JSON.stringify(source) ?? ""));
}

/** @param {any} value */
function protocol(value) {
  if (value !== PROTOCOL) throw new Malformed("form.protocol");
}

/** @param {any} value @returns {Promise<ServiceKeys>} */
async function serviceKeys(value) {
  object(value, "/service_keys");
  const keys = new Map();
  for (const [id, spelling] of Object.entries(value)) {
    const pointer = `/service_keys/${id.slice(0, 20)}`;
    const key = bytes(spelling, 32, pointer);
    if (hex(await sha256(key)).slice(0, 16) !== id || !isSoundPoint(key)) throw new Malformed("form.key_id", { pointer });
    keys.set(id, key);
  }
  return keys;
}

/** @param {any} value @returns {string[]} */
function urls(value) {
  if (!Array.isArray(value)) throw new Malformed("form.list", { pointer: "/rpc_urls", most: 100 });
  return value.map((url, i) => {
    if (typeof url !== "string" || origin(url) === null) throw new Malformed("form.url", { pointer: `/rpc_urls/${i}` });
    return url;
  });
}

/** @param {any} value @returns {Trust["finality"]} */
function finality(value) {
  if (value === "finalized") return value;
  members(value, "/finality", ["confirmations"]);
  return { confirmations: integer(value.confirmations, "/finality/confirmations") };
}
