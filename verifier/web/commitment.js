/** Sections, their leaves, the commitment to all eight, and the copy that is logged (protocol.md section 2). */

import { u8, utf8 } from "./bytes.js";
import { sha256 } from "./hash.js";
import { leafHash, treeHash } from "./merkle.js";

/** In the order of their indexes. */
export const SECTIONS = ["header", "seller", "totals", "provenance", "buyer", "lines", "payment", "notes"];

const SECTION_TAG = utf8("zp1/section");
const COPY_TAG = utf8("zp1/copy\0");

/**
 * @param {number} index @param {Uint8Array} salt 16 bytes @param {Uint8Array} canonical the section's canonical bytes
 * @returns {Promise<Uint8Array>} H(0x00 ‖ "zp1/section" ‖ u8(index) ‖ salt ‖ canonical)
 */
export const sectionLeaf = (index, salt, canonical) => leafHash(SECTION_TAG, u8(index), salt, canonical);

/** @param {Uint8Array[]} leaves of the eight sections @returns {Promise<Uint8Array>} */
export const commitmentOf = (leaves) => treeHash(leaves);

/** @param {Uint8Array} commitment @returns {Promise<Uint8Array>} H("zp1/copy" ‖ 0x00 ‖ commitment) */
export const copyOf = (commitment) => sha256(COPY_TAG, commitment);
