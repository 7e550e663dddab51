/** An answer on the page: the first screen says it, everything else waits below (answer.js decides what, this only how). */

import { sentence } from "../messages.js";
import { h, icon } from "./dom.js";
import { date, day, has, language, moment, money, t } from "./texts.js";
import { groupsOf } from "./typed.js";

/**
 * @typedef {import("./answer.js").Answer} Answer
 * @typedef {import("./answer.js").Said} Said
 * @typedef {import("./answer.js").Param} Param
 *
 * @typedef {object} Action
 * @property {string} key of its text
 * @property {string} icon
 * @property {string} [href]
 * @property {() => void} [run]
 * @property {Record<string, Param>} [params]
 */

/** @param {Said} said @returns {string} */
export function say({ key, params = {} }) {
  return t(key, Object.fromEntries(Object.entries(params).map(([name, param]) => [name, put(param)])));
}

/** @param {Param} param @returns {string | number} */
function put(param) {
  if (typeof param !== "object") return param;
  if ("moment" in param) return moment(param.moment);
  if ("day" in param) return day(param.day);
  if ("date" in param) return date(param.date);
  if ("check" in param) return sentence(language(), param.check.code, param.check.params);
  return t(param.text);
}

/** What is read out and stands in the page's title. @param {Answer} answer @returns {string} */
export const inShort = (answer) =>
  [answer.announcement?.said[0], answer.word, answer.sentences[0]].filter(isSaid).map(say).join(" ");

/** @param {Said | null | undefined} said @returns {said is Said} */
const isSaid = (said) => said !== null && said !== undefined;

/**
 * @param {Answer} answer @param {Action[]} actions the first is the primary one
 * @param {Element | null} [printed] the code that stands on paper
 * @returns {HTMLElement}
 */
export function viewOf(answer, actions, printed = null) {
  return h(
    "article",
    { class: "answer" },
    answer.announcement && announcement(answer.announcement),
    verdict(answer),
    answer.lead && lead(answer.lead),
    answer.notes.length > 0 && notes(answer.notes),
    answer.compare && compare(answer.compare, printed),
    answer.ticks.length > 0 && ticks(answer.ticks),
    next(answer, actions),
    answer.ticks.length > 0 && sources(answer),
    answer.hashes.length > 0 && details(answer.hashes),
    !answer.compare && printed && onPaper(printed),
  );
}

/** @param {NonNullable<Answer["announcement"]>} announcement */
const announcement = ({ role, said }) =>
  h(
    "section",
    { class: "announcement", "data-role": role },
    icon("clock"),
    h(
      "div",
      {},
      said.map((one, i) => h("p", { class: i === 0 ? "strong" : null }, say(one))),
    ),
  );

/** What can stand in the largest type on a phone. @type {Record<string, number>} */
const MAX_SHORT = { "zh-CN": 5, en: 8 };

/** @param {Answer} answer */
function verdict({ role, icon: shape, word, sentences, as_of, waits }) {
  const name = say(word);
  const [first, ...rest] = sentences;
  return h(
    "section",
    { class: "verdict", "data-role": role },
    h("span", { class: "seal" }, icon(shape)),
    h("h2", { class: name.length <= MAX_SHORT[language()] ? "word short" : "word", tabindex: "-1" }, name),
    h("p", { class: "sentence" }, say(first)),
    rest.map((one) => h("p", { class: "meaning" }, say(one))),
    as_of && h("p", { class: "as-of" }, say(as_of)),
    waits && role !== "wait" && h("p", { class: "again" }, h("span", { class: "pulse", "aria-hidden": "true" }), t("again.auto")),
  );
}

/** @param {Answer["notes"]} all */
const notes = (all) =>
  h(
    "ul",
    { class: "notes" },
    all.map(({ role, icon: shape, said }) => h("li", { "data-role": role }, icon(shape), h("span", {}, say(said)))),
  );

/** @param {Element} code */
const onPaper = (code) => h("div", { class: "printed-code" }, code, h("p", {}, t("print.again")));

/** @param {NonNullable<Answer["compare"]>} compare @param {Element | null} printed */
const compare = ({ heading, facts }, printed) =>
  h(
    "section",
    { class: "card compare" },
    h("h3", {}, say(heading)),
    h(
      "dl",
      {},
      facts.map((fact) =>
        h("div", { class: `fact ${fact.name}` }, h("dt", {}, t(`fact.${fact.name}`)), h("dd", {}, factValue(fact))),
      ),
    ),
    printed && onPaper(printed),
  );

/** @param {import("./answer.js").Fact} fact */
function factValue({ name, value, more, currency }) {
  const shown =
    name === "number" ? digits(value) : name === "date" ? date(value) : name === "amount" ? money(value, currency ?? "") : value;
  return [h("span", { class: "value" }, shown), more && h("span", { class: "more" }, more)];
}

/** A number in groups for the eye; copied it is whole. @param {string} number @returns {HTMLElement} */
export const digits = (number) =>
  h(
    "span",
    { class: "digits" },
    groupsOf(number).map((group) => h("span", {}, group)),
  );

/** @param {NonNullable<Answer["lead"]>} lead */
const lead = ({ number, said }) =>
  h(
    "p",
    { class: "card lead" },
    h("span", { class: "lead-label" }, say(said)),
    h("a", { href: `/#${number}`, class: "lead-number" }, digits(number), icon("arrow")),
  );

