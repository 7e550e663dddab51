/** The sections of an invoice compared with another's, member by member; nothing here is shown or asked. */

import { linePlace, memberPlace, sectionPlace } from "./section_order.js";

/**
 * @typedef {Record<string, any>} Sections by name
 * @typedef {{path: (string | number)[], before: string | null, after: string | null}} Compared null where that side has no such member
 */

/**
 * Every member of either, in the order of the paper.
 * @param {Sections} before @param {Sections} after @returns {Compared[]}
 */
export function compared(before, after) {
  const [old, now] = [new Map(leaves(before)), new Map(leaves(after))];
  const paths = [...new Set([...old.keys(), ...now.keys()])].map((key) => /** @type {(string | number)[]} */ (JSON.parse(key)));
  return paths
    .map((path, n) => ({ path, n }))
    .sort((a, b) => place(a.path) - place(b.path) || lineOf(a.path) - lineOf(b.path) || memberOf(a.path) - memberOf(b.path) || a.n - b.n)
    .map(({ path }) => {
      const key = JSON.stringify(path);
      return { path, before: old.get(key) ?? null, after: now.get(key) ?? null };
    });
}

/** @param {Compared} one */
export const differs = ({ before, after }) => before !== after;

/**
 * The sections with one member changed.
 * @param {Sections} sections @param {(string | number)[]} path @param {string} value @returns {Sections}
 */
export function changed(sections, path, value) {
  const made = structuredClone(sections);
  const last = path[path.length - 1];
  let inside = made;
  for (const name of path.slice(0, -1)) inside = inside[name];
  inside[last] = typeof inside[last] === "number" ? Number(value) : value;
  return made;
}

/** What the issuer of the original may not carry over: the new invoice has a number of its own, and whose it takes the place of is known. */
const NOT_CARRIED = ["number", "check_code"];

/**
 * The new invoice as it begins: the original without what is its own.
 * @param {Sections} original @returns {Sections}
 */
export function draftOf(original) {
  const draft = structuredClone(original);
  for (const name of NOT_CARRIED) if (name in (draft.header ?? {})) draft.header[name] = "";
  for (const name of ["original", "reprint"]) delete draft.provenance?.[name];
  return draft;
}

/** Without members that were left empty: an invoice has none such. @param {Sections} sections @returns {Sections} */
export const filled = (sections) =>
  JSON.parse(JSON.stringify(sections), (_, value) => (value === "" ? undefined : value));

/** Every member that can be typed, in the order of the paper. @param {Sections} sections @returns {{path: (string | number)[], value: string}[]} */
export const editable = (sections) => compared(sections, sections).filter(({ path }) => path[1] !== "schema").map(({ path, after }) => ({ path, value: after ?? "" }));

/** As RFC 6901 writes it. @param {(string | number)[]} path */
export const pointerOf = (path) => path.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** @param {any} value @param {(string | number)[]} [path] @returns {[string, string][]} path as JSON, and value */
function leaves(value, path = []) {
  if (value === null || typeof value !== "object") return [[JSON.stringify(path), String(value)]];
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return inside.flatMap(([name, each]) => leaves(each, [...path, name]));
}

/** @param {(string | number)[]} path */
const place = ([section]) => sectionPlace(String(section));

/** @param {(string | number)[]} path */
const memberOf = ([section, ...names]) => (section === "lines" ? linePlace(String(names[1])) : memberPlace(String(names[0])));

/** Members of a line stay together. @param {(string | number)[]} path */
const lineOf = (path) => (path[0] === "lines" ? Number(path[1]) : 0);
