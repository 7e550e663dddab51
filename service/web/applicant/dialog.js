/** A question in front of everything else: the browser's own dialog, with its focus and its Escape key. */

import { h } from "../../../verifier/web/page/dom.js";
import { isThere, said } from "./parts.js";

let opened = 0;

/**
 * @param {string} heading key @param {(close: () => void) => import("./parts.js").Child[]} content
 * @returns {Promise<void>} when it is closed
 */
export function dialog(heading, content) {
  return new Promise((resolve) => {
    const id = `dialog-${(opened += 1)}`;
    const element = h("dialog", { "aria-labelledby": id, class: "stack" });
    element.append(said(heading, "h2", { id }), ...content(() => element.close()).filter(isThere));
    element.addEventListener("close", () => {
      element.remove();
      resolve();
    });
    // Beside it is outside: a tap there leaves, as people expect.
    element.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === element && element.close());
    document.body.append(element);
    element.showModal();
  });
}
