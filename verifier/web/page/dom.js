/** Making elements. Text becomes text nodes and nothing else: there is no way in here by which content could become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on…` is a listener, true an empty attribute, null or false none; the rest is text
 * @param {...(Child | Child[])} children
 * @returns {any} HTMLElement
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter(isThere));
  return element;
}

/** @param {Child} child @returns {child is Node | string} */
const isThere = (child) => child !== null && child !== undefined && child !== false;

/** A symbol of icons.svg, which every page holds. What it says stands beside it in words. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} tag @param {Record<string, string | number>} [attributes] @param {...Node} children @returns {any} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** The element of that id, which the page has. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * Whether the element holds focus, so that what takes its place can have it.
 * @param {Element} element
 */
export const hasFocus = (element) => element.contains(document.activeElement);
