/** What the verifier is given: refused with a reason where it is not well formed, and never guessed at. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { explain } from "../../verifier/web/messages.js";
import { parseAnchors, parseQuestion, parseTrust, UsageError } from "../../verifier/web/trust.js";
import { verifyProof } from "../../verifier/web/verify.js";
import { ANCHORS, vectorText } from "./vectors.mjs";

const VALID = vectorText("proofs/valid.proof.json");
const file = () => JSON.parse(ANCHORS);
const { chain, service_keys } = file();

/** A path of members to a new value; undefined removes. */
function changed(value, path, to) {
  const copy = structuredClone(value);
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce((part, name) => part[name], copy);
  if (to === undefined) delete parent[last];
  else parent[last] = to;
  return copy;
}

/** Refused, for that reason, in both languages. */
const refuses = (parse, value, code) =>
  assert.rejects(parse(value), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.code, code, JSON.stringify(error.params));
    for (const lang of ["zh", "en"]) assert.match(explain(lang, error), /^[^{}]+$/);
    return true;
  });

describe("anchors files", () => {
  for (const [path, to, code] of [
    [["protocol"], "zp2", "form.protocol"],
    [["protocol"], undefined, "form.missing"],
    [["extra"], 1, "form.unknown"],
    [["chain"], undefined, "form.missing"],
    [["service_keys"], undefined, "form.missing"],
    [["head"], undefined, "form.missing"],
    [["anchors"], undefined, "form.missing"],
    [["anchors"], [], "form.object"],
    [["anchors"], null, "form.object"],
    [["chain", "contract"], "0x00", "form.address"],
    [["chain", "contract"], `0x${"A".repeat(40)}`, "form.address"],
    [["chain", "chain_id"], "31337", "form.range"],
    [["chain", "extra"], 1, "form.unknown"],
    [["head"], -1, "form.integer"],
    [["head"], 1.5, "form.integer"],
    [["head"], "9", "form.range"],
    [["head"], null, "form.range"],
    [["anchors", "0"], file().anchors[1], "form.range"],
    [["anchors", "01"], file().anchors[1], "form.range"],
    [["anchors", "1e1"], file().anchors[1], "form.range"],
    [["anchors", "9007199254740992"], file().anchors[1], "form.range"],
    [["anchors", "x".repeat(100)], file().anchors[1], "form.range"],
    [["anchors", "9"], null, "form.object"],
    [["anchors", "9", "log_root"], "00", "form.hex"],
    [["anchors", "9", "log_root"], "G".repeat(64), "form.hex"],
    [["anchors", "9", "register_root"], undefined, "form.missing"],
    [["anchors", "9", "size"], 65537, "form.range"],
    [["anchors", "9", "time"], 0, "form.range"],
    [["anchors", "9", "time"], undefined, "form.missing"],
    [["anchors", "9", "final"], 1, "form.boolean"],
    [["anchors", "9", "final"], undefined, "form.missing"],
    [["anchors", "9", "extra"], true, "form.unknown"],
    [["service_keys"], [], "form.object"],
    [["service_keys", "9f56a11abb21bd2c"], "00".repeat(32), "form.key_id"],
    [["service_keys", "9f56a11abb21bd2d"], service_keys["9f56a11abb21bd2c"], "form.key_id"],
    [["service_keys", "9f56a11abb21bd2c"], "00", "form.hex"],
    [["service_keys", "66687aadf862bd77"], "00".repeat(32), "form.key_id"],
  ]) {
    test(`${path.join(".").slice(0, 40)} ${JSON.stringify(to)?.slice(0, 30)}: ${code}`, () =>
      refuses(parseAnchors, changed(file(), path, to), code));
  }
  for (const [why, value, code] of [
    ["not JSON", "{", "form.syntax"],
    ["nothing", undefined, "form.syntax"],
    ["null", null, "form.object"],
    ["an array", "[]", "form.object"],
    ["a member twice", ANCHORS.replace('"head"', '"head": 9, "head"'), "form.duplicate"],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), "form.syntax"],
    ["an exponent", ANCHORS.replace(/"head":\s*9/, '"head": 9e0'), "form.integer"],
  ]) {
    test(why, () => refuses(parseAnchors, value, code));
  }
  test("text, bytes and object are the same", async () => {
    const expected = await parseAnchors(ANCHORS);
    assert.deepEqual(await parseAnchors(new TextEncoder().encode(ANCHORS)), expected);
    assert.deepEqual(await parseAnchors(file()), expected);
  });
  test("a bad anchors file is an error of the caller, not a verdict", async () => {
    await assert.rejects(verifyProof(VALID, "{}", null), UsageError);
    await assert.rejects(verifyProof("not a proof", "{}", null), UsageError);
  });
});

