/** Ending one's own case, after one was asked whether one means it. */

import { h } from "../../../verifier/web/page/dom.js";
import { dialog } from "./dialog.js";
import { busy, button, said, trouble } from "./parts.js";

/** @param {import("./case.js").Case} found @param {import("./case.js").Opened} opened */
export const cancelButton = (found, opened) =>
  button("cancel.open", {
    quiet: true,
    run: () =>
      void dialog("cancel.heading", (close) => {
        const failed = h("div", {});
        const act = button("cancel.confirm", {
          icon: "void",
          run: () =>
            void busy(act, async () => {
              try {
                await opened.act("cancel");
                close();
              } catch (error) {
                failed.replaceChildren(trouble(error));
              }
            }),
        });
        return [
          said(found.fee.state === "paid" ? "cancel.paid" : "cancel.meaning", "p"),
          failed,
          h("div", { class: "buttons" }, button("cancel.keep", { primary: true, run: close }), act),
        ];
      }),
  });
