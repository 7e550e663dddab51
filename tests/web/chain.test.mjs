/** Reading the chain: an honest one, and endpoints that lie, disagree, stand still or fall silent. Never a vote, never green. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { keccak_256 } from "@noble/hashes/sha3.js";

import { hex, utf8 } from "../../verifier/web/bytes.js";
import { SELECTORS } from "../../verifier/web/chain.js";
import { verifyOnline } from "../../verifier/web/verify.js";
import { FakeChain, fakeFetch } from "./fake_chain.mjs";
import { ANCHORS, vector, vectorText } from "./vectors.mjs";

const A = "https://a.example/key";
const B = "https://b.example/";
const { chain, service_keys } = JSON.parse(ANCHORS);
const TRUST = { protocol: "zp1", chain, service_keys, rpc_urls: [A, B] };
const VALID = vectorText("proofs/valid.proof.json");
const zeros = (words) => `0x${"0".repeat(64 * words)}`;

/** @returns {Promise<import("../../verifier/web/verify.js").Report>} */
const check = (file, endpoints, { trust = {}, question, now, log, batches, ...options } = {}) =>
  verifyOnline(
    file,
    { ...TRUST, rpc_urls: Object.keys(endpoints), ...trust },
    { fetch: fakeFetch(endpoints, { log, batches }), now: () => now ?? new FakeChain().now, lang: "en", ...options },
    question,
  );

const result = (report, name) => report.checks.find((made) => made.name === name).result;
const detail = (report, name) => report.checks.find((made) => made.name === name).detail;

test("selectors are the first four bytes of keccak-256 of the signatures", () => {
  for (const [signature, selector] of Object.entries(SELECTORS)) {
    assert.equal(selector, `0x${hex(keccak_256(utf8(signature))).slice(0, 8)}`);
  }
});

describe("an honest chain", () => {
  for (const { file, anchors, question, verdict, why } of vector("proofs/index.json")) {
    if (anchors !== "anchors.json") continue;
    test(`${file}: ${verdict}: ${why}`, async () => {
      const honest = new FakeChain();
      // As the anchors file: the chain as of head, without grace.
      const report = await check(
        new Uint8Array(Buffer.from(vectorText(`proofs/${file}`))),
        { [A]: honest.endpoint() },
        {
          question,
          trust: { grace_s: 0 },
          now: honest.now,
        },
      );
      // F is three seconds after head here.
      const late = file === "pending_deadline_is_head.proof.json";
      assert.equal(report.verdict, late ? "undecided" : verdict, JSON.stringify(report.checks));
    });
  }

  test("says where it looked", async () => {
    const honest = new FakeChain();
    const report = await check(VALID, { [A]: honest.endpoint(), [B]: honest.endpoint() });
    const { number, hash, time } = honest.blocks[honest.finalized];
    assert.deepEqual(report.source, {
      kind: "rpc",
      endpoints: ["https://a.example", "https://b.example"],
      block: { number, hash, time },
    });
    assert.match(detail(report, "final"), /2 endpoints agree/);
    assert.deepEqual(report.as_of, { seq: 9, time: 1795600028 });
  });

  test("says that one endpoint alone was asked", async () => {
    const report = await check(VALID, { [A]: new FakeChain().endpoint() });
    assert.equal(report.verdict, "valid");
    assert.match(detail(report, "final"), /one endpoint alone/);
  });

  test("takes two round trips when the proof is at head", async () => {
    const log = [];
    const honest = new FakeChain();
    assert.equal((await check(VALID, { [A]: honest.endpoint(), [B]: honest.endpoint() }, { log })).verdict, "valid");
    assert.equal(log.length, 4);
    for (const [, requests] of log.slice(2)) {
      for (const { params } of requests) assert.deepEqual(Object.keys(params[1]), ["blockHash"], "pinned by EIP-1898");
    }
  });

  test("asks one by one where batches are not taken", async () => {
    const report = await check(VALID, { [A]: new FakeChain().endpoint() }, { batches: false });
    assert.equal(report.verdict, "valid", JSON.stringify(report.checks));
  });

  test("asks nothing about a file that is malformed or of another chain", async () => {
    const log = [];
    const endpoints = { [A]: new FakeChain().endpoint() };
    assert.equal((await check("{}", endpoints, { log })).verdict, "malformed");
    assert.equal((await check(vectorText("proofs/chain_other.proof.json"), endpoints, { log })).verdict, "undecided");
    assert.deepEqual(log, []);
  });

  test("F is the lowest finalized block, at which all must agree", async () => {
    const log = [];
    const ahead = new FakeChain();
    const behind = new FakeChain();
    behind.finalized = 10;
    const report = await check(VALID, { [A]: ahead.endpoint(), [B]: behind.endpoint() }, { log });
    assert.equal(report.verdict, "valid");
    assert.equal(report.source.block.number, 10);
  });

  test("confirmations in place of finality", async () => {
    const honest = new FakeChain();
    honest.finalized = 0;
    const trust = { finality: { confirmations: 2 } };
    const report = await check(VALID, { [A]: honest.endpoint(), [B]: honest.endpoint() }, { trust });
    assert.equal(report.verdict, "valid");
    assert.equal(report.source.block.number, honest.blocks.length - 3);
    assert.equal(
      (await check(VALID, { [A]: honest.endpoint() }, { trust: { finality: { confirmations: 4 } } })).verdict,
      "pending",
    );
    const short = await check(VALID, { [A]: honest.endpoint() }, { trust: { finality: { confirmations: 400 } } });
    assert.equal(short.verdict, "undecided");
    assert.match(detail(short, "inclusion"), /fewer blocks/);
  });

  test("endpoints of the visitor's choice, each once", async () => {
    const log = [];
    const honest = new FakeChain();
    const report = await check(VALID, { [B]: honest.endpoint() }, { trust: { rpc_urls: [A] }, endpoints: [B, B], log });
    assert.equal(report.verdict, "valid");
    assert.deepEqual(report.source.endpoints, ["https://b.example"]);
    assert.ok(log.every(([url]) => url === B));
  });
});

