/**
 * Keys that do something on a page; `?` lists them. None works while somebody types, over an open dialog, or where they have been
 * switched off: a voice that is taken for keys would press them.
 */

import { h } from "../../../verifier/web/page/dom.js";
import { t } from "../../../verifier/web/page/texts.js";
import { dialog } from "./dialog.js";
import { button, said } from "./start.js";

const STORED = "zhengpiao.shortcuts";
const LIST = "?";

/** @typedef {{key: string, text: string, run: () => void}} Shortcut `text` is the key of what it does */

/**
 * From now on these keys work. @param {Shortcut[]} list
 * @returns {HTMLElement} the button that shows them
 */
export function shortcuts(list) {
  const act = button("shortcuts.show", { icon: "keyboard", run: () => show(list) });
  act.classList.add("keyboard");
  act.setAttribute("aria-keyshortcuts", LIST);
  document.addEventListener("keydown", (event) => {
    const wanted = [{ key: LIST, text: "shortcuts.show", run: () => show(list) }, ...list].find(({ key }) => key === event.key);
    if (!wanted || !isForPage(event) || (!isOn() && wanted.key !== LIST)) return;
    event.preventDefault();
    wanted.run();
  });
  return act;
}

/** The key as it is shown beside what it does. @param {string} key */
export const keyMark = (key) => h("kbd", { "aria-hidden": "true" }, key.length === 1 ? key.toUpperCase() : key);

/** @param {KeyboardEvent} event */
function isForPage({ key, target, ctrlKey, metaKey, altKey, isComposing, repeat }) {
  if (ctrlKey || metaKey || altKey || isComposing || repeat || document.querySelector("dialog[open]")) return false;
  const own = key === "Enter" ? "input, select, textarea, a, button, summary" : "input:not([type=checkbox]), select, textarea";
  return !(target instanceof Element && target.closest(own));
}

/** @param {Shortcut[]} list */
async function show(list) {
  const box = h("input", { type: "checkbox", name: "on", checked: isOn() });
  await dialog(
    "shortcuts.heading",
    [
      h(
        "dl",
        { class: "keys" },
        list.map(({ key, text }) => h("div", {}, h("dt", {}, h("kbd", {}, key.length === 1 ? key.toUpperCase() : t(`key_name.${key}`))), h("dd", {}, said(text)))),
        h("div", {}, h("dt", {}, h("kbd", {}, LIST)), h("dd", {}, said("shortcuts.this"))),
      ),
      h("label", { class: "tickbox" }, box, said("shortcuts.on")),
    ],
    { confirm: "shortcuts.close" },
    async () => {
      remember(box.checked);
      return true;
    },
  );
}

function isOn() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // Storage is closed to this page: the keys go on working.
  }
}
