/** tests/vectors, read for tests. */

import { readFileSync } from "node:fs";

const folder = new URL("../vectors/", import.meta.url);

/** @param {string} name */
export const vectorText = (name) => readFileSync(new URL(name, folder), "utf8");
/** @param {string} name */
export const vectorBytes = (name) => new Uint8Array(readFileSync(new URL(name, folder)));
/** @param {string} name */
export const vector = (name) => JSON.parse(vectorText(name));
/** @param {string} name a proof file, parsed */
export const proof = (name) => vector(`proofs/${name}.proof.json`);
/** @param {unknown} value as text */
export const text = (value) => JSON.stringify(value);
/** The anchors that most proof files go with. */
export const ANCHORS = vectorText("proofs/anchors.json");