/** @param {import("./answer.js").Tick[]} all */
const ticks = (all) =>
  h(
    "section",
    { class: "card ticks", "aria-label": t("ticks.heading") },
    all.map(({ name, role, said, steps }) =>
      h(
        "details",
        { class: "tick", "data-role": role },
        h(
          "summary",
          {},
          h("span", { class: "tick-mark" }, icon(TICK_ICONS[said.key.split(".").slice(2).join(".")] ?? "dash")),
          h(
            "span",
            { class: "tick-text" },
            h("span", { class: "tick-name" }, t(`tick.${name}`)),
            h("span", { class: "tick-said" }, say(said)),
          ),
          icon("chevron"),
        ),
        h("ol", { class: "steps" }, steps.map(step)),
      ),
    ),
  );

/** By what the tick says. @type {Record<string, string>} */
const TICK_ICONS = {
  pass: "tick",
  "pass.valid": "tick",
  "pass.partly_reversed": "half",
  "pass.reversed": "reversed",
  "pass.void": "void",
  "pass.released": "void",
  present: "tick",
  absent: "tick",
  fail: "cross",
  other_copy: "cross",
  late: "clock",
  pending: "clock",
  could_not_check: "question",
  not_trusted: "question",
};
/** @type {Record<string, string>} */
const STEP_ICONS = { pass: "tick", fail: "cross", could_not_check: "question", not_applicable: "dash" };

/** @param {import("./answer.js").Tick["steps"][number]} step */
const step = ({ name, check }) =>
  h(
    "li",
    { "data-result": check.result },
    icon(STEP_ICONS[check.result]),
    h(
      "span",
      {},
      h("span", { class: "step-name" }, t(`step.${name}`)),
      h("span", { class: "step-result" }, t(`result.${check.result}`)),
      h("span", { class: "step-said" }, sentence(language(), check.code, check.params)),
    ),
  );

/** @param {Answer} answer @param {Action[]} actions */
const next = ({ advice }, actions) =>
  h(
    "section",
    { class: "next" },
    h("h3", {}, t("next.heading")),
    advice.map((one) => h("p", {}, say(one))),
    h(
      "div",
      { class: "actions" },
      actions.map((action, i) => button(action, i === 0)),
    ),
  );

/** @param {Action} action @param {boolean} isPrimary @returns {HTMLElement} */
export function button({ key, icon: shape, href, run, params }, isPrimary = false) {
  const shown = [icon(shape), h("span", {}, say({ key, params }))];
  const look = { class: isPrimary ? "button primary" : "button" };
  return href ? h("a", { ...look, href }, shown) : h("button", { ...look, type: "button", onclick: run }, shown);
}

/** Who says so: this browser, which checked, and the service, which only says. @param {Answer} answer */
const sources = ({ checked, statement }) =>
  h(
    "section",
    { class: "sources" },
    h("h3", {}, t("sources.heading")),
    h(
      "p",
      { class: "source" },
      icon("browser"),
      h("span", {}, h("span", { class: "source-name" }, t("sources.browser")), say(checked)),
    ),
    statement &&
      h(
        "p",
        { class: "source" },
        icon("service"),
        h("span", {}, h("span", { class: "source-name" }, t("sources.service")), serviceSays(statement)),
      ),
  );

/** @param {import("./answer.js").Statement} statement */
function serviceSays({ status, state, since }) {
  const known = (/** @type {string} */ key) => (has(key) ? t(key) : key.split(".")[1]);
  const params = { status: known(`status.${status}`), state: known(`state.${state}`) };
  const at = since ? Date.parse(since) / 1000 : Number.NaN;
  return Number.isNaN(at) ? t("service.says", params) : t("service.says.since", { ...params, time: moment(at) });
}

/** @param {Answer["hashes"]} hashes */
const details = (hashes) =>
  h(
    "details",
    { class: "card details" },
    h("summary", {}, h("span", {}, t("details.heading")), icon("chevron")),
    h(
      "dl",
      {},
      hashes.map(({ name, value }) =>
        h("div", {}, h("dt", {}, t(`detail.${name}`)), h("dd", {}, cut(value), copyButton(value, name))),
      ),
    ),
  );

/** Cut in the middle where there is no room; whole for whoever copies it. @param {string} value */
const cut = (value) => h("code", { class: "cut" }, h("span", {}, value.slice(0, -8)), h("span", {}, value.slice(-8)));

/** @param {string} value @param {string} name */
function copyButton(value, name) {
  if (!navigator.clipboard) return null;
  const label = () => t("details.copy", { name: t(`detail.${name}`) });
  const made = h(
    "button",
    { type: "button", class: "copy", "aria-label": label(), title: label(), onclick: () => copy() },
    icon("copy"),
  );
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    made.replaceChildren(icon("tick"));
    made.setAttribute("aria-label", t("details.copied"));
    setTimeout(() => {
      made.replaceChildren(icon("copy"));
      made.setAttribute("aria-label", label());
    }, 2000);
  };
  return made;
}

/** While the answer is on its way: its shape, and the step that runs. @param {string} key of the step @returns {HTMLElement} */
export const waitingView = (key) =>
  h(
    "div",
    { class: "answer waiting" },
    h(
      "section",
      { class: "verdict", "data-role": "neutral" },
      h("span", { class: "seal spinner" }),
      h("p", { class: "word", "data-t": key }, t(key)),
      h("p", { class: "sentence bone" }),
    ),
    h(
      "section",
      { class: "card compare", "aria-hidden": "true" },
      Array.from({ length: 4 }, () => h("p", { class: "bone" })),
    ),
  );
