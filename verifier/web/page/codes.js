/** What a QR code that was read leads to. */

import { questionFromText } from "../question.js";
import { officialFromText } from "./official_qr.js";

/**
 * @typedef {{number: string, commitment: string}} Copy commitment in hex
 * @typedef {{kind: "copy", copy: Copy, origin: string, host: string, issuer: Issuer}
 *   | {kind: "official", official: import("./official_qr.js").Official}
 *   | {kind: "foreign", host: string, issuer: Issuer}
 *   | {kind: "unknown"}} Code
 * @typedef {"own" | "look_alike" | "other"} Issuer whose address the code has: this registry's, one that may be taken for it,
 *   another
 */

/**
 * @param {string} text of the code @param {string[]} ownHosts host and port of this registry; none in the one-file verifier
 * @returns {Code} `foreign` is an address that is no code of any registry: nobody is sent there
 */
export function codeFromText(text, ownHosts) {
  const official = officialFromText(text);
  if (official) return { kind: "official", official };
  const url = addressOf(text);
  if (url === null) return { kind: "unknown" };
  const host = url.host;
  const issuer = issuerOf(host, ownHosts);
  const copy = url.pathname === "/v" && url.search === "" ? questionFromText(fragment(url)) : null;
  return copy ? { kind: "copy", copy, origin: url.origin, host, issuer } : { kind: "foreign", host, issuer };
}

/**
 * Of several codes on one paper, the first that leads to a proof, else the first that names an invoice, else the first.
 * @param {Code[]} codes @returns {Code}
 */
export function bestOf(codes) {
  const ranks = { copy: 0, official: 1, foreign: 2, unknown: 3 };
  return [...codes].sort((a, b) => ranks[a.kind] - ranks[b.kind])[0] ?? { kind: "unknown" };
}

/** @param {string} host @param {string[]} ownHosts @returns {Issuer} */
function issuerOf(host, ownHosts) {
  if (ownHosts.length === 0 || ownHosts.includes(host)) return "own";
  return ownHosts.some((own) => isAlike(host, own)) ? "look_alike" : "other";
}

/**
 * Made to be taken for ours: the same once letters that look alike are one letter, ours with something put before or behind it,
 * or one or two letters away. Other alphabets arrive here as `xn--…`, and of those any may look like anything.
 * @param {string} host @param {string} ownHost
 */
function isAlike(host, ownHost) {
  const [name, own] = [host, ownHost].map((one) => one.replace(/:\d+$/, ""));
  if (!own.includes(".") || /^[\d.]+$/.test(own)) return false; // localhost or an address: no name to imitate
  if (name === own || host.includes("xn--") || skeleton(name) === skeleton(own)) return true;
  return name.includes(own) || distance(name, own) <= 2;
}

/** @param {string} name */
const skeleton = (name) =>
  name
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
    .replaceAll("0", "o")
    .replace(/[1il|]/g, "l")
    .replaceAll("5", "s")
    .replaceAll("-", "");

/** Levenshtein's, letter by letter. @param {string} a @param {string} b */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** @param {string} text */
function addressOf(text) {
  if (!/^https?:\/\//i.test(text) || text.length > 2048) return null;
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Some readers hand over `%2E` for a dot. @param {URL} url */
function fragment({ hash }) {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}
