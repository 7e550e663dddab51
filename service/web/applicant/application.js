/** Step 2: what is applied for, and by whom; then the code that proves the contact. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { language, t } from "../../../verifier/web/page/texts.js";
import { Refused } from "./ask.js";
import { codeStep } from "./code.js";
import { contactOf } from "./contact.js";
import { choices, errorsOf, field, keepingForm } from "./forms.js";
import { busy, button, notice, said } from "./parts.js";

/**
 * @typedef {import("./case.js").Case} Case
 * @typedef {import("./case.js").Opened} Opened
 */

const FIELDS = ["kind", "reason", "name", "company", "contact", "delivery", "also", "language", "quiet"];
/** Where the service names a member of the body that is called otherwise here. @type {Record<string, string>} */
const NAMED = { "contact.address": "contact", "contact.channel": "contact", "notices.email": "also", "notices.sms": "also", "notices.quiet_hours": "quiet" };
export const NIGHT = { start: "22:00", end: "08:00" };

/** @param {Record<string, string>} typed @returns {{body: any, wrong: Record<string, import("./forms.js").Wrong>}} */
export function applicationOf(typed) {
  const contact = contactOf(typed.contact ?? "");
  const also = contactOf(typed.also ?? "");
  /** @type {Record<string, import("./forms.js").Wrong>} */
  const wrong = {};
  if (!typed.reason) wrong.reason = { key: "apply.reason.missing" };
  if (!typed.name) wrong.name = { key: "apply.name.missing" };
  if (contact === null) wrong.contact = { key: typed.contact ? "apply.contact.wrong" : "apply.contact.missing" };
  if (typed.also && (also === null || also.channel === contact?.channel)) wrong.also = { key: also === null ? "apply.contact.wrong" : "apply.also.wrong" };
  const notices = contact && {
    channels: also ? [contact.channel, also.channel] : [contact.channel],
    ...(also && { [also.channel]: also.address }),
    quiet_hours: typed.quiet === "night" ? NIGHT : null,
  };
  const body = {
    kind: typed.kind,
    reason: typed.reason,
    delivery: typed.delivery,
    name: typed.name,
    ...(typed.company && { company: typed.company }),
    contact,
    language: typed.language,
    ...(notices && { notices }),
  };
  return { body, wrong };
}

/**
 * @param {Case} found @param {Opened} opened @param {{isAgain?: boolean, done?: () => void}} [look] it was sent before, and is corrected
 * @returns {HTMLElement}
 */
export function applyForm(found, opened, { isAgain = false, done } = {}) {
  const before = found.application ?? {};
  const onlyCopy = found.diagnosis?.status === "partly_reversed";
  const kinds = h("div", {}, kindChoices(onlyCopy, before.kind ?? "copy"));
  const act = button(isAgain ? "apply.again" : "apply.submit", { icon: "arrow", primary: true, type: "submit" });
  const form = keepingForm(
    "apply",
    [
      said("apply.heading", "h2", { tabindex: "-1" }),
      kinds,
      field("reason", "apply.reason", { rows: 3, maxlength: 500, hint: "apply.reason.hint", value: before.reason ?? "" }),
      h(
        "div",
        { class: "two" },
        field("name", "apply.name", { autocomplete: "name", maxlength: 100, value: before.name ?? "", hint: "apply.name.hint" }),
        field("company", "apply.company", { autocomplete: "organization", maxlength: 200, value: before.company ?? "", hint: "apply.company.hint" }),
      ),
      field("contact", "apply.contact", { autocomplete: "email", inputmode: "email", maxlength: 254, hint: "apply.contact.hint", value: before.contact?.address ?? "" }),
      choices(
        "delivery",
        "apply.delivery",
        [
          ["download", "delivery.download", "delivery.download.hint"],
          ["collect", "delivery.collect", "delivery.collect.hint"],
        ],
        before.delivery ?? "download",
      ),
      h(
        "details",
        { class: "plain-details" },
        h("summary", {}, said("apply.notices"), icon("chevron")),
        h(
          "div",
          { class: "stack wide-gap" },
          field("also", "apply.also", { inputmode: "email", maxlength: 254, hint: "apply.also.hint" }),
          choices("language", "apply.language", [["zh-CN", "language.zh"], ["en", "language.en"]], before.language ?? language()),
          choices("quiet", "apply.quiet", [["night", "quiet.night"], ["none", "quiet.none"]], "night"),
        ),
      ),
      h("p", { class: "hint" }, icon("shield"), said("apply.privacy")),
      h("div", { class: "buttons" }, act),
    ],
    () => void busy(act, send),
  );

  async function send() {
    const { body, wrong } = applicationOf(form.values());
    form.show(wrong);
    if (Object.keys(wrong).length > 0) return;
    try {
      await opened.act("application", body);
      done?.();
    } catch (error) {
      if (error instanceof Refused && error.code === "reprint_copy_only") {
        kinds.replaceChildren(kindChoices(true, "copy"));
        form.show({ kind: error.detail });
      } else if (error instanceof Refused && error.code === "too_many_codes") {
        await opened.read(); // it was taken down; only the code did not go out
        form.show({ "": error.detail });
      } else form.show(errorsOf(error, FIELDS, NAMED));
    }
  }
  return form.element;
}

/** @param {boolean} onlyCopy @param {string} chosen */
const kindChoices = (onlyCopy, chosen) =>
  choices(
    "kind",
    "apply.kind",
    [["copy", "kind.copy", "kind.copy.hint"], ...(onlyCopy ? [] : [/** @type {[string, string, string]} */ (["reissue", "kind.reissue", "kind.reissue.hint"])])],
    onlyCopy ? "copy" : chosen,
  );

/** @param {Case} found @param {Opened} opened @param {() => void} correct the contact @returns {HTMLElement} */
export const codeForm = (found, opened, correct) =>
  codeStep({
    name: "code",
    sent: () => t("code.sent", { contact: found.contact_hint ?? "—" }),
    send: () => opened.act("codes"),
    async enter(code) {
      const { token, case: moved } = await opened.act("session", { code });
      return () => {
        opened.renew(token);
        opened.take(moved);
      };
    },
    instead: button("code.correct", { quiet: true, run: correct }),
  });

/** Why it was given back, on top of what is to be corrected. @param {string | null} reason */
export const returnedNotice = (reason) =>
  h(
    "div",
    { class: "returned" },
    notice("caution", "warning", said("returned.heading", "p", { class: "strong" }), h("p", {}, reason ?? t("returned.no_reason")), said("returned.how", "p", { class: "hint" })),
  );
