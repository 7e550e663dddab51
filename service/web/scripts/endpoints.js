/**
 * Endpoints of the visitor's own choice, kept in this browser and asked beside those of the trust file: all must agree, so that one
 * more can only make the check stricter.
 *
 * The page's Content-Security-Policy names the hosts that it may ask, and the server makes it. So their origins (never the whole
 * address, which may hold an access key) stand in the page's own address as `?connect=…`, and the page is fetched once more where
 * they are missing. A link that somebody else made widens what the page may ask, and nothing else: it is asked what is kept here.
 */

import { origin } from "../../../verifier/web/rpc.js";

const STORED = "zhengpiao.endpoints";
export const MAX_ENDPOINTS = 4;

/** @param {string[]} allowed origins @returns {string[] | "reload"} */
export function chosenEndpoints(allowed) {
  const chosen = storedEndpoints();
  const missing = chosen.filter((url) => !allowed.includes(/** @type {string} */ (origin(url))));
  if (missing.length === 0) return chosen;
  const asked = new URL(location.href);
  const wanted = [...new Set(chosen.map((url) => /** @type {string} */ (origin(url))))].join(",");
  // Asked for already, and not given: the server does not take it.
  if (asked.searchParams.get("connect") === wanted) return chosen.filter((url) => !missing.includes(url));
  asked.searchParams.set("connect", wanted);
  location.replace(asked);
  return "reload";
}

/** @returns {string[]} */
export function storedEndpoints() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(kept) ? kept.filter((url) => typeof url === "string" && origin(url) !== null).slice(0, MAX_ENDPOINTS) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} urls */
export const storeEndpoints = (urls) => localStorage.setItem(STORED, JSON.stringify(urls));
