/** `/feedback`: a message to the people behind the registry, and what they answer. */

import { byId, h, icon } from "../../../verifier/web/page/dom.js";
import { addTexts, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { startWords } from "../scripts/page.js";
import { parseCase } from "./arrival.js";
import { ask, Refused } from "./ask.js";
import { contactOf } from "./contact.js";
import { conversation, tokenOf } from "./conversation.js";
import { errorsOf, field, keepingForm } from "./forms.js";
import { forgetDraft, keepFeedback, keptFeedback } from "./kept.js";
import { busy, button, copyable, drawn, notice, said, trouble, waiting } from "./parts.js";
import en from "./texts/en.json" with { type: "json" };
import zh from "./texts/zh-CN.json" with { type: "json" };

addTexts({ "zh-CN": zh, en });
startWords();

const root = byId("root");
const PAUSE_MS = 30_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string | null} about number of a case */
function write(about) {
  clearTimeout(timer);
  const act = button("fb.send", { icon: "message", primary: true, type: "submit" });
  const form = keepingForm(
    "feedback",
    [
      field("message", "fb.message", { rows: 6, maxlength: 2000, hint: "fb.message.hint" }),
      field("case", "fb.case", { maxlength: 40, hint: "back.case.hint", value: about ?? "" }),
      field("contact", "fb.contact", { autocomplete: "email", inputmode: "email", maxlength: 254, hint: "fb.contact.hint" }),
      h("p", { class: "hint" }, icon("shield"), said("fb.privacy")),
      h("div", { class: "buttons" }, act),
    ],
    () => void busy(act, send),
  );
  if (about) form.element.elements.namedItem("case").value = about;

  async function send() {
    const typed = form.values();
    const [contact, id] = [contactOf(typed.contact ?? ""), parseCase(typed.case ?? "")];
    const wrong = {
      ...(!typed.message && { message: { key: "fb.message.missing" } }),
      ...(typed.case && id === null && { case: { key: "back.case.wrong" } }),
      ...(typed.contact && contact === null && { contact: { key: "apply.contact.wrong" } }),
    };
    form.show(wrong);
    if (Object.keys(wrong).length > 0) return;
    try {
      const body = { message: typed.message, page: id ? "/reprint" : "/feedback", ...(id && { case: id }), ...(contact && { contact }) };
      const { token, ...found } = await ask("POST", "/v1/feedback", { body });
      forgetDraft("feedback");
      keepFeedback({ id: found.id, token });
      show({ id: found.id, token }, found, true);
    } catch (error) {
      form.show(errorsOf(error, ["message", "case", "contact"], { "contact.address": "contact", "contact.channel": "contact" }));
    }
  }
  root.replaceChildren(form.element);
}

/** @param {import("./kept.js").Kept} kept */
async function follow(kept) {
  root.replaceChildren(waiting("fb.waiting"));
  try {
    show(kept, await ask("GET", `/v1/feedback/${kept.id}`, { token: kept.token }));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) {
      keepFeedback(null);
      return write(null);
    }
    root.replaceChildren(trouble(error, () => void follow(kept)));
  }
}

/** @param {import("./kept.js").Kept} kept @param {import("./conversation.js").Feedback} found @param {boolean} [isNew] */
function show(kept, found, isNew = false) {
  const talk = h("div", {});
  drawn(talk, () => conversation(found));
  const act = button("fb.send", { icon: "message", type: "submit" });
  const form = keepingForm("feedback_more", [field("text", "fb.more", { rows: 4, maxlength: 2000 }), h("div", { class: "buttons" }, act)], () => void busy(act, send));

  async function send() {
    const { text } = form.values();
    form.show(text ? {} : { text: { key: "fb.message.missing" } });
    if (!text) return;
    try {
      const moved = await ask("POST", `/v1/feedback/${kept.id}/messages`, { token: kept.token, body: { text } });
      forgetDraft("feedback_more");
      show(kept, moved);
    } catch (error) {
      form.show(errorsOf(error, ["text"]));
    }
  }

  /** The answer comes by itself, unless somebody is writing. */
  async function look() {
    const now = await ask("GET", `/v1/feedback/${kept.id}`, { token: kept.token }).catch(() => found);
    if (!talk.isConnected) return;
    if (now.messages.length !== found.messages.length && !form.values().text) return show(kept, now);
    timer = setTimeout(() => void look(), PAUSE_MS);
  }
  clearTimeout(timer);
  timer = setTimeout(() => void look(), PAUSE_MS);
  const link = `${location.origin}/feedback#${kept.token}`;
  root.replaceChildren(
    h(
      "div",
      { class: "stack wide-gap" },
      isNew ? notice("neutral", "tick", said("fb.thanks", "p", { class: "strong", tabindex: "-1" }), said("fb.thanks.how", "p")) : notice(found.state === "answered" ? "wait" : "neutral", "message", said(`fb.state.${found.state}`, "p")),
      h("section", { class: "card stack" }, h("p", { class: "case-line" }, h("span", {}, said("fb.id"), " ", h("strong", {}, found.id))), talk, h("p", { class: "hint" }, said("fb.link")), h("div", { class: "link" }, copyable(link, "fb.link.name"))),
      form.element,
      h("p", {}, button("fb.another", { quiet: true, run: () => (keepFeedback(null), write(null)) })),
    ),
  );
  document.title = t("title.feedback");
}

function arrive() {
  const text = location.hash.slice(1);
  const followed = tokenOf(text);
  const about = parseCase(text.replace(/^case=/, ""));
  if (text) history.replaceState(null, "", location.pathname + location.search);
  if (followed) {
    keepFeedback(followed);
    return void follow(followed);
  }
  const kept = keptFeedback();
  if (kept && !about) return void follow(kept);
  write(about);
}

onLanguage(() => (document.title = t("title.feedback")));
addEventListener("hashchange", () => location.hash && arrive());
arrive();
