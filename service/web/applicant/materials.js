/** Step 3: the papers, each with what it is and what may be sent; photographed, looked at, replaced, removed; then handed in. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { download } from "../../../verifier/web/page/downloads.js";
import { has, integer, t } from "../../../verifier/web/page/texts.js";
import { Refused, Unanswered } from "./ask.js";
import { dialog } from "./dialog.js";
import { fitted, megabytes, Unusable } from "./fit.js";
import { announce, busy, button, drawn, said, sentenceOf, trouble } from "./parts.js";
import { sending } from "./sending.js";

/**
 * @typedef {import("./case.js").Case} Case
 * @typedef {import("./case.js").Opened} Opened
 * @typedef {{id: string, type: string, pages: number, size: number}} Item
 * @typedef {{type: string, required: boolean, formats: string[], max_bytes: number, max_pages: number}} Needed
 */

/** @type {Record<string, string>} */
const ICONS = { identity: "identity", company_letter: "letter", application_form: "document", other: "file" };

/** Whether something is still missing, of what has to be there. @param {Case["materials"]} materials @returns {string[]} types */
export const missingOf = ({ needed, items }) =>
  needed.filter(({ type, required }) => required && !items.some((item) => item.type === type)).map(({ type }) => type);

/**
 * @param {Case} found @param {Opened} opened @returns {{element: HTMLElement, update: (found: Case) => void}}
 */
export function materialsStep(found, opened) {
  let current = found;
  /** Pictures that were fetched once, by item and page. @type {Map<string, Promise<string>>} */
  const previews = new Map();
  const slots = found.materials.needed.map((needed) => slot(needed, opened, previews, () => current));
  const failed = h("div", {});
  const tally = h("p", { class: "tally-line", role: "status" });
  const submit = button("mat.submit", { icon: "arrow", primary: true, run: () => void busy(submit, send) });
  const drawTally = drawn(tally, () => {
    const missing = missingOf(current.materials);
    submit.classList.toggle("primary", missing.length === 0);
    return missing.length === 0
      ? [icon("tick"), t("mat.complete")]
      : [icon("dash"), t("mat.missing", { names: missing.map((type) => t(`mat.${type}`)).join(t("list.and")) })];
  });

  async function send() {
    failed.replaceChildren();
    const missing = missingOf(current.materials);
    if (missing.length > 0) {
      const first = /** @type {HTMLElement | null} */ (element.querySelector(`[data-type="${missing[0]}"] .choose`));
      failed.replaceChildren(errorsList(missing));
      /** @type {HTMLElement} */ (failed.firstElementChild).focus();
      first?.scrollIntoView({ block: "center" });
      return;
    }
    try {
      await opened.act("submit");
    } catch (error) {
      failed.replaceChildren(trouble(error, () => void busy(submit, send)));
    }
  }

  const element = h(
    "section",
    { class: "stack wide-gap" },
    said("mat.heading", "h2", { tabindex: "-1" }),
    said("mat.intro", "p", { class: "soft" }),
    failed,
    slots.map(({ element }) => element),
    h("div", { class: "card stack" }, tally, h("div", { class: "buttons" }, submit)),
  );
  return {
    element,
    update(next) {
      current = next;
      for (const one of slots) one.draw();
      drawTally();
    },
  };
}

/** @param {string[]} missing types */
const errorsList = (missing) =>
  h(
    "div",
    { class: "errors", role: "alert", tabindex: "-1" },
    h("p", { class: "error" }, t("errors.heading")),
    h("ul", {}, missing.map((type) => h("li", {}, h("a", { href: `#material-${type}` }, t("mat.add", { name: t(`mat.${type}`) }))))),
  );

/**
 * One kind of paper.
 * @param {Needed} needed @param {Opened} opened @param {Map<string, Promise<string>>} previews @param {() => Case} current
 */
