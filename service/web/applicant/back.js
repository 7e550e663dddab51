/** Coming back: the case's number, and a one-time code to the contact that was given with it. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { parseCase } from "./arrival.js";
import { ask } from "./ask.js";
import { codeStep } from "./code.js";
import { errorsOf, field, keepingForm } from "./forms.js";
import { draftOf, keepDraft } from "./kept.js";
import { busy, button, notice, said } from "./parts.js";

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
    const form = codeStep({
      name: "back_code",
      sent: () => t("back.sent", { case: typed }),
      send: () => ask("POST", `/v1/reprints/${typed}/codes`, { body: {} }),
      async enter(code) {
        const { token, case: found } = await ask("POST", `/v1/reprints/${typed}/session`, { body: { code } });
        return () => on.opened({ id: typed, token }, found);
      },
      instead: button("back.other", { quiet: true, run: askNumber }),
    });
    root.replaceChildren(form);
    /** @type {HTMLElement | null} */ (form.querySelector("input"))?.focus();
  }

  askNumber();
  return root;
}
