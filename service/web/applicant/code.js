/** The one-time code, as it is asked for when the contact is confirmed and when somebody comes back. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { Refused } from "./ask.js";
import { codeOf } from "./contact.js";
import { errorsOf, field, keepingForm } from "./forms.js";
import { forgetDraft } from "./kept.js";
import { busy, button, said, sentenceOf } from "./parts.js";

const AGAIN_S = 30;

/**
 * @param {object} of
 * @param {string} of.name under which what is typed is kept
 * @param {() => string} of.sent where to, in the page's language
 * @param {() => Promise<unknown>} of.send another code
 * @param {(code: string) => Promise<() => void>} of.enter it; what is done once it was right
 * @param {HTMLElement} of.instead the other way
 * @returns {HTMLElement}
 */
export function codeStep({ name, sent, send, enter, instead }) {
  const act = button("code.submit", { icon: "tick", primary: true, type: "submit" });
  const told = h("p", { class: "hint", role: "status" });
  const again = button("code.again", {
    icon: "again",
    run: () =>
      void busy(again, async () => {
        try {
          await send();
          told.textContent = t("code.sent_again");
          rest();
        } catch (error) {
          told.textContent = sentenceOf(error);
        }
      }),
  });
  const where = h("p", {});
  const write = () => (where.textContent = sent());
  const form = keepingForm(
    name,
    [
      said("code.heading", "h2", { tabindex: "-1" }),
      where,
      field("code", "code.label", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 12, hint: "code.hint", class: "code" }),
      h("div", { class: "buttons" }, act, again),
      told,
      h("p", {}, instead),
    ],
    () => void busy(act, check),
  );

  /** Not at once again: the one before may be on its way. */
  function rest() {
    again.disabled = true;
    setTimeout(() => (again.disabled = false), AGAIN_S * 1000);
  }

  async function check() {
    const code = codeOf(form.values().code ?? "");
    form.show(code === null ? { code: { key: "code.wrong" } } : {});
    if (code === null) return;
    try {
      const go = await enter(code);
      forgetDraft(name);
      go();
    } catch (error) {
      form.show(error instanceof Refused && error.errors.length === 0 ? { code: error.detail } : errorsOf(error, ["code"]));
    }
  }

  onLanguage(write);
  write();
  rest();
  return form.element;
}