function slot(needed, opened, previews, current) {
  const { type } = needed;
  /** @type {{share: number, stop: () => void} | null} */
  let upload = null;
  /** @type {unknown} */
  let wrong = null;
  const bar = h("progress", { max: 1, value: 0 });
  const body = h("div", { class: "stack" });
  const mine = () => current().materials.items.filter((/** @type {Item} */ item) => item.type === type);

  /** @param {File} file */
  async function send(file) {
    const replaced = type === "other" ? [] : mine();
    wrong = null;
    try {
      bar.value = 0;
      upload = { share: 0, stop: () => {} };
      draw();
      announce(t("mat.sending", { name: t(`mat.${type}`) }));
      const small = await fitted(file, needed.max_bytes);
      const { done, stop } = sending(`${opened.path}/materials?type=${type}`, small, opened.token(), (share) => (bar.value = share));
      upload.stop = stop;
      await done;
      // The new one is there: only now the old one may go.
      for (const { id } of replaced) await opened.remove(`materials/${id}`).catch(ignoreGone);
      announce(t("mat.sent", { name: t(`mat.${type}`) }));
    } catch (error) {
      wrong = error;
    }
    upload = null;
    await opened.read();
    draw();
  }

  /** @param {Item} item */
  async function remove({ id }) {
    wrong = null;
    try {
      await opened.remove(`materials/${id}`).catch(ignoreGone);
      announce(t("mat.removed"));
    } catch (error) {
      wrong = error;
    }
    await opened.read();
    draw();
    /** @type {HTMLElement | null} */ (body.querySelector("input"))?.focus();
  }

  const draw = drawn(body, () => {
    const items = mine();
    if (upload) return [h("div", { class: "upload" }, h("p", {}, t("mat.uploading")), bar, button("mat.stop", { icon: "cross", run: () => upload?.stop() }))];
    return [
      wrong !== null && h("p", { class: "error", role: "alert" }, icon("warning"), h("span", {}, wrongOf(wrong))),
      ...items.map((/** @type {Item} */ item) => itemView(item, opened, previews, () => remove(item))),
      chooser(needed, items, (file) => void send(file)),
    ];
  });
  const element = h(
    "section",
    { class: "card stack material", "data-type": type, id: `material-${type}`, "aria-labelledby": `material-${type}-name` },
    h(
      "header",
      { class: "material-head" },
      icon(ICONS[type] ?? "file"),
      h(
        "div",
        {},
        h("h3", { id: `material-${type}-name` }, said(`mat.${type}`), !needed.required && h("span", { class: "optional" }, said("mat.optional"))),
        said(`mat.${type}.what`, "p", { class: "soft" }),
      ),
    ),
    type === "application_form" && formLink(opened),
    body,
    limits(needed),
  );
  return { element, draw };
}

/** @param {unknown} error */
const ignoreGone = (error) => {
  if (!(error instanceof Refused) || error.status !== 404) throw error;
};

/** @param {unknown} error */
function wrongOf(error) {
  if (error instanceof Unusable) return t(error.code, error.params);
  return error instanceof Unanswered && error.message === "abort" ? t("mat.stopped") : sentenceOf(error);
}

/** @param {Needed} needed */
function limits({ formats, max_bytes, max_pages }) {
  const line = h("p", { class: "hint" });
  drawn(line, () => t("mat.limits", { formats: formats.map(formatName).join(t("list.or")), size: megabytes(max_bytes), pages: integer(max_pages) }));
  return line;
}

