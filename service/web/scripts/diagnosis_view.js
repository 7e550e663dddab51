/**
 * A diagnosis on the page: its verdict, who owes the next step and what that is, the fee, and each hop with its evidence. The words of
 * verdict and hops are the service's, in the visitor's language; loaded when a diagnosis is asked for.
 */

import { button } from "../../../verifier/web/page/answer_view.js";
import { h, icon } from "../../../verifier/web/page/dom.js";
import { download } from "../../../verifier/web/page/downloads.js";
import { questionToText } from "../../../verifier/web/question.js";
import { addTexts, has, moment, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { HOP_ICONS, LOOKS } from "./diagnosis_looks.js";
import { evidenceOf } from "./diagnosis_evidence.js";
import en from "./diagnosis_texts/en.json" with { type: "json" };
import zh from "./diagnosis_texts/zh-CN.json" with { type: "json" };
import { post, Refused } from "./service.js";

addTexts({ "zh-CN": zh, en });

/** @typedef {import("./diagnosis.js").Shown} Shown */

const PROOF = "application/vnd.zhengpiao.proof+json";
const TIMEOUT_MS = 20_000;

/**
 * @param {Element} root @param {Shown} shown
 * @returns {{stop: () => void}} what keeps it from saying any more
 */
export function startDiagnosis(root, shown) {
  let isOver = false;
  let turn = 0;
  /** @type {any} */
  let restored = null;

  async function ask() {
    const mine = ++turn;
    root.replaceChildren(waiting());
    root.setAttribute("aria-busy", "true");
    let view;
    try {
      const found = await asked("/v1/diagnoses", shown.body);
      view = viewOf(found, { shown, restored, again: () => void ask(), restore: () => void restore() });
    } catch (error) {
      view = troubleOf(error, () => void ask());
    }
    if (!isOver && mine === turn) put(view);
  }

  /** The copy in the visitor's hands proves itself, and the record is there again. */
  async function restore() {
    const mine = ++turn;
    root.setAttribute("aria-busy", "true");
    root.replaceChildren(waiting());
    try {
      restored = await asked("/v1/recoveries", /** @type {any} */ (shown.copy ?? shown.body));
    } catch (error) {
      if (!isOver && mine === turn) put(troubleOf(error, () => void ask()));
      return;
    }
    if (!isOver && mine === turn) await ask();
  }

  /** @param {Element} view */
  function put(view) {
    root.replaceChildren(view);
    root.setAttribute("aria-busy", "false");
  }

  onLanguage(() => !isOver && void ask());
  void ask();
  return {
    stop() {
      isOver = true;
    },
  };
}

/** @param {string} path @param {Record<string, unknown> | Uint8Array} body */
const asked = (path, body) =>
  body instanceof Uint8Array
    ? post(path, /** @type {any} */ (body), PROOF, TIMEOUT_MS)
    : post(path, JSON.stringify(body), "application/json", TIMEOUT_MS);

const waiting = () =>
  h("section", { class: "card dx" }, h("h2", {}, t("dx.heading")), h("p", { class: "pulse-text", role: "status" }, t("dx.waiting")));

/** @param {unknown} error @param {() => void} again */
function troubleOf(error, again) {
  const said = error instanceof Refused ? error.detail : t("dx.unreachable");
  return h(
    "section",
    { class: "card dx" },
    h("h2", {}, t("dx.heading")),
    h("p", { class: "notice", "data-role": "neutral", role: "status" }, icon("question"), h("span", {}, said)),
    h("div", { class: "dx-row" }, button({ key: "dx.again", icon: "again", run: again })),
  );
}

/**
 * @param {any} found the answer of api.md
 * @param {{shown: Shown, restored: any, again: () => void, restore: () => void}} ways
 */
function viewOf(found, ways) {
  const { verdict, sentences, evidence, fee } = found;
  const [role, shape] = LOOKS[verdict] ?? ["neutral", "question"];
  return h(
    "section",
    { class: "card dx", "data-verdict": verdict, "aria-labelledby": "dx-heading" },
    h("h2", { id: "dx-heading" }, t("dx.heading")),
    ways.restored && restoredView(ways.restored),
    h(
      "div",
      { class: "dx-verdict", "data-role": role, role: "status" },
      icon(shape),
      h("div", {}, h("p", { class: "dx-word" }, sentences.title), h("p", {}, sentences.verdict)),
    ),
    h(
      "dl",
      { class: "dx-told" },
      told("dx.next", [sentences.next_action, ...nextView(found)]),
      told("dx.responsible", sentences.responsible),
      fee.kind === "none" ? null : told("dx.fee", sentences.fee),
    ),
    actions(found, ways),
    h("h3", {}, t("dx.hops")),
    h("ol", { class: "dx-hops" }, hopsOf(evidence)),
    h("p", { class: "hint" }, t("dx.source")),
  );
}

/** @param {string} key @param {any} said */
const told = (key, said) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, said));

