/** `/welcome#TOKEN`: the owner of a new account chooses a password and enrols an authenticator. The link is good once. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { once, Refused } from "./ask.js";
import { data } from "./data.js";
import { errorsOf, errorSummary, field, showErrors } from "./dialog.js";
import { busy, button, notice, part, root, said, start } from "./start.js";

start();
const token = location.hash.slice(1);
// It must not stay in the history of this browser.
history.replaceState(null, "", location.pathname);

if (token === "") failed({ key: "welcome.no_token" });
else
  once("POST", "/v1/invitation", { token }).then(
    async (answer) => welcome(await answer.json()),
    (error) => failed(error instanceof Refused ? { detail: error.detail } : { key: "ask.unreachable" }),
  );

/** @param {{key?: string, detail?: string}} why */
function failed({ key, detail }) {
  const view = part(() => [notice("bad", "warning", h("p", {}, detail ?? t(key ?? ""))), h("p", {}, t("welcome.ask_again"))], "section", {
    class: "card stack",
  });
  root.replaceChildren(view.element);
}

/** @param {any} invitation */
function welcome({ login, name, role, totp, min_password }) {
  const submit = button("welcome.submit", { primary: true, type: "submit" });
  const who = part(() => h("p", {}, t("welcome.who", { name, role: t(`role.${role}`), login })), "div", {});
  const rule = h("p", { class: "hint", id: "password-rule" }, t("welcome.password.hint", { count: min_password }));
  onLanguage(() => {
    rule.textContent = t("welcome.password.hint", { count: min_password });
  });
  const password = field("password", "welcome.password", { type: "password", autocomplete: "new-password", maxlength: 1000 });
  password.append(rule);
  const form = h(
    "form",
    { class: "steps-form", novalidate: true, onsubmit: accept },
    // For password managers, which keep login and password together.
    h("input", { type: "text", name: "username", autocomplete: "username", value: login, hidden: true }),
    errorSummary(),
    h("section", { class: "card stack" }, said("welcome.step.password", "h2"), password, field("repeated", "welcome.repeat", { type: "password", autocomplete: "new-password", maxlength: 1000 })),
    h(
      "section",
      { class: "card stack" },
      said("welcome.step.totp", "h2"),
      said("welcome.totp.intro", "p"),
      h("div", { class: "enrol" }, h("img", { class: "totp", src: URL.createObjectURL(new Blob([totp.qr_svg], { type: "image/svg+xml" })), alt: t("welcome.totp.alt"), width: 200, height: 200 }), secret(totp)),
      field("code", "welcome.code", { hint: "welcome.code.hint", autocomplete: "one-time-code", inputmode: "numeric", maxlength: 12 }),
    ),
    submit,
  );
  root.replaceChildren(who.element, form);

  /** @param {Event} event */
  async function accept(event) {
    event.preventDefault();
    const typed = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value)]));
    /** @type {Record<string, string>} */
    const wrong = {};
    if (typed.password === "") wrong.password = t("sign_in.password.missing");
    else if (typed.password !== typed.repeated) wrong.repeated = t("welcome.repeat.differs");
    if (typed.code.trim() === "") wrong.code = t("sign_in.code.missing");
    showErrors(form, wrong);
    if (Object.keys(wrong).length > 0) return;
    await busy(submit, async () => {
      try {
        const body = { token, password: typed.password, totp_secret: totp.secret, code: typed.code.replace(/\s/g, "") };
        const { person } = await (await once("POST", "/v1/invitation/acceptance", body)).json();
        location.replace(data.home[person.role] ?? "/");
      } catch (error) {
        showErrors(form, errorsOf(error));
      }
    });
  }
}

/** For an authenticator on this very device, and for typing. @param {{secret: string, uri: string}} totp */
function secret({ secret, uri }) {
  const groups = secret.match(/.{1,4}/g) ?? [];
  return h(
    "div",
    { class: "stack" },
    said("welcome.totp.type", "p", { class: "hint" }),
    h("code", { class: "secret" }, groups.join(" ")),
    h("a", { href: uri, class: "button small" }, icon("key"), said("welcome.totp.here")),
  );
}
