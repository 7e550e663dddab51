/** Proofs that are fetched: the newest that can be had decides, a bad source brands nobody, the service outranks a mirror's "absent". */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { NoProof, proofsAt, verifyOnline, verifyQuestion } from "../../verifier/web/verify.js";
import { FakeChain, fakeFetch } from "./fake_chain.mjs";
import { ANCHORS, proof, text, vector, vectorText } from "./vectors.mjs";

const A = "https://a.example/";
const { chain, service_keys } = JSON.parse(ANCHORS);
const TRUST = { protocol: "zp1", chain, service_keys, rpc_urls: [A] };

const file = (name) => vectorText(`proofs/${name}.proof.json`);
const question = (name) => vector("proofs/index.json").find((entry) => entry.file === `${name}.proof.json`).question;
/** A source that has this file, or none, and remembers what it was asked. */
const has = (name, log = []) =>
  from(async (wanted) => {
    log.push(wanted);
    if (name === null) throw new NoProof("fetched.none");
    return file(name);
  });
const from = (ask) => ({ name: "https://source.example", ask });
const dead = from(async () => {
  throw new TypeError("fetch failed");
});
const notYetKnown = from(async () => {
  throw new NoProof("fetched.not_yet_known");
});

const online = (fake = new FakeChain(), endpoint = fake.endpoint()) => ({
  fetch: fakeFetch({ [A]: endpoint }),
  now: () => fake.now,
  lang: "en",
});
const strict = { ...TRUST, grace_s: 0 };
const presented = (name, sources, { trust = strict, asked = null, fake } = {}) =>
  verifyOnline(file(name), trust, { ...online(fake), sources }, asked);
const looked = (asked, sources, { trust = strict, fake } = {}) => verifyQuestion(asked, trust, { ...online(fake), sources });

/** A source that has this file with something changed. */
const edited = (name, edit) =>
  from(async () => {
    const value = proof(name);
    edit(value);
    return text(value);
  });

/** The same invoice as it was before it was anchored. */
function withoutAnchors(name) {
  const { inclusion, register, ...rest } = proof(name);
  return rest;
}

describe("a presented file that is old", () => {
  test("is decided by the newer proof, which is asked for at head", async () => {
    const log = [];
    const report = await presented("stale_valid", [has("valid", log)]);
    assert.equal(report.verdict, "valid");
    assert.equal(report.as_of.seq, 9);
    assert.equal(log.length, 1);
    assert.equal(log[0].seq, 9);
    assert.equal(log[0].number, report.number);
    assert.match(log[0].commitment, /^[0-9a-f]{64}$/);
    assert.equal(report.disclosed.length, 8, "the paper's own sections stay open");
  });
  test("keeps its own content: what was fetched need not open it", async () => {
    const report = await presented("stale_valid", [has("valid_header_only")]);
    assert.equal(report.verdict, "valid");
    assert.equal(report.disclosed.length, 8);
  });
  test("within the grace too, where a newer one can be had", async () => {
    const log = [];
    assert.equal((await presented("stale_valid", [has("valid", log)], { trust: TRUST })).as_of.seq, 9);
    assert.equal((await presented("stale_valid", [dead], { trust: TRUST })).verdict, "valid");
    assert.equal(log.length, 1);
  });
  test("void, seen from before the void", async () => assert.equal((await presented("stale", [has("void")])).verdict, "void"));
  test("decides itself only where no newer can be had", async () => {
    for (const sources of [[], [dead], [has(null)], [notYetKnown], [has("not_json_fail")], [dead, has("stale_valid")]]) {
      assert.equal((await presented("stale_valid", sources)).verdict, "stale");
    }
    assert.equal((await presented("void_as_of_old_anchor", [dead])).verdict, "void");
  });
  test("is not asked about when it is at head", async () => {
    const log = [];
    assert.equal((await presented("valid", [has("void", log)])).verdict, "valid");
    assert.equal((await presented("amount_fail", [has("valid", log)])).verdict, "forged");
    assert.equal((await presented("chain_other", [has("valid", log)])).verdict, "undecided");
    assert.equal((await presented("truncated_fail", [has("valid", log)])).verdict, "malformed");
    assert.deepEqual(log, []);
  });
  test("a bad mirror brands no genuine paper, and the next one is asked", async () => {
    const bad = [
      "path_flip_fail",
      "siblings_flip_fail",
      "state_status_fail",
      "void",
      "pending",
      "absent",
      "registered",
      "array_fail",
    ];
    for (const name of bad) {
      assert.equal((await presented("stale_valid", [has(name)])).verdict, "stale", name);
      assert.equal((await presented("stale_valid", [has(name), has("valid")])).verdict, "valid", name);
    }
    const log = [];
    await presented("stale_valid", [edited("valid", (value) => (value.register.state.version = 2)), has("valid", log)]);
    assert.equal(log.length, 1);
  });
  test("of chain, content and entry only the paper's own count", async () => {
    for (const name of ["entry_time_fail", "chain_other", "seller_fail", "receipt_signature_fail"]) {
      assert.equal((await presented("stale_valid", [has(name)])).verdict, "valid", name);
    }
  });
  test("of several sources the newest counts", async () => {
    const at8 = edited("valid", (value) => (value.register = proof("stale_valid").register));
    const log = [];
    const report = await presented("stale_before_inclusion", [has("stale_before_inclusion"), has("valid_reprint", log)]);
    assert.equal(report.verdict, "valid");
    assert.equal(log.length, 1);
    // None is at head: the newest of the old ones, whichever comes first.
    for (const sources of [
      [at8, has("heartbeat_same_root")],
      [has("heartbeat_same_root"), at8],
    ]) {
      const made = await verifyOnline(text(withoutAnchors("valid")), strict, { ...online(), sources });
      assert.deepEqual([made.verdict, made.as_of.seq], ["stale", 8]);
    }
  });
  test("replaced, as of an old anchor and of the newest", async () => {
    assert.equal((await presented("replaced_as_of_old_anchor", [has("replaced_original")])).as_of.seq, 9);
    assert.equal((await presented("replaced_as_of_old_anchor", [dead])).as_of.seq, 8);
  });
});