describe("several anchors files", () => {
  const verdict = async (...anchors) => (await verifyProof(VALID, anchors)).verdict;
  const older = () => {
    const value = file();
    delete value.anchors[9];
    return { ...value, head: 8 };
  };
  test("the highest head counts, in any order", async () => {
    assert.equal(await verdict(older(), file()), "valid");
    assert.equal(await verdict(file(), older()), "valid");
    assert.equal(await verdict(older()), "undecided", "the register's anchor is not in it");
  });
  test("what was not final has become so", async () => {
    const before = changed({ ...file(), head: 8 }, ["anchors", "9", "final"], false);
    assert.equal(await verdict(before), "pending");
    assert.equal(await verdict(before, file()), "valid");
    assert.equal(await verdict(file(), before), "valid");
  });
  for (const member of ["log_root", "register_root", "size", "time"]) {
    for (const seq of ["3", "9"]) {
      test(`they differ on ${member} of ${seq}`, async () => {
        const to = member.endsWith("root") ? "5".repeat(64) : file().anchors[seq][member] + 1;
        const other = changed(file(), ["anchors", seq, member], to);
        assert.equal(await verdict(file(), other), "undecided");
        assert.equal(await verdict(other, file()), "undecided");
        assert.equal(await verdict(file(), other, file()), "undecided");
      });
    }
  }
  test("where they differ on a seq that is not asked for, nothing is lost", async () => {
    assert.equal(await verdict(file(), changed(file(), ["anchors", "2", "time"], 7)), "valid");
  });
  test("of other contracts too: those of the proof's count", async () => {
    const other = vectorText("proofs/anchors-of-another-contract.json");
    assert.equal(await verdict(other, file()), "valid");
    assert.equal(await verdict(other), "undecided");
  });
  test("keys of all count, and sources are named", async () => {
    const without = vectorText("proofs/anchors-without-keys.json");
    const report = await verifyProof(VALID, [without, file()], null, { lang: "en", anchors: ["a.json", "b.json"] });
    assert.equal(report.checks.find(({ name }) => name === "receipt").result, "pass");
    assert.deepEqual(report.source, { kind: "anchors_file", endpoints: ["a.json", "b.json"], block: null });
  });
  test("none at all", async () => assert.equal(await verdict(), "undecided"));
});

describe("trust files", () => {
  const trust = { protocol: "zp1", chain, service_keys, rpc_urls: ["https://a.example/x"] };
  test("defaults where a member is absent", async () => {
    const { promise_s, heartbeat_s, grace_s, max_lag_s, finality, rpc_urls } = await parseTrust({ protocol: "zp1", chain });
    assert.deepEqual(
      { promise_s, heartbeat_s, grace_s, max_lag_s, finality, rpc_urls },
      {
        promise_s: 60,
        heartbeat_s: 3600,
        grace_s: 300,
        max_lag_s: 3600,
        finality: "finalized",
        rpc_urls: [],
      },
    );
  });
  test("zero is a number", async () => assert.equal((await parseTrust({ ...trust, grace_s: 0 })).grace_s, 0));
  for (const [path, to, code] of [
    [["protocol"], "zp2", "form.protocol"],
    [["chain"], undefined, "form.missing"],
    [["grace"], 1, "form.unknown"],
    [["grace_s"], "300", "form.range"],
    [["grace_s"], -1, "form.integer"],
    [["max_lag_s"], null, "form.range"],
    [["finality"], "safe", "form.object"],
    [["finality"], { confirmations: -1 }, "form.integer"],
    [["finality"], { confirmations: 1, more: 2 }, "form.unknown"],
    [["finality"], {}, "form.missing"],
    [["rpc_urls"], "https://a.example", "form.list"],
    [["rpc_urls"], ["ftp://a.example"], "form.url"],
    [["rpc_urls"], ["javascript:alert(1)"], "form.url"],
    [["rpc_urls"], [7], "form.url"],
    [["rpc_urls"], ["https://"], "form.url"],
    [["rpc_urls"], ["https://a b"], "form.url"],
  ]) {
    test(`${path.join(".")} ${JSON.stringify(to)}: ${code}`, () => refuses(parseTrust, changed(trust, path, to), code));
  }
});

describe("questions", () => {
  const number = "26112983965558933682";
  for (const [value, code] of [
    [{}, "form.missing"],
    [{ number: 7 }, "form.number"],
    [{ number: "a" }, "form.number"],
    [{ number: `${number}\n` }, "form.number"],
    [{ number: "" }, "form.number"],
    [{ number: "1".repeat(65) }, "form.number"],
    [{ number, commitment: "00" }, "form.hex"],
    [{ number, commitment: "A".repeat(64) }, "form.hex"],
    [{ number, extra: 1 }, "form.unknown"],
    ["text", "form.syntax"],
  ]) {
    test(JSON.stringify(value).slice(0, 60), () => refuses(parseQuestion, value, code));
  }
  test("none", async () => {
    assert.equal(await parseQuestion(null), null);
    assert.equal(await parseQuestion(undefined), null);
  });
  test("the number alone", async () => {
    assert.deepEqual(await parseQuestion({ number, commitment: null }), { number, commitment: null });
    assert.equal((await verifyProof(VALID, ANCHORS, { number })).verdict, "valid");
    assert.equal((await verifyProof(VALID, ANCHORS, { number: "26112569896198455131" })).verdict, "forged");
  });
});
