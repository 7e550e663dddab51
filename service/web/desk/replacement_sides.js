/** A reissue's new sections beside the original's, with what is not the same marked. */

import { h } from "../../../verifier/web/page/dom.js";
import { has, t } from "../../../verifier/web/page/texts.js";
import { marked } from "./differing.js";
import { compared, differs } from "./sections.js";

/** @param {Record<string, any>} original @param {Record<string, any>} replacement */
export function replacementSides(original, replacement) {
  const rows = compared(original, replacement);
  const changed = rows.filter(differs);
  return [
    h("p", { class: "soft" }, t("replacement.changes", { count: changed.length })),
    h("div", { class: "sides" }, changed.map(row)),
    rows.length > changed.length &&
      h(
        "details",
        { class: "numbers" },
        h("summary", {}, h("span", {}, t("replacement.same", { count: rows.length - changed.length }))),
        h("div", { class: "sides" }, rows.filter((each) => !differs(each)).map(row)),
      ),
  ];
}

/** @param {import("./sections.js").Compared} compared */
function row({ path, before, after }) {
  const isOther = before !== after;
  return h(
    "section",
    { class: "side-by-side", "data-differs": isOther ? "" : null },
    h("h3", {}, pathName(path)),
    h("div", {}, h("p", { class: "side-name" }, t("replacement.original")), side(before, after)),
    h("div", {}, h("p", { class: "side-name" }, t("replacement.new")), side(after, before)),
  );
}

/** @param {string | null} text @param {string | null} other */
const side = (text, other) => (text === null ? h("p", { class: "soft" }, t("replacement.absent")) : marked(text, other, "span"));

/** A member with its section; of a line, with its place. @param {(string | number)[]} path */
const pathName = (path) => [sectionName(String(path[0])), memberName(path)].join(" · ");

/** @param {(string | number)[]} path @returns {string} */
export const memberName = ([, ...members]) => members.map((one) => (typeof one === "number" ? t("replacement.line", { n: one + 1 }) : name("member", one))).join(" · ");

/** @param {string} section */
export const sectionName = (section) => name("section", section);

/** @param {string} group @param {string} key */
const name = (group, key) => (has(`${group}.${key}`) ? t(`${group}.${key}`) : key);
