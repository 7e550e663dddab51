/** What every page of a desk starts with: its data, its language, its navigation, and who is signed in. */

import { byId, h, icon } from "../../../verifier/web/page/dom.js";
import { addTexts, chooseLanguage, language, onLanguage, startLanguage, t } from "../../../verifier/web/page/texts.js";
import { drawn, isThere, notice, said } from "../scripts/parts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { purposeBar } from "./purpose.js";
import en from "./texts/en.json" with { type: "json" };
import zh from "./texts/zh-CN.json" with { type: "json" };

export { announce, notice, said } from "../scripts/parts.js";

addTexts({ "zh-CN": zh, en });

/** The page's own part. @type {HTMLElement} */
export const root = byId("root");

/** Language, its switch, the menu of a phone, signing out. */
export function start() {
  document.documentElement.classList.add("js");
  startLanguage();
  byId("language").addEventListener("click", (/** @type {Event} */ event) => {
    event.preventDefault();
    chooseLanguage(language() === "en" ? "zh-CN" : "en");
  });
  const menu = byId("menu");
  if (menu) {
    menu.addEventListener("click", () => {
      const isOpen = menu.getAttribute("aria-expanded") === "true";
      menu.setAttribute("aria-expanded", String(!isOpen));
      byId("side").classList.toggle("is-open", !isOpen);
    });
    byId("sign-out").addEventListener("click", async () => {
      await ask("DELETE", "/v1/session").catch(() => null);
      location.assign("/sign-in");
    });
  }
}

/**
 * A page of a desk: its head, then its parts.
 * @param {string} heading key @param {import("../../../verifier/web/page/dom.js").Child[]} acts beside the heading
 * @param {...import("../../../verifier/web/page/dom.js").Child} parts
 */
export function page(heading, acts, ...parts) {
  const isAuditor = data.session?.person.role === "auditor";
  root.replaceChildren(
    h("header", { class: "head" }, h("h1", { "data-t": heading }, t(heading)), h("div", { class: "acts" }, acts)),
    ...(isAuditor ? [purposeBar()] : []),
    ...parts.filter(isThere),
  );
  root.setAttribute("aria-busy", "false");
}

/** A heading that says which one it is: an invoice's number, an anchor's seq. @param {string} key @param {Record<string, string | number>} params */
export function titled(key, params) {
  const write = () => {
    const said = t(key, params);
    document.title = t("title.of", { what: said });
    const heading = root.querySelector("h1");
    if (heading) {
      heading.removeAttribute("data-t");
      heading.textContent = said;
    }
  };
  write();
  onLanguage(write);
}

/**
 * An element that is drawn anew when what it shows has changed, and in the other language.
 * @param {() => (import("../../../verifier/web/page/dom.js").Child | import("../../../verifier/web/page/dom.js").Child[])} view
 * @param {string} [tag] @param {Record<string, unknown>} [attributes]
 */
export function part(view, tag = "section", attributes = {}) {
  const element = h(tag, attributes);
  return { element, draw: drawn(element, view) };
}

/** @param {string} key @param {{icon?: string, primary?: boolean, href?: string, run?: (event: Event) => void, type?: string, small?: boolean}} options */
export function button(key, { icon: shape, primary, href, run, type = "button", small } = {}) {
  const look = { class: ["button", primary && "primary", small && "small"].filter(Boolean).join(" ") };
  const shown = [shape && icon(shape), said(key)];
  return href ? h("a", { ...look, href }, shown) : h("button", { ...look, type, onclick: run }, shown);
}

/** While something runs its button says so, and does not run it twice. @param {HTMLButtonElement} pressed @param {() => Promise<void>} work */
export async function busy(pressed, work) {
  if (pressed.disabled) return;
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}

/** What the service said when it refused. @param {unknown} error */
export function trouble(error) {
  const detail = error instanceof Error && "detail" in error ? String(error.detail) : t("ask.unreachable");
  return notice("bad", "warning", h("p", {}, detail));
}
