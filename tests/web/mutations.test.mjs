/** Any change to a valid file is never valid, unless it undoes itself; and nothing that a file holds makes the verifier throw. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { readJson } from "../../verifier/web/json.js";
import { verifyProof } from "../../verifier/web/verify.js";
import { dice, mutated } from "./mutations.mjs";
import { ANCHORS, vectorBytes } from "./vectors.mjs";

const COUNT = Number(process.env.ZHENGPIAO_MUTATIONS ?? 1500);
const VERDICTS =
  "malformed forged undecided pending replaced void reversed released stale partly_reversed valid absent not_current registered".split(
    " ",
  );

/** The same text written in one way: what of a file means anything. */
const sorted = (value) =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .map((name) => [name, sorted(value[name])]),
        )
      : value;
const meaning = (bytes) => {
  const { value, flaw } = readJson(bytes);
  return flaw ? null : JSON.stringify(sorted(value));
};

/** The receipt may go, and one whose key was not given does not apply: what is left is as valid as before. */
function isBarReceipt(from, to) {
  const files = [JSON.parse(from), JSON.parse(to)];
  for (const file of files) delete file.receipt;
  return JSON.stringify(files[0]) === JSON.stringify(files[1]);
}

describe("changes to a valid file", () => {
  for (const name of ["valid", "valid_first_half", "valid_reprint", "valid_reissue", "valid_after_release"]) {
    test(name, async () => {
      const bytes = vectorBytes(`proofs/${name}.proof.json`);
      const original = meaning(bytes);
      const seen = new Set();
      for (let seed = 1; seed <= COUNT / 5; seed++) {
        const changed = mutated(bytes, dice(seed));
        const report = await verifyProof(changed, ANCHORS);
        seen.add(report.verdict);
        assert.ok(VERDICTS.includes(report.verdict));
        if (report.verdict === "valid") {
          const now = meaning(changed);
          assert.ok(
            now === original || isBarReceipt(original, now),
            `seed ${seed} of ${name} is still valid: ${new TextDecoder().decode(changed)}`,
          );
        }
      }
      for (const verdict of ["malformed", "forged", "undecided"]) assert.ok(seen.has(verdict), `no change was ${verdict}`);
    });
  }
});

describe("changes to what shows an absence or a presence", () => {
  for (const [name, verdict] of [
    ["absent", "absent"],
    ["registered", "registered"],
    ["presence_void", "void"],
  ]) {
    test(name, async () => {
      const bytes = vectorBytes(`proofs/${name}.proof.json`);
      const original = meaning(bytes);
      for (let seed = 1; seed <= COUNT / 10; seed++) {
        const changed = mutated(bytes, dice(seed));
        const report = await verifyProof(changed, ANCHORS);
        // Another number may well be absent too, by the same siblings: then it is that number of which it is said.
        if (report.verdict === verdict && meaning(changed) !== original) {
          assert.equal(verdict, "absent", `seed ${seed}`);
          assert.notEqual(report.number, JSON.parse(original).number, `seed ${seed}`);
        }
      }
    });
  }
});

describe("changes to an anchors file", () => {
  test("never make a forged file valid, and never throw but as an error of the caller", async () => {
    const forged = vectorBytes("proofs/amount_fail.proof.json");
    const bytes = new TextEncoder().encode(ANCHORS);
    for (let seed = 1; seed <= COUNT / 5; seed++) {
      const changed = mutated(bytes, dice(seed));
      try {
        const { verdict } = await verifyProof(forged, changed);
        assert.ok(verdict === "forged", `seed ${seed}: ${verdict}`);
      } catch (error) {
        assert.equal(error.name, "UsageError", String(error.stack));
      }
    }
  });
});
