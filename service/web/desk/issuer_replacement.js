/**
 * `/issuer/replacements/ID`: the new invoice of a reissue. It begins as the original; what is changed stands beside it before it is
 * sent. Whoever has it as a file takes that.
 */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import "./case_texts.js";
import { ask, Refused } from "./ask.js";
import { stateBadge } from "./case_shown.js";
import { data } from "./data.js";
import { errorSummary } from "./dialog.js";
import { memberName, replacementSides, sectionName } from "./replacement_sides.js";
import { changed, draftOf, editable, filled, pointerOf } from "./sections.js";
import { bones, facts } from "./show.js";
import { announce, busy, button, notice, page, part, said, start, titled, trouble } from "./start.js";
import zh from "./texts/zh-CN.json" with { type: "json" };

const id = /** @type {Record<string, string>} */ (data.params).case;
const path = `/v1/reprints/${encodeURIComponent(id)}`;
const MAX_FILE = 1_000_000;
const KINDS = Object.keys(zh).flatMap((key) => (key.startsWith("kind_of.") ? [key.slice("kind_of.".length)] : []));

start();
/** @type {any} */
let one = null;
/** @type {Record<string, any> | null} */
let original = null;
/** @type {Record<string, any>} */
let draft = {};
/** @type {any} */
let sent = null;
/** @type {unknown} */
let wrong = null;
/** Sentences by JSON pointer. @type {Map<string, string>} */
let errors = new Map();

const told = part(() => [wrong ? trouble(wrong) : null, sent && sentView()], "div", { class: "stack", "aria-live": "polite" });
const head = part(() => (one ? headView() : wrong ? null : bones()), "section", { class: "card stack" });
const form = h("form", { class: "stack wide-gap", novalidate: true, onsubmit: send });
const sides = part(() => original && [said("replacement.compare", "h2"), ...replacementSides(original, filled(draft))], "section", { class: "card stack", "aria-live": "off" });
page("heading.issuer_replacement", [], told.element, head.element, h("div", { class: "columns even" }, form, sides.element), h("p", {}, h("a", { href: "/issuer/replacements" }, "← ", said("replacements.back"))));
titled("heading.issuer_replacement.of", { id });
load();

async function load() {
  try {
    one = await ask("GET", path);
    original = (await ask("GET", `/v1/invoices/${encodeURIComponent(one.number)}`)).sections;
    draft = draftOf(/** @type {any} */ (original));
  } catch (error) {
    wrong = error;
  }
  redraw();
}

function redraw() {
  told.draw();
  head.draw();
  sides.draw();
  form.replaceChildren(...(original && mayBeSent() ? formView() : []));
}

const mayBeSent = () => one.actions.includes("replacement");

const headView = () => [
  h("p", { class: "row" }, stateBadge(one)),
  facts([["replacement.original", h("span", { class: "digits" }, one.number)]]),
  !mayBeSent() && notice("neutral", "dash", h("p", {}, t("replacement.closed"))),
];

const sentView = () => notice("good", "check", h("p", { class: "strong" }, t("replacement.sent", { number: sent.number })), h("p", {}, t("replacement.sent.said")), sent.findings.length > 0 && h("ul", { class: "plain-list" }, sent.findings.map((/** @type {any} */ { detail }) => h("li", {}, detail))));

/** A field for every member, section by section; a file in their place. */
function formView() {
  const file = h("input", { type: "file", id: "file", class: "visually-hidden", accept: ".json,application/json", onchange: taken });
  const members = editable(draft);
  const names = [...new Set(members.map(({ path: [section] }) => String(section)))];
  return [
    errorSummary(),
    h("section", { class: "card stack" }, said("replacement.file.heading", "h2"), said("replacement.file.said", "p", { class: "soft" }), h("p", { class: "row" }, file, h("label", { for: "file", class: "button" }, icon("file"), said("replacement.file")))),
    ...names.map((section) => h("section", { class: "card stack" }, h("h2", {}, sectionName(section)), h("div", { class: "grid" }, members.filter(({ path: at }) => at[0] === section).map(memberField)))),
    h("div", { class: "row" }, button("replacement.send", { primary: true, icon: "upload", type: "submit" })),
  ];
}

/** @param {{path: (string | number)[], value: string}} member */
function memberField({ path: at, value }) {
  const pointer = pointerOf(at);
  const sentence = errors.get(pointer);
  const fieldId = `at-${pointer.slice(1).replaceAll("/", "-")}`;
  const change = (/** @type {any} */ { target }) => {
    draft = changed(draft, at, target.value.trim());
    sides.draw();
  };
  const common = { id: fieldId, "aria-describedby": `${fieldId}-error`, "aria-invalid": sentence ? "true" : null, onchange: change };
  const isKind = pointer === "/header/kind" && KINDS.includes(value);
  return h(
    "div",
    { class: sentence ? "field wrong" : "field" },
    h("label", { for: fieldId }, memberName(at)),
    h("p", { id: `${fieldId}-error`, class: "error", hidden: !sentence }, sentence ?? ""),
    isKind
      ? h("select", common, KINDS.map((kind) => h("option", { value: kind, selected: kind === value, "data-t": `kind_of.${kind}` }, t(`kind_of.${kind}`))))
      : h("input", { ...common, type: "text", value, autocomplete: "off", spellcheck: "false", maxlength: 1000 }),
  );
}

/** @param {any} event */
async function taken({ target }) {
  const [file] = target.files;
  if (!file) return;
  try {
    if (file.size > MAX_FILE) throw new SyntaxError();
    const read = JSON.parse(await file.text());
    draft = read.sections ?? read;
    if (draft === null || typeof draft !== "object" || Array.isArray(draft) || typeof draft.header !== "object") throw new SyntaxError();
    errors = new Map();
    redraw();
    announce(t("replacement.file.taken", { name: file.name }));
  } catch {
    draft = draftOf(/** @type {any} */ (original));
    redraw();
    summary([[null, t("replacement.file.wrong")]]);
  }
}

/** @param {Event} event */
async function send(event) {
  event.preventDefault();
  const submit = /** @type {any} */ (form.querySelector("button[type=submit]"));
  await busy(submit, async () => {
    try {
      sent = await ask("POST", `${path}/replacement`, { sections: filled(draft) });
      errors = new Map();
      one = await ask("GET", path);
      redraw();
      announce(t("replacement.sent", { number: sent.number }));
      told.element.scrollIntoView({ block: "nearest" });
    } catch (error) {
      const found = error instanceof Refused ? error.errors : [];
      errors = new Map(found.map(({ pointer, detail }) => [pointer.replace(/^\/sections/, ""), detail]));
      redraw();
      const known = new Set(editable(draft).map(({ path: at }) => pointerOf(at)));
      const lines = [...errors].map(([pointer, detail]) => /** @type {[string | null, string]} */ ([known.has(pointer) ? pointer : null, detail]));
      summary(lines.length > 0 ? lines : [[null, error instanceof Refused ? error.detail : t("ask.unreachable")]]);
    }
  });
}

/** @param {[string | null, string][]} lines pointer and sentence */
function summary(lines) {
  const place = /** @type {HTMLElement} */ (form.querySelector(".errors"));
  place.hidden = false;
  place.replaceChildren(
    h("p", { class: "error" }, t("errors.heading")),
    ...lines.map(([pointer, sentence]) => (pointer === null ? h("p", {}, sentence) : h("p", {}, h("a", { href: `#at-${pointer.slice(1).replaceAll("/", "-")}` }, sentence)))),
  );
  place.focus();
}
