/** `/staff/feedback`: what visitors wrote, a thread beside the list; which one is open stands behind the #. */

import { h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask } from "./ask.js";
import { caseLink } from "./case_shown.js";
import { dialog, errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { stepper } from "./list_steps.js";
import { shortcuts } from "./shortcuts.js";
import { badge, bones, facts, nothing, paged, table, time, word } from "./show.js";
import { announce, busy, button, page, part, said, start, trouble } from "./start.js";

const STATES = ["open", "answered", "closed", ""];

start();
let state = STATES[0];
/** @type {any} the thread that is open */
let thread = null;
/** @type {unknown} */
let wrong = null;
let isReading = false;

const tabs = part(
  () => STATES.map((each) => h("button", { type: "button", class: "chip", "aria-pressed": String(each === state), onclick: () => choose(each) }, t(each === "" ? "feedback_state.all" : `feedback_state.${each}`))),
  "div",
  { class: "chips", role: "group", "aria-label": t("feedback.state") },
);
const list = paged((cursor) => ask("GET", `/v1/feedback?${new URLSearchParams({ ...(state && { state }), limit: "50", ...(cursor && { cursor }) })}`), view);
const shown = part(threadView, "section", { class: "card stack thread", "aria-live": "polite", tabindex: "-1" });
const { step, first } = stepper(list.element);
const keys = shortcuts([
  { key: "j", text: "feedback.next", run: () => step(1) },
  { key: "k", text: "feedback.previous", run: () => step(-1) },
  { key: "Enter", text: "feedback.open", run: first },
  { key: "a", text: "feedback.answer", run: () => /** @type {HTMLElement | null} */ (shown.element.querySelector("textarea"))?.focus() },
  { key: "x", text: "feedback.close", run: () => thread && thread.state !== "closed" && close() },
]);
onLanguage(() => {
  tabs.element.setAttribute("aria-label", t("feedback.state"));
  list.draw();
});
page("heading.staff_feedback", [keys], tabs.element, h("div", { class: "columns even" }, list.element, shown.element));
window.addEventListener("hashchange", open);
choose(state);
open();

/** @param {string} wanted */
function choose(wanted) {
  state = wanted;
  tabs.draw();
  list.again().then((items) => announce(t("list.found", { count: items.length })));
}

async function open() {
  const id = location.hash.slice(1);
  isReading = id !== "";
  shown.draw();
  if (!isReading) return;
  /** @type {[any, unknown]} */
  let found;
  try {
    found = [await ask("GET", `/v1/feedback/${encodeURIComponent(id)}/conversation`), null];
  } catch (error) {
    found = [null, error];
  }
  if (id !== location.hash.slice(1)) return; // another one was opened meanwhile
  [thread, wrong] = found;
  isReading = false;
  shown.draw();
  list.draw();
  shown.element.scrollIntoView({ block: "nearest" });
}

/** @param {any[]} items */
function view(items) {
  if (items.length === 0) return nothing("feedback.none", "talk");
  return table(
    "heading.staff_feedback",
    [
      { head: "feedback.id", row: true, cell: ({ id, state: its }) => [h("a", { href: `#${id}`, class: "number block", "aria-current": id === thread?.id ? "true" : null }, id), badge("feedback_state", its)] },
      { head: "feedback.said", cell: ({ message }) => h("span", { class: "excerpt" }, message) },
      { head: "feedback.changed", cell: ({ changed_at }) => time(changed_at, "minute") },
    ],
    items,
  );
}

function threadView() {
  if (isReading) return bones();
  if (wrong) return trouble(wrong);
  if (!thread) return nothing("feedback.choose", "talk");
  const { id, case: about, contact, messages } = thread;
  return [
    h("h2", {}, h("span", { class: "digits" }, id)),
    h("p", { class: "row" }, badge("feedback_state", thread.state)),
    facts([
      ["feedback.page", h("code", {}, thread.page)],
      ["feedback.case", about ? caseLink(about) : "—"],
      ["feedback.contact", contact ? contact.address : t("feedback.contact.none")],
    ]),
    h("ol", { class: "talk" }, messages.map(messageView)),
    thread.state !== "closed" && answerForm(),
  ];
}

/** @param {any} message */
const messageView = ({ at, event, by_name, text }) =>
  h(
    "li",
    { "data-by": event === "asked" ? "visitor" : "staff" },
    h("p", { class: "soft row" }, h("strong", {}, event === "asked" ? t("feedback.visitor") : (by_name ?? t("case_by.reviewer"))), time(at, "minute")),
    text === null ? h("p", { class: "soft" }, word(`feedback_event.${event}`, event)) : h("p", {}, text),
  );

function answerForm() {
  const submit = button("feedback.answer", { primary: true, icon: "talk", type: "submit" });
  const form = h(
    "form",
    { novalidate: true, onsubmit: send },
    errorSummary(),
    field("text", "feedback.message", { rows: 4, maxlength: 2000, hint: thread.contact ? "feedback.message.hint" : "feedback.message.silent" }),
    h("div", { class: "row" }, submit, button("feedback.close", { icon: "tick", run: close })),
  );
  return form;

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    const { text } = valuesOf(form);
    showErrors(form, text === "" ? { text: t("feedback.message.missing") } : {});
    if (text === "") return;
    await busy(submit, async () => {
      try {
        await ask("POST", `/v1/feedback/${encodeURIComponent(thread.id)}/answers`, { text });
        announce(t("feedback.answered"));
        await Promise.all([open(), list.again()]);
      } catch (error) {
        showErrors(form, errorsOf(error));
      }
    });
  }
}

async function close() {
  const isDone = await dialog("feedback.close", [errorSummary(), h("p", {}, t("feedback.close.said"))], { confirm: "feedback.close" }, async (form) => {
    try {
      await ask("POST", `/v1/feedback/${encodeURIComponent(thread.id)}/close`, {});
      return true;
    } catch (error) {
      showErrors(form, errorsOf(error));
      return false;
    }
  });
  if (!isDone) return;
  announce(t("feedback.closed"));
  await Promise.all([open(), list.again()]);
}
