/** Strict Ed25519: the engine's and noble's must say the same, also of what no honest signer makes. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ed25519 } from "@noble/curves/ed25519.js";

import { concat, fromHex, hex, utf8 } from "../../verifier/web/bytes.js";
import { isSigned, isSignedByNoble, isSoundPoint } from "../../verifier/web/ed25519.js";

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const P = 2n ** 255n - 19n;
const littleEndian = (number) => fromHex(number.toString(16).padStart(64, "0")).reverse();
const numberOf = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`);

/** What both say; they must agree. */
async function verify(key, signature, message) {
  const engine = await isSigned(key, signature, message);
  if (isSoundPoint(key) && isSoundPoint(signature.subarray(0, 32)))
    assert.equal(await isSignedByNoble(key, signature, message), engine);
  return engine;
}

describe("RFC 8032 section 7.1", () => {
  for (const [key, message, signature] of [
    [
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ]) {
    test(`key ${key.slice(0, 8)}`, async () => {
      assert.equal(await verify(fromHex(key), fromHex(signature), fromHex(message)), true);
      assert.equal(await verify(fromHex(key), fromHex(signature), concat(fromHex(message), utf8("x"))), false);
    });
  }
});

describe("what no honest signer makes", () => {
  const secret = new Uint8Array(32).fill(7);
  const key = ed25519.getPublicKey(secret);
  const message = utf8("zp1/receipt");
  const signature = ed25519.sign(message, secret);
  const r = signature.slice(0, 32);
  const s = numberOf(signature.subarray(32));
  /** A torsion point of order 8. */
  const torsion = Point.fromBytes(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));

  test("control", async () => assert.equal(await verify(key, signature, message), true));
  test("any bit of the signature changed", async () => {
    for (let bit = 0; bit < 512; bit++) {
      const changed = signature.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(await verify(key, changed, message), false, `bit ${bit}`);
    }
  });
  test("a scalar that is not below the order", async () => {
    for (const more of [s + L, L, 2n ** 256n - 1n]) assert.equal(await verify(key, concat(r, littleEndian(more)), message), false);
  });
  test("R not on the curve", async () =>
    assert.equal(await verify(key, concat(fromHex(`02${"00".repeat(31)}`), littleEndian(s)), message), false));
  test("a key not on the curve", async () =>
    assert.equal(await verify(fromHex(`02${"00".repeat(31)}`), signature, message), false));
  test("R with a part of small order: only the equation with cofactor would hold", async () => {
    const odd = Point.fromBytes(r).add(torsion).toBytes();
    // The challenge depends on R, so the signature is made for it anew.
    const { scalar } = ed25519.utils.getExtendedPublicKey(secret);
    const nonce = 12345n;
    const point = Point.BASE.multiply(nonce).add(torsion).toBytes();
    const k = await challenge(point, key, message);
    const made = concat(point, littleEndian((nonce + k * scalar) % L));
    assert.equal(await verify(key, made, message), false);
    assert.equal(await verify(key, concat(odd, littleEndian(s)), message), false);
  });
  test("points of small order, in every spelling", async () => {
    const y8 = numberOf(torsion.toBytes()) & (2n ** 255n - 1n);
    for (const y of [0n, 1n, P - 1n, y8, P - y8]) {
      for (const spelling of [y, y + P, y + 2n ** 255n, y + P + 2n ** 255n].filter(
        (number) => number < 2n ** 256n && (number & (2n ** 255n - 1n)) % P === y,
      )) {
        const point = littleEndian(spelling);
        assert.equal(isSoundPoint(point), false, hex(point));
        assert.equal(await isSigned(point, concat(littleEndian(1n), littleEndian(0n)), message), false);
        assert.equal(await isSigned(key, concat(point, littleEndian(s)), message), false);
      }
    }
  });
  test("R is the identity, in a signature that the equation allows", async () => {
    const { scalar } = ed25519.utils.getExtendedPublicKey(secret);
    const identity = littleEndian(1n);
    const k = await challenge(identity, key, message);
    assert.equal(await isSigned(key, concat(identity, littleEndian((k * scalar) % L)), message), false);
  });
  test("a y of p and more is not how RFC 8032 writes it", () => {
    for (let more = 0n; more < 19n; more++) {
      assert.equal(isSoundPoint(littleEndian(P + more)), false);
      assert.equal(isSoundPoint(littleEndian(P + more + 2n ** 255n)), false);
    }
    assert.equal(isSoundPoint(littleEndian(P - 2n)), true);
    assert.equal(isSoundPoint(littleEndian(2n)), true);
  });

  async function challenge(point, of, text) {
    const { sha512 } = await import("@noble/hashes/sha2.js");
    return numberOf(sha512(concat(point, of, text))) % L;
  }
});

test("a hundred keys and messages", async () => {
  for (let i = 0; i < 100; i++) {
    const { secretKey, publicKey } = ed25519.keygen(new Uint8Array(32).fill(i));
    const message = new Uint8Array(i * 7).fill(i);
    const signature = ed25519.sign(message, secretKey);
    assert.equal(await verify(publicKey, signature, message), true);
    assert.equal(await verify(ed25519.keygen(new Uint8Array(32).fill(200)).publicKey, signature, message), false);
  }
});
