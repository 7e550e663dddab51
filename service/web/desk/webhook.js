/** `/issuer/webhooks/ID`, and the same of other desks: one webhook, what was sent to it, and what can be done with it. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./delivery_texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { cause, eventsShown, nameOf, secretShown, stateOf, webhookState } from "./delivery_shown.js";
import { dialog, errorsOf, errorSummary, showErrors } from "./dialog.js";
import { badge, bones, facts, hash, nothing, paged, table, time, word } from "./show.js";
import { announce, busy, button, notice, page, part, said, start, titled, trouble } from "./start.js";

const AGAIN_MS = 500;
const FOLLOWED_MS = 60_000;
const id = /** @type {Record<string, string>} */ (data.params).webhook;
const path = `/v1/webhooks/${encodeURIComponent(id)}`;
const all = location.pathname.slice(0, location.pathname.lastIndexOf("/"));

start();
/** @type {any} */
let webhook = null;
/** @type {string | null} */
let secret = null;
/** The delivery that somebody waits for here. @type {any} */
let followed = null;
/** @type {unknown} */
let wrong = null;

const told = part(() => [wrong && trouble(wrong), secret && secretShown("webhook.rotated", secret), followed && followedView()], "div", { class: "stack", "aria-live": "polite", tabindex: "-1" });
const about = part(() => (webhook ? aboutView() : wrong ? null : bones()), "div", { class: "stack" });
const acts = part(() => webhook && actsView(), "div", { class: "row" });
const list = paged((cursor) => ask("GET", `${path}/deliveries?limit=50${cursor ? `&cursor=${cursor}` : ""}`), view);
onLanguage(list.draw);
const card = h("section", { class: "card stack" }, about.element, acts.element);
const sent = h("section", { class: "stack" }, said("webhook.deliveries", "h2"), list.element);
page("heading.webhook", [], told.element, card, sent, h("p", {}, h("a", { href: all }, "← ", said("webhook.back"))));
load();

async function load() {
  await read();
  if (webhook) {
    titled("heading.webhook.of", { name: nameOf(webhook) });
    await list.again();
  } else {
    card.remove();
    sent.remove();
  }
}

/** How it is now. The buttons are drawn anew only where others are offered: one of them may have the focus. */
async function read() {
  const before = webhook && stateOf(webhook) === "disabled";
  try {
    webhook = await ask("GET", path);
    wrong = null;
  } catch (error) {
    wrong = error;
  }
  told.draw();
  about.draw();
  if (webhook && before !== (stateOf(webhook) === "disabled")) {
    acts.draw();
    list.draw();
  }
}

function aboutView() {
  const state = stateOf(webhook);
  return [
    state === "failing" && notice("caution", "warning", h("p", {}, t("webhook.failing.said"))),
    state === "disabled" && notice("bad", "void", h("p", { class: "strong" }, t(`webhook_why.${webhook.disabled_by}`)), h("p", {}, t("webhook.disabled.said"))),
    facts([
      ["webhooks.url", webhook.url],
      ["webhooks.events", eventsShown(webhook)],
      ["webhooks.state", webhookState(webhook)],
      ["webhook.contact", webhook.contact ?? "—"],
      ["webhooks.created", time(webhook.created_at)],
      ...(webhook.old_secret_until ? [/** @type {[string, any]} */ (["webhook.old_secret", time(webhook.old_secret_until)])] : []),
    ]),
  ];
}

const actsView = () => [
  webhook.disabled_at
    ? button("webhook.enable", { primary: true, small: true, icon: "tick", run: (event) => acting(event, enable) })
    : button("webhook.test", { primary: true, small: true, icon: "push", run: (event) => acting(event, test) }),
  button("webhook.rotate", { small: true, icon: "key", run: rotate }),
  button("webhook.remove", { small: true, icon: "void", run: remove }),
];

/** What is refused may be so because the webhook is not any more as this page shows it. @param {Event} event @param {() => Promise<void>} work */
const acting = (event, work) =>
  busy(/** @type {any} */ (event.currentTarget), async () => {
    try {
      await work();
    } catch (error) {
      await read();
      wrong = error;
      told.draw();
    }
  });

async function test() {
  const { delivery } = await ask("POST", `${path}/test`, {});
  follow(delivery);
}

