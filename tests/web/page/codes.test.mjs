/** What a QR code leads to, and whose address it has. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { bestOf, codeFromText } from "../../../verifier/web/page/codes.js";

const C = "ZK2WNJYDTBQAGCJIFTCWWLALP7M6Q6PPEIQNWGLL4EKYDGYP6YWQ";
const N = "26112983965558933682";
const OWN = ["zhengpiao.example", "localhost:8000"];
const code = (text, own = OWN) => codeFromText(text, own);

test("a code of this registry", () => {
  for (const host of OWN) {
    const found = code(`https://${host}/v#${N}.${C}`);
    assert.equal(found.kind, "copy");
    assert.equal(found.issuer, "own");
    assert.equal(found.copy.number, N);
  }
  assert.equal(code(`HTTPS://Zhengpiao.Example/v#${N}.${C}`).issuer, "own");
  assert.equal(code(`https://zhengpiao.example:443/v#${N}%2E${C}`).issuer, "own");
  assert.equal(code(`https://any.example/v#${N}.${C}`, []).issuer, "own", "the verifier in one file belongs to no host");
});

test("whose address it is", () => {
  const issuers = {
    "zhengpia0.example": "look_alike",
    "zhengpiao.examp1e": "look_alike",
    "zhengpiao-example.test": "other",
    "zhengpiao.example.evil.test": "look_alike",
    "www.zhengpiao.example": "look_alike",
    "zhenpiao.example": "look_alike",
    "xn--zhngpiao-qvd.example": "look_alike",
    "zhеngpiao.example": "look_alike", // a Cyrillic е: it arrives as xn--…
    "zhengpiao.example:8443": "look_alike",
    "other.test": "other",
    "127.0.0.1": "other",
  };
  for (const [host, issuer] of Object.entries(issuers)) {
    const found = code(`https://${host}/v#${N}.${C}`);
    assert.equal(found.kind, "copy", host);
    assert.equal(found.issuer, issuer, host);
    assert.match(found.host, /^[\x21-\x7e]+$/, "shown in ASCII");
  }
  assert.equal(code(`https://l0calhost:8000/v#${N}.${C}`, ["localhost:8000"]).issuer, "other", "nobody imitates localhost");
});

test("addresses that are no code", () => {
  for (const text of [
    `https://zhengpiao.example/pay#${N}.${C}`,
    `https://zhengpiao.example/v?a=1#${N}.${C}`,
    "https://zhengpiao.example/v#1.A",
    "https://zhengpiao.example/v",
  ])
    assert.equal(code(text).kind, "foreign", text);
  for (const text of [
    "",
    "hello",
    `${N}.${C}`,
    "javascript:alert(1)",
    "https://",
    "http://[",
    `ftp://zhengpiao.example/v#${N}.${C}`,
    `https://${"a".repeat(3000)}.test/`,
  ])
    assert.equal(code(text).kind, "unknown", text);
});

test("of several on one paper the one that leads to a proof", () => {
  const official = code(`01,32,,${N},1060.00,20260901,,A1B2`);
  const copy = code(`https://zhengpiao.example/v#${N}.${C}`);
  assert.equal(official.kind, "official");
  assert.equal(bestOf([code("x"), official, copy]), copy);
  assert.equal(bestOf([code("x"), official]), official);
  assert.equal(bestOf([]).kind, "unknown");
});