describe("newest", () => {
  const old = () => vectorText("proofs/stale_valid.proof.json"); // at 8, another root at 9
  test("one anchor behind, within the grace", async () => {
    const report = await check(old(), { [A]: new FakeChain().endpoint() });
    assert.equal(report.verdict, "valid", JSON.stringify(report.checks));
    assert.equal(result(report, "newest"), "pass");
  });
  test("the grace is counted from F, and ends before it is full", async () => {
    // F is 3 s after the anchor that replaced the root.
    assert.equal((await check(old(), { [A]: new FakeChain().endpoint() }, { trust: { grace_s: 4 } })).verdict, "valid");
    assert.equal((await check(old(), { [A]: new FakeChain().endpoint() }, { trust: { grace_s: 3 } })).verdict, "stale");
  });
  test("no grace for absence and presence", async () => {
    for (const name of ["absent_stale", "presence_stale"]) {
      assert.equal(
        (await check(vectorText(`proofs/${name}.proof.json`), { [A]: new FakeChain().endpoint() })).verdict,
        "stale",
        name,
      );
    }
  });
  test("void within the grace is void, before it stale or void by the table", async () => {
    assert.equal(
      (await check(vectorText("proofs/void_as_of_old_anchor.proof.json"), { [A]: new FakeChain().endpoint() })).verdict,
      "void",
    );
  });

  /** Heartbeats after 8: the same root until `change`, another from there on, one anchor a second. */
  const withHeartbeats = (count, change) => {
    const { anchors } = JSON.parse(ANCHORS);
    delete anchors[9];
    for (let seq = 9; seq <= 8 + count; seq++) {
      anchors[seq] = { ...anchors[8], time: anchors[8].time + seq - 8, ...(seq >= change && { register_root: "1".repeat(64) }) };
    }
    return new FakeChain({ anchors });
  };
  for (const [change, grace_s, verdict] of [
    [9, 102, "stale"],
    [9, 103, "valid"],
    [10, 101, "stale"],
    [10, 102, "valid"],
    [60, 51, "stale"],
    [60, 52, "valid"],
    [108, 3, "stale"],
    [108, 4, "valid"],
  ]) {
    test(`100 anchors later, changed at ${change}, ${grace_s} s: ${verdict}`, async () => {
      const log = [];
      const fake = withHeartbeats(100, change);
      const report = await check(old(), { [A]: fake.endpoint() }, { trust: { grace_s }, now: fake.now, log });
      assert.equal(report.verdict, verdict, JSON.stringify(report.checks));
      assert.ok(log.length <= 12, `${log.length} round trips`);
    });
  }
  test("after heartbeats alone it is still the newest", async () => {
    const fake = withHeartbeats(20, 1000);
    const report = await check(old(), { [A]: fake.endpoint() }, { now: fake.now, trust: { grace_s: 0 } });
    assert.equal(report.verdict, "valid");
  });
  test("an endpoint that fails while the change is looked for", async () => {
    const lie = (method, params, honest) =>
      params[0]?.data?.endsWith("9".padStart(8, "0")) ? { error: { code: -32005, message: "limit" } } : honest;
    const fake = withHeartbeats(100, 60);
    assert.equal((await check(old(), { [A]: fake.endpoint(lie) }, { now: fake.now })).verdict, "undecided");
  });
});

