/** How the applicant is told of their case, changed later: by which channels, where to, and when not; what was ended begins again. */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { NIGHT } from "./application.js";
import { ask } from "./ask.js";
import { contactOf } from "./contact.js";
import { dialog } from "./dialog.js";
import { choices, errorsOf, field, keepingForm } from "./forms.js";
import { hooksPart } from "./hooks.js";
import { forgetDraft } from "./kept.js";
import { announce, busy, button, factList, notice, said, trouble } from "./parts.js";

/**
 * @typedef {import("./case.js").Opened} Opened
 * @typedef {"email" | "sms"} Channel
 * @typedef {{channels: {channel: Channel, hint: string}[], quiet_hours: {start: string, end: string} | null}} Preferences as the API has them
 */

const PATH = "/v1/notifications/preferences";
/** @type {Channel[]} */
const CHANNELS = ["email", "sms"];
/** @type {Record<string, Channel[]>} */
const CHOICES = { email: ["email"], sms: ["sms"], both: CHANNELS, none: [] };

/** @param {Preferences} before @returns {"email" | "sms" | "both" | "none"} */
export const chosenOf = ({ channels }) => (channels.length === 2 ? "both" : (channels[0]?.channel ?? "none"));

/** @param {Preferences} before */
const quietOf = ({ quiet_hours: hours }) => (hours === null ? "none" : hours.start === NIGHT.start && hours.end === NIGHT.end ? "night" : "kept");

/**
 * What is sent; an address that is not given stays what it was, and so do hours that only a program has chosen.
 * @param {Record<string, string>} typed @returns {{body: any, wrong: Record<string, import("./forms.js").Wrong>}}
 */
export function choiceOf(typed) {
  const channels = CHOICES[typed.channels] ?? [];
  /** @type {Record<string, import("./forms.js").Wrong>} */
  const wrong = {};
  /** @type {Record<string, string>} */
  const given = {};
  for (const channel of channels.filter((one) => typed[one])) {
    const contact = contactOf(typed[channel]);
    if (contact?.channel === channel) given[channel] = contact.address;
    else wrong[channel] = { key: `notices.${channel}.wrong` };
  }
  const hours = typed.quiet === "kept" ? {} : { quiet_hours: typed.quiet === "night" ? NIGHT : null };
  return { body: { channels, ...given, ...hours }, wrong };
}

/** @param {import("./case.js").Case} found @param {Opened} opened */
export const noticesButton = (found, opened) =>
  button("notices.open", {
    quiet: true,
    run: () =>
      void dialog("notices.heading", (close) => {
        const place = h("div", { class: "stack wide-gap", "aria-live": "polite" });
        void read(place, found, opened);
        return [place, hooksPart(opened), h("div", { class: "buttons" }, button("notices.close", { run: close }))];
      }).then(() => forgetDraft("notices")),
  });

/** @param {HTMLElement} place @param {import("./case.js").Case} found @param {Opened} opened */
async function read(place, found, opened) {
  place.replaceChildren(said("notices.waiting", "p", { class: "pulse-text" }));
  try {
    place.replaceChildren(noticesForm(await ask("GET", PATH, { token: opened.token() }), found.application.contact.channel, opened, place));
  } catch (error) {
    place.replaceChildren(trouble(error, () => void read(place, found, opened)));
  }
}

/** @param {Preferences} before */
const presentFacts = ({ channels, quiet_hours: hours }) =>
  factList([
    ["notices.now", channels.length === 0 ? t("notices.by.none") : channels.map(({ channel, hint }) => h("p", {}, `${t(`notices.by.${channel}`)} ${hint}`))],
    ["apply.quiet", hours === null ? t("quiet.none") : t("quiet.hours", hours)],
  ]);

/** @param {Preferences} before @param {Channel} first that of the contact, whose address is known @param {Opened} opened @param {HTMLElement} place */
function noticesForm(before, first, opened, place) {
  const quiet = quietOf(before);
  const known = new Set(before.channels.map(({ channel }) => channel));
  const addresses = CHANNELS.map((channel) =>
    field(channel, known.has(channel) ? `notices.${channel}.other` : `notices.${channel}`, {
      inputmode: channel === "email" ? "email" : "tel",
      autocomplete: channel === "email" ? "email" : "tel",
      maxlength: 254,
      hint: known.has(channel) ? "notices.address.kept" : channel === first ? "notices.address.first" : null,
    }),
  );
  const act = button("notices.save", { icon: "tick", primary: true, type: "submit" });
  const form = keepingForm(
    "notices",
    [
      presentFacts(before),
      choices(
        "channels",
        "notices.by",
        [
          ["email", "notices.by.email"],
          ["sms", "notices.by.sms"],
          ["both", "notices.by.both"],
          ["none", "notices.by.none", "notices.by.none.hint"],
        ],
        chosenOf(before),
      ),
      ...addresses,
      choices("quiet", "apply.quiet", [["night", "quiet.night"], ["none", "quiet.none"], ...(quiet === "kept" ? [/** @type {[string, string]} */ (["kept", "quiet.kept"])] : [])], quiet),
      h("div", { class: "buttons" }, act),
    ],
    () => void busy(act, send),
    { isCard: false },
  );

  /** Only where something may come to is asked for. */
  function fold() {
    const wanted = CHOICES[form.values().channels] ?? [];
    CHANNELS.forEach((channel, i) => (addresses[i].hidden = !wanted.includes(channel)));
  }
  form.element.addEventListener("change", fold);
  fold();

  async function send() {
    const { body, wrong } = choiceOf(form.values());
    form.show(wrong);
    if (Object.keys(wrong).length > 0) return;
    try {
      const kept = await ask("PUT", PATH, { token: opened.token(), body });
      forgetDraft("notices");
      announce(t("notices.saved"));
      place.replaceChildren(notice("neutral", "tick", said("notices.saved", "p", { class: "strong" })), presentFacts(kept));
    } catch (error) {
      form.show(errorsOf(error, ["channels", "email", "sms", "quiet"], { quiet_hours: "quiet" }));
    }
  }
  return form.element;
}
