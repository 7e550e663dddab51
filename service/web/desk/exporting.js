/** A list as a file: which form, and then it is saved. */

import { t } from "../../../verifier/web/page/texts.js";
import { save } from "./ask.js";
import { dialog, errorSummary, errorsOf, field, showErrors, valuesOf } from "./dialog.js";
import { announce, button, said } from "./start.js";

const FORMS = ["csv", "xlsx", "ndjson", "parquet"];

/** @param {string} what @param {() => Record<string, unknown>} criteria of the list as it is shown */
export const exportButton = (what, criteria) => button("export.button", { icon: "save", run: () => exportList(what, criteria()) });

/** @param {string} what @param {Record<string, unknown>} criteria */
async function exportList(what, criteria) {
  const choice = field("form", "export.form", { options: FORMS.map((form) => [form, `export.form.${form}`]), hint: "export.hint" });
  await dialog("export.heading", [said("export.intro", "p"), errorSummary(), choice], { confirm: "export.confirm", icon: "save" }, async (form) => {
    try {
      await save("POST", "/v1/exports", { what, form: valuesOf(form).form, criteria });
      announce(t("export.done"));
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
}
