/** Every code that the modules use has its sentence in both languages, and every placeholder is filled. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { sentence } from "../../verifier/web/messages.js";
import { verifyProof } from "../../verifier/web/verify.js";
import { vector, vectorBytes, vectorText } from "./vectors.mjs";

const folder = new URL("../../verifier/web/", import.meta.url);
const PREFIXES = "form|canonical|trust|content|entry|receipt|inclusion|register|final|newest|current|skipped|pending|chain|fetched";
const CODE = new RegExp(`"((?:${PREFIXES})\\.[a-z_0-9]+)"`, "g");

const sources = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "messages.js");
const used = new Set(
  sources.flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(CODE)].map(([, code]) => code)),
);
for (const shape of ["anchored", "pending", "absence", "presence"]) used.add(`form.${shape}`);
for (const shape of ["anchored", "absence", "presence"]) used.add(`register.${shape}`);
for (const name of ["inclusion", "register"]) used.add(`${name}.fail`).add(`${name}.not_final`);

test("every code has a sentence, and every sentence a code", () => {
  const catalogue = new Set([...readFileSync(new URL("messages.js", folder), "utf8").matchAll(CODE)].map(([, code]) => code));
  assert.deepEqual(
    [...used].filter((code) => !catalogue.has(code)),
    [],
  );
  assert.deepEqual(
    [...catalogue].filter((code) => !used.has(code)),
    [],
  );
});

test("Chinese and English have the same placeholders", () => {
  for (const code of used) {
    // A parameter that is not given shows as undefined; both languages must then miss as many.
    const missing = (lang) => sentence(lang, code).match(/undefined|NaN|Invalid/g)?.length ?? 0;
    assert.equal(missing("zh-CN"), missing("en"), code);
    assert.notEqual(sentence("zh", code), sentence("en", code), code);
    assert.match(sentence("zh", code), /[一-鿿]/u, code);
    assert.doesNotMatch(sentence("en", code), /[一-鿿]/u, code);
  }
});

test("in every vector's report every placeholder is filled", async () => {
  for (const { file, anchors, question } of vector("proofs/index.json")) {
    for (const lang of ["zh", "en"]) {
      const report = await verifyProof(vectorBytes(`proofs/${file}`), vectorText(`proofs/${anchors}`), question, { lang });
      for (const { detail } of report.checks) assert.doesNotMatch(detail, /undefined|NaN|[{}]/, `${file}: ${detail}`);
    }
  }
});

test("times that no calendar has are shown as they are", () => {
  assert.match(sentence("en", "pending.in_time", { deadline: Number.MAX_SAFE_INTEGER }), /by 9007199254741 s/);
});
