/** What the desks say: the same in both languages, all of it used, nothing asked for that is not there, and no public text replaced. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { allUsed, list, read, replacesNone, sameGaps } from "../texts_of.mjs";

const FILES = ["", "cases.", "deliveries."];
const [zh, en] = ["zh-CN", "en"].map((name) => Object.assign({}, ...FILES.map((file) => JSON.parse(read(`service/web/desk/texts/${file}${name}.json`)))));
const sources = [...list("service/web/desk/", /\.js$/), ...list("service/web/templates/desk/", /\.html$/), "service/web/desk.py"];
const all = sources.map(read).join("\n");

test("both languages have the same texts, with the same gaps", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  sameGaps(zh, en);
});

test("no text of the public pages is replaced", () => replacesNone(zh));

test("every text is used, and every text that is asked for is there", () => {
  const badges = [...all.matchAll(/\bbadge\("(\w+)"/g)].map(([, group]) => `${group}.`);
  allUsed(zh, all, { prefixes: [...badges, "title.", "heading.", "nav./"] }); // the rest is what the API says, or the page's own name
});
