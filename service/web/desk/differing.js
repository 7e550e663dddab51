/** What is not the same on two sides. */

import { h } from "../../../verifier/web/page/dom.js";

/** A text with the part of it marked that the other side has otherwise. @param {string} text @param {string | null} other @param {string} [tag] */
export function marked(text, other, tag = "code") {
  if (other === null || text === other) return h(tag, { class: "value" }, text);
  const [start, end] = edges(text, other);
  return h(tag, { class: "value" }, text.slice(0, start), h("mark", {}, text.slice(start, text.length - end) || " "), text.slice(text.length - end));
}

/** How much two texts have in common at their beginnings and at their ends. @param {string} text @param {string} other @returns {[number, number]} */
export function edges(text, other) {
  const shorter = Math.min(text.length, other.length);
  let start = 0;
  while (start < shorter && text[start] === other[start]) start += 1;
  let end = 0;
  while (end < shorter - start && text.at(-1 - end) === other.at(-1 - end)) end += 1;
  return [start, end];
}
