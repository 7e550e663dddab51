/**
 * `/staff/cases/ID`: what a reviewer decides on. The invoice and its proof, checked by this browser, stand beside the materials; an
 * approval is bound to exactly what is shown here.
 */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { approve, refuse } from "./case_decisions.js";
import { handoverView } from "./case_handover.js";
import { materialsViewer } from "./case_materials.js";
import { applicationView, diagnosisView, feeView, historyView } from "./case_parts.js";
import { changedParts, isOpen, whyNot } from "./case_rules.js";
import { due, stateBadge } from "./case_shown.js";
import { content } from "./content.js";
import { data } from "./data.js";
import { replacementSides } from "./replacement_sides.js";
import { keyMark, shortcuts } from "./shortcuts.js";
import { badge, bones, facts, hash, nothing, time, word } from "./show.js";
import { announce, button, notice, page, part, said, start, titled, trouble } from "./start.js";

const id = /** @type {Record<string, string>} */ (data.params).case;
const path = `/v1/reprints/${encodeURIComponent(id)}`;
const DECISIONS = /** @type {const} */ ([
  ["approve", "a", "check"],
  ["return", "r", "back"],
  ["reject", "x", "cross"],
]);
/** What materials are looked at for, as the service writes it down. @type {Record<string, string>} */
const PURPOSES = { review_2: "review_2", completed: "handover" };

start();
/** The verifier comes while the case does. */
const checking = import("./checking.js");
/** @type {typeof import("./checking.js") | null} */
let checker = null;
/** @type {any} */
let view = null;
/** @type {any} */
let answer = null;
/** @type {unknown} */
let wrong = null;
/** @type {string[]} parts that have changed since the page was loaded first */
let changes = [];
/** @type {string | null} key of what was just done */
let done = null;

const viewer = materialsViewer(id, () => PURPOSES[view.case.state] ?? "review_1", () => decision.draw());
const told = part(() => [wrong ? trouble(wrong) : null, changes.length > 0 && changesView(), done && doneView()], "div", { class: "stack", "aria-live": "polite" });
const head = part(() => (view ? headView() : bones()), "section", { class: "card stack" });
const inside = part(() => view && [said("invoice.content", "h2"), ...insideView()], "section", { class: "card stack" });
const proof = part(() => view?.invoice?.proof && (answer && checker ? checker.viewOf(answer, []) : waiting()), "section", { class: "proof", "aria-live": "polite" });
const materials = h("section", { class: "card stack" }, said("case.materials", "h2"), said("materials.note", "p", { class: "hint" }), viewer.element);
const applied = part(() => view && [said("case.application", "h2"), ...applicationView(view.case.application)], "section", { class: "card stack" });
const where = part(() => view && [said("case.diagnosis", "h2"), ...diagnosisView(view.case.diagnosis)], "section", { class: "card stack" });
const fee = part(() => view && [said("queue.fee", "h2"), ...feeView(view.case.fee, view.case.diagnosis)], "section", { class: "card stack" });
const reissue = part(() => view?.case.kind === "reissue" && [said("replacement.heading", "h2"), ...replacementView()], "section", { class: "card stack" });
const handover = part(() => view && handoverView(view.case, path, load), "section", { class: "card stack" });
const past = part(() => view && [said("case.history", "h2"), historyView(view.case.history)], "section", { class: "card stack" });
const decision = part(() => view && isOpen(view.case.state) && decisionView(), "div", { class: "decide" });

const keys = shortcuts([
  ...DECISIONS.map(([name, key]) => ({ key, text: `decision.${name}`, run: () => decideBy(name) })),
  { key: "n", text: "materials.next", run: () => viewer.move(1) },
  { key: "p", text: "materials.previous", run: () => viewer.move(-1) },
  { key: "+", text: "materials.larger", run: () => viewer.scale(1) },
  { key: "-", text: "materials.smaller", run: () => viewer.scale(-1) },
  { key: "t", text: "materials.turn", run: viewer.turn },
  { key: "u", text: "shortcuts.again", run: load },
  { key: "q", text: "case.back", run: () => location.assign("/staff") },
]);
page(
  "heading.staff_case",
  [keys],
  told.element,
  head.element,
  reissue.element,
  h("div", { class: "columns even" }, h("div", { class: "stack wide-gap" }, inside.element, proof.element), h("div", { class: "stack wide-gap" }, materials, applied.element, where.element, fee.element, handover.element, past.element)),
  h("p", {}, h("a", { href: "/staff" }, "← ", said("case.back"))),
  decision.element,
);
titled("heading.staff_case.of", { id });
load();