/** @param {string} format a media type, or its short name */
const formatName = (format) => format.replace(/^(application|image)\//, "").toUpperCase();

/** @param {Needed} needed @param {Item[]} items that are there @param {(file: File) => void} take */
function chooser({ type, required }, items, take) {
  const hasOne = items.length > 0;
  const isFirst = required && !hasOne;
  const isPhone = matchMedia("(pointer: coarse)").matches;
  const input = (/** @type {string} */ id, /** @type {string} */ accept, /** @type {string | null} */ capture) =>
    h("input", {
      type: "file",
      id,
      accept,
      capture,
      class: "visually-hidden",
      "aria-describedby": `material-${type}-name`,
      onchange: (/** @type {Event} */ event) => {
        const field = /** @type {HTMLInputElement} */ (event.target);
        const [file] = field.files ?? [];
        field.value = "";
        if (file) take(file);
      },
    });
  const label = (/** @type {string} */ id, /** @type {string} */ shape, /** @type {string} */ key, primary = false) =>
    h("label", { for: id, class: primary ? "button primary choose" : "button choose" }, icon(shape), said(key));
  const file = `file-${type}`;
  const photo = `photo-${type}`;
  return h(
    "div",
    { class: "buttons" },
    isPhone && [input(photo, "image/*", "environment"), label(photo, "camera", hasOne && type !== "other" ? "mat.photo_again" : "mat.photo", isFirst)],
    [input(file, "image/*,application/pdf,.pdf", null), label(file, "upload", hasOne ? (type === "other" ? "mat.more" : "mat.replace") : "mat.choose", isFirst && !isPhone)],
  );
}

/** @param {Opened} opened */
function formLink(opened) {
  const failed = h("div", {});
  const get = button("mat.form", {
    icon: "save",
    run: () =>
      void busy(get, async () => {
        failed.replaceChildren();
        try {
          const blob = await opened.file("application-form.pdf");
          download(new Uint8Array(await blob.arrayBuffer()), `${opened.id}.pdf`, "application/pdf");
        } catch (error) {
          failed.replaceChildren(trouble(error));
        }
      }),
  });
  return h("div", { class: "stack" }, said("mat.form.how", "p"), h("div", { class: "buttons" }, get), failed);
}

/** @param {Item} item @param {Opened} opened @param {Map<string, Promise<string>>} previews @param {() => Promise<void>} remove */
function itemView(item, opened, previews, remove) {
  const pages = Array.from({ length: item.pages }, (_, i) => i + 1);
  const out = button("mat.remove", { icon: "bin", run: () => void busy(out, remove) });
  return h(
    "div",
    { class: "item" },
    h(
      "ul",
      { class: "pages" },
      pages.map((n) => h("li", {}, thumbnail(item, n, opened, previews))),
    ),
    h("div", { class: "item-foot" }, h("span", { class: "ok" }, icon("tick"), t("mat.pages", { count: item.pages })), out),
  );
}

/** @param {Item} item @param {number} n @param {Opened} opened @param {Map<string, Promise<string>>} previews */
function thumbnail(item, n, opened, previews) {
  const name = t("mat.page", { name: t(has(`mat.${item.type}`) ? `mat.${item.type}` : "mat.other"), n });
  const image = h("img", { alt: name });
  const place = h("button", { type: "button", class: "thumb", "aria-label": t("mat.enlarge", { name }), onclick: () => void enlarge(name, image.src) }, image);
  pictureOf(item, n, opened, previews).then(
    (url) => (image.src = url),
    () => place.replaceChildren(icon("file"), h("span", { class: "hint" }, t("mat.no_preview"))),
  );
  return place;
}

/** @param {Item} item @param {number} n @param {Opened} opened @param {Map<string, Promise<string>>} previews @returns {Promise<string>} a blob: address */
function pictureOf({ id }, n, opened, previews) {
  const key = `${id} ${n}`;
  const made = previews.get(key) ?? opened.file(`materials/${id}/pages/${n}`).then((blob) => URL.createObjectURL(blob));
  previews.set(key, made);
  made.catch(() => previews.delete(key));
  return made;
}

/** @param {string} name @param {string} url */
const enlarge = (name, url) =>
  url === "" ? null : dialog("mat.preview", (close) => [h("img", { src: url, alt: name, class: "large-page" }), h("div", { class: "buttons" }, button("dialog.close", { icon: "cross", run: close }))]);
