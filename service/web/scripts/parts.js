/** What the applicant's pages and the desks are put together from, the same in both. */

import { byId, h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";

/** @typedef {import("../../../verifier/web/page/dom.js").Child} Child */

/** A text that follows the language. @param {string} key @param {string} [tag] @param {Record<string, unknown>} [attributes] */
export const said = (key, tag = "span", attributes = {}) => h(tag, { "data-t": key, ...attributes }, t(key));

/** @param {string} role @param {string} shape @param {...(Child | Child[])} children */
export const notice = (role, shape, ...children) =>
  h("div", { class: "notice", "data-role": role }, icon(shape), h("div", {}, ...children));

/**
 * A part that is drawn anew when what it shows has changed, and in the other language.
 * @param {HTMLElement} root @param {() => (Child | Child[])} view
 */
export function drawn(root, view) {
  const draw = () => root.replaceChildren(...[view()].flat(Infinity).filter(isThere));
  onLanguage(draw);
  draw();
  return draw;
}

/** @param {any} child @returns {child is Node | string} */
export const isThere = (child) => child !== null && child !== undefined && child !== false;

/** Read out to who cannot see it. @param {string} text */
export const announce = (text) => {
  byId("live").textContent = text;
};

/** One may open over another: each names its own heading. */
let opened = 0;

/**
 * A question in front of everything else: the browser's own dialog, with its focus and its Escape key.
 * @param {string} heading key @param {(close: () => void) => Child[]} content
 * @param {{class?: string, isLeftBeside?: boolean}} [look] isLeftBeside: a tap beside it leaves it, as people expect where nothing is typed
 * @returns {Promise<void>} when it is closed
 */
export function modal(heading, content, { class: name, isLeftBeside = false } = {}) {
  return new Promise((resolve) => {
    const id = `dialog-${(opened += 1)}`;
    const element = h("dialog", { "aria-labelledby": id, class: name });
    element.append(h("h2", { id }, said(heading)), ...content(() => element.close()).filter(isThere));
    element.addEventListener("close", () => {
      element.remove();
      resolve();
    });
    if (isLeftBeside) element.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === element && element.close());
    document.body.append(element);
    element.showModal();
  });
}
