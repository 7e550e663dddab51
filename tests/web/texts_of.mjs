/** What holds for every catalogue of texts that pages have beside the public one. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

/** @param {string} path from the project's folder */
export const read = (path) => readFileSync(new URL(path, root), "utf8");

/** Paths of the files of a folder. @param {string} folder with its slash @param {RegExp} pattern */
export const list = (folder, pattern) =>
  readdirSync(new URL(folder, root))
    .filter((name) => pattern.test(name))
    .map((name) => folder + name);

const common = JSON.parse(read("verifier/web/page/texts/zh-CN.json"));

/** @param {string | Record<string, string>} text one for each plural category */
export const variants = (text) => (typeof text === "string" ? [text] : Object.values(text));

/** @param {string | Record<string, string>} text */
const gaps = (text) => [...new Set(variants(text).flatMap((one) => one.match(/\{\w+\}/g) ?? []))].sort();

/** @param {Record<string, any>} zh @param {Record<string, any>} en */
export function sameGaps(zh, en) {
  for (const key of Object.keys(zh)) {
    assert.deepEqual(gaps(zh[key]), gaps(en[key]), key);
    for (const text of variants(en[key])) assert.doesNotMatch(text, /[一-鿿]|TODO/u, key);
  }
}

/** No text of the public pages is replaced. @param {Record<string, any>} zh */
export const replacesNone = (zh) =>
  assert.deepEqual(
    Object.keys(zh).filter((key) => key in common),
    [],
  );

/**
 * Every text is used, and every text that is asked for is there.
 * @param {Record<string, any>} zh @param {string} all sources as one text
 * @param {{prefixes?: string[], others?: RegExp}} [known] keys that end with what the API says; what looks like a key and is none
 */
export function allUsed(zh, all, { prefixes = [], others = /^$/ } = {}) {
  const named = new Set([...all.matchAll(/["'`]([a-z_]+(?:\.[a-z_]+)+)["'`]/g)].map(([, key]) => key));
  const begun = [...[...all.matchAll(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g)].map(([, prefix]) => prefix), ...prefixes];
  const groups = new Set(Object.keys(zh).map((key) => key.split(".")[0]));
  const missing = [...named].filter((key) => groups.has(key.split(".")[0]) && !(key in zh) && !(key in common));
  assert.deepEqual(
    missing.filter((key) => !/\.(js|json|html|css|svg)$/.test(key) && !others.test(key)),
    [],
  );
  assert.deepEqual(
    Object.keys(zh).filter((key) => !named.has(key) && !begun.some((prefix) => key.startsWith(prefix))),
    [],
  );
}
