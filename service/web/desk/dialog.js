/** Questions in front of everything else, and the fields of forms. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { modal } from "../scripts/parts.js";
import { button, busy } from "./start.js";

/**
 * A form in front of everything else; it is left by its button or Escape alone, since something may be typed.
 * @param {string} heading key @param {import("../../../verifier/web/page/dom.js").Child[]} content fields, of a form
 * @param {{confirm: string, icon?: string}} look key of what confirms
 * @param {(form: HTMLFormElement) => Promise<boolean>} confirmed false: it stays open
 * @returns {Promise<boolean>} false: it was left
 */
export async function dialog(heading, content, { confirm, icon }, confirmed) {
  let outcome = false;
  await modal(heading, (close) => {
    const act = button(confirm, { primary: true, type: "submit", icon });
    const submit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      await busy(act, async () => {
        outcome = await confirmed(form);
        if (outcome) close();
      });
    };
    const form = h("form", { novalidate: true, onsubmit: submit }, content, h("div", { class: "row" }, act, button("dialog.cancel", { run: close })));
    return [form];
  });
  return outcome;
}

/**
 * A field with its label above, its example below and what is wrong beside it.
 * @param {string} name @param {string} label key
 * @param {{type?: string, hint?: string, value?: string, autocomplete?: string, inputmode?: string, maxlength?: number, required?: boolean, rows?: number, options?: [value: string, key: string][]}} [options]
 */
export function field(name, label, { type = "text", hint, value = "", autocomplete = "off", inputmode, maxlength = 200, rows, options } = {}) {
  const id = `field-${name}`;
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const common = { id, name, "aria-describedby": described };
  let control;
  if (options) {
    control = h("select", common, options.map(([each, key]) => h("option", { value: each, selected: each === value, "data-t": key }, t(key))));
  } else if (rows) {
    control = h("textarea", { ...common, rows, maxlength, spellcheck: "false" }, value);
  } else {
    control = h("input", { ...common, type, value, autocomplete, inputmode, maxlength, spellcheck: "false", autocapitalize: "none" });
  }
  return h(
    "div",
    { class: "field" },
    h("label", { for: id, "data-t": label }, t(label)),
    h("p", { id: `${id}-error`, class: "error", hidden: true }),
    control,
    hint && h("p", { id: `${id}-hint`, class: "hint", "data-t": hint }, t(hint)),
  );
}

/** What a form holds. @param {HTMLFormElement} form @returns {Record<string, string>} */
export const valuesOf = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));

/**
 * Errors beside their fields, and summed up on top where the form has a place for that; the first field that is wrong has the focus.
 * @param {HTMLFormElement} form @param {Record<string, string>} errors sentence by field's name; "" for what belongs to no field
 */
export function showErrors(form, errors) {
  for (const element of form.querySelectorAll(".field")) {
    const control = /** @type {HTMLInputElement} */ (element.querySelector("input, select, textarea"));
    const place = /** @type {HTMLElement} */ (element.querySelector(".error"));
    const sentence = errors[control.name];
    element.classList.toggle("wrong", sentence !== undefined);
    place.hidden = sentence === undefined;
    place.textContent = sentence ?? "";
    if (sentence === undefined) control.removeAttribute("aria-invalid");
    else control.setAttribute("aria-invalid", "true");
  }
  const summary = /** @type {HTMLElement | null} */ (form.querySelector(".errors"));
  const names = Object.keys(errors);
  if (summary) {
    summary.hidden = names.length === 0;
    summary.replaceChildren(
      ...(names.some((name) => name !== "") ? [h("p", { class: "error" }, t("errors.heading"))] : []),
      ...names.map((name) => {
        const named = name && form.elements.namedItem(name);
        const control = named instanceof RadioNodeList ? named[0] : named; // boxes to tick have one name
        if (!control) return h("p", {}, errors[name]);
        const go = (/** @type {Event} */ event) => {
          event.preventDefault();
          /** @type {HTMLElement} */ (control).focus();
        };
        return h("p", {}, h("a", { href: `#field-${name}`, onclick: go }, errors[name]));
      }),
    );
    if (names.length > 0) summary.focus();
  } else if (names.length > 0) {
    /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus();
  }
}

/** @returns {HTMLElement} where errors are summed up */
export const errorSummary = () => h("div", { class: "errors", role: "alert", tabindex: "-1", hidden: true });

/** What a refusal says of each field. @param {unknown} error @returns {Record<string, string>} */
export function errorsOf(error) {
  if (!(error instanceof Error && "errors" in error)) return { "": t("ask.unreachable") };
  const refused = /** @type {import("./ask.js").Refused} */ (error);
  const found = Object.fromEntries(refused.errors.map(({ pointer, detail }) => [pointer.split("/")[1] ?? "", detail]));
  return Object.keys(found).length > 0 ? found : { "": refused.detail };
}
