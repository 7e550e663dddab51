/**
 * Forms: label above, example below, errors beside the field and summed up on top with links. What is typed is kept in this tab, so
 * that an error, a reload or the other language loses nothing of it.
 */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { Refused } from "./ask.js";
import { draftOf, keepDraft } from "./kept.js";
import { said, sentenceOf } from "./parts.js";

/**
 * @typedef {object} FieldLook
 * @property {string} [type]
 * @property {string | null} [hint] key
 * @property {string} [value]
 * @property {string} [autocomplete]
 * @property {string} [inputmode]
 * @property {number} [maxlength]
 * @property {number} [rows]
 * @property {string} [class]
 */

/** @param {string} name @param {string} label key @param {FieldLook} [look] */
export function field(name, label, look = {}) {
  const { type = "text", hint = null, value = "", autocomplete = "off", inputmode, maxlength = 200, rows } = look;
  const id = `field-${name}`;
  const common = { id, name, maxlength, "aria-describedby": described(id, hint), spellcheck: "false", autocomplete };
  const control = rows
    ? h("textarea", { ...common, rows }, value)
    : h("input", { ...common, type, value, inputmode, autocapitalize: "none" });
  return h(
    "div",
    { class: ["field", look.class].filter(Boolean).join(" ") },
    said(label, "label", { for: id }),
    errorPlace(id),
    control,
    hint && said(hint, "p", { id: `${id}-hint`, class: "hint" }),
  );
}

/**
 * One of a few, each with what it means.
 * @param {string} name @param {string} legend key @param {[value: string, key: string, hint?: string][]} choices @param {string} chosen
 */
export function choices(name, legend, choices, chosen) {
  const id = `field-${name}`;
  const one = (/** @type {[string, string, string?]} */ [value, key, hint], /** @type {number} */ i) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name, value, id: i === 0 ? id : null, checked: value === chosen }),
      h("span", {}, said(key, "span", { class: "choice-name" }), hint && said(hint, "span", { class: "hint" })),
    );
  return h(
    "fieldset",
    { class: "field", "aria-describedby": `${id}-error` },
    said(legend, "legend"),
    errorPlace(id),
    h("div", { class: "stacked choices" }, choices.map(one)),
  );
}

/** @param {string} id @param {string | null} hint */
const described = (id, hint) => [`${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");

/** @param {string} id */
const errorPlace = (id) => h("p", { id: `${id}-error`, class: "error", hidden: true });

/** What a form holds. @param {HTMLFormElement} form @returns {Record<string, string>} */
export const valuesOf = (form) =>
  Object.fromEntries([...new FormData(form)].flatMap(([name, value]) => (typeof value === "string" ? [[name, value.trim()]] : [])));

/**
 * @typedef {{key: string, params?: Record<string, string | number>} | string} Wrong a text of ours, or a sentence of the service
 *
 * @typedef {object} Form
 * @property {HTMLFormElement} element
 * @property {(errors: Record<string, Wrong>) => void} show beside each field by its name, "" for what belongs to none; none: all is well
 * @property {() => Record<string, string>} values
 */

/**
 * A form that keeps what is typed, and shows what is wrong.
 * @param {string} name under which it is kept @param {import("./parts.js").Child[]} content @param {() => void} submit
 * @param {{isCard?: boolean}} [look] false: it is part of something that has a frame
 * @returns {Form}
 */
export function keepingForm(name, content, submit, { isCard = true } = {}) {
  const summary = h("div", { class: "errors", role: "alert", tabindex: "-1", hidden: true });
  const element = h("form", { class: isCard ? "card" : null, novalidate: true }, summary, content);
  /** @type {Record<string, Wrong>} */
  let shown = {};
  element.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  });
  refill(element, draftOf(name));
  element.addEventListener("input", () => keepDraft(name, valuesOf(element)));
  const draw = () => showErrors(element, summary, shown);
  onLanguage(draw);
  return {
    element,
    values: () => valuesOf(element),
    show(errors) {
      shown = errors;
      draw();
      if (Object.keys(errors).length > 0) summary.focus();
    },
  };
}

/** @param {HTMLFormElement} form @param {Record<string, string>} draft */
export function refill(form, draft) {
  for (const [name, value] of Object.entries(draft)) {
    const control = /** @type {any} */ (form.elements.namedItem(name));
    if (control && !("length" in control && control.length === 0)) control.value = value;
  }
}

/** @param {Wrong} wrong */
const wordsOf = (wrong) => (typeof wrong === "string" ? wrong : t(wrong.key, wrong.params));

/** @param {HTMLFormElement} form @param {HTMLElement} summary @param {Record<string, Wrong>} errors */
function showErrors(form, summary, errors) {
  for (const element of form.querySelectorAll(".field")) {
    const control = /** @type {any} */ (element.querySelector("input, select, textarea"));
    const wrong = errors[control.name];
    const place = /** @type {HTMLElement} */ (element.querySelector(".error"));
    element.classList.toggle("wrong", wrong !== undefined);
    place.hidden = wrong === undefined;
    place.replaceChildren(...(wrong === undefined ? [] : [icon("warning"), h("span", {}, wordsOf(wrong))]));
    if (wrong === undefined) control.removeAttribute("aria-invalid");
    else {
      control.setAttribute("aria-invalid", "true");
      const folded = control.closest("details");
      if (folded) folded.open = true;
    }
  }
  const names = Object.keys(errors);
  summary.hidden = names.length === 0;
  summary.replaceChildren(
    h("p", { class: "error" }, t("errors.heading")),
    h(
      "ul",
      {},
      names.map((name) => h("li", {}, link(form, name, wordsOf(errors[name])))),
    ),
  );
}

/** @param {HTMLFormElement} form @param {string} name @param {string} words */
function link(form, name, words) {
  const control = name && form.querySelector(`[name="${name}"]`);
  if (!control) return words;
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    /** @type {HTMLElement} */ (control).focus();
  };
  return h("a", { href: `#field-${name}`, onclick: go }, words);
}

/**
 * What a refusal says of each field. @param {unknown} error @param {string[]} fields of the form
 * @param {Record<string, string>} [named] the form's field for a member of the body, where they are called differently
 * @returns {Record<string, Wrong>}
 */
export function errorsOf(error, fields, named = {}) {
  if (!(error instanceof Refused)) return { "": sentenceOf(error) };
  /** @type {Record<string, Wrong>} */
  const found = {};
  for (const { pointer, detail } of error.errors) {
    const member = pointer.slice(1).replaceAll("/", ".");
    const name = named[member] ?? named[member.split(".")[0]] ?? member.split(".")[0];
    found[fields.includes(name) ? name : ""] = detail;
  }
  return Object.keys(found).length > 0 ? found : { "": sentenceOf(error) };
}
