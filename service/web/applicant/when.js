/** Times as an applicant needs them: the day and the minute, and how many days are left. */

import { language, t } from "../../../verifier/web/page/texts.js";

const DAY_MS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The reader's own time, to the minute. @param {string} at RFC 3339 */
export function minute(at) {
  const key = language();
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(key, { dateStyle: "medium", timeStyle: "short" }));
  const read = Date.parse(at);
  return Number.isNaN(read) ? at : /** @type {Intl.DateTimeFormat} */ (formats.get(key)).format(read);
}

/**
 * How long until then, in words: whole days, or that it is today, or over.
 * @param {string} at RFC 3339 @param {number} now_ms @returns {{key: string, params: Record<string, number>}}
 */
export function left(at, now_ms) {
  const days = Math.floor((Date.parse(at) - now_ms) / DAY_MS);
  if (days < 0) return { key: "left.over", params: {} };
  return days === 0 ? { key: "left.today", params: {} } : { key: "left.days", params: { count: days } };
}

/** @param {string} at @param {number} [now_ms] */
export function leftOf(at, now_ms = Date.now()) {
  const { key, params } = left(at, now_ms);
  return t(key, params);
}
