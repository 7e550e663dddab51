/** A new copy that is ready: the document, and its handing over to who names the pick-up code. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { facts } from "./show.js";
import { announce, busy, button, notice, said } from "./start.js";

/**
 * @param {any} one the case @param {string} path of it @param {() => Promise<void>} changed it was handed over
 * @returns {import("../../../verifier/web/page/dom.js").Child[] | null}
 */
export function handoverView(one, path, changed) {
  if (one.state !== "completed" || !one.result) return null;
  const { number, document_ready } = one.result;
  const waits = one.actions.includes("handover");
  return [
    said("handover.heading", "h2"),
    facts([["handover.number", h("span", { class: "digits" }, number)]]),
    document_ready
      ? h("p", { class: "row" }, h("a", { class: "button", href: `${path}/document`, target: "_blank", rel: "noopener" }, icon("print"), said("handover.print")))
      : notice("wait", "clock", h("p", {}, t("handover.not_ready"))),
    one.delivery === "collect" && document_ready && (waits ? form(path, changed) : notice("good", "check", h("p", {}, t("handover.done")))),
  ];
}

/** @param {string} path @param {() => Promise<void>} changed */
function form(path, changed) {
  const submit = button("handover.submit", { primary: true, icon: "hand", type: "submit" });
  const made = h("form", { novalidate: true, onsubmit: send }, errorSummary(), field("pickup_code", "handover.code", { hint: "handover.code.hint", inputmode: "text", maxlength: 20 }), h("div", { class: "row" }, submit));
  return made;

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    const code = valuesOf(made).pickup_code.replace(/[\s-]/g, "").toUpperCase();
    showErrors(made, code === "" ? { pickup_code: t("handover.code.missing") } : {});
    if (code === "") return;
    await busy(submit, async () => {
      try {
        await ask("POST", `${path}/handover`, { pickup_code: code });
        announce(t("handover.done"));
        await changed();
      } catch (error) {
        showErrors(made, errorsOf(error));
      }
    });
  }
}
