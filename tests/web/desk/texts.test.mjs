/** What the desks say: the same in both languages, all of it used, nothing asked for that is not there, and no public text replaced. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const FILES = ["", "cases.", "deliveries."];
const [zh, en] = ["zh-CN", "en"].map((name) => Object.assign({}, ...FILES.map((file) => JSON.parse(read(`service/web/desk/texts/${file}${name}.json`)))));
const common = JSON.parse(read("verifier/web/page/texts/zh-CN.json"));
const variants = (text) => (typeof text === "string" ? [text] : Object.values(text));
const gaps = (text) => [...new Set(variants(text).flatMap((one) => one.match(/\{\w+\}/g) ?? []))].sort();

const list = (folder, pattern) =>
  readdirSync(new URL(folder, root))
    .filter((name) => pattern.test(name))
    .map((name) => folder + name);
const sources = [...list("service/web/desk/", /\.js$/), ...list("service/web/templates/desk/", /\.html$/), "service/web/desk.py"].map(read);
const all = sources.join("\n");
const named = new Set([...all.matchAll(/["'`]([a-z_]+(?:\.[a-z_]+)+)["'`]/g)].map(([, key]) => key));
/** Keys that end with what the API says, or with the page's own name. */
const prefixes = new Set([
  ...[...all.matchAll(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g)].map(([, prefix]) => prefix),
  ...[...all.matchAll(/\bbadge\("(\w+)"/g)].map(([, group]) => `${group}.`),
  ...["title.", "heading.", "nav./"],
]);

test("both languages have the same texts, with the same gaps", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const key of Object.keys(zh)) {
    assert.deepEqual(gaps(zh[key]), gaps(en[key]), key);
    for (const text of variants(en[key])) assert.doesNotMatch(text, /[一-鿿]|TODO/u, key);
  }
});

test("no text of the public pages is replaced", () => {
  assert.deepEqual(
    Object.keys(zh).filter((key) => key in common),
    [],
  );
});

test("every text is used, and every text that is asked for is there", () => {
  const groups = new Set(Object.keys(zh).map((key) => key.split(".")[0]));
  const missing = [...named].filter((key) => groups.has(key.split(".")[0]) && !(key in zh) && !(key in common));
  assert.deepEqual(
    missing.filter((key) => !/\.(js|json|html|css|svg)$/.test(key)),
    [],
  );
  const unused = Object.keys(zh).filter((key) => !named.has(key) && ![...prefixes].some((prefix) => key.startsWith(prefix)));
  assert.deepEqual(unused, []);
});
