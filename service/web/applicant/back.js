/** Coming back: the case's number, and a one-time code to the contact that was given with it. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { wait } from "./application.js";
import { parseCase } from "./arrival.js";
import { ask, Refused } from "./ask.js";
import { codeOf } from "./contact.js";
import { errorsOf, field, keepingForm } from "./forms.js";
import { draftOf, forgetDraft, keepDraft } from "./kept.js";
import { busy, button, notice, said, sentenceOf } from "./parts.js";

/**
 * @param {{id?: string, isExpired?: boolean}} arrived
 * @param {{opened: (kept: import("./kept.js").Kept, found: import("./case.js").Case) => void, left: () => void}} on
 * @returns {HTMLElement}
 */
export function backStep({ id = "", isExpired = false }, on) {
  const root = h("div", { class: "stack wide-gap" });
  if (id) keepDraft("back", { ...draftOf("back"), case: id });

  function askNumber() {
    const act = button("back.send", { icon: "mail", primary: true, type: "submit" });
    const form = keepingForm(
      "back",
      [
        said("back.heading", "h2", { tabindex: "-1" }),
        said("back.intro", "p", { class: "soft" }),
        field("case", "back.case", { hint: "back.case.hint", maxlength: 40 }),
        h("div", { class: "buttons" }, act, button("back.leave", { quiet: true, run: on.left })),
      ],
      () =>
        void busy(act, async () => {
          const typed = parseCase(form.values().case ?? "");
          form.show(typed === null ? { case: { key: "back.case.wrong" } } : {});
          if (typed === null) return;
          try {
            await ask("POST", `/v1/reprints/${typed}/codes`, { body: {} });
            askCode(typed);
          } catch (error) {
            form.show(errorsOf(error, ["case"]));
          }
        }),
    );
    root.replaceChildren(...[isExpired && notice("neutral", "clock", said("back.expired", "p"))].filter((one) => one !== false), form.element);
  }

  /** @param {string} typed */
  function askCode(typed) {
    const act = button("code.submit", { icon: "tick", primary: true, type: "submit" });
    const told = h("p", { class: "hint", role: "status" });
    const again = button("code.again", {
      icon: "again",
      run: () =>
        void busy(again, async () => {
          told.textContent = await ask("POST", `/v1/reprints/${typed}/codes`, { body: {} }).then(
            () => t("code.sent_again"),
            (error) => sentenceOf(error),
          );
          wait(again);
        }),
    });
    wait(again);
    const sent = h("p", {});
    const write = () => (sent.textContent = t("back.sent", { case: typed }));
    onLanguage(write);
    write();
    const form = keepingForm(
      "back_code",
      [
        said("code.heading", "h2", { tabindex: "-1" }),
        sent,
        field("code", "code.label", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 12, hint: "code.hint", class: "code" }),
        h("div", { class: "buttons" }, act, again),
        told,
        h("p", {}, button("back.other", { quiet: true, run: askNumber })),
      ],
      () =>
        void busy(act, async () => {
          const code = codeOf(form.values().code ?? "");
          form.show(code === null ? { code: { key: "code.wrong" } } : {});
          if (code === null) return;
          try {
            const { token, case: found } = await ask("POST", `/v1/reprints/${typed}/session`, { body: { code } });
            forgetDraft("back_code");
            on.opened({ id: typed, token }, found);
          } catch (error) {
            form.show(error instanceof Refused && error.errors.length === 0 ? { code: error.detail } : errorsOf(error, ["code"]));
          }
        }),
    );
    root.replaceChildren(form.element);
    /** @type {HTMLElement | null} */ (form.element.querySelector("input"))?.focus();
  }

  askNumber();
  return root;
}
