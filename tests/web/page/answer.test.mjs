/** What is shown of every vector: its colour, its texts in both languages, and that nothing is green that is not valid. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { examineOffline } from "../../../verifier/web/verify.js";
import { answerOf } from "../../../verifier/web/page/answer.js";
import { inShort, say } from "../../../verifier/web/page/answer_view.js";
import { setLanguage } from "../../../verifier/web/page/texts.js";
import { vector, vectorBytes, vectorText } from "../vectors.mjs";

const ROLES = {
  valid: "good",
  partly_reversed: "caution",
  replaced: "bad",
  void: "bad",
  reversed: "bad",
  released: "bad",
  forged: "bad",
  absent: "bad",
  not_current: "bad",
  registered: "neutral",
  pending: "wait",
  stale: "wait",
  undecided: "neutral",
  malformed: "neutral",
};

const examined = (name, question = null, anchors = "anchors.json") =>
  examineOffline(vectorBytes(`proofs/${name}.proof.json`), vectorText(`proofs/${anchors}`), question, ["anchors.json"]);

/** Every text of an answer, in the language of the moment. */
function texts(answer) {
  const said = [answer.word, ...answer.sentences, ...answer.advice, answer.checked, ...answer.ticks.map((tick) => tick.said)];
  for (const one of [answer.as_of, answer.lead?.said, answer.compare?.heading]) if (one) said.push(one);
  return [...said, ...(answer.announcement?.said ?? []), ...answer.notes.map((note) => note.said)].map(say);
}

test("every vector has its colour and all its texts, and only what is valid is green", async () => {
  for (const { file, anchors, question, verdict } of vector("proofs/index.json")) {
    const examination = await examineOffline(vectorBytes(`proofs/${file}`), vectorText(`proofs/${anchors}`), question);
    const answer = await answerOf(examination);
    assert.equal(answer.role, ROLES[verdict], file);
    const greens = answer.ticks.filter(({ role }) => role === "good");
    assert.equal(greens.length > 0, verdict === "valid" || (verdict === "partly_reversed" && greens.length > 0), file);
    if (["pending", "stale", "undecided"].includes(verdict))
      assert.ok(
        answer.ticks.every(({ role }) => role !== "good" && (role !== "bad" || verdict === "undecided")),
        file,
      );
    assert.equal(answer.compare === null, ["forged", "malformed"].includes(verdict) || !examination.proof?.sections, file);
    for (const tag of ["zh-CN", "en"]) {
      setLanguage(tag);
      for (const text of texts(answer)) {
        assert.doesNotMatch(text, /undefined|NaN|[{}]/, `${file}: ${text}`);
        assert.notEqual(text.trim(), "", file);
      }
      assert.ok(inShort(answer).startsWith(say(answer.word)));
    }
  }
});

test("something pending takes the green away, and stands above", async () => {
  const valid = await examined("valid");
  for (const kind of ["issue", "void", "reverse", "reprint", "reverse_part", "release", "anything"]) {
    const answer = await answerOf(valid, { status: "valid", state: "final", pending: { kind } });
    assert.equal(answer.role, "wait");
    assert.ok(answer.ticks.every(({ role }) => role !== "good"));
    assert.ok(answer.announcement && answer.waits);
    for (const tag of ["zh-CN", "en"]) {
      setLanguage(tag);
      assert.doesNotMatch(texts(answer).join(""), /undefined|[{}]/);
    }
  }
  const partly = await answerOf(await examined("partly_reversed"), { status: "partly_reversed", state: "final", pending: { kind: "reprint" } });
  assert.equal(partly.role, "caution");
  assert.ok(partly.announcement && partly.ticks.every(({ role }) => role !== "good"));
  const named = await answerOf(valid, { status: "valid", state: "final", pending: { kind: "void", other_number: "26112999000000000777" } });
  for (const tag of ["zh-CN", "en"]) {
    setLanguage(tag);
    assert.match(texts(named).join(""), /26112999000000000777/);
  }
  const bad = await answerOf(await examined("void"), { status: "void", state: "final", pending: { kind: "release" } });
  assert.equal(bad.role, "bad");
});

test("what the service states against the proof takes the green away", async () => {
  const valid = await examined("valid");
  assert.equal((await answerOf(valid, { status: "void", state: "final" })).role, "wait");
  assert.equal((await answerOf(valid, { status: "valid", state: "final" })).role, "good");
  assert.equal((await answerOf(valid, null)).role, "good");
});

test("another number is shown only where the register's state is about it", async () => {
  const states = [
    ["void", "26112754987794378563"],
    ["reversed", "26112322586405418271"],
  ];
  for (const [name, other] of states) {
    const examination = await examined(name);
    const status = examination.status;
    assert.equal((await answerOf(examination, { status, state: "final", other_number: other })).lead?.number, other);
    for (const wrong of ["26112754987794378564", "", "no number", undefined])
      assert.equal((await answerOf(examination, { status, state: "final", other_number: wrong })).lead, null);
  }
  const valid = await examined("valid_reissue");
  assert.equal((await answerOf(valid, { status: "valid", state: "final", other_number: "26112107706804822740" })).lead, null);
});

test("content that proves nothing is not shown as registered", async () => {
  for (const name of ["amount_fail", "seller_fail"]) assert.equal((await answerOf(await examined(name))).compare, null);
  const pending = await answerOf(await examined("pending"));
  assert.equal(pending.compare?.heading.key, "compare.heading.unproven");
});
