/** The place of a page where the answer stands: waiting, answered, answered again, in the other language. */

import { inShort, viewOf, waitingView } from "./answer_view.js";
import { byId, hasFocus } from "./dom.js";
import { printedCode } from "./printed_code.js";
import { onLanguage, t } from "./texts.js";

/**
 * @typedef {import("./answer.js").Answer} Answer
 * @typedef {import("./answer_view.js").Action} Action
 *
 * @typedef {object} Shown
 * @property {Answer} answer
 * @property {(answer: Answer) => Action[]} actions
 * @property {string | null} code what the QR code on paper says
 */

/**
 * @param {Element} root @param {string} title key of what the page is called while it has no answer
 */
export function answerPlace(root, title) {
  const live = byId("live");
  /** @type {Shown | null} */
  let shown = null;
  let spoken = "";

  /** @param {Shown} next */
  function show(next) {
    const open = [...root.querySelectorAll("details")].map(({ open }) => open);
    const focused = shown && hasFocus(root) ? focusables(root).indexOf(/** @type {any} */ (document.activeElement)) : -1;
    const isSame = shown !== null && shown.answer.word.key === next.answer.word.key;
    const { answer, actions, code } = next;
    root.replaceChildren(viewOf(answer, actions(answer), code === null ? null : printedCode(code)));
    root.setAttribute("aria-busy", "false");
    // What was opened stays open, and what had the focus keeps it, when the same answer comes again.
    if (isSame) {
      root.querySelectorAll("details").forEach((details, i) => {
        details.open = open[i] ?? false;
      });
      if (focused >= 0) focusables(root)[focused]?.focus({ preventScroll: true });
    }
    shown = next;
    speak(inShort(answer));
    document.title = t("title.answer", { word: t(answer.word.key) });
  }

  /** @param {string} text */
  function speak(text) {
    if (text !== spoken) live.textContent = text;
    spoken = text;
  }

  onLanguage(() => {
    if (shown) show(shown);
    else document.title = t(title);
  });

  return {
    show,
    /** @param {string} key of the step that runs */
    wait(key) {
      shown = null;
      root.replaceChildren(waitingView(key));
      root.setAttribute("aria-busy", "true");
      speak(t(key));
      document.title = t(title);
    },
    clear() {
      shown = null;
      spoken = live.textContent = "";
      root.replaceChildren();
      root.setAttribute("aria-busy", "false");
      document.title = t(title);
    },
    /** To where the answer begins: for a screen reader, and for the eye. */
    focus() {
      const word = /** @type {HTMLElement | null} */ (root.querySelector(".word"));
      word?.focus({ preventScroll: true });
      root.scrollIntoView({ block: "start" });
    },
  };
}

/** @param {Element} root @returns {HTMLElement[]} */
const focusables = (root) =>
  [...root.querySelectorAll("a[href], button, summary, [tabindex]")].map((one) => /** @type {HTMLElement} */ (one));
