/** The question in a QR code: `https://HOST/v#N.C` (protocol.md section 9). */

import { hex } from "./bytes.js";
import { isNumber } from "./entry.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648 section 6
const CODE = /^[A-Z2-7]{52}$/;

/**
 * @param {string} text `N.C`, what stands behind the # @returns {{number: string, commitment: string} | null}
 *   commitment in hex; null where this is no such text
 */
export function questionFromText(text) {
  const dot = text.lastIndexOf(".");
  const number = text.slice(0, dot);
  const code = text.slice(dot + 1);
  if (dot < 0 || !isNumber(number) || !CODE.test(code)) return null;
  const bytes = new Uint8Array(32);
  let bits = 0n;
  for (const letter of code) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(letter));
  // 52 letters are 260 bits: the last four must be zero, or another text would name the same commitment.
  if (bits & 15n) return null;
  bits >>= 4n;
  for (let i = 31; i >= 0; i--, bits >>= 8n) bytes[i] = Number(bits & 255n);
  return { number, commitment: hex(bytes) };
}

/** @param {string} number @param {string} commitment in hex @returns {string} `N.C` */
export function questionToText(number, commitment) {
  let bits = BigInt(`0x${commitment}`) << 4n;
  let code = "";
  for (let i = 0; i < 52; i++, bits >>= 5n) code = ALPHABET[Number(bits & 31n)] + code;
  return `${number}.${code}`;
}
