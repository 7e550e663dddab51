/**
 * Asked for by itself where the answer is *not registered*, *does not match* or *not known yet*, and of a receipt; else when the visitor
 * wants it.
 */

import { byId, h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { reprintLink, startDiagnosis } from "./diagnosis_view.js";
import { data } from "./page.js";

/**
 * @typedef {import("./diagnosis.js").Item} Item
 * @typedef {import("./diagnosis.js").Outcome} Outcome
 * @typedef {import("./diagnosis.js").Shown} Shown
 */

/** Answers after which nobody should have to ask where the invoice is. */
const LOST = new Set(["mismatch", "not_registered", "not_yet_known", "content_lost", "absent", "not_current", "acknowledgement"]);
/** What would be refused again, or be said of another registry's invoice. */
const HOPELESS = new Set(["too_many_guesses", "invalid_request", "malformed"]);

/** The page has #diagnosis. */
export function placeOf() {
  const root = byId("diagnosis");
  document.head.append(h("link", { rel: "stylesheet", href: `${data.static}/diagnosis.css` }));
  /** @type {Item | null} */
  let item = null;
  let word = "";
  /** @type {{stop: () => void} | null} */
  let opened = null;

  function clear() {
    opened?.stop();
    [item, word, opened] = [null, "", null];
    root.replaceChildren();
  }

  /** @param {Shown} shown */
  function ask(shown) {
    opened?.stop();
    opened = startDiagnosis(root, shown);
  }

  return {
    clear,
    /**
     * What is shown already of the same thing stays, until the answer is another one.
     * @param {Item} next @param {Outcome} outcome
     */
    show(next, outcome) {
      const shown = shownOf(next, outcome);
      const verdict = outcome.result ?? outcome.answer.examination?.verdict ?? "";
      if (next !== item) clear();
      if (shown === null || HOPELESS.has(verdict)) return clear();
      if (next === item && word === outcome.answer.word.key) return;
      [item, word] = [next, outcome.answer.word.key];
      if (opened || LOST.has(verdict)) ask(shown);
      else root.replaceChildren(offer(shown, outcome, () => ask(shown)));
    },
  };
}

/**
 * Of what is not bad a reprint may be given, and whoever has lost the paper wants nothing else.
 * @param {Shown} shown @param {Outcome} outcome @param {() => void} take @returns {Element}
 */
function offer(shown, { answer }, take) {
  const text = (/** @type {string} */ tag, /** @type {string} */ key) => h(tag, { "data-t": key }, t(key));
  const isFile = shown.body instanceof Uint8Array;
  const number = isFile ? answer.examination?.proof?.number : shown.body.number;
  const link = () => h("a", { class: "button", href: reprintLink({ number }, shown) }, icon("document"), text("span", "dx.reprint"));
  return h(
    "section",
    { class: "card dx-offer" },
    text("p", isFile ? "dx.offer.file" : "dx.offer"),
    h(
      "div",
      { class: "dx-row" },
      h("button", { type: "button", class: "button", onclick: take }, icon("search"), text("span", "dx.ask")),
      number && answer.role !== "bad" && link(),
    ),
  );
}

/** @param {Item} item @param {Outcome} outcome @returns {Shown | null} */
function shownOf({ shown, code }, { answer, material }) {
  if (shown) return shown;
  if (code) return code.kind === "copy" && code.issuer === "own" ? { body: { ...code.copy } } : null;
  const { examination } = answer;
  return material && examination?.proof && examination.checks.trust.result !== "fail" ? { body: material } : null;
}
