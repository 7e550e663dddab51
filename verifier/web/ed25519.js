/**
 * Strict Ed25519 (RFC 8032 section 5.1.7, the equation without cofactor): the browser's, and @noble/curves' where it has none.
 *
 * The engines agree on honest signatures and part on odd ones: some refuse points of small order, some accept a key that is not
 * written as RFC 8032 writes it. So both are refused before any engine is asked, and with the rest they cannot differ: all refuse
 * a scalar that is not below the group's order, and compare R as bytes.
 */

import { concat, equal, hex } from "./bytes.js";

/** y of the points of small order, little-endian; their sign bit is ignored here. */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * @param {Uint8Array<ArrayBuffer>} key 32 bytes @param {Uint8Array<ArrayBuffer>} signature 64 bytes
 * @param {Uint8Array<ArrayBuffer>} message
 * @returns {Promise<boolean>}
 */
export async function isSigned(key, signature, message) {
  if (!isSoundPoint(key) || !isSoundPoint(signature.subarray(0, 32))) return false;
  let subtleKey;
  try {
    subtleKey = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  } catch {
    // Not known to this browser, or a key that it does not take: noble has the last word on both.
    return isSignedByNoble(key, signature, message);
  }
  return crypto.subtle.verify("Ed25519", subtleKey, signature, message);
}

/**
 * [S]B = R + [k]A with k = SHA-512(R ‖ A ‖ M) mod L, for a key and an R that are sound.
 * @param {Uint8Array<ArrayBuffer>} key @param {Uint8Array<ArrayBuffer>} signature @param {Uint8Array<ArrayBuffer>} message
 * @returns {Promise<boolean>}
 */
export async function isSignedByNoble(key, signature, message) {
  const { Point, sha512 } = await import("./vendor/ed25519.js");
  const order = Point.Fn.ORDER;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= order) return false;
  let a;
  try {
    a = Point.fromBytes(key);
  } catch {
    return false; // not on the curve
  }
  const k = littleEndian(sha512(concat(r, key, message))) % order;
  return equal(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
}

/** Its order is not small, and its y is below p = 2^255 - 19. @param {Uint8Array} point 32 bytes @returns {boolean} */
export function isSoundPoint(point) {
  const y = point.slice();
  y[31] &= 0x7f;
  const isReduced = y[31] !== 0x7f || y[0] < 0xed || y.subarray(1, 31).some((byte) => byte !== 0xff);
  return isReduced && !SMALL_ORDER.has(hex(y));
}

/** @param {Uint8Array} bytes */
const littleEndian = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`);
