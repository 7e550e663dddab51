/** Bytes, hex and big-endian integers: the small change of every other module. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const encoder = new TextEncoder();

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} its UTF-8 bytes */
export const utf8 = (text) => encoder.encode(text);

/** @param {Uint8Array} bytes @returns {string} lower-case hex */
export function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/**
 * @param {string} text lower- or upper-case hex of an even length, already checked
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** @param {...Uint8Array} parts @returns {Uint8Array<ArrayBuffer>} */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} a @param {Uint8Array} b @returns {boolean} */
export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** @param {number} x 0 to 255 */
export const u8 = (x) => Uint8Array.of(x);

/** @param {number} x an integer of 32 bits, big-endian */
export const u32 = (x) => Uint8Array.of(x >>> 24, x >>> 16, x >>> 8, x);

/** @param {number} x an integer up to 2^53 - 1, as 64 bits, big-endian */
export const u64 = (x) => concat(u32(Math.floor(x / 2 ** 32)), u32(x % 2 ** 32));

/** 32 zero bytes: "none" wherever a hash could stand, and the root of an empty tree. */
export const ZERO = new Uint8Array(32);
