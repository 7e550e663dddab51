/** `/operator/keys`: API keys of programs. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { badge, copyButton, nothing, paged, table, time } from "./show.js";
import { announce, button, notice, page, part, said, start } from "./start.js";

const ROLES = ["issuer", "recipient", "auditor", "central", "node", "operator"];
const BOUND = new Set(["issuer", "recipient"]);

start();
/** @type {any} */
let made = null;
const shown = part(() => made && madeView(), "div", { "aria-live": "polite" });
const list = paged((cursor) => ask("GET", `/v1/keys?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.keys", [button("keys.create", { primary: true, icon: "plus", run: create })], said("keys.intro", "p", { class: "intro" }), shown.element, list.element);
list.again();

async function create() {
  const bound = field("bound", "keys.bound", { hint: "keys.bound.hint", rows: 2, maxlength: 2000 });
  const role = field("role", "keys.role", { options: ROLES.map((each) => [each, `key_role.${each}`]) });
  const select = /** @type {HTMLSelectElement} */ (role.querySelector("select"));
  const forBound = () => {
    bound.hidden = !BOUND.has(select.value);
  };
  select.addEventListener("change", forBound);
  await dialog("keys.heading", [errorSummary(), role, bound, field("label", "keys.label", { hint: "keys.label.hint", maxlength: 100 })], { confirm: "keys.confirm" }, async (form) => {
    const { bound: typed, ...order } = valuesOf(form);
    try {
      made = await ask("POST", "/v1/keys", { ...order, bound: bound.hidden ? [] : typed.split(/[\s,，]+/).filter((each) => each !== "") });
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
    shown.draw();
    list.again();
    announce(t("keys.made"));
    return true;
  });
}

const madeView = () =>
  notice("wait", "key", h("p", { class: "strong" }, t("keys.made")), h("p", {}, t("keys.made.said")), h("p", { class: "row" }, h("code", { class: "value", id: "key" }, made.key), copyButton(made.key, "keys.key")));

/** @param {any} key */
async function revoke({ id, label, prefix }) {
  const name = label || prefix;
  await dialog("keys.revoke.heading", [h("p", {}, t("keys.revoke.said", { name })), errorSummary()], { confirm: "keys.revoke.confirm" }, async (form) => {
    try {
      await ask("DELETE", `/v1/keys/${id}`);
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
    await list.again();
    announce(t("keys.revoked", { name }));
    return true;
  });
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("keys.none", "key");
  return table(
    "heading.keys",
    [
      { head: "keys.key", row: true, cell: ({ prefix, label }) => h("span", {}, h("code", {}, prefix), label && h("span", { class: "soft block" }, label)) },
      { head: "keys.role", cell: ({ role, bound }) => h("span", {}, t(`key_role.${role}`), bound.length > 0 && h("span", { class: "soft block digits" }, bound.join(", "))) },
      { head: "keys.state", cell: ({ revoked_at }) => badge("key", revoked_at ? "revoked" : "active") },
      { head: "keys.created", cell: ({ created_at }) => time(created_at, "minute") },
      { head: "users.acts", cell: (key) => (key.revoked_at ? time(key.revoked_at, "minute") : h("button", { type: "button", class: "button small", onclick: () => revoke(key) }, icon("void"), said("keys.revoke"))) },
    ],
    items,
  );
}
