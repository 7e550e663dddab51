/** The parts of a case as a reviewer reads them: what was applied for, where the invoice was lost, the fee, who did what and when. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { addTexts, t } from "../../../verifier/web/page/texts.js";
import { evidenceOf } from "../scripts/diagnosis_evidence.js";
import en from "../scripts/diagnosis_texts/en.json" with { type: "json" };
import zh from "../scripts/diagnosis_texts/zh-CN.json" with { type: "json" };
import { feeSaid } from "./case_shown.js";
import { facts, nothing, time, word } from "./show.js";

addTexts({ "zh-CN": zh, en });

/** @typedef {import("../../../verifier/web/page/dom.js").Child} Child */

const HOP_ICONS = /** @type {Record<string, string>} */ ({ done: "tick", missing: "cross", differs: "differs", unknown: "question", not_applicable: "dash" });

/** @param {any} application @returns {Child[]} */
export function applicationView(application) {
  if (!application) return [nothing("case.application.none", "document")];
  return [
    facts([
      ["case.applicant", h("span", {}, application.name, application.company && h("span", { class: "soft block" }, application.company))],
      ["case.contact", h("span", { class: "digits" }, application.contact.address)],
      ["queue.kind", word(`reprint_kind.${application.kind}`, application.kind)],
      ["case.delivery", word(`delivery.${application.delivery}`, application.delivery)],
      ["case.reason", application.reason],
    ]),
  ];
}

/** Where it got lost, by the hops and their evidence. @param {any} diagnosis @returns {Child[]} */
export function diagnosisView({ sentences, evidence }) {
  const here = evidence.findIndex((/** @type {any} */ { state }) => state === "missing" || state === "differs");
  return [
    h("p", { class: "strong" }, sentences.title),
    h("p", {}, sentences.verdict),
    h("p", { class: "soft" }, sentences.responsible),
    h(
      "details",
      { class: "numbers" },
      h("summary", {}, h("span", {}, t("case.hops")), icon("chevron")),
      h("ol", { class: "hops" }, evidence.map((/** @type {any} */ hop, /** @type {number} */ n) => hopView(hop, n === here))),
    ),
  ];
}

/** @param {any} hop @param {boolean} isHere it got lost there */
const hopView = (hop, isHere) =>
  h(
    "li",
    { class: isHere ? "here" : null },
    h("span", { class: "hop" }, hop.hop_name),
    h("span", { class: "row" }, icon(HOP_ICONS[hop.state] ?? "question"), hop.state_name),
    hop.at && time(hop.at),
    h("div", { class: "hop-evidence" }, evidenceOf(hop)),
  );

/** @param {any} fee @param {any} diagnosis @returns {Child[]} */
export function feeView(fee, diagnosis) {
  const hop = diagnosis.evidence.find((/** @type {any} */ each) => each.hop === fee.rests_on);
  return [
    facts([
      ["queue.fee", feeSaid(fee)],
      ["case.fee.by", t(`fee_by.${fee.decided_by ?? "nobody"}`)],
      ["case.fee.rests_on", hop ? h("span", {}, hop.hop_name, h("span", { class: "soft block" }, hop.state_name)) : fee.rests_on],
      ...(fee.reason ? [/** @type {[string, Child]} */ (["case.fee.reason", fee.reason])] : []),
    ]),
    h("p", { class: "soft" }, diagnosis.sentences.fee),
  ];
}

/** The newest first. @param {any[]} history */
export const historyView = (history) =>
  h(
    "ol",
    { class: "lines" },
    [...history].reverse().map(({ at, event, target, by, by_name, reason }) =>
      h(
        "li",
        {},
        h("span", {}, word(`case_event.${event}`, event), h("span", { class: "soft block" }, by_name ?? t(`case_by.${by}`))),
        h("span", { class: "soft end-text" }, time(at, "minute"), h("span", { class: "block" }, t(`case_state.${target}`))),
        reason && h("p", { class: "value told" }, reason),
      ),
    ),
  );
