/**
 * SHA-256 (FIPS 180-4): the browser's, and @noble/hashes' where there is none, as on a page served without TLS.
 *
 * Decided against a synchronous hash for the small nodes of a path: sixty of them take 1.3 ms of a fresh Chromium with WebCrypto
 * and 9 ms with compiled-as-it-runs JavaScript, which has to be loaded too.
 */

import { concat } from "./bytes.js";

const digest = globalThis.crypto?.subtle
  ? async (/** @type {Uint8Array<ArrayBuffer>} */ data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data))
  : async (/** @type {Uint8Array<ArrayBuffer>} */ data) => (await import("./vendor/sha256.js")).sha256(data);

/** @param {...Uint8Array} parts @returns {Promise<Uint8Array>} H(parts joined), 32 bytes */
export const sha256 = (...parts) => digest(concat(...parts));