describe("a presented pending file", () => {
  test("stays pending where the sources know no more", async () => {
    for (const sources of [[], [dead], [has("pending")], [has("absent")], [notYetKnown]]) {
      assert.equal((await presented("pending", sources)).verdict, "pending");
    }
  });
  test("becomes what the anchored proof says", async () => {
    const value = withoutAnchors("valid");
    const ask = (sources, trust = strict) => verifyOnline(text(value), trust, { ...online(), sources });
    assert.equal((await ask([])).verdict, "pending");
    assert.equal((await ask([has("valid")])).verdict, "valid");
    assert.equal((await ask([has("stale_valid")])).verdict, "stale");
    assert.equal((await ask([has("path_flip_fail"), has("valid")])).verdict, "valid");
    // Without the receipt it proves nothing by itself; the anchor does.
    delete value.receipt;
    assert.equal((await ask([])).verdict, "undecided");
    assert.equal((await ask([has("valid")])).verdict, "valid");
  });
});

describe("a presented absence or presence", () => {
  test("old, and a newer one to be had", async () => {
    assert.equal((await presented("absent_stale", [has("absent_stale")])).verdict, "stale");
    assert.equal((await presented("absent_stale", [has("absent")])).verdict, "absent");
    assert.equal((await presented("absent_stale", [has("pending")])).verdict, "pending", "accepted since");
    assert.equal((await presented("presence_stale", [has("registered")])).verdict, "registered");
    assert.equal((await presented("presence_stale", [dead, has("registered_state")])).as_of.seq, 9);
  });
  test("about another number: not believed", async () => {
    assert.equal((await presented("presence_stale", [has("absent")])).verdict, "stale");
  });
});