describe("not final yet", () => {
  const notFinal = () => {
    const fake = new FakeChain();
    fake.finalized = 8;
    return fake;
  };
  test("on chain above F: pending", async () => {
    const fake = notFinal();
    const report = await check(VALID, { [A]: fake.endpoint() }, { now: fake.now });
    assert.equal(report.verdict, "pending");
    assert.equal(result(report, "register"), "pass");
    assert.equal(result(report, "final"), "fail");
    assert.equal(report.status, null);
  });
  test("not on chain at all: undecided", async () => {
    const fake = notFinal();
    fake.blocks.length = 9;
    assert.equal((await check(VALID, { [A]: fake.endpoint() }, { now: fake.now })).verdict, "undecided");
  });
  test("another root above F: a reorganisation may yet decide", async () => {
    const fake = notFinal();
    const anchors = fake.blocks[9].anchors.map((anchor) =>
      anchor.seq === 9 ? { ...anchor, register_root: "2".repeat(64) } : anchor,
    );
    const report = await check(VALID, { [A]: fake.fork(9, anchors).endpoint() }, { now: fake.now });
    assert.equal(report.verdict, "undecided");
    assert.equal(result(report, "inclusion"), "pass");
    assert.equal(result(report, "register"), "could_not_check");
  });
  test("endpoints on two forks above F", async () => {
    const fake = notFinal();
    const report = await check(
      VALID,
      { [A]: fake.endpoint(), [B]: fake.fork(10, fake.blocks[8].anchors).endpoint() },
      { now: fake.now },
    );
    assert.equal(report.verdict, "undecided");
    assert.equal(result(report, "inclusion"), "pass", "what is final does not suffer");
  });
  test("a changed file is forged even so where a final anchor says it", async () => {
    const fake = notFinal();
    const report = await check(
      vectorText("proofs/path_flip_fail.proof.json"),
      { [A]: fake.endpoint(), [B]: fake.fork(10, []).endpoint() },
      { now: fake.now },
    );
    assert.equal(report.verdict, "forged");
  });
});

