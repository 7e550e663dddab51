/**
 * What a reviewer decides: approve, send back, reject. Each is asked for once more before it is done, and bound to exactly what the
 * page showed.
 */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask, Refused } from "./ask.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { facts, hash, word } from "./show.js";
import { said } from "./start.js";

/** Ready-made reasons by the decision that they are for; a reviewer goes on from there. */
const PHRASES = {
  return: ["blurred", "incomplete", "name", "stamp", "expired", "form"],
  reject: ["not_entitled", "not_the_same", "forged", "found"],
};

/** @typedef {"done" | "left" | "changed"} Outcome `changed`: what the page showed is not what there is any more */

/** @param {any} view of the review @returns {Promise<Outcome>} */
export async function approve(view) {
  const { case: one, shown } = view;
  const isFirst = one.state === "review_1";
  const asksFee = isFirst && one.fee.kind === "undetermined";
  const fee = asksFee && field("fee", "review.fee", { options: [["", "review.fee.choose"], ["free", "fee_kind.free"], ["charged", "fee_kind.charged"]], hint: "review.fee.hint" });
  return decide(
    view,
    "approve",
    isFirst ? "review.approve.first" : "review.approve.second",
    [
      h("p", {}, t("review.approve.said")),
      facts([
        ["queue.case", h("strong", { class: "digits" }, one.id)],
        ["member.number", h("span", { class: "digits" }, one.number)],
        ["queue.kind", word(`reprint_kind.${one.kind}`, one.kind ?? "—")],
        ["review.shown", hash(shown)],
      ]),
      fee && h("p", { class: "soft" }, t("review.fee.said")),
      fee,
      asksFee && field("reason", "review.fee.reason", { rows: 2, maxlength: 500, hint: "review.fee.reason.hint" }),
    ],
    isFirst ? "review.approve.first" : "review.approve.second",
    (values) => ({
      ...(asksFee && values.fee === "" && { fee: t("review.fee.missing") }),
      ...(asksFee && values.reason === "" && { reason: t("review.fee.reason.missing") }),
    }),
  );
}

/** @param {any} view @param {"return" | "reject"} decision @returns {Promise<Outcome>} */
export function refuse(view, decision) {
  const reason = field("reason", "review.reason", { rows: 4, maxlength: 500, hint: `review.${decision}.hint` });
  const text = /** @type {HTMLTextAreaElement} */ (reason.querySelector("textarea"));
  const add = (/** @type {string} */ phrase) => {
    text.value = [text.value.trim(), t(`phrase.${phrase}`)].filter((part) => part !== "").join("\n");
    text.focus();
  };
  return decide(
    view,
    decision,
    `review.${decision}`,
    [
      h("p", {}, t(`review.${decision}.said`)),
      h("div", { class: "chips", role: "group", "aria-label": t("review.phrases") }, PHRASES[decision].map((each) => h("button", { type: "button", class: "chip small", onclick: () => add(each) }, t(`phrase_name.${each}`)))),
      reason,
    ],
    `review.${decision}.confirm`,
    (values) => (values.reason === "" ? { reason: t("review.reason.missing") } : {}),
  );
}

/**
 * @param {any} view @param {string} decision @param {string} heading key @param {import("../../../verifier/web/page/dom.js").Child[]} content
 * @param {string} confirm key @param {(values: Record<string, string>) => Record<string, string>} check
 * @returns {Promise<Outcome>}
 */
async function decide({ case: one, shown }, decision, heading, content, confirm, check) {
  let hasChanged = false;
  const isDone = await dialog(heading, [errorSummary(), ...content, said("review.activity", "p", { class: "hint" })], { confirm }, async (form) => {
    const values = valuesOf(form);
    const wrong = check(values);
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return false;
    try {
      await ask("POST", `/v1/reprints/${encodeURIComponent(one.id)}/reviews`, { decision, shown, ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "")) });
      return true;
    } catch (error) {
      hasChanged = error instanceof Refused && ["shown_differs", "case_moved", "case_state"].includes(error.code);
      if (!hasChanged) showErrors(form, errorsOf(error));
      return hasChanged;
    }
  });
  return hasChanged ? "changed" : isDone ? "done" : "left";
}
