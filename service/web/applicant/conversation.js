/** What was written and answered, as a conversation; the visitor's own token is what opens it. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { said } from "./parts.js";
import { minute } from "./when.js";

/**
 * @typedef {{at: string, by: "visitor" | "staff", text: string | null, event: string}} Message
 * @typedef {{id: string, state: "open" | "answered" | "closed", messages: Message[]}} Feedback
 */

/** @param {Feedback} found @returns {HTMLElement} */
export const conversation = ({ messages }) =>
  h(
    "ol",
    { class: "conversation", "aria-label": t("fb.messages") },
    messages.map(({ at, by, text }) =>
      h(
        "li",
        { "data-by": by },
        h("p", { class: "hint" }, said(`fb.by.${by}`), " · ", minute(at)),
        text === null ? said("fb.closed", "p") : h("p", { class: "words" }, text),
      ),
    ),
  );

/** Its number and token from what a link has behind the `#`. @param {string} text `zpf_F261125-…_…` @returns {{id: string, token: string} | null} */
export function tokenOf(text) {
  const found = /^zpf_(F\d{6}-[0-9A-Z]{8})_[a-z2-7]+$/.exec(text);
  return found && { id: found[1], token: text };
}
