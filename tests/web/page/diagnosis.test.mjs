/** The texts of a diagnosis: the same in both languages, all of them used; and a look for each verdict. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const [zh, en] = ["zh-CN", "en"].map((tag) => JSON.parse(read(`service/web/scripts/diagnosis_texts/${tag}.json`)));
const scripts = ["diagnosis_place", "diagnosis_view", "diagnosis_evidence", "receipt_file"].map((name) => read(`service/web/scripts/${name}.js`)).join("\n");
const gaps = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test("both languages have the same texts, with the same gaps, each in its own script", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const key of Object.keys(zh)) {
    assert.deepEqual(gaps(zh[key]), gaps(en[key]), key);
    if (zh[key].replace(/\{\w+\}/g, "") === "") continue;
    assert.match(zh[key], /[一-鿿]/u, key);
    assert.doesNotMatch(en[key], /[一-鿿]/u, key);
  }
});

test("no text is without a use, and none is asked for that is not there", () => {
  const groups = [...scripts.matchAll(/word\("(dx\.\w+)"|`(dx\.\w+)\.\$\{/g)].map(([, one, other]) => `${one ?? other}.`);
  const named = new Set([...scripts.matchAll(/"(dx\.[a-z_.]+)"/g)].map(([, key]) => key));
  const used = (key) => named.has(key) || groups.some((group) => key.startsWith(group));
  assert.deepEqual(
    Object.keys(zh).filter((key) => !used(key)),
    [],
  );
  assert.deepEqual(
    [...named].filter((key) => !(key in zh) && !groups.includes(`${key}.`)),
    [],
  );
});

test("every verdict of the rules has its look", () => {
  const verdicts = [.../^Verdict = Literal\[([^\]]*)\]/m.exec(read("service/diagnosis/rules.py"))[1].matchAll(/"(\w+)"/g)].map(([, one]) => one);
  const looks = /const LOOKS = \{([^}]*)\}/.exec(read("service/web/scripts/diagnosis_looks.js"))[1];
  for (const verdict of verdicts.filter((one) => one !== "undecided")) assert.match(looks, new RegExp(`\\b${verdict}: \\[`), verdict);
  assert.doesNotMatch(looks, /"good"/, "it is the service's word: nothing in it is green");
});
