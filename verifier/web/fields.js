/**
 * Members of the project's JSON files, checked one by one. What is not as it should be is Malformed, with an RFC 6901 pointer.
 */

import { fromHex } from "./bytes.js";
import { isNumber } from "./entry.js";
import { Malformed } from "./json.js";

/** @typedef {{chain_id: number, contract: string}} Chain `contract` is `0x` and 40 lower-case hex digits */

/** @param {any} value @param {string} pointer @returns {Chain} */
export function chain(value, pointer) {
  members(value, pointer, ["chain_id", "contract"]);
  if (typeof value.contract !== "string" || !/^0x[0-9a-f]{40}$/.test(value.contract)) {
    throw new Malformed("form.address", { pointer: `${pointer}/contract` });
  }
  return { chain_id: integer(value.chain_id, `${pointer}/chain_id`), contract: value.contract };
}

/** @param {any} value @param {string} pointer */
export function object(value, pointer) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed("form.object", { pointer });
}

/**
 * An object with every member of `required`, any of `optional`, and no other.
 * @param {any} value @param {string} pointer @param {string[]} required @param {string[]} [optional]
 */
export function members(value, pointer, required, optional = []) {
  object(value, pointer);
  for (const name of required) if (!(name in value)) throw new Malformed("form.missing", { pointer, name });
  for (const name of Object.keys(value)) {
    if (!required.includes(name) && !optional.includes(name))
      throw new Malformed("form.unknown", { pointer, name: name.slice(0, 64) });
  }
}

/** @param {any} value @param {string} pointer @param {number} [least] @param {number} [most] @returns {number} */
export function integer(value, pointer, least = 0, most = Number.MAX_SAFE_INTEGER) {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new Malformed("form.range", { pointer });
  return value;
}

/** @param {any} value @param {number} length in bytes @param {string} pointer @returns {Uint8Array<ArrayBuffer>} */
export function bytes(value, length, pointer) {
  if (typeof value !== "string" || value.length !== 2 * length || !/^[0-9a-f]*$/.test(value)) {
    throw new Malformed("form.hex", { pointer, length });
  }
  return fromHex(value);
}

/** @param {any} value @param {number} most @param {string} pointer @returns {Uint8Array[]} */
export function hashes(value, most, pointer) {
  if (!Array.isArray(value) || value.length > most) throw new Malformed("form.list", { pointer, most });
  return value.map((item, i) => bytes(item, 32, `${pointer}/${i}`));
}

/** @param {any} value @param {string} pointer @returns {string} */
export function invoiceNumber(value, pointer) {
  if (!isNumber(value)) throw new Malformed("form.number", { pointer });
  return value;
}

/** @template {object} T @param {any} value @param {T} names @param {string} pointer @returns {keyof T} */
export function oneOf(value, names, pointer) {
  if (typeof value !== "string" || !Object.hasOwn(names, value)) throw new Malformed("form.name", { pointer });
  return /** @type {keyof T} */ (value);
}
