/** What people type from a paper, in the one spelling that is compared. The service holds the same to its own rules. */

import { isNumber } from "../entry.js";

const AMOUNT = /^(-?)(\d{1,16})(?:\.(\d{1,2}))?$/;

/** Full-width digits, letters and punctuation as their plain ones; no blanks. @param {string} text */
const plain = (text) => text.normalize("NFKC").replace(/\s+/gu, "");

/**
 * An invoice number: blanks for grouping, full-width and small letters occur; the code and number of a legacy invoice may stand
 * with a blank between them, or with nothing (18 digits; of 20 digits nobody could tell).
 * @param {string} text @returns {string | null} null where this can be none
 */
export function parseNumber(text) {
  const legacy = /^(\d{10}|\d{12})[\s-]+(\d{8})$/.exec(text.normalize("NFKC").trim());
  if (legacy) return `${legacy[1]}-${legacy[2]}`;
  const number = plain(text)
    .replace(/[‐-―−]/gu, "-")
    .toUpperCase();
  const joined = /^(\d{10})(\d{8})$/.exec(number);
  if (joined) return `${joined[1]}-${joined[2]}`;
  return isNumber(number) ? number : null;
}

/**
 * A date: 2026-10-09, 2026/10/9, 2026.10.9, 20261009, 2026年10月9日.
 * @param {string} text @returns {string | null} `2026-10-09`
 */
export function parseDate(text) {
  const found = /^(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))$/.exec(plain(text));
  if (!found) return null;
  const [year, month, day] = [found[1], found[2] ?? found[4], found[3] ?? found[5]].map(Number);
  const made = new Date(Date.UTC(year, month - 1, day));
  const isReal = made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
  return isReal ? made.toISOString().slice(0, 10) : null;
}

/**
 * An amount: ¥ or 元, thousands separators, one or no decimals, a minus of any kind.
 * @param {string} text @returns {string | null} `1060.00`
 */
export function parseAmount(text) {
  const bare = plain(text)
    .replace(/[‐-―−]/gu, "-")
    .replace(/^(-?)(?:[¥￥]|CNY|RMB|人民币)/iu, "$1")
    .replace(/[元圆]$/u, "")
    .replace(/^[¥￥]-/u, "-");
  // Separators stand before groups of three, or it is no amount that anybody writes.
  const found = AMOUNT.exec(/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare) ? bare.replaceAll(",", "") : bare);
  if (!found) return null;
  const whole = found[2].replace(/^0+(?=\d)/, "");
  return `${found[1]}${whole}.${(found[3] ?? "").padEnd(2, "0")}`;
}

/**
 * Groups of four for the eye. @param {string} number @returns {string[]}
 */
export const groupsOf = (number) => (/^\d{20}$/.test(number) ? (number.match(/.{4}/g) ?? []) : [number]);
