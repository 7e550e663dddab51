/** `/operator/users`: accounts of people, and their one-time links. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { badge, copyButton, nothing, paged, table, time } from "./show.js";
import { announce, busy, button, notice, page, part, said, start, trouble } from "./start.js";

const ROLES = ["auditor", "operator", "reviewer", "clerk", "approver"];

start();
/** @type {any} */
let invited = null;
/** @type {unknown} */
let wrong = null;
const link = part(() => (wrong ? trouble(wrong) : invited && linkView()), "div", { "aria-live": "polite" });
const list = paged((cursor) => ask("GET", `/v1/users?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
page("heading.users", [button("users.create", { primary: true, icon: "plus", run: create })], said("users.intro", "p", { class: "intro" }), link.element, list.element);
list.again();

async function create() {
  const sellers = field("sellers", "users.sellers", { hint: "users.sellers.hint", rows: 2, maxlength: 2000 });
  const role = field("role", "users.role", { options: ROLES.map((each) => [each, `role.${each}`]) });
  const select = /** @type {HTMLSelectElement} */ (role.querySelector("select"));
  const forSellers = () => {
    sellers.hidden = select.value !== "clerk" && select.value !== "approver";
  };
  select.addEventListener("change", forSellers);
  forSellers();
  await dialog(
    "users.heading",
    [errorSummary(), field("login", "users.login", { hint: "users.login.hint", maxlength: 64 }), field("name", "users.name", { maxlength: 100 }), role, sellers],
    { confirm: "users.confirm" },
    async (form) => {
      const { sellers: typed, ...order } = valuesOf(form);
      const bound = sellers.hidden ? [] : typed.split(/[\s,，]+/).filter((each) => each !== "");
      try {
        invited = await ask("POST", "/v1/users", { ...order, sellers: bound });
      } catch (error) {
        showErrors(form, errorsOf(error));
        return false;
      }
      shown();
      return true;
    },
  );
}

function shown() {
  wrong = null;
  link.draw();
  list.again();
  announce(t("users.invited", { name: invited.user.name }));
  link.element.scrollIntoView({ block: "nearest" });
}

function linkView() {
  const { user, link: address, expires_at } = invited;
  return notice(
    "wait",
    "key",
    h("p", { class: "strong" }, t("users.invited", { name: user.name })),
    h("p", {}, t("users.link.said")),
    h("p", { class: "row" }, h("code", { class: "value", id: "link" }, address), copyButton(address, "users.link")),
    h("p", { class: "soft" }, t("users.link.expires"), " ", time(expires_at)),
  );
}

/** @param {Event} event @param {() => Promise<void>} work */
const acting = (event, work) =>
  busy(/** @type {any} */ (event.currentTarget), async () => {
    try {
      await work();
    } catch (error) {
      wrong = error;
      link.draw();
    }
  });

/** @param {any} user */
async function invite({ id }) {
  invited = await ask("PUT", `/v1/users/${id}/invitation`);
  shown();
}

/** @param {any} user */
async function disable({ id, name }) {
  await dialog("users.disable.heading", [h("p", {}, t("users.disable.said", { name })), errorSummary()], { confirm: "users.disable.confirm" }, async (form) => {
    try {
      await ask("DELETE", `/v1/users/${id}`);
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
    await list.again();
    announce(t("users.disabled", { name }));
    return true;
  });
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("users.none", "people");
  return table(
    "heading.users",
    [
      { head: "users.name", row: true, cell: ({ name, login }) => h("span", {}, name, h("span", { class: "soft block" }, login)) },
      { head: "users.role", cell: ({ role, sellers }) => h("span", {}, t(`role.${role}`), sellers.length > 0 && h("span", { class: "soft block digits" }, sellers.join(", "))) },
      { head: "users.state", cell: ({ state }) => badge("user", state) },
      { head: "users.created", cell: ({ created_at }) => time(created_at, "minute") },
      {
        head: "users.acts",
        cell: (user) =>
          h(
            "span",
            { class: "row" },
            h("button", { type: "button", class: "button small", onclick: (/** @type {Event} */ event) => acting(event, () => invite(user)) }, icon("key"), said(user.state === "disabled" ? "users.readmit" : "users.invite")),
            user.state !== "disabled" && user.id !== data.session?.person.id && h("button", { type: "button", class: "button small", onclick: (/** @type {Event} */ event) => acting(event, () => disable(user)) }, icon("void"), said("users.disable")),
          ),
      },
    ],
    items,
  );
}
