/** What follows of a case, without a browser: what is late, what a reviewer may do and why not, what has changed, page by page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { changedParts, isOpen, until, whyNot } from "../../../service/web/desk/case_rules.js";
import { edges } from "../../../service/web/desk/differing.js";
import { inTurn, isSeen, pagesOf } from "../../../service/web/desk/material_pages.js";
import { changed, compared, differs, draftOf, editable, filled, pointerOf } from "../../../service/web/desk/sections.js";

const NOW = Date.parse("2026-11-24T08:00:00Z");

test("a case goes on until it is completed, rejected, cancelled or expired", () => {
  for (const state of ["started", "materials_pending", "fee_due", "review_1", "review_2", "approved"]) assert.equal(isOpen(state), true, state);
  for (const state of ["completed", "rejected", "cancelled", "expired"]) assert.equal(isOpen(state), false, state);
});

test("time left is told in the largest unit that says enough", () => {
  assert.deepEqual(until("2026-11-28T09:00:00Z", NOW), { isLate: false, unit: "days", count: 4 });
  assert.deepEqual(until("2026-11-26T07:59:00Z", NOW), { isLate: false, unit: "hours", count: 47 });
  assert.deepEqual(until("2026-11-24T08:59:59Z", NOW), { isLate: false, unit: "minutes", count: 59 });
  assert.deepEqual(until("2026-11-22T08:00:00Z", NOW), { isLate: true, unit: "days", count: 2 });
  assert.deepEqual(until("2026-11-24T07:59:59Z", NOW), { isLate: true, unit: "minutes", count: 0 });
});

const situation = { state: "review_1", hasSeenMaterials: true, cannotApprove: null, actions: ["approve", "return", "reject"] };
const why = (decision, changes) => whyNot(decision, { ...situation, ...changes });

test("a reviewer is told why a decision is not theirs to make", () => {
  for (const decision of ["approve", "return", "reject"]) {
    assert.equal(why(decision, {}), null);
    assert.equal(why(decision, { cannotApprove: "reviewer_is_applicant", actions: [] }), "why_not.reviewer_is_applicant");
    assert.equal(why(decision, { state: "completed" }), "why_not.closed");
    assert.equal(why(decision, { actions: [] }), "why_not.service");
  }
  assert.equal(why("approve", { hasSeenMaterials: false }), "why_not.unseen");
  assert.equal(why("return", { hasSeenMaterials: false }), null, "what cannot be read is sent back");
  assert.equal(why("approve", { state: "fee_due" }), "why_not.fee_due");
  assert.equal(why("return", { state: "materials_pending" }), "why_not.not_handed_in");
  assert.equal(why("reject", { state: "materials_pending" }), null);
});

test("what forbids the approval alone leaves the rest to the reviewer", () => {
  for (const cannotApprove of ["second_person_needed", "replacement_missing"]) {
    const second = { state: "review_2", cannotApprove, actions: ["return", "reject"] };
    assert.equal(why("approve", second), `why_not.${cannotApprove}`);
    assert.equal(why("return", second), null);
    assert.equal(why("reject", second), null);
  }
});

test("what has changed is named by its part, each once", () => {
  const facts = { act: "reprint", number: "1", reason: "遗失", contact: "email:a@b.cn", fee: "free", fee_amount: "0.00", materials: "ab", replacement: "" };
  assert.deepEqual(changedParts(facts, { ...facts, reason: "损坏", contact: "sms:1" }), ["application"]);
  assert.deepEqual(changedParts(facts, { ...facts, fee: "charged", fee_amount: "50.00", materials: "cd" }), ["fee", "materials"]);
  assert.deepEqual(changedParts(facts, { ...facts, status: "void" }), ["invoice"]);
  assert.deepEqual(changedParts(facts, { ...facts, replacement: "ef" }), ["replacement"]);
  assert.deepEqual(changedParts(facts, { ...facts }), []);
});

const items = [
  { id: "a", type: "identity", pages: 2 },
  { id: "b", type: "company_letter", pages: 1 },
];

test("pages follow one another over all documents, and stop at both ends", () => {
  const places = pagesOf(items);
  assert.deepEqual(
    places.map(({ id, page, of }) => [id, page, of]),
    [
      ["a", 1, 2],
      ["a", 2, 2],
      ["b", 1, 1],
    ],
  );
  assert.deepEqual(inTurn(places, places[1], 1), places[2]);
  assert.equal(inTurn(places, places[2], 1), null);
  assert.equal(inTurn(places, places[0], -1), null);
  assert.equal(inTurn(places, { id: "gone", page: 1 }, 1), null);
});

test("materials are seen once every page was", () => {
  assert.equal(isSeen(items, new Set(["a/1", "b/1"])), false);
  assert.equal(isSeen(items, new Set(["a/1", "a/2", "b/1"])), true);
  assert.equal(isSeen([], new Set()), true);
});

const original = {
  totals: { amount: "100.00" },
  header: { number: "1", kind: "digital_ordinary" },
  lines: [{ item: "纸" }, { item: "笔", quantity: "2" }],
};

test("sections are compared member by member, in the order of the paper", () => {
  const after = { ...original, header: { number: "2", kind: "digital_ordinary" }, lines: [{ item: "纸" }], notes: { remark: "重开" } };
  const rows = compared(original, after);
  assert.deepEqual(
    rows.map(({ path }) => path.join(".")),
    ["header.number", "header.kind", "lines.0.item", "lines.1.item", "lines.1.quantity", "totals.amount", "notes.remark"],
  );
  assert.deepEqual(
    rows.filter(differs).map(({ path, before, after: now }) => [path.join("."), before, now]),
    [
      ["header.number", "1", "2"],
      ["lines.1.item", "笔", null],
      ["lines.1.quantity", "2", null],
      ["notes.remark", null, "重开"],
    ],
  );
});

test("a member added to a line stands with its line", () => {
  const after = { ...original, lines: [{ item: "纸", unit: "包" }, original.lines[1]] };
  assert.deepEqual(
    compared(original, after)
      .filter(({ path }) => path[0] === "lines")
      .map(({ path }) => path.join(".")),
    ["lines.0.item", "lines.0.unit", "lines.1.item", "lines.1.quantity"],
  );
});

test("a new invoice begins as the original, without what is the original's own", () => {
  const whole = { ...original, header: { ...original.header, check_code: "9" }, provenance: { drawer: "王", reprint: { n: 1 }, original: { number: "0" } } };
  const draft = draftOf(whole);
  assert.deepEqual(draft.header, { number: "", kind: "digital_ordinary", check_code: "" });
  assert.deepEqual(draft.provenance, { drawer: "王" });
  assert.equal(whole.header.number, "1", "the original is as it was");
  const made = changed(draft, ["header", "number"], "2");
  assert.deepEqual(filled(made).header, { number: "2", kind: "digital_ordinary" });
  assert.equal(draft.header.number, "");
  assert.deepEqual(filled({ header: {}, lines: [{ item: "" }] }), { header: {}, lines: [{}] });
});

test("every member has a field and a pointer", () => {
  const members = editable({ header: { schema: "s", number: "" }, lines: [{ item: "纸" }], notes: { extra: { "a/b~c": "1" } } });
  assert.deepEqual(
    members.map(({ path, value }) => [pointerOf(path), value]),
    [
      ["/header/number", ""],
      ["/lines/0/item", "纸"],
      ["/notes/extra/a~1b~0c", "1"],
    ],
  );
});

test("the part that differs is what is between a common beginning and a common end", () => {
  assert.deepEqual(edges("abcde", "abXde"), [2, 2]);
  assert.deepEqual(edges("aa", "aaa"), [2, 0]);
  assert.deepEqual(edges("", "a"), [0, 0]);
});
