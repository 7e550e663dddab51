/** What an auditor looks at invoices for: chosen once, shown on every page, kept with every look. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { once } from "./ask.js";
import { data } from "./data.js";
import { dialog, errorsOf, field, showErrors, valuesOf } from "./dialog.js";
import { said } from "./start.js";

const PURPOSES = ["routine_audit", "complaint", "authority_request", "incident", "support"];
/** @type {(() => void)[]} */
const drawn = [];

/** The bar that says what for, and where it is changed. */
export function purposeBar() {
  const text = h("span", {});
  const act = h("button", { type: "button", class: "quiet", onclick: () => askPurpose() });
  const draw = () => {
    const { purpose, reference } = /** @type {import("./data.js").Session} */ (data.session);
    const shown = purpose === null ? t("purpose.none") : t(`purpose.${purpose}`);
    text.textContent = reference ? t("purpose.bar.of", { purpose: shown, reference }) : t("purpose.bar", { purpose: shown });
    act.textContent = t(purpose === null ? "purpose.choose" : "purpose.change");
  };
  draw();
  drawn.push(draw);
  onLanguage(draw);
  return h("p", { class: "purpose" }, icon("eye"), text, act);
}

/** @returns {Promise<boolean>} whether there is one now */
export async function askPurpose() {
  const session = /** @type {import("./data.js").Session} */ (data.session);
  const is = await dialog(
    "purpose.heading",
    [
      said("purpose.intro", "p"),
      field("purpose", "purpose.label", {
        options: PURPOSES.map((each) => [each, `purpose.${each}`]),
        value: session.purpose ?? PURPOSES[0],
      }),
      field("reference", "purpose.reference", { hint: "purpose.reference.hint", value: session.reference, maxlength: 64 }),
    ],
    { confirm: "purpose.confirm" },
    async (form) => {
      try {
        const chosen = await (await once("POST", "/v1/session/purpose", valuesOf(form))).json();
        Object.assign(session, { purpose: chosen.purpose, reference: chosen.reference });
        return true;
      } catch (error) {
        showErrors(form, errorsOf(error));
        return false;
      }
    },
  );
  for (const draw of drawn) draw();
  return is;
}
