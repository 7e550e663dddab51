/** Password and code again, before what matters. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { once, Refused } from "./ask.js";
import { dialog, errorsOf, errorSummary, field, showErrors } from "./dialog.js";
import { said } from "./start.js";

/** @returns {Promise<boolean>} whether the person has proven who they are */
export const reauthenticate = () =>
  dialog(
    "again.heading",
    [
      said("again.intro", "p"),
      errorSummary(),
      field("password", "sign_in.password", { type: "password", autocomplete: "current-password" }),
      field("code", "sign_in.code", { autocomplete: "one-time-code", inputmode: "numeric", maxlength: 12 }),
      h("span", {}),
    ],
    { confirm: "again.confirm" },
    async (form) => {
      const { password, code } = Object.fromEntries(new FormData(form));
      if (!password || !code) {
        const missing = { ...(!password && { password: t("sign_in.password.missing") }), ...(!code && { code: t("sign_in.code.missing") }) };
        showErrors(form, missing);
        return false;
      }
      try {
        await once("POST", "/v1/session/reauthenticate", { password, code: String(code).replace(/\s/g, "") });
        return true;
      } catch (error) {
        if (error instanceof Refused) showErrors(form, { "": error.detail });
        else showErrors(form, errorsOf(error));
        /** @type {HTMLInputElement} */ (form.elements.namedItem("code")).value = "";
        return false;
      }
    },
  );
