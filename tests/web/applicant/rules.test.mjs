/** What the applicant's pages decide by themselves: contacts, case numbers, steps, sizes, what a link hands over. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applicationOf } from "../../../service/web/applicant/application.js";
import { arrivalOf, parseCase } from "../../../service/web/applicant/arrival.js";
import { answeredBy, keyOf } from "../../../service/web/applicant/ask.js";
import { codeOf, contactOf } from "../../../service/web/applicant/contact.js";
import { tokenOf } from "../../../service/web/applicant/conversation.js";
import { asJpeg, kindOf, megabytes, sizeOf } from "../../../service/web/applicant/fit.js";
import { choiceOf, chosenOf } from "../../../service/web/applicant/noticing.js";
import { missingOf } from "../../../service/web/applicant/materials.js";
import { marksOf, owedOf, pauseOf, returnOf } from "../../../service/web/applicant/steps.js";
import { left } from "../../../service/web/applicant/when.js";

const ID = "R261125-7K3M9QXA";
const history = (...rows) => rows.map(([event, source, target, reason = null]) => ({ at: "", by: "applicant", event, source, target, reason }));
const found = (state, step, owed_by, more = {}) => ({ state, step, owed_by, due_at: "2026-12-08T00:00:00Z", history: [], result: null, ...more });

test("one field tells a mobile number from an e-mail address", () => {
  for (const typed of ["13800138000", "138 0013 8000", "138-0013-8000", "+86 13800138000", "8613800138000", "１３８００１３８０００"])
    assert.deepEqual(contactOf(typed), { channel: "sms", address: "13800138000" }, typed);
  assert.deepEqual(contactOf(" Zhang@Example.cn "), { channel: "email", address: "Zhang@Example.cn" });
  for (const typed of ["", "12345", "23800138000", "138001380001", "zhang@", "@example.cn", "a b@example.cn", "zhang@example", "a@b@c.cn"])
    assert.equal(contactOf(typed), null, typed);
});

test("what was chosen of notices is sent, and what is not given stays", () => {
  assert.deepEqual(choiceOf({ channels: "both", email: "", sms: "138 0013 8000", quiet: "kept" }), { body: { channels: ["email", "sms"], sms: "13800138000" }, wrong: {} });
  assert.deepEqual(choiceOf({ channels: "none", email: "typed before", sms: "", quiet: "none" }), { body: { channels: [], quiet_hours: null }, wrong: {} });
  assert.deepEqual(choiceOf({ channels: "email", email: "13800138000", sms: "", quiet: "night" }).wrong, { email: { key: "notices.email.wrong" } });
  const told = (...channels) => chosenOf({ channels: channels.map((channel) => ({ channel, hint: "" })), quiet_hours: null });
  assert.deepEqual([told(), told("sms"), told("email", "sms")], ["none", "sms", "both"]);
});

test("a code is six digits however it was pasted", () => {
  for (const typed of ["492039", " 492 039 ", "492-039", "４９２０３９"]) assert.equal(codeOf(typed), "492039");
  for (const typed of ["", "49203", "4920391", "49203a"]) assert.equal(codeOf(typed), null);
});

test("a case's number as people type it", () => {
  for (const typed of [ID, ID.toLowerCase(), "R2611257K3M9QXA", " R261125 7K3M 9QXA ", "R261125–7K3M9QXA", "Ｒ261125-7K3M9QXA"])
    assert.equal(parseCase(typed), ID, typed);
  assert.equal(parseCase("R261125-7KLM9QIO"), "R261125-7K1M9Q10", "letters that look like digits");
  for (const typed of ["", "R261125-7K3M9QX", "X261125-7K3M9QXA", "R261125-7K3M9QXU", "26112999000000000003"]) assert.equal(parseCase(typed), null, typed);
});

test("what stands behind the # of a link", () => {
  assert.equal(arrivalOf(""), null);
  assert.equal(arrivalOf("#"), null);
  assert.equal(arrivalOf("#main"), null);
  assert.deepEqual(arrivalOf(`#case=${ID}`), { kind: "case", id: ID });
  assert.deepEqual(arrivalOf(`#${ID}`), { kind: "case", id: ID });
  const { kind, facts } = arrivalOf("#number=26112999000000000003&issued_on=2026-09-01&amount_with_tax=1060.00");
  assert.deepEqual([kind, facts.get("amount_with_tax")], ["facts", "1060.00"]);
  const copy = `26112999000000000003.${"A".repeat(52)}`;
  assert.deepEqual(arrivalOf(`#${copy}`), { kind: "copy", copy: { number: "26112999000000000003", commitment: "0".repeat(64) } });
  assert.equal(arrivalOf("#%E0%A4%A"), null);
  assert.deepEqual(tokenOf("zpf_F261125-2VD7K3M9_k3jq2cs5svx2mb7yh6pq4wz3")?.id, "F261125-2VD7K3M9");
  assert.equal(tokenOf("zpf_F261125-2VD7K3M9"), null);
});

test("an application says what is missing beside each field, or is whole", () => {
  const typed = { kind: "copy", reason: "遗失", delivery: "download", name: "张三", company: "", contact: "a@b.cn", language: "zh-CN", quiet: "night" };
  assert.deepEqual(applicationOf(typed), {
    wrong: {},
    body: {
      kind: "copy",
      reason: "遗失",
      delivery: "download",
      name: "张三",
      contact: { channel: "email", address: "a@b.cn" },
      language: "zh-CN",
      notices: { channels: ["email"], quiet_hours: { start: "22:00", end: "08:00" } },
    },
  });
  assert.equal(applicationOf({ ...typed, quiet: "none" }).body.notices.quiet_hours, null);
  assert.equal(applicationOf({ ...typed, company: "某公司" }).body.company, "某公司");
  const both = applicationOf({ ...typed, also: "138 0013 8000" });
  assert.deepEqual([both.wrong, both.body.notices.channels, both.body.notices.sms], [{}, ["email", "sms"], "13800138000"]);
  assert.equal(applicationOf({ ...typed, also: "b@b.cn" }).wrong.also.key, "apply.also.wrong");
  assert.equal(applicationOf({ ...typed, also: "b" }).wrong.also.key, "apply.contact.wrong");
  assert.deepEqual(Object.keys(applicationOf({ ...typed, reason: "", name: "", contact: "" }).wrong), ["reason", "name", "contact"]);
  assert.equal(applicationOf({ ...typed, contact: "" }).wrong.contact.key, "apply.contact.missing");
  assert.equal(applicationOf({ ...typed, contact: "123" }).wrong.contact.key, "apply.contact.wrong");
});

test("the five steps are marked by where the case is", () => {
  assert.deepEqual(marksOf(null), ["now", "later", "later", "later", "later"]);
  assert.deepEqual(marksOf(found("submitted", 2, "applicant")), ["done", "now", "later", "later", "later"]);
  assert.deepEqual(marksOf(found("approved", 5, "system")), ["done", "done", "done", "done", "now"]);
  assert.deepEqual(marksOf(found("completed", 5, "nobody")), ["done", "done", "done", "done", "done"]);
  const rejected = found("rejected", 5, "nobody", { history: history(["reject", "review_1", "rejected"]) });
  assert.deepEqual(marksOf(rejected), ["done", "done", "done", "later", "ended"]);
  const expired = found("expired", 5, "nobody", { history: history(["expire", "submitted", "expired"]) });
  assert.deepEqual(marksOf(expired), ["done", "later", "later", "later", "ended"]);
});

test("who owes what, and until when", () => {
  assert.deepEqual(owedOf(found("fee_due", 4, "applicant")), { who: "applicant", key: "owed.fee_due", until: "2026-12-08T00:00:00Z" });
  assert.equal(owedOf(found("review_2", 4, "issuer")).key, "owed.issuer");
  assert.equal(owedOf(found("completed", 5, "nobody")).until, null);
  const returned = found("materials_pending", 3, "applicant", { history: history(["begin_review", "materials_submitted", "review_1"], ["return", "review_1", "materials_pending", "盖章"]) });
  assert.equal(owedOf(returned).key, "owed.returned");
  assert.equal(returnOf(returned).reason, "盖章");
  const again = { ...returned, state: "review_1" };
  assert.equal(returnOf(again), null, "handed in again: it is over");
  assert.equal(returnOf(found("materials_pending", 3, "applicant", { history: history(["confirm_contact", "submitted", "materials_pending"]) })), null);
  const now = Date.parse("2026-12-01T00:00:00Z");
  assert.deepEqual(left("2026-12-08T00:00:00Z", now), { key: "left.days", params: { count: 7 } });
  assert.equal(left("2026-12-01T10:00:00Z", now).key, "left.today");
  assert.equal(left("2026-11-30T10:00:00Z", now).key, "left.over");
});

test("the page asks again by itself while somebody else owes the step, and not while the applicant types", () => {
  assert.equal(pauseOf(found("materials_pending", 3, "applicant"), 0), null);
  assert.equal(pauseOf(found("started", 2, "applicant"), 0), null);
  assert.equal(pauseOf(found("review_1", 4, "reviewer"), 0), 30);
  assert.equal(pauseOf(found("fee_due", 4, "applicant"), 0), 10);
  assert.deepEqual([pauseOf(found("approved", 5, "system"), 0), pauseOf(found("approved", 5, "system"), 99)], [3, 15]);
  assert.equal(pauseOf(found("completed", 5, "nobody", { result: { document_ready: false } }), 0), 3);
  assert.equal(pauseOf(found("completed", 5, "nobody", { result: { document_ready: true } }), 0), null);
  assert.equal(pauseOf(found("rejected", 5, "nobody"), 0), null);
});

test("papers: what is missing, and how a photo is made to fit", () => {
  const needed = [
    { type: "identity", required: true },
    { type: "company_letter", required: true },
    { type: "other", required: false },
  ];
  assert.deepEqual(missingOf({ needed, items: [{ type: "identity" }] }), ["company_letter"]);
  assert.deepEqual(missingOf({ needed, items: [{ type: "identity" }, { type: "company_letter" }] }), []);
  assert.deepEqual(sizeOf(4032, 3024), { width: 2400, height: 1800 });
  assert.deepEqual(sizeOf(800, 600), { width: 800, height: 600 }, "never made larger");
  assert.deepEqual(sizeOf(10000, 1), { width: 2400, height: 1 });
  assert.equal(asJpeg("IMG_0001.HEIC"), "IMG_0001.jpg");
  assert.equal(asJpeg(".png"), "photo.jpg");
  const bytes = (text) => Uint8Array.from([...text].map((letter) => letter.charCodeAt(0)));
  assert.deepEqual(["%PDF-1.7", "\n%PDF-1.4", "\xff\xd8\xff\xe0", "\x89PNG\r\n\x1a\n", "GIF89a", ""].map((text) => kindOf(bytes(text))), ["pdf", "pdf", "jpeg", "png", "other", "other"]);
  assert.deepEqual([megabytes(10 * 1024 * 1024), megabytes(1024 * 512)], ["10", "0.5"]);
});

test("a write whose answer never came goes again under the same key, and a new one under a new key", () => {
  const first = keyOf("POST /v1/reprints {}");
  assert.equal(keyOf("POST /v1/reprints {}"), first);
  answeredBy(503, "POST /v1/reprints {}");
  assert.equal(keyOf("POST /v1/reprints {}"), first, "whether it was done is not known");
  answeredBy(201, "POST /v1/reprints {}");
  assert.notEqual(keyOf("POST /v1/reprints {}"), first);
  assert.notEqual(keyOf("POST /v1/reprints {}"), keyOf("POST /v1/reprints {other}"));
});
