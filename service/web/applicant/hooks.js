/** Where a program of the applicant's is told of the case: addresses that get a signed request each time. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { language, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { errorsOf, field, keepingForm } from "./forms.js";
import { forgetDraft } from "./kept.js";
import { busy, button, copyable, drawn, said, trouble } from "./parts.js";

const PATH = "/v1/webhooks";

/** Read when it is unfolded. @param {import("./case.js").Opened} opened */
export function hooksPart(opened) {
  /** @type {{id: string, url: string, disabled_at: string | null}[] | null} */
  let items = null;
  /** @type {string | null} of the one that was just made: it is told once */
  let secret = null;
  /** @type {unknown} */
  let failed = null;

  /** @param {() => Promise<void>} work before it */
  async function read(work = async () => {}) {
    try {
      await work();
      items = (await ask("GET", PATH, { token: opened.token() })).items;
      failed = null;
    } catch (error) {
      failed = error;
    }
    draw();
  }

  /** @param {{id: string, url: string, disabled_at: string | null}} one */
  function hookView({ id, url, disabled_at }) {
    const pressed = button("hook.remove", { quiet: true, run: () => void busy(pressed, () => read(() => ask("DELETE", `${PATH}/${id}`, { token: opened.token() }))) });
    return h("li", {}, h("p", { class: "value" }, url), h("p", { class: "row" }, disabled_at !== null && said("hook.disabled", "span", { class: "hint" }), pressed));
  }

  const act = button("hook.add", { type: "submit" });
  const url = field("url", "hook.url", { inputmode: "url", maxlength: 2048, hint: "hook.url.hint" });
  const form = keepingForm("hook", [url, h("div", { class: "buttons" }, act)], () => void busy(act, add), { isCard: false });

  async function add() {
    const { url } = form.values();
    form.show(url ? {} : { url: { key: "hook.url.missing" } });
    if (!url) return;
    try {
      ({ secret } = await ask("POST", PATH, { token: opened.token(), body: { url, events: ["reprint.*"], language: language() } }));
      forgetDraft("hook");
      form.element.reset();
      await read();
    } catch (error) {
      form.show(errorsOf(error, ["url"]));
    }
  }

  const list = h("div", { class: "stack" });
  const draw = drawn(list, () => [
    said("hook.what", "p", { class: "hint" }),
    items !== null && items.length > 0 && h("ul", { class: "hooks" }, items.map(hookView)),
    secret !== null && h("div", { role: "status" }, said("hook.secret", "p"), copyable(secret, "hook.secret")),
    failed !== null && trouble(failed, () => void read()),
  ]);
  return h(
    "details",
    { class: "plain-details", ontoggle: (/** @type {Event} */ event) => /** @type {HTMLDetailsElement} */ (event.target).open && items === null && void read() },
    h("summary", {}, said("hook.summary"), icon("chevron")),
    h("div", { class: "stack wide-gap" }, list, form.element),
  );
}
