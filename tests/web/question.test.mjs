/** The text of a QR code, both ways. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { questionFromText, questionToText } from "../../verifier/web/question.js";

// By Python's base64.b32encode.
const COMMITMENT = "cab566a70398600309282cc56b2c0b7fd9e879ef2220db196be115819b0ff62d";
const CODE = "ZK2WNJYDTBQAGCJIFTCWWLALP7M6Q6PPEIQNWGLL4EKYDGYP6YWQ";

test("from text and back", () => {
  const question = { number: "26112983965558933682", commitment: COMMITMENT };
  assert.deepEqual(questionFromText(`26112983965558933682.${CODE}`), question);
  assert.equal(questionToText(question.number, COMMITMENT), `26112983965558933682.${CODE}`);
  for (const commitment of ["00".repeat(32), "ff".repeat(32), "01".padStart(64, "0"), "80".padEnd(64, "0")]) {
    assert.deepEqual(questionFromText(questionToText("A", commitment)), { number: "A", commitment });
  }
});

test("split at the last dot", () => {
  assert.equal(questionFromText(`FR-2026:INV.7.${CODE}`)?.number, "FR-2026:INV.7");
});

test("what does not encode to itself again is refused", () => {
  const last = CODE.slice(0, -1);
  for (const letter of "ABCDEFGHIJKLMNOPRSTUVWXYZ234567") {
    const found = questionFromText(`1.${last}${letter}`);
    // Of 32 last letters only A and Q end in four zero bits.
    assert.equal(found !== null, letter === "A", letter);
  }
  for (const text of [
    "",
    ".",
    "1",
    `1.${last}`,
    `1.${CODE}A`,
    `1.${CODE}=`,
    `1.${CODE.toLowerCase()}`,
    `1.${CODE} `,
    ` 1.${CODE}`,
    `1. ${CODE}`,
    `.${CODE}`,
    `a.${CODE}`,
    `1..${CODE}`.replace("..", "/."),
    `1.${last}1`,
    `1.${last}0`,
    `1\n.${CODE}`,
    `1.${CODE}\n`,
    `${"1".repeat(65)}.${CODE}`,
  ]) {
    assert.equal(questionFromText(text), null, JSON.stringify(text));
  }
});
