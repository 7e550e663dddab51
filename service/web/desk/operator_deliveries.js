/** `/operator/deliveries`: messages to people and webhooks; those that were given up can be sent again. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./delivery_texts.js";
import { ask } from "./ask.js";
import { cause } from "./delivery_shown.js";
import { badge, nothing, paged, table, time } from "./show.js";
import { announce, busy, page, part, said, start, trouble } from "./start.js";

const STATES = ["dead", "queued", "sent", ""];

start();
let state = STATES[0];
/** @type {unknown} */
let wrong = null;
const tabs = part(
  () => STATES.map((each) => h("button", { type: "button", class: "chip", "aria-pressed": String(each === state), onclick: () => choose(each) }, t(each === "" ? "deliveries.all" : `delivery_state.${each}`))),
  "div",
  { class: "chips", role: "group", "aria-label": t("deliveries.state") },
);
const failed = part(() => wrong && trouble(wrong), "div", { "aria-live": "polite" });
const list = paged((cursor) => ask("GET", `/v1/deliveries?${new URLSearchParams({ ...(state && { state }), limit: "50", ...(cursor && { cursor }) })}`), view);
onLanguage(() => {
  tabs.element.setAttribute("aria-label", t("deliveries.state"));
  list.draw();
});
page("heading.operator_deliveries", [], said("deliveries.intro", "p", { class: "intro" }), tabs.element, failed.element, list.element);
choose(state);

/** @param {string} wanted */
async function choose(wanted) {
  state = wanted;
  tabs.draw();
  const items = await list.again();
  announce(t("list.found", { count: items.length }));
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("deliveries.none", "tick");
  return table(
    "heading.operator_deliveries",
    [
      { head: "deliveries.about", row: true, cell: ({ object, event }) => h("span", {}, h("span", { class: "digits" }, object), h("span", { class: "soft block" }, event)) },
      { head: "deliveries.to", cell: ({ channel, to }) => h("span", {}, t(`channel.${channel}`), to && h("span", { class: "soft block" }, to)) },
      { head: "deliveries.state", cell: (one) => badge("delivery_state", one.state) },
      { head: "deliveries.tries", end: true, cell: ({ tries }) => String(tries) },
      { head: "deliveries.error", cell: cause },
      { head: "deliveries.at", cell: ({ ended_at, created_at }) => time(ended_at ?? created_at, "minute") },
      { head: "users.acts", cell: (one) => (one.state === "dead" ? h("button", { type: "button", class: "button small", onclick: (/** @type {Event} */ event) => again(event, one) }, icon("again"), said("deliveries.again")) : "—") },
    ],
    items,
  );
}

/** @param {Event} event @param {any} one */
const again = (event, { id }) =>
  busy(/** @type {any} */ (event.currentTarget), async () => {
    try {
      await ask("POST", `/v1/deliveries/${encodeURIComponent(id)}/retry`, {});
      wrong = null;
      await list.again();
      announce(t("deliveries.queued"));
    } catch (error) {
      wrong = error;
    }
    failed.draw();
  });
