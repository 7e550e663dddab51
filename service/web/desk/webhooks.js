/** `/issuer/webhooks`, and the same of other desks: where programs are told of what happens, and how to have it sent somewhere else. */

import { h } from "../../../verifier/web/page/dom.js";
import { language, onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./delivery_texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { eventsShown, nameOf, secretShown, webhookState } from "./delivery_shown.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { badge, nothing, paged, table, time } from "./show.js";
import { announce, button, page, part, said, start } from "./start.js";

start();
const offered = data.events ?? [];
/** @type {string | null} */
let secret = null;
const shown = part(() => secret && secretShown("webhooks.made", secret), "div", { "aria-live": "polite" });
const list = paged(read, view);
onLanguage(list.draw);
page("heading.webhooks", [button("webhooks.create", { primary: true, icon: "plus", run: create })], said("webhooks.intro", "p", { class: "intro" }), shown.element, list.element);
list.again();

/** All of them, for there are twenty at most, each with what was sent to it last. */
async function read() {
  const { items, next_cursor } = await ask("GET", "/v1/webhooks");
  const last = (/** @type {any} */ { id }) => ask("GET", `/v1/webhooks/${encodeURIComponent(id)}/deliveries?limit=1`);
  const deliveries = await Promise.all(items.map(last));
  return { items: items.map((/** @type {any} */ webhook, /** @type {number} */ n) => ({ ...webhook, last: deliveries[n].items[0] ?? null })), next_cursor };
}

async function create() {
  const content = [
    errorSummary(),
    field("url", "webhooks.url", { hint: "webhooks.url.hint", inputmode: "url", maxlength: 2000 }),
    eventsField(),
    field("label", "webhooks.label", { hint: "webhooks.label.hint", maxlength: 100 }),
    field("contact", "webhooks.contact", { hint: "webhooks.contact.hint", inputmode: "email", maxlength: 254 }),
  ];
  const isMade = await dialog("webhooks.heading", content, { confirm: "webhooks.confirm" }, async (form) => {
    const { url, label, contact } = valuesOf(form);
    const events = new FormData(form).getAll("events");
    const missing = { ...(!url && { url: t("webhooks.url.missing") }), ...(events.length === 0 && { events: t("webhooks.events.missing") }) };
    showErrors(form, missing);
    if (Object.keys(missing).length > 0) return false;
    try {
      ({ secret } = await ask("POST", "/v1/webhooks", { url, events, label: label || null, contact: contact || null, language: language() }));
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (!isMade) return;
  shown.draw();
  list.again();
  announce(t("webhooks.made"));
  shown.element.scrollIntoView({ block: "nearest" });
}

/** Whoever may be told of one thing alone finds it ticked. */
function eventsField() {
  const boxes = offered.map((each, n) =>
    h(
      "label",
      { class: "tickbox" },
      // In a box of its own, which words of two lines do not squeeze.
      h("span", {}, h("input", { type: "checkbox", id: n === 0 ? "field-events" : null, name: "events", value: each, checked: offered.length === 1, "aria-describedby": "field-events-error" })),
      h("span", {}, said(`webhook_event.${each}`), " ", h("code", { class: "soft" }, each)),
    ),
  );
  return h("fieldset", { class: "field" }, said("webhooks.events", "legend"), h("p", { id: "field-events-error", class: "error", hidden: true }), boxes);
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("webhooks.none", "push");
  return table(
    "heading.webhooks",
    [
      { head: "webhooks.url", row: true, cell: (webhook) => h("span", {}, h("a", { href: `${location.pathname}/${webhook.id}` }, nameOf(webhook)), h("span", { class: "soft block" }, webhook.url)) },
      { head: "webhooks.events", cell: eventsShown },
      { head: "webhooks.state", cell: (webhook) => h("span", {}, webhookState(webhook), webhook.disabled_by && h("span", { class: "soft block" }, t(`webhook_why.${webhook.disabled_by}`))) },
      { head: "webhooks.last", cell: ({ last }) => (last ? h("span", {}, badge("delivery_state", last.state), h("span", { class: "soft block" }, time(last.ended_at ?? last.created_at, "minute"))) : h("span", { class: "soft" }, t("webhooks.never"))) },
      { head: "webhooks.created", cell: ({ created_at }) => time(created_at, "minute") },
    ],
    items,
  );
}