async function enable() {
  await ask("POST", `${path}/enable`, {});
  await read();
  announce(t("webhook.enabled"));
  told.element.focus();
}

/** @param {any} delivery */
async function again(delivery) {
  await ask("POST", `${path}/deliveries/${encodeURIComponent(delivery.id)}/retry`, {});
  told.element.focus();
  follow(delivery.id);
}

/** Show what becomes of a delivery until it was tried once, or for a minute. @param {string} wanted its id */
async function follow(wanted) {
  const until = Date.now() + FOLLOWED_MS;
  const isTried = () => followed.state === "sent" || followed.state === "dead" || (followed.state === "queued" && followed.tries > 0);
  followed = { id: wanted, state: "queued", tries: 0 };
  told.draw();
  told.element.scrollIntoView({ block: "nearest" });
  for (;;) {
    const found = (await list.again()).find((/** @type {any} */ { id }) => id === wanted);
    if (followed.id !== wanted) return; // another one is waited for meanwhile
    followed = found ?? followed;
    followed.isLate = Date.now() > until;
    if (isTried() || followed.isLate) break;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  await read();
}

function followedView() {
  const { event, state, tries, error, status, isLate } = followed;
  const what = h("p", { class: "soft" }, event && eventWord(event), " ", h("code", {}, followed.id));
  if (state === "sent") return notice("good", "check", h("p", { class: "strong" }, t("webhook.test.sent")), what);
  if (state === "dead" || tries > 0)
    return notice("bad", "warning", h("p", { class: "strong" }, t("webhook.test.failed")), h("p", {}, cause({ error, status })), state === "queued" && h("p", {}, t("webhook.test.again")), what);
  return notice("wait", "clock", h("p", { class: "strong" }, t(isLate ? "webhook.test.waiting" : "webhook.test.sending")), what);
}

async function rotate() {
  const isDone = await dialog("webhook.rotate", [said("webhook.rotate.said", "p"), errorSummary()], { confirm: "webhook.rotate.confirm" }, async (form) => {
    try {
      ({ secret } = await ask("POST", `${path}/rotate`, {}));
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (!isDone) return;
  await read();
  announce(t("webhook.rotated"));
  told.element.scrollIntoView({ block: "nearest" });
}

async function remove() {
  const isDone = await dialog("webhook.remove.heading", [h("p", {}, t("webhook.remove.said", { name: nameOf(webhook) })), errorSummary()], { confirm: "webhook.remove.confirm" }, async (form) => {
    try {
      await ask("DELETE", path);
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (isDone) location.assign(all);
}

/** @param {any} delivery */
const deliveryState = (delivery) =>
  h(
    "span",
    {},
    badge("delivery_state", delivery.state),
    delivery.error && h("span", { class: "block" }, cause(delivery)),
    delivery.state === "queued" && delivery.tries > 0 && h("span", { class: "soft block" }, t("delivery.next"), " ", time(delivery.due_at, "minute")),
  );

/** A case's state says what happened to it. @param {string} event */
const eventWord = (event) => (event === "webhook.test" ? t("webhook.event.test") : word(`webhook_event.${event.startsWith("reprint.") ? "reprint.*" : event}`, event));

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("webhook.deliveries.none", "push");
  return table(
    "webhook.deliveries",
    [
      { head: "webhook.delivery", row: true, cell: ({ event, object }) => h("span", {}, eventWord(event), h("code", { class: "soft block" }, event), event !== "webhook.test" && h("span", { class: "soft block" }, object)) },
      { head: "webhook.delivery_id", cell: (one) => hash(one.id, "webhook.delivery_id") },
      { head: "deliveries.state", cell: deliveryState },
      { head: "deliveries.tries", end: true, cell: ({ tries }) => String(tries) },
      { head: "deliveries.at", cell: ({ ended_at, created_at }) => time(ended_at ?? created_at, "minute") },
      { head: "users.acts", cell: (one) => (one.state === "dead" && !webhook.disabled_at ? h("button", { type: "button", class: "button small", onclick: (/** @type {Event} */ event) => acting(event, () => again(one)) }, icon("again"), said("deliveries.again")) : "—") },
    ],
    items,
  );
}