async function load() {
  try {
    const before = view;
    view = await ask("GET", `${path}/review`);
    wrong = null;
    changes = before?.facts && view.facts ? changedParts(before.facts, view.facts) : [];
    draw();
    await Promise.all([viewer.show(view.case.materials.items), check()]);
  } catch (error) {
    wrong = error;
    told.draw();
    if (!view) for (const each of [head, inside, proof, applied, where, fee, reissue, past]) each.element.remove();
    if (!view) materials.remove();
  }
}

const draw = () => [told, head, inside, proof, applied, where, fee, reissue, handover, past, decision].forEach((each) => each.draw());

/** The proof of the copy that the case is about, by the verifier's own recipe, in this browser. */
async function check() {
  if (!view.invoice?.proof) return;
  checker = await checking;
  answer = await checker.handed(view.invoice.proof, (copy) => ask("POST", "/v1/statements", copy));
  proof.draw();
}

const waiting = () =>
  h("div", { class: "answer waiting" }, h("section", { class: "verdict", "data-role": "neutral" }, h("span", { class: "seal spinner" }), said("invoice.checking", "p", { class: "word" })));

function insideView() {
  if (!view.invoice) return [notice("bad", "broken", h("p", {}, t("case.content_lost")))];
  return [h("p", { class: "row" }, badge("status", view.invoice.summary.status)), ...content(view.invoice.sections), !view.invoice.proof && h("p", { class: "soft" }, t("case.no_proof"))];
}

function headView() {
  const { case: one } = view;
  return [
    h("p", { class: "row" }, stateBadge(one), word(`owes.${one.owed_by}`, one.owed_by)),
    facts([
      ["member.number", h("strong", { class: "digits" }, one.number)],
      ["queue.due", due(one)],
      ["case.opened", time(one.opened_at)],
      ["queue.kind", word(`reprint_kind.${one.kind}`, one.kind ?? "—")],
      ["case.approvals", view.approvals.length > 0 ? h("ul", {}, view.approvals.map(approvalView)) : "—"],
      ["review.shown", hash(view.shown, "review.shown")],
    ]),
  ];
}

/** @param {any} approval */
const approvalView = ({ by, by_name, at }) => h("li", {}, by_name ?? by, " ", h("span", { class: "soft" }, time(at, "minute")));

const changesView = () =>
  notice("caution", "differs", h("p", { class: "strong" }, t("case.changed")), h("ul", { class: "plain-list" }, changes.map((each) => h("li", {}, t(`case_part.${each}`)))), h("p", {}, t("case.changed.said")));

const doneView = () => notice("good", "check", h("p", { class: "strong" }, t(/** @type {string} */ (done))), h("p", {}, h("a", { href: "/staff" }, t("case.next"))));

function replacementView() {
  if (!view.replacement) return [nothing("replacement.none", "clock")];
  return replacementSides(view.invoice?.sections ?? {}, view.replacement.sections);
}

// --- what is decided

/** @returns {import("./case_rules.js").Situation} */
const situation = () => ({ state: view.case.state, hasSeenMaterials: viewer.isSeen(), cannotApprove: view.cannot_approve, actions: view.case.actions });

function decisionView() {
  const now = situation();
  const reasons = DECISIONS.map(([name]) => [name, whyNot(name, now)]).filter(([, why]) => why !== null);
  return [
    h(
      "div",
      { class: "row" },
      DECISIONS.map(([name, key, shape]) => {
        const why = whyNot(name, now);
        const made = button(`decision.${name}`, { icon: shape, primary: name === "approve", run: () => decideBy(name) });
        made.append(keyMark(key));
        made.disabled = why !== null;
        if (why) made.setAttribute("aria-describedby", `why-not-${name}`);
        return made;
      }),
    ),
    h("ul", { class: "why-not" }, reasons.map(([name, why]) => h("li", { id: `why-not-${name}` }, t("why_not.line", { what: t(`decision.${name}`), why: sentence(/** @type {string} */ (why)) })))),
  ];
}

/** The service may have a reason that is not foreseen here. @param {string} why */
const sentence = (why) => word(why, t("why_not.service"));

/** @param {"approve" | "return" | "reject"} name */
async function decideBy(name) {
  if (!view || !isOpen(view.case.state)) return;
  const why = whyNot(name, situation());
  if (why !== null) return announce(sentence(why));
  const outcome = name === "approve" ? await approve(view) : await refuse(view, name);
  if (outcome === "left") return;
  done = outcome === "done" ? `decided.${name}` : null;
  await load();
  if (outcome === "done") {
    changes = [];
    told.draw();
    announce(t(/** @type {string} */ (done)));
  }
  told.element.scrollIntoView({ block: "nearest" });
}
