/** The catalogues: the same texts with the same gaps in both languages, all of them used, and none that is missing. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { date, day, integer, moment, money, setLanguage, t } from "../../../verifier/web/page/texts.js";

const root = new URL("../../../", import.meta.url);
/** With the single file's own, which the service's pages do without. */
const read = (name) => ({ ...of(name), ...of(`single.${name}`) });
const of = (name) => JSON.parse(readFileSync(new URL(`verifier/web/page/texts/${name}.json`, root), "utf8"));
const [zh, en] = [read("zh-CN"), read("en")];
/** Whose texts the templates name as well; tests/web/applicant holds them to the same. */
const applicants = JSON.parse(readFileSync(new URL("service/web/applicant/texts/zh-CN.json", root), "utf8"));
const variants = (text) => (typeof text === "string" ? [text] : Object.values(text));
const gaps = (text) => [...new Set(variants(text).flatMap((one) => one.match(/\{\w+\}/g) ?? []))].sort();

/** Where these texts are named: scripts of the public pages, templates, and the answers without JavaScript. */
const list = (folder, pattern) =>
  readdirSync(new URL(folder, root))
    .filter((name) => pattern.test(name))
    .map((name) => folder + name);
const sources = [
  ...list("verifier/web/page/", /\.(js|html)$/),
  ...list("service/web/scripts/", /\.js$/),
  ...list("service/web/templates/", /\.html$/),
  "service/web/pages.py",
  "service/web/server_answer.py",
].map((path) => readFileSync(new URL(path, root), "utf8"));
const all = sources.join("\n");

test("both languages have the same texts, and the same gaps in each", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const key of Object.keys(zh)) {
    assert.deepEqual(gaps(zh[key]), gaps(en[key]), key);
    if (typeof zh[key] !== typeof en[key]) assert.fail(key);
    // A text that is all gap is what somebody else said.
    if (variants(zh[key]).some((text) => text.replace(/\{\w+\}|[：: ]/g, "") === "")) continue;
    if (key !== "nav.language") for (const text of variants(zh[key])) assert.match(text, /[一-鿿]/u, key);
    if (key !== "nav.language") for (const text of variants(en[key])) assert.doesNotMatch(text, /[一-鿿]/u, key);
    assert.ok(variants(en[key]).every((text) => !text.includes("TODO")));
  }
});

test("no text is without a use, and none is asked for that is not there", () => {
  const prefixes = [...all.matchAll(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g)].map(([, prefix]) => prefix);
  const named = new Set([...all.matchAll(/["'`]([a-z_]+(?:\.[a-z_]+)+)["'`]/g)].map(([, key]) => key));
  const suffixed = [...all.matchAll(/["'`]([a-z_]+(?:\.[a-z_]+)*)["'`]/g)].map(([, word]) => word);
  const words = new Set(suffixed.flatMap((word) => word.split(".")));
  const unused = Object.keys(zh).filter((key) => {
    if (named.has(key) || /^(status|state)\./.test(key)) return false; // these the API names
    if (key.endsWith(".undated") || key.endsWith(".hint")) return !named.has(key.replace(/\.(undated|hint)$/, ""));
    return !prefixes.some(
      (prefix) =>
        key.startsWith(prefix) &&
        key
          .slice(prefix.length)
          .split(".")
          .every((part) => words.has(part) || all.includes(part)),
    );
  });
  assert.deepEqual(unused, []);
  const groups = new Set(Object.keys(zh).map((key) => key.split(".")[0]));
  const missing = [...named].filter(
    (key) => groups.has(key.split(".")[0]) && !(key in zh) && !(key in applicants) && !/\.(js|json|html|css|svg|wasm|py)$/.test(key),
  );
  // Codes of messages.js have names like these; `service.web` is a package.
  const others = /^(form|content|entry|receipt|inclusion|register|final|newest|current|pending|chain|fetched|trust|service\.web$)/;
  assert.deepEqual(
    missing.filter((key) => !others.test(key)),
    [],
  );
});

test("numbers, dates, amounts and plurals are the language's own", () => {
  setLanguage("zh-CN");
  assert.equal(date("2026-09-01"), "2026年9月1日");
  assert.equal(money("1234567.80", "CNY"), "¥1,234,567.80");
  assert.equal(t("files.heading", { count: 1 }), "1 个文件");
  setLanguage("en");
  assert.equal(date("2026-09-01"), "September 1, 2026");
  assert.equal(money("1234567.80", "CNY"), "¥1,234,567.80");
  assert.equal(money("12345678901234567.89", "CNY"), "¥12,345,678,901,234,567.89", "as text, or it would be rounded");
  assert.equal(t("files.heading", { count: 1 }), "1 file");
  assert.equal(t("files.heading", { count: 2 }), "2 files");
  assert.equal(integer(1234567), "1,234,567");
  for (const odd of ["1060", "abc", "", "1e9", "1".repeat(30)]) assert.equal(typeof money(odd, "CNY"), "string");
  assert.equal(money("1.00", "no currency"), "1.00");
  for (const odd of ["2026-02-30", "2026", "<b>"]) assert.equal(date(odd), odd);
  for (const far of [9e15, Number.NaN, Infinity]) assert.equal(moment(far), "the far future");
  assert.equal(day(1e20), "the far future");
  assert.throws(() => t("no.such.text"));
  assert.throws(() => t("files.heading"));
});