describe("never green", () => {
  const only = (name, change) => (method, params, honest) => (method === name ? change(honest, params) : honest);
  const call = (selector, change) =>
    only("eth_call", (honest, params) => (params[0].data.startsWith(selector) ? change(honest, params) : honest));
  const HEAD = SELECTORS["head()"];
  const ANCHOR = SELECTORS["anchorAt(uint64)"];
  const hourLater = { now: new FakeChain().now + 3_601_000 };

  /** What one endpoint of two does, or the only one; the verdict is never more than undecided. */
  const lies = {
    "another chain id": only("eth_chainId", () => ({ result: "0x1" })),
    "no chain id": only("eth_chainId", () => ({ result: null })),
    "no code": only("eth_getCode", () => ({ result: "0x" })),
    "code that is none": only("eth_getCode", () => ({ result: [] })),
    "empty return data for head": call(HEAD, () => ({ result: "0x" })),
    "empty return data for anchors": call(ANCHOR, () => ({ result: "0x" })),
    "zeros for head": call(HEAD, () => ({ result: zeros(1) })),
    "zeros for anchors": call(ANCHOR, () => ({ result: zeros(5) })),
    "zeros for everything": only("eth_call", (_, params) => ({ result: zeros(params[0].data === HEAD ? 1 : 5) })),
    "an anchor without a time": call(ANCHOR, ({ result, error }) =>
      error ? { error } : { result: result.slice(0, 2 + 64 * 3) + "0".repeat(64) + result.slice(2 + 64 * 4) },
    ),
    "half an anchor": call(ANCHOR, ({ result, error }) => (error ? { error } : { result: result.slice(0, 200) })),
    "a word too many": call(HEAD, ({ result }) => ({ result: result + "00".repeat(32) })),
    "a number beyond 2^53": call(HEAD, () => ({ result: `0x${"f".repeat(64)}` })),
    "a revert for head": call(HEAD, () => ({ error: { code: 3, message: "execution reverted", data: "0x00" } })),
    "a revert without a reason for every anchor": call(ANCHOR, () => ({ error: { code: 3, message: "execution reverted" } })),
    "a revert for another reason": call(ANCHOR, () => ({ error: { code: 3, message: "execution reverted", data: "0xd93c0665" } })),
    "every seq unknown, head too": call(ANCHOR, (_, params) => ({
      error: { code: 3, message: "", data: `0xc28bb05d${params[0].data.slice(10)}` },
    })),
    "an anchor of more than a batch": call(ANCHOR, ({ result, error }) =>
      error ? { error } : { result: `0x${result.slice(2, 130)}${"10001".padStart(64, "0")}${result.slice(194)}` },
    ),
    "an error for every call": only("eth_call", () => ({ error: { code: -32005, message: "rate limited" } })),
    "neither result nor error": only("eth_call", () => ({})),
    "null for the block": only("eth_getBlockByNumber", () => ({ result: null })),
    "a block without a hash": only("eth_getBlockByNumber", ({ result }) => ({ result: { ...result, hash: undefined } })),
    "a block without a time": only("eth_getBlockByNumber", ({ result }) => ({ result: { ...result, timestamp: undefined } })),
    "HTML in place of data": only("eth_call", () => ({ result: "<html>" })),
    "a head that is not there": call(HEAD, () => ({ result: `0x${"63".padStart(64, "0")}` })),
  };
  for (const [why, lie] of Object.entries(lies)) {
    test(`the only endpoint: ${why}`, async () => {
      const report = await check(VALID, { [A]: new FakeChain().endpoint(lie) });
      assert.equal(report.verdict, "undecided", JSON.stringify(report.checks));
      assert.equal(report.status, null);
    });
    test(`one of two endpoints: ${why}`, async () => {
      const report = await check(VALID, { [A]: new FakeChain().endpoint(), [B]: new FakeChain().endpoint(lie) });
      assert.equal(report.verdict, "undecided", JSON.stringify(report.checks));
    });
  }

  for (const [why, report] of Object.entries({
    "another root at one endpoint": () => {
      const { anchors } = JSON.parse(ANCHORS);
      anchors[9].register_root = "3".repeat(64);
      return check(VALID, { [A]: new FakeChain().endpoint(), [B]: new FakeChain({ anchors }).endpoint() });
    },
    "another time of an anchor at one endpoint": () => {
      const lie = call(ANCHOR, ({ result, error }) =>
        error ? { error } : { result: result.slice(0, -65) + "1" + result.slice(-64) },
      );
      return check(VALID, { [A]: new FakeChain().endpoint(), [B]: new FakeChain().endpoint(lie) });
    },
    "another hash of F": () => {
      const fake = new FakeChain();
      return check(VALID, { [A]: fake.endpoint(), [B]: fake.fork(5, fake.blocks[9].anchors).endpoint() });
    },
    "another hash of F where one is ahead": () => {
      const behind = new FakeChain();
      behind.finalized = 10;
      const fork = new FakeChain().fork(5, behind.blocks[9].anchors);
      return check(VALID, { [A]: fork.endpoint(), [B]: behind.endpoint() });
    },
    "another number than was asked for": () => {
      const behind = new FakeChain();
      behind.finalized = 10;
      const lie = only("eth_getBlockByNumber", (honest, [tag]) =>
        tag === "0xa" ? { result: { ...honest.result, number: "0xb" } } : honest,
      );
      return check(VALID, { [A]: new FakeChain().endpoint(lie), [B]: behind.endpoint() });
    },
    "one dead": () =>
      check(VALID, {
        [A]: new FakeChain().endpoint(),
        [B]: () => {
          throw new TypeError("fetch failed");
        },
      }),
    "one frozen for an hour": () => {
      const frozen = new FakeChain();
      frozen.finalized = 9;
      return check(VALID, { [A]: new FakeChain().endpoint(), [B]: frozen.endpoint() }, { trust: { max_lag_s: 2 } });
    },
    "F older than max_lag_s": () => check(VALID, { [A]: new FakeChain().endpoint() }, hourLater),
    "no anchor for more than two heartbeats": () =>
      check(
        VALID,
        { [A]: new FakeChain({ spare: 21 }).endpoint() },
        { trust: { heartbeat_s: 10 }, now: new FakeChain({ spare: 21 }).now },
      ),
    "no endpoint": () => check(VALID, {}),
    "not a JSON answer": () => verifyOnline(VALID, TRUST, { fetch: async () => new Response("<html>"), now: () => 0 }),
    "an empty list as answer": () => verifyOnline(VALID, TRUST, { fetch: async () => new Response("[]"), now: () => 0 }),
    "an answer of another id": () =>
      verifyOnline(VALID, TRUST, { fetch: async () => new Response('[{"id":7,"result":"0x1"}]'), now: () => 0 }),
    "an error of HTTP": () => verifyOnline(VALID, TRUST, { fetch: async () => new Response("", { status: 502 }), now: () => 0 }),
    "no answer in time": () =>
      verifyOnline(VALID, TRUST, {
        fetch: (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        timeout_ms: 20,
      }),
  })) {
    test(why, async () => {
      const made = await report();
      assert.equal(made.verdict, "undecided", JSON.stringify(made.checks));
      for (const { detail } of made.checks) assert.match(detail, /^[^{}]+$/);
    });
  }

  test("exactly two heartbeats are still alive", async () => {
    const fake = new FakeChain({ spare: 20 });
    assert.equal((await check(VALID, { [A]: fake.endpoint() }, { trust: { heartbeat_s: 10 }, now: fake.now })).verdict, "valid");
  });
  test("exactly max_lag_s is still young", async () => {
    assert.equal(
      (await check(VALID, { [A]: new FakeChain().endpoint() }, { now: new FakeChain().now + 3_600_999 })).verdict,
      "valid",
    );
  });

  test("a lie makes no genuine paper forged", async () => {
    // One endpoint with other roots everywhere: it alone brands, and that is said; with an honest one beside it nothing is said.
    const { anchors } = JSON.parse(ANCHORS);
    for (const anchor of Object.values(anchors)) anchor.log_root = "4".repeat(64);
    const liar = new FakeChain({ anchors });
    assert.equal((await check(VALID, { [A]: new FakeChain().endpoint(), [B]: liar.endpoint() })).verdict, "undecided");
  });
  test("and none makes a forged one less so", async () => {
    const report = await check(vectorText("proofs/amount_fail.proof.json"), { [A]: () => ({ result: null }) });
    assert.equal(report.verdict, "forged");
  });
});

describe("a seq that head has passed and the contract does not hold", () => {
  // A contract whose first seq is not 1: its predecessor has the others.
  const { anchors } = JSON.parse(ANCHORS);
  for (const seq of [1, 2, 3]) delete anchors[seq];
  test("is in no batch: forged, by the contract's own word", async () => {
    const report = await check(VALID, { [A]: new FakeChain({ anchors }).endpoint() });
    assert.equal(report.verdict, "forged");
    assert.equal(result(report, "inclusion"), "fail");
    assert.equal(result(report, "register"), "pass");
  });
  test("where Hardhat wraps the reason, too", async () => {
    const wrap = (_method, _params, honest) =>
      honest.error ? { error: { ...honest.error, data: { data: honest.error.data } } } : honest;
    assert.equal((await check(VALID, { [A]: new FakeChain({ anchors }).endpoint(wrap) })).verdict, "forged");
  });
  test("endpoints that disagree about that: undecided", async () => {
    assert.equal(
      (await check(VALID, { [A]: new FakeChain({ anchors }).endpoint(), [B]: new FakeChain().endpoint() })).verdict,
      "undecided",
    );
  });
});

describe("pending needs F only", () => {
  const pending = () => vectorText("proofs/pending.proof.json");
  test("in time", async () => assert.equal((await check(pending(), { [A]: new FakeChain().endpoint() })).verdict, "pending"));
  test("a contract that cannot be read does not matter", async () => {
    const lie = (method, _params, honest) => (method === "eth_call" ? { result: "0x" } : honest);
    assert.equal((await check(pending(), { [A]: new FakeChain().endpoint(lie) })).verdict, "pending");
  });
  test("overdue", async () => {
    const fake = new FakeChain({ spare: 200 });
    assert.equal((await check(pending(), { [A]: fake.endpoint() }, { now: fake.now })).verdict, "undecided");
  });
  test("without F", async () => {
    assert.equal(
      (await check(pending(), { [A]: new FakeChain().endpoint() }, { now: new FakeChain().now + 3_601_000 })).verdict,
      "undecided",
    );
    assert.equal((await check(pending(), { [A]: () => ({ result: "0x1" }) })).verdict, "undecided");
  });
});
