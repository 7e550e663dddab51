/** Every vector, each as its own test. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { fromHex, hex } from "../../verifier/web/bytes.js";
import { canonicalBytes } from "../../verifier/web/canonical.js";
import { commitmentOf, copyOf, sectionLeaf, SECTIONS } from "../../verifier/web/commitment.js";
import { numberKey } from "../../verifier/web/entry.js";
import { sha256 } from "../../verifier/web/hash.js";
import { Malformed, readStrictJson } from "../../verifier/web/json.js";
import { rootFromPath, treeHash } from "../../verifier/web/merkle.js";
import { rootOfAbsence, rootOfPresence } from "../../verifier/web/register.js";
import { verifyProof } from "../../verifier/web/verify.js";
import { vector, vectorBytes, vectorText } from "./vectors.mjs";

const hashes = (list) => list.map(fromHex);
const decoder = new TextDecoder();

describe("canonical.json", () => {
  const { valid, invalid } = bare(vector("canonical.json"));
  valid.forEach(({ value, canonical_hex }, i) =>
    test(`valid ${i}`, () => assert.equal(decoder.decode(canonicalBytes(value)), decoder.decode(fromHex(canonical_hex)))),
  );
  invalid.forEach(({ why, value }) => test(`refused: ${why}`, () => assert.throws(() => canonicalBytes(value), Malformed)));
});

/** Objects without a prototype, as the reader gives them; with the numbers that this file holds for the sake of being refused. */
function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  const object = Object.create(null);
  for (const name of Object.keys(value)) object[name] = bare(value[name]);
  return object;
}

describe("commitment.json", () => {
  vector("commitment.json").forEach((expected, i) =>
    test(`commitment ${i}`, async () => {
      const leaves = await Promise.all(
        SECTIONS.map((name, index) =>
          sectionLeaf(
            index,
            fromHex(expected.salts[name]),
            canonicalBytes(readStrictJson(JSON.stringify(expected.sections[name]))),
          ),
        ),
      );
      assert.deepEqual(leaves.map(hex), expected.section_leaves);
      const commitment = await commitmentOf(leaves);
      assert.equal(hex(commitment), expected.commitment);
      assert.equal(hex(await copyOf(commitment)), expected.copy);
    }),
  );
});

describe("keys.json", () => {
  for (const { number, key } of vector("keys.json")) {
    test(number, async () => assert.equal(hex(await numberKey(number)), key));
  }
});

describe("log_tree.json", () => {
  for (const { leaves, root, paths } of vector("log_tree.json")) {
    const size = leaves.length;
    test(`root of ${size}`, async () => assert.equal(hex(await treeHash(hashes(leaves))), root));
    for (const [index, path] of Object.entries(paths)) {
      test(`path of ${index} in ${size}`, async () => {
        const leaf = fromHex(leaves[Number(index)]);
        assert.equal(hex(await rootFromPath(leaf, Number(index), size, hashes(path))), root);
        assert.equal(await rootFromPath(leaf, Number(index), size, hashes([...path, root])), null, "longer");
        if (path.length > 0) assert.equal(await rootFromPath(leaf, Number(index), size, hashes(path.slice(1))), null, "shorter");
      });
    }
  }
  test("index outside", async () => assert.equal(await rootFromPath(new Uint8Array(32), 1, 1, []), null));
});

describe("register_tree.json", () => {
  vector("register_tree.json").forEach(({ items, root, proofs }, tree) => {
    for (const { key, present, siblings, neighbour } of proofs) {
      test(`tree ${tree}: ${present ? "presence" : "absence"} of ${key.slice(0, 8)} at depth ${siblings.length}`, async () => {
        const found = present
          ? await rootOfPresence(fromHex(key), await sha256(fromHex(items[key])), hashes(siblings))
          : await rootOfAbsence(
              fromHex(key),
              neighbour && { key: fromHex(neighbour.key), state_hash: fromHex(neighbour.state_hash) },
              hashes(siblings),
            );
        assert.equal(hex(found), root);
      });
    }
  });
});

describe("proofs/index.json", () => {
  for (const { file, anchors, question, verdict, why } of vector("proofs/index.json")) {
    test(`${file}: ${verdict}: ${why}`, async () => {
      const report = await verifyProof(vectorBytes(`proofs/${file}`), vectorText(`proofs/${anchors}`), question, { file });
      assert.equal(report.verdict, verdict, JSON.stringify(report.checks));
      assert.equal(report.file, file);
      assert.deepEqual(
        report.checks.map(({ name }) => name),
        ["form", "trust", "content", "entry", "receipt", "inclusion", "register", "final", "newest", "current"],
      );
      for (const { detail } of report.checks) assert.match(detail, /^[^{}]+$/);
    });
  }
});