/** @param {any} found @returns {(Element | string)[]} */
function nextView({ next_action }) {
  const { until, fields } = next_action;
  return [
    until && h("p", { class: "hint" }, t("dx.until", { time: moment(Date.parse(until) / 1000) })),
    fields && h("ul", { class: "dx-fields" }, fields.map((/** @type {any} */ { sentence }) => h("li", {}, icon("differs"), h("span", {}, sentence)))),
  ].filter(Boolean);
}

/** @param {any} found @param {{shown: Shown, again: () => void, restore: () => void}} ways */
function actions(found, { shown, again, restore }) {
  const { code } = found.next_action;
  const canRestore = code === "restore_from_copy" && (shown.body instanceof Uint8Array || shown.copy);
  const canApply = code === "apply_for_reprint" || (found.fee.kind === "charged" && found.state === "final");
  const waits = code === "wait" || code === "try_again";
  const save = () => download(`${JSON.stringify(found, null, 2)}\n`, `${(found.number ?? "zhengpiao").replaceAll(":", "_")}.diagnosis.json`, "application/json");
  return h(
    "div",
    { class: "dx-row" },
    canRestore && button({ key: "dx.restore", icon: "again", run: restore }, true),
    code === "find_copy" && button({ key: "dx.find_copy", icon: "document", href: "/verify" }, true),
    canApply && button({ key: "dx.reprint", icon: "document", href: reprintLink(found, shown) }, code === "apply_for_reprint"),
    waits && button({ key: "dx.again", icon: "again", run: again }),
    button({ key: "dx.save", icon: "save", run: save }),
  );
}

/** With what is known of the invoice behind the #, as applicant/arrival.js takes it. @param {any} found @param {Shown} shown */
export function reprintLink({ number, next_action }, { facts, body }) {
  const commitment = body instanceof Uint8Array ? null : body.commitment;
  const known = commitment && number ? questionToText(number, String(commitment)) : new URLSearchParams(facts ?? (number ? { number } : {})).toString();
  return `${next_action?.link ?? "/reprint"}${known && "#"}${known}`;
}

/** @param {any} made */
const restoredView = ({ state }) =>
  h("p", { class: "notice", "data-role": "neutral", role: "status" }, icon("tick"), h("span", {}, t(has(`dx.restored.${state}`) ? `dx.restored.${state}` : "dx.restored.restored")));

/** The first that is not there, or differs, is where it got lost; those behind it cannot be there yet. @param {any[]} evidence */
function hopsOf(evidence) {
  const here = evidence.findIndex(({ state }) => state === "missing" || state === "differs");
  return evidence.map((hop, i) => {
    const isLater = here >= 0 && i > here && hop.state === "missing";
    return h(
      "li",
      { "data-state": isLater ? "later" : hop.state, class: i === here ? "here" : null },
      h("span", { class: "dx-mark" }, icon(isLater ? "dash" : HOP_ICONS[hop.state])),
      h(
        "div",
        {},
        h("p", { class: "dx-hop" }, h("span", { class: "dx-name" }, hop.hop_name), h("span", { class: "dx-state" }, hop.state_name)),
        hop.at && h("p", { class: "hint" }, t(hop.hop === "promise" ? "dx.deadline" : "dx.at", { time: moment(Date.parse(hop.at) / 1000) })),
        evidenceOf(hop),
      ),
    );
  });
}