describe("nothing presented: a QR code", () => {
  const asked = question("valid_asked");
  test("valid", async () => {
    const log = [];
    const report = await looked(asked, [has("valid_first_half", log)]);
    assert.equal(report.verdict, "valid");
    assert.deepEqual(report.disclosed, ["header", "seller", "totals", "provenance"]);
    assert.deepEqual(log, [{ number: asked.number, commitment: asked.commitment, seq: 9 }]);
  });
  test("another invoice's proof, however genuine, answers nothing", async () => {
    for (const name of ["void", "absent", "valid_reprint", "amount_fail", "not_json_fail", "chain_other", "protocol_other"]) {
      const report = await looked(asked, [has(name)]);
      assert.equal(report.verdict, "undecided", name);
      assert.equal((await looked(asked, [has(name), has("valid")])).verdict, "valid", name);
    }
  });
  test("no source, no answer, no proof", async () => {
    for (const [sources, sentence] of [
      [[], /no place/],
      [[dead], /no answer when https:\/\/source.example/i],
      [[has(null)], /has no proof/],
      [[notYetKnown], /accepted and not final/],
    ]) {
      const report = await looked(asked, sources);
      assert.equal(report.verdict, "undecided");
      assert.match(report.checks[0].detail, sentence);
      assert.equal(report.number, null);
    }
  });
  test("a chain that cannot be read: undecided, with the facts to show", async () => {
    const report = await verifyQuestion(asked, TRUST, {
      ...online(new FakeChain(), () => ({ result: null })),
      sources: [has("valid")],
    });
    assert.equal(report.verdict, "undecided");
    assert.equal(report.number, asked.number);
  });

  describe("absent", () => {
    const of = question("absent_asked");
    test("by the service", async () => assert.equal((await looked(of, [has("absent")])).verdict, "absent"));
    test("by a mirror, the service being silent", async () => {
      assert.equal((await looked(of, [dead, has("absent")])).verdict, "absent");
      assert.equal((await looked(of, [has("not_json_fail"), has("absent")])).verdict, "absent");
    });
    test("a pending file of the service outranks a mirror's", async () => {
      const { sections } = proof("pending");
      assert.equal(sections.header.value.number, of.number);
      const report = await looked({ number: of.number }, [has("pending"), has("absent")]);
      assert.equal(report.verdict, "pending");
    });
    test("so does its word that something is on the way", async () => {
      const report = await looked(of, [notYetKnown, has("absent")]);
      assert.equal(report.verdict, "undecided");
      assert.match(report.checks[0].detail, /accepted and not final/);
    });
    test("an anchored proof outranks both", async () => {
      const both = [notYetKnown, has("valid")];
      assert.equal((await looked(asked, both)).verdict, "valid");
    });
    test("an old absence is not shown as one", async () =>
      assert.equal((await looked({ number: proof("absent_stale").number }, [has("absent_stale")])).verdict, "stale"));
  });

  test("not current", async () => {
    assert.equal((await looked(question("not_current"), [has("not_current")])).verdict, "not_current");
    assert.equal((await looked(question("not_current"), [notYetKnown, has("not_current")])).verdict, "undecided");
  });
});

describe("over HTTP", () => {
  const fetches =
    (answer, log = []) =>
    async (url, init) => {
      log.push([url, init.method, JSON.parse(init.body)]);
      return answer();
    };
  const wanted = { number: "1", commitment: "ab", seq: 9 };
  test("asks for number, commitment and seq in the body", async () => {
    const log = [];
    const source = proofsAt(
      "https://service.example/v",
      fetches(() => new Response("{}"), log),
    );
    assert.equal(source.name, "https://service.example");
    assert.equal(new TextDecoder().decode(await source.ask(wanted)), "{}");
    await source.ask({ number: "1", commitment: null, seq: null });
    assert.deepEqual(log, [
      ["https://service.example/v1/proofs", "POST", wanted],
      ["https://service.example/v1/proofs", "POST", { number: "1" }],
    ]);
  });
  for (const [status, code] of [
    [404, "none"],
    [409, "not_yet_known"],
    [400, "refused"],
    [429, "refused"],
    [500, "refused"],
    [503, "refused"],
  ]) {
    test(`${status}: ${code}`, () =>
      assert.rejects(
        proofsAt(
          A,
          fetches(() => new Response("", { status })),
        ).ask(wanted),
        { name: "NoProof", code: `fetched.${code}` },
      ));
  }
  test("silence", async () => {
    const silent = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await assert.rejects(proofsAt(A, silent, 20).ask(wanted), { code: "fetched.timeout" });
  });
  test("a dead host", async () => {
    const report = await looked(question("valid_asked"), [
      proofsAt("https://dead.example", async () => {
        throw new TypeError("fetch failed");
      }),
    ]);
    assert.match(report.checks[0].detail, /no answer when https:\/\/dead.example/);
  });
});
