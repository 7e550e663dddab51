/** The register: one leaf per invoice number, in a binary Merkle map by the key's bits (protocol.md section 4). */

import { concat, equal, u32, u64, u8, utf8, ZERO } from "./bytes.js";
import { sha256 } from "./hash.js";
import { leafHash, nodeHash } from "./merkle.js";

/** The number of each status. */
export const STATUSES = Object.freeze({ valid: 1, void: 2, reversed: 3, partly_reversed: 4, released: 5 });
export const MAX_SIBLINGS = 256;

const STATE_TAG = utf8("zp1/state");

/**
 * @typedef {object} State what is true of a number; `seq` and `index` name the entry that made it, copy and other are 32 bytes
 * @property {keyof typeof STATUSES} status
 * @property {number} version
 * @property {number} seq
 * @property {number} index
 * @property {Uint8Array} copy
 * @property {Uint8Array} other
 */

/**
 * @param {State} state
 * @returns {Promise<Uint8Array>} H("zp1/state" ‖ u8(status) ‖ u32(version) ‖ u64(seq) ‖ u32(index) ‖ copy ‖ other)
 */
export const stateHash = ({ status, version, seq, index, copy, other }) =>
  sha256(concat(STATE_TAG, u8(STATUSES[status]), u32(version), u64(seq), u32(index), copy, other));

/**
 * The root of a register that holds `key` with this state.
 * @param {Uint8Array} key @param {Uint8Array} hash H(state) @param {Uint8Array[]} siblings from the root down
 * @returns {Promise<Uint8Array>}
 */
export const rootOfPresence = async (key, hash, siblings) => climb(key, await leafHash(key, hash), siblings);

/**
 * The root of a register that does not hold `key`: its place is empty, or taken by a neighbour.
 * @param {Uint8Array} key @param {{key: Uint8Array, state_hash: Uint8Array} | null} neighbour @param {Uint8Array[]} siblings
 * @returns {Promise<Uint8Array | null>} null where the neighbour is the key itself or could not stand there
 */
export async function rootOfAbsence(key, neighbour, siblings) {
  if (neighbour === null) return climb(key, ZERO, siblings);
  if (equal(neighbour.key, key) || commonBits(neighbour.key, key) < siblings.length) return null;
  return climb(key, await leafHash(neighbour.key, neighbour.state_hash), siblings);
}

/**
 * @param {Uint8Array} key @param {Uint8Array} end the subtree at depth siblings.length
 * @param {Uint8Array[]} siblings
 */
async function climb(key, end, siblings) {
  let node = end;
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    node = await (bit(key, depth) ? nodeHash(siblings[depth], node) : nodeHash(node, siblings[depth]));
  }
  return node;
}

/** @param {Uint8Array} key @param {number} depth 0 is the most significant bit */
const bit = (key, depth) => (key[depth >> 3] >> (7 - (depth & 7))) & 1;

/** @param {Uint8Array} a @param {Uint8Array} b @returns {number} how many bits they share, from the first on */
function commonBits(a, b) {
  let depth = 0;
  while (depth < 256 && bit(a, depth) === bit(b, depth)) depth++;
  return depth;
}
