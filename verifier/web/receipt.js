/** The signed promise to anchor an accepted entry (protocol.md section 6). */

import { concat, fromHex, u64, utf8 } from "./bytes.js";
import { sha256 } from "./hash.js";

const RECEIPT_TAG = utf8("zp1/receipt");

/**
 * @param {import("./fields.js").Chain} chain @param {Uint8Array} entry encoded @param {number} deadline ms since 1970 UTC
 * @returns {Promise<Uint8Array<ArrayBuffer>>} "zp1/receipt" ‖ u64(chain_id) ‖ contract ‖ H(entry) ‖ u64(deadline)
 */
export const receiptMessage = async ({ chain_id, contract }, entry, deadline) =>
  concat(RECEIPT_TAG, u64(chain_id), fromHex(contract.slice(2)), await sha256(entry), u64(deadline));
