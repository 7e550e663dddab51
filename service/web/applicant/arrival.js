/** What another page, a code or a message hands over behind the `#`, where no server sees it. */

import { questionFromText } from "../../../verifier/web/question.js";

/**
 * @typedef {{kind: "case", id: string} | {kind: "facts", facts: URLSearchParams}
 *   | {kind: "copy", copy: import("../../../verifier/web/page/codes.js").Copy}} Arrival
 */

/** R, year, month and day, `-`, eight characters of Crockford's base 32: without I, L, O, U. */
const CASE = /^R\d{6}-[0-9A-HJKMNP-TV-Z]{8}$/;

/**
 * A case's number as people type it: small letters, blanks, a missing or long hyphen, and the letters that look like digits.
 * @param {string} text @returns {string | null}
 */
export function parseCase(text) {
  const bare = text
    .normalize("NFKC")
    .replace(/[\s‐-―−_-]+/gu, "")
    .toUpperCase();
  const id = `${bare.slice(0, 7)}-${bare.slice(7)}`.replace(/[IL]/g, "1").replaceAll("O", "0");
  return CASE.test(id) ? id : null;
}

/** @param {string} hash with its `#` @returns {Arrival | null} */
export function arrivalOf(hash) {
  const text = decoded(hash.slice(1));
  if (text === "") return null;
  const id = parseCase(text.replace(/^case=/, ""));
  if (id !== null) return { kind: "case", id };
  const copy = questionFromText(text);
  if (copy !== null) return { kind: "copy", copy };
  return /^number=/.test(text) ? { kind: "facts", facts: new URLSearchParams(hash.slice(1)) } : null;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
