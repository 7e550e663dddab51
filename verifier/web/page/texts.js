/**
 * What pages say: one catalogue a language, whole sentences with named gaps; numbers, dates, amounts and plurals by Intl.
 *
 * The language is the document's. A visitor's other choice is remembered in this browser's own storage: no cookie is set.
 */

import en from "./texts/en.json" with { type: "json" };
import zh from "./texts/zh-CN.json" with { type: "json" };

/** @typedef {Record<string, string | Record<string, string>>} Catalogue a text, or one for each plural category of `count` */

/** @type {Record<string, Catalogue>} */
const CATALOGUES = { "zh-CN": zh, en };
const STORED = "zhengpiao.language";

let current = "zh-CN";
/** @type {Map<string, any>} Intl's formatters take longer to make than to use */
let formatters = new Map();
/** @type {(() => void)[]} */
const listeners = [];

/** More texts, of pages that have their own. @param {Record<string, Catalogue>} more one catalogue a language */
export function addTexts(more) {
  for (const [name, texts] of Object.entries(more)) CATALOGUES[name] = { ...CATALOGUES[name], ...texts };
}

/** `zh-CN` or `en`. */
export const language = () => current;

/** Fills the gaps of a text. @param {string} key @param {Record<string, string | number>} [params] @returns {string} */
export function t(key, params = {}) {
  const found = CATALOGUES[current][key];
  if (found === undefined) throw new Error(`no text ${key}`);
  const text = typeof found === "string" ? found : plural(found, Number(params.count));
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    if (value === undefined) throw new Error(`no {${name}} for ${key}`);
    return typeof value === "number" ? integer(value) : value;
  });
}

/** @param {string} key */
export const has = (key) => key in CATALOGUES[current];

/** @param {Record<string, string>} forms @param {number} count */
const plural = (forms, count) => forms[formatter("plural", () => new Intl.PluralRules(current)).select(count)] ?? forms.other;

/** @param {number} value */
export const integer = (value) => formatter("integer", () => new Intl.NumberFormat(current)).format(value);

/** The reader's own time, to the second. @param {number} seconds since 1970 UTC */
export function moment(seconds) {
  if (!(seconds * 1000 <= MAX_DATE_MS)) return t("time.far");
  const make = () => new Intl.DateTimeFormat(current, { dateStyle: "long", timeStyle: "medium" });
  return formatter("moment", make).format(new Date(seconds * 1000));
}

/** The day of it, in the reader's own time. @param {number} seconds since 1970 UTC */
export function day(seconds) {
  if (!(seconds * 1000 <= MAX_DATE_MS)) return t("time.far");
  return formatter("day", () => new Intl.DateTimeFormat(current, { dateStyle: "long" })).format(new Date(seconds * 1000));
}

/** A date as an invoice has it; any other text as it stands. @param {string} text `2026-09-01` */
export function date(text) {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found) return text;
  const [year, month, dayOfMonth] = found.slice(1).map(Number);
  const made = new Date(Date.UTC(year, month - 1, dayOfMonth));
  if (made.getUTCMonth() !== month - 1) return text;
  return formatter("date", () => new Intl.DateTimeFormat(current, { dateStyle: "long", timeZone: "UTC" })).format(made);
}

/** An amount as an invoice has it; what is no decimal as it stands. @param {string} amount @param {string} currency */
export function money(amount, currency) {
  if (!/^-?\d{1,20}(\.\d{1,8})?$/.test(amount) || !/^[A-Z]{3}$/.test(currency)) return amount;
  const decimals = (amount.split(".")[1] ?? "").length;
  const make = () =>
    new Intl.NumberFormat(current, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
  // As text: a number would round what is long.
  return formatter(`money ${currency} ${decimals}`, make).format(/** @type {any} */ (amount));
}

/** @template T @param {string} name @param {() => T} make @returns {T} */
function formatter(name, make) {
  if (!formatters.has(name)) formatters.set(name, make());
  return formatters.get(name);
}

const MAX_DATE_MS = 8.64e15;

/** Starts with the visitor's choice, else the document's language. */
export function startLanguage() {
  current = isKnown(document.documentElement.lang) ? document.documentElement.lang : "zh-CN";
  const chosen = stored();
  if (chosen !== null && chosen !== current) use(chosen);
  document.documentElement.classList.remove("switching");
}

/** @param {string} chosen `zh-CN` or `en` */
export function chooseLanguage(chosen) {
  try {
    localStorage.setItem(STORED, chosen);
  } catch {
    // Storage is closed to this page: the choice lasts as long as the page does.
  }
  use(chosen);
}

/** What was made of texts is made again. @param {() => void} listener */
export const onLanguage = (listener) => listeners.push(listener);

/** For tests, which have no document. @param {string} chosen */
export function setLanguage(chosen) {
  current = chosen;
  formatters = new Map();
}

/** @param {string} chosen */
function use(chosen) {
  setLanguage(chosen);
  document.documentElement.lang = chosen;
  translate(document.documentElement);
  for (const listener of listeners) listener();
}

/**
 * The texts that the document came with: data-t names an element's, data-t-label and data-t-placeholder those attributes'.
 * @param {Element} root
 */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(/** @type {any} */ (element).dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]"))
    element.setAttribute("aria-label", t(/** @type {any} */ (element).dataset.tLabel));
}

/** @param {string | null} name @returns {name is string} */
const isKnown = (name) => name !== null && name in CATALOGUES;

function stored() {
  try {
    const chosen = localStorage.getItem(STORED);
    return isKnown(chosen) ? chosen : null;
  } catch {
    return null;
  }
}
