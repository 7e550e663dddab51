/** What the applicant's pages are put together from. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { announce, said } from "../scripts/parts.js";
import { Refused, Unanswered } from "./ask.js";

export { announce, drawn, isThere, notice, said } from "../scripts/parts.js";

/**
 * @typedef {import("../../../verifier/web/page/dom.js").Child} Child
 *
 * @typedef {object} Look of a button
 * @property {string} [icon]
 * @property {boolean} [primary]
 * @property {boolean} [quiet] a link among buttons
 * @property {string} [href]
 * @property {(event: Event) => void} [run]
 * @property {string} [type]
 */

/** @param {string} key @param {Look} look */
export function button(key, { icon: shape, primary, quiet, href, run, type = "button" } = {}) {
  const attributes = { class: quiet ? "quiet" : primary ? "button primary" : "button" };
  const shown = [shape && icon(shape), said(key)];
  return href ? h("a", { ...attributes, href }, shown) : h("button", { ...attributes, type, onclick: run }, shown);
}

/** While something runs its button says so, and does not run it twice. @param {HTMLButtonElement} pressed @param {() => Promise<void>} work */
export async function busy(pressed, work) {
  if (pressed.getAttribute("aria-busy") === "true") return;
  // Not `disabled`: that would take the focus away from under the finger.
  pressed.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    pressed.removeAttribute("aria-busy");
  }
}

/** What the service said when it refused, or that nobody answered; and the way to try again. @param {unknown} error @param {() => void} [again] */
export const trouble = (error, again) =>
  h(
    "div",
    { class: "notice", "data-role": "caution", role: "alert" },
    icon("warning"),
    h(
      "div",
      { class: "stack" },
      h("p", {}, sentenceOf(error)),
      again && h("p", {}, button("again.try", { icon: "again", run: again })),
    ),
  );

/** An error of our own is no trouble of the network: whoever looks for it finds it. @param {unknown} error */
export function sentenceOf(error) {
  if (error instanceof Refused) return error.detail;
  if (!(error instanceof Unanswered)) reportError(error);
  return t("ask.unreachable");
}

/** What stands where something will. @param {string} key of what is being done */
export const waiting = (key) =>
  h(
    "section",
    { class: "card stack", "aria-busy": "true" },
    h("p", { class: "row" }, h("span", { class: "small spinner", "data-role": "wait" }), said(key, "span", { role: "status" })),
    h("div", { class: "bones", "aria-hidden": "true" }, [0, 1, 2].map(() => h("p", { class: "bone" }))),
  );

/** A value that is copied whole. @param {string} value @param {string} key of its name */
export function copyable(value, key) {
  const label = said("copy.do");
  const pressed = h(
    "button",
    {
      type: "button",
      class: "button small",
      onclick: async () => {
        await navigator.clipboard.writeText(value);
        label.textContent = t("copy.done");
        announce(t("copy.done"));
        setTimeout(() => (label.textContent = t("copy.do")), 2000);
      },
    },
    icon("copy"),
    label,
    said(key, "span", { class: "visually-hidden" }),
  );
  return h("span", { class: "copyable" }, h("span", { class: "value" }, value), navigator.clipboard && pressed);
}

/** Name and value, a line each. @param {([key: string, value: Child | Child[]] | string | null | false)[]} facts those that are none are left out */
export const factList = (facts) =>
  h(
    "dl",
    { class: "facts" },
    facts.filter(Array.isArray).map(([key, value]) => h("div", {}, said(key, "dt"), h("dd", {}, value))),
  );
