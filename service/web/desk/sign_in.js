/** `/sign-in`: login, password, code. What was wrong is not told: that would tell who has an account. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { once } from "./ask.js";
import { data } from "./data.js";
import { errorsOf, errorSummary, field, showErrors } from "./dialog.js";
import { busy, button, root, start } from "./start.js";

start();

/** @param {import("./data.js").Session} session */
const go = ({ person }) => location.replace((data.next ?? data.home[person.role] ?? "/") + location.hash);

const submit = button("sign_in.submit", { primary: true, type: "submit" });
const form = h(
  "form",
  { class: "card", novalidate: true, onsubmit: signIn },
  errorSummary(),
  field("login", "sign_in.login", { autocomplete: "username", inputmode: "email" }),
  field("password", "sign_in.password", { type: "password", autocomplete: "current-password", maxlength: 1000 }),
  field("code", "sign_in.code", { hint: "sign_in.code.hint", autocomplete: "one-time-code", inputmode: "numeric", maxlength: 12 }),
  submit,
);
root.replaceChildren(form);
form.elements.namedItem("login").focus();

// A session's cookie does not come along from another site: who followed a link is asked for here.
once("GET", "/v1/session").then(
  async (answer) => go(await answer.json()),
  () => {},
);

/** @param {Event} event */
async function signIn(event) {
  event.preventDefault();
  const typed = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  const missing = Object.keys(typed).filter((name) => typed[name].trim() === "");
  showErrors(form, Object.fromEntries(missing.map((name) => [name, t(`sign_in.${name}.missing`)])));
  if (missing.length > 0) return;
  await busy(submit, async () => {
    try {
      const body = { login: typed.login.trim(), password: typed.password, code: typed.code.replace(/\s/g, "") };
      go(await (await once("POST", "/v1/session", body)).json());
    } catch (error) {
      showErrors(form, errorsOf(error));
      form.elements.namedItem("code").value = "";
    }
  });
}
