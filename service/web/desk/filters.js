/** Filters that somebody keeps under a name: a menu beside a form, which fills the form. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { dialog, errorsOf, field, showErrors, valuesOf } from "./dialog.js";
import { announce, button, said } from "./start.js";

/**
 * @param {string} page what they belong to @param {() => Record<string, string>} read what the form holds
 * @param {(criteria: Record<string, string>) => void} fill
 */
export function keptFilters(page, read, fill) {
  const list = h("ul", { class: "kept" });
  const element = h("div", { class: "kept-filters" }, list, button("filters.keep", { icon: "bookmark", small: true, run: keep }));
  /** @type {any[]} */
  let items = [];

  const draw = () => {
    list.replaceChildren(
      ...items.map(({ id, name, criteria }) =>
        h(
          "li",
          {},
          h("button", { type: "button", class: "chip", onclick: () => fill(criteria) }, name),
          h("button", { type: "button", class: "chip-end", "aria-label": t("filters.forget", { name }), title: t("filters.forget", { name }), onclick: () => forget(id) }, icon("cross")),
        ),
      ),
    );
  };

  async function load() {
    ({ items } = await ask("GET", `/v1/filters?page=${page}`));
    draw();
  }

  async function keep() {
    const criteria = read();
    const name = field("name", "filters.name", { maxlength: 100 });
    await dialog("filters.heading", [said("filters.intro", "p"), name], { confirm: "filters.confirm" }, async (form) => {
      try {
        await ask("POST", "/v1/filters", { page, name: valuesOf(form).name, criteria });
        await load();
        announce(t("filters.kept"));
        return true;
      } catch (error) {
        showErrors(form, errorsOf(error));
        return false;
      }
    });
  }

  /** @param {number} id */
  async function forget(id) {
    await ask("DELETE", `/v1/filters/${id}`);
    await load();
  }

  onLanguage(draw);
  load().catch(() => {});
  return element;
}
