/** The tree of RFC 9162 section 2.1 with SHA-256, on leaf hashes (protocol.md sections 2 and 3). */

import { u8, ZERO } from "./bytes.js";
import { sha256 } from "./hash.js";

const LEAF = u8(0);
const NODE = u8(1);

/** @param {...Uint8Array} data @returns {Promise<Uint8Array>} H(0x00 ‖ data). RFC 9162 section 2.1.1 */
export const leafHash = (...data) => sha256(LEAF, ...data);

/** @param {Uint8Array} left @param {Uint8Array} right @returns {Promise<Uint8Array>} H(0x01 ‖ left ‖ right) */
export const nodeHash = (left, right) => sha256(NODE, left, right);

/**
 * Level by level: pairing from the left and carrying an odd last node up is the recursion of the RFC.
 * @param {Uint8Array[]} leaves 32 bytes each @returns {Promise<Uint8Array>} the root; zero of none
 */
export async function treeHash(leaves) {
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) above.push(i + 1 < level.length ? nodeHash(level[i], level[i + 1]) : level[i]);
    level = await Promise.all(above);
  }
  return level[0] ?? ZERO;
}

/**
 * RFC 9162 section 2.1.3.2.
 * @param {Uint8Array} leaf @param {number} index @param {number} size of the tree @param {Uint8Array[]} path from the leaf up
 * @returns {Promise<Uint8Array | null>} the root; null where index, size and the path's length do not fit
 */
export async function rootFromPath(leaf, index, size, path) {
  if (index >= size) return null;
  let node = leaf;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return null;
    if (index & 1 || index === last) {
      node = await nodeHash(sibling, node);
      while (!(index & 1) && index !== 0) {
        index >>= 1;
        last >>= 1;
      }
    } else {
      node = await nodeHash(node, sibling);
    }
    index >>= 1;
    last >>= 1;
  }
  return last === 0 ? node : null;
}
