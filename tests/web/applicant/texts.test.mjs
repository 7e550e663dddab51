/** What the applicant's pages say: the same in both languages, all of it used, nothing asked for that is not there. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { allUsed, list, read, replacesNone, sameGaps, variants } from "../texts_of.mjs";

const [zh, en] = ["zh-CN", "en"].map((name) => JSON.parse(read(`service/web/applicant/texts/${name}.json`)));
const templates = ["reprint", "feedback", "unsubscribe"].map((name) => `service/web/templates/${name}.html`);
const all = [...list("service/web/applicant/", /\.js$/), ...templates, "service/web/pages.py"].map(read).join("\n");

test("both languages have the same texts, with the same gaps, each in its own script", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  sameGaps(zh, en);
  for (const key of Object.keys(zh).filter((one) => !one.startsWith("list."))) for (const text of variants(zh[key])) assert.match(text, /[一-鿿]/u, key);
});

test("no text of the public pages is replaced", () => replacesNone(zh));

test("every text is used, and every text that is asked for is there", () => {
  allUsed(zh, all, { others: /^(contact|notices)\.(address|channel|quiet_hours)$/ });
});

test("every state, event and actor that the API names has its words", () => {
  const literal = (path, name) => [...new RegExp(`^${name} = Literal\\[([^\\]]*)\\]`, "m").exec(read(path))[1].matchAll(/"(\w+)"/g)].map(([, one]) => one);
  const transitions = "service/reprints/transitions.py";
  const [states, events] = [literal(transitions, "State"), literal(transitions, "Event")];
  const closed = ["completed", "rejected", "cancelled", "expired"];
  for (const state of states.filter((one) => !closed.includes(one))) assert.ok(`owed.${state}` in zh, state);
  for (const state of closed.slice(1)) assert.ok(`ended.${state}` in zh && `ended.${state}.sentence` in zh, state);
  for (const event of events) assert.ok(`event.${event}` in zh, event);
  for (const by of literal("service/api/models/reprints.py", "By")) assert.ok(`by.${by}` in zh, by);
  for (const who of literal("service/api/models/reprints.py", "OwedBy")) assert.ok(who === "nobody" || `who.${who}` in zh, who);
  for (const type of literal("service/reprints/materials.py", "MaterialType")) assert.ok(`mat.${type}` in zh && `mat.${type}.what` in zh, type);
  for (const method of literal("service/reprints/payments.py", "Method")) assert.ok(`pay.${method}` in zh && `pay.waits.${method}` in zh, method);
  for (const state of literal("service/reprints/payments.py", "FeeState")) assert.ok(state === "none" || `fee.state.${state}` in zh, state);
  for (const kind of literal("service/reprints/fees.py", "FeeKind")) assert.ok(`fee.by.${kind}` in zh, kind);
  for (const state of literal("service/reprints/feedback.py", "State")) assert.ok(`fb.state.${state}` in zh, state);
});
