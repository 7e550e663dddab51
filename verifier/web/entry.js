/** Log entries: what happened (protocol.md section 3). */

import { concat, u64, u8, utf8 } from "./bytes.js";
import { sha256 } from "./hash.js";

/** The number of each kind of entry. */
export const KINDS = Object.freeze({ issue: 1, void: 2, reverse: 3, reprint: 4, reverse_part: 5, note: 6, release: 7 });
/** Entries of one batch. */
export const MAX_BATCH = 65_536;

const NUMBER = /^[0-9A-Z][0-9A-Z._:-]{0,63}$/;
const ENTRY_TAG = utf8("zp1/entry");
const NUMBER_TAG = utf8("zp1/number\0");

/** @param {unknown} value @returns {value is string} the form of every invoice number */
export const isNumber = (value) => typeof value === "string" && NUMBER.test(value);

/** @param {string} number @returns {Promise<Uint8Array>} its place in the register: H("zp1/number" ‖ 0x00 ‖ number) */
export const numberKey = (number) => sha256(NUMBER_TAG, utf8(number));

/**
 * @typedef {object} Entry `recorded_at` in milliseconds since 1970 UTC, the service's statement; the rest are 32 bytes each
 * @property {keyof typeof KINDS} kind
 * @property {number} recorded_at
 * @property {Uint8Array} key
 * @property {Uint8Array} copy
 * @property {Uint8Array} other
 * @property {Uint8Array} auth
 */

/**
 * @param {Entry} entry
 * @returns {Uint8Array} "zp1/entry" ‖ u8(kind) ‖ u64(recorded_at) ‖ key ‖ copy ‖ other ‖ auth
 */
export const encodeEntry = ({ kind, recorded_at, key, copy, other, auth }) =>
  concat(ENTRY_TAG, u8(KINDS[kind]), u64(recorded_at), key, copy, other, auth);
