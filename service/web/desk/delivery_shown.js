/** How a delivery and a webhook are shown. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { badge, copyButton, time, word } from "./show.js";
import { notice } from "./start.js";

/** Why a delivery failed: in words, and by its code and the other side's status. @param {any} delivery */
export const cause = ({ error, status }) =>
  error ? h("span", {}, word(`delivery_error.${error}`, error), h("span", { class: "soft block" }, h("code", {}, error), status && ` ${status}`)) : "—";

/** @param {any} webhook @returns {"enabled" | "failing" | "disabled"} */
export const stateOf = ({ disabled_at, failing_since }) => (disabled_at ? "disabled" : failing_since ? "failing" : "enabled");

/** Its state, and since when. @param {any} webhook */
export function webhookState(webhook) {
  const since = webhook.disabled_at ?? webhook.failing_since;
  return h("span", {}, badge("webhook_state", stateOf(webhook)), since && h("span", { class: "soft block" }, t("webhook.since"), " ", time(since, "minute")));
}

/** What it tells of, in words and by name. @param {{events: string[]}} webhook */
export const eventsShown = ({ events }) => h("span", {}, events.map((each) => h("span", { class: "block" }, t(`webhook_event.${each}`), " ", h("code", { class: "soft" }, each))));

/** What people call it: its label, or whose address it is. @param {{label: string, url: string}} webhook */
export const nameOf = ({ label, url }) => label || new URL(url).host;

/** A secret, which nobody can show again. @param {string} heading key @param {string} secret */
export const secretShown = (heading, secret) =>
  notice(
    "wait",
    "key",
    h("p", { class: "strong" }, t(heading)),
    h("p", {}, t("webhooks.secret.said")),
    h("p", { class: "row" }, h("code", { class: "value", id: "secret" }, secret), copyButton(secret, "webhooks.secret")),
  );
