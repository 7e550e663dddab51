/** On top of every step: which of the five it is, who owes what, and until when. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { said } from "./parts.js";
import { marksOf, owedOf, STEPS } from "./steps.js";
import { leftOf, minute } from "./when.js";

/** @param {import("./case.js").Case | null} found @returns {HTMLElement} */
export function stepper(found) {
  const marks = marksOf(found);
  return h(
    "ol",
    { class: "stepper", "aria-label": t("steps.label") },
    STEPS.map((name, i) =>
      h(
        "li",
        { "data-mark": marks[i], "aria-current": marks[i] === "now" ? "step" : null },
        h("span", { class: "step-dot", "aria-hidden": "true" }, marks[i] === "done" ? icon("tick") : marks[i] === "ended" ? icon("cross") : String(i + 1)),
        h("span", { class: "step-word" }, t(`step_name.${name}`), h("span", { class: "visually-hidden" }, ` ${t(`mark.${marks[i]}`)}`)),
      ),
    ),
  );
}

/** @type {Record<string, [role: string, icon: string]>} */
const LOOKS = {
  applicant: ["caution", "person"],
  reviewer: ["wait", "clock"],
  system: ["wait", "clock"],
  issuer: ["wait", "letter"],
  nobody: ["neutral", "dash"],
};

/** @param {import("./case.js").Case} found @returns {HTMLElement | null} */
export function owedLine(found) {
  const { who, key, until } = owedOf(found);
  if (who === "nobody") return null;
  const [role, shape] = LOOKS[who] ?? LOOKS.system;
  return h(
    "div",
    { class: "notice owed", "data-role": role, "data-who": who },
    icon(shape),
    h(
      "div",
      {},
      h("p", {}, h("span", { class: "owed-who" }, t(`who.${who}`)), " ", h("span", {}, t(key))),
      until &&
        h("p", { class: "owed-until" }, t(who === "applicant" ? "until.applicant" : "until.reviewer", { time: minute(until), left: leftOf(until) })),
    ),
  );
}

/** The case's own number: by it one comes back. @param {import("./case.js").Case} found */
export const caseLine = ({ id, number }) =>
  h(
    "p",
    { class: "case-line" },
    h("span", {}, said("case.id"), " ", h("strong", {}, id)),
    h("span", { class: "soft" }, said("case.invoice"), " ", h("span", {}, number)),
  );
