/** The strict reader: what it reads, what it refuses, what it notices. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Malformed, MAX_BYTES, readJson, readStrictJson } from "../../verifier/web/json.js";

const bytes = (...list) => Uint8Array.from(list);
const utf8 = (text) => new TextEncoder().encode(text);
/** Objects with a prototype, to compare with. */
const plain = (value) => JSON.parse(JSON.stringify(value));

describe("reads what JSON.parse reads", () => {
  for (const text of [
    '{"a":[1,2,{"b":"c"}],"d":{}}',
    " [ ] ",
    '"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t"',
    "0",
    "9007199254740991",
    "true",
    "null",
    "false",
    '"\\ud83d\\ude00"',
    '{"":""}',
    "[[[[]]]]",
    '[{"a":[]},[],{},""]',
    '\t\r\n{"a" : 1 , "b" : [ 2 ] }\n',
  ]) {
    test(text, () => assert.deepEqual(plain(readStrictJson(text)), JSON.parse(text)));
  }
});

describe("syntax", () => {
  for (const text of [
    "",
    " ",
    "{",
    "[",
    "}",
    "]",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "[1,]",
    "[,1]",
    "{,}",
    "[1 2]",
    '{"a":1 "b":2}',
    "[1}",
    '{"a":1]',
    "nul",
    "True",
    "NaN",
    "Infinity",
    "-",
    "01",
    "017",
    "1.",
    ".5",
    "1e",
    "+1",
    "0x10",
    '"',
    '"a',
    "'a'",
    '"\\x"',
    '"\\u12g4"',
    '"\\u 123"',
    '"\\',
    '"\t"',
    '"\n"',
    "{} {}",
    "[] x",
    "\ufeff{}",
    "\u00a0{}",
    "{a:1}",
    "//\n{}",
    '{"a":1}\u0000',
    "[1]]",
    '{"a":1}}',
    "--1",
    "1-",
    "{1:2}",
    '"\u0000"',
    "[\f1]",
    '{"a"::1}',
    "[:1]",
    '["a":1]',
  ]) {
    test(JSON.stringify(text), () => {
      assert.throws(() => readJson(text), Malformed);
      assert.throws(() => readJson(utf8(text)), Malformed);
    });
  }
});

describe("flaws that a file of another protocol may have", () => {
  for (const [text, code] of [
    ['{"a":1,"a":1}', "form.duplicate"],
    ['{"a":1,"\\u0061":2}', "form.duplicate"],
    ['[{"x":{"a":1,"b":2,"a":3}}]', "form.duplicate"],
    ['{"__proto__":1,"__proto__":2}', "form.duplicate"],
    ["-1", "form.integer"],
    ["-0", "form.integer"],
    ["1.0", "form.integer"],
    ["1e1", "form.integer"],
    ["1E400", "form.integer"],
    ["9007199254740992", "form.integer"],
    ["9".repeat(400), "form.integer"],
    ['"\\ud800"', "form.surrogate"],
    ['"\\udc00\\ud800"', "form.surrogate"],
    ['{"\\ud800":1}', "form.surrogate"],
    ['"\\ud800\\u0041"', "form.surrogate"],
    ["[".repeat(20) + "]".repeat(20), "form.depth"],
    ['{"a":'.repeat(20) + "1" + "}".repeat(20), "form.depth"],
  ]) {
    test(text.slice(0, 40), () => {
      assert.equal(readJson(text).flaw?.code, code);
      assert.throws(
        () => readStrictJson(text),
        (error) => error instanceof Malformed && error.code === code,
      );
    });
  }
  test("19 levels are none", () => assert.equal(readJson("[".repeat(19) + "]".repeat(19)).flaw, null));
  test("names that stand twice outermost are told", () =>
    assert.deepEqual([...readJson('{"a":1,"a":2,"b":{"c":1,"c":2}}').repeated], ["a"]));
});

describe("bytes", () => {
  for (const [why, input] of [
    ["a byte order mark", bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
    ["not UTF-8", bytes(0x22, 0xff, 0x22)],
    ["an overlong form", bytes(0x22, 0xc0, 0xaf, 0x22)],
    ["half a surrogate pair in UTF-8", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["cut in a character", bytes(0x22, 0xe4, 0xbd)],
    ["UTF-16", bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
  ]) {
    test(why, () => assert.throws(() => readJson(input), Malformed));
  }
  test("half a surrogate pair in a text", () => assert.throws(() => readJson('"\ud800"'), Malformed));
  test("4 MiB are read, a byte more is not", () => {
    const filler = " ".repeat(MAX_BYTES - 2);
    assert.equal(readJson(`""${filler}`).value, "");
    assert.throws(() => readJson(utf8(`""${filler} `)), Malformed);
    assert.throws(() => readJson(`""${filler} `), Malformed);
    assert.throws(() => readJson(`"${"证".repeat(MAX_BYTES / 3)}"`), Malformed, "counted in bytes");
  });
});

test("members have no meaning to the engine", () => {
  const value = readStrictJson('{"__proto__":{"polluted":true},"constructor":"c","toString":"t"}');
  assert.equal(Object.getPrototypeOf(value), null);
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor", "toString"]);
  assert.equal({}.polluted, undefined);
});

test("a bomb of brackets costs no stack", () => {
  const deep = 1_000_000;
  assert.equal(readJson("[".repeat(deep) + "]".repeat(deep)).flaw?.code, "form.depth");
  assert.equal(readJson('{"a":'.repeat(500_000) + "1" + "}".repeat(500_000)).flaw?.code, "form.depth");
  assert.throws(() => readJson("[".repeat(4_000_000)), Malformed);
});
