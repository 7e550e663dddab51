/**
 * The materials of a case, seen in the page: page by page, larger, smaller, turned. Every page comes with the reader's name in it, and
 * each look is kept with what it was for.
 */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { integer, t } from "../../../verifier/web/page/texts.js";
import { once } from "./ask.js";
import { data } from "./data.js";
import { inTurn, isSeen, pagesOf } from "./material_pages.js";
import { bones, nothing, time, word } from "./show.js";
import { announce, button, part, said, trouble } from "./start.js";

/** Widths of a page, in parts of the place that it has. */
const ZOOMS = [1, 1.5, 2, 3];

/**
 * @param {string} caseId @param {() => string} purpose what it is looked at for, as the service writes it down
 * @param {() => void} looked one page more was seen
 */
export function materialsViewer(caseId, purpose, looked) {
  /** @type {import("./material_pages.js").Material[]} */
  let items = [];
  /** @type {import("./material_pages.js").Place | null} */
  let place = null;
  let zoom = 0;
  let turns = 0;
  const seen = remembered(caseId);
  /** @type {Map<string, ImageBitmap>} */
  const drawn = new Map();
  /** @type {unknown} */
  let wrong = null;

  const list = part(() => (items.length > 1 ? tabs() : null), "div", { class: "chips", role: "group" });
  const bar = part(() => place && toolbar(), "div", { class: "viewer-bar" });
  const stage = h("div", { class: "stage", tabindex: "0", role: "region" });
  const about = part(() => place && aboutView(), "div", {});
  const element = h("div", { class: "viewer" }, list.element, bar.element, stage, about.element);

  /** @param {import("./material_pages.js").Material[]} given */
  async function show(given) {
    items = given;
    const places = pagesOf(items);
    place = places.find((one) => one.id === place?.id && one.page === place.page) ?? places[0] ?? null;
    await open(place);
  }

  /** @param {import("./material_pages.js").Place | null} wanted */
  async function open(wanted) {
    if (wanted === null) {
      stage.replaceChildren(nothing("materials.none", "document"));
      return redraw();
    }
    const isOther = wanted.id !== place?.id || wanted.page !== place.page;
    place = wanted;
    if (isOther) turns = 0;
    redraw();
    const key = keyOf(wanted);
    if (!drawn.has(key)) {
      stage.replaceChildren(bones());
      stage.setAttribute("aria-busy", "true");
      try {
        const path = `/v1/reprints/${encodeURIComponent(caseId)}/materials/${encodeURIComponent(wanted.id)}/pages/${wanted.page}`;
        const answer = await once("GET", `${path}?purpose=${purpose()}`, undefined);
        drawn.set(key, await createImageBitmap(await answer.blob()));
        wrong = null;
      } catch (error) {
        wrong = error;
      }
    }
    stage.removeAttribute("aria-busy");
    if (place === wanted) paint();
  }

  function paint() {
    const now = /** @type {import("./material_pages.js").Place} */ (place);
    const picture = drawn.get(keyOf(now));
    if (!picture) return stage.replaceChildren(trouble(wrong), h("p", {}, button("materials.again", { icon: "again", run: () => open(place) })));
    const isAcross = turns % 2 === 1;
    const [width, height] = isAcross ? [picture.height, picture.width] : [picture.width, picture.height];
    const canvas = h("canvas", { width, height, role: "img", "aria-label": name(now) });
    canvas.style.width = `${ZOOMS[zoom] * 100}%`;
    const pen = canvas.getContext("2d");
    pen.translate(width / 2, height / 2);
    pen.rotate((turns * Math.PI) / 2);
    pen.drawImage(picture, -picture.width / 2, -picture.height / 2);
    stage.replaceChildren(canvas);
    stage.setAttribute("aria-label", name(now));
    if (!seen.has(keyOf(now))) {
      seen.add(keyOf(now));
      remember(caseId, seen);
      looked();
    }
    redraw();
    announce(name(now));
  }

  const redraw = () => [list, bar, about].forEach((each) => each.draw());

  /** @param {number} steps */
  const move = (steps) => {
    const next = place && inTurn(pagesOf(items), place, steps);
    if (next) open(next);
  };
  /** @param {number} steps */
  const scale = (steps) => {
    zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + steps));
    if (place) paint();
  };
  const turn = () => {
    turns = (turns + 1) % 4;
    if (place) paint();
  };

  const tabs = () =>
    items.map((item) => {
      const isWhole = isSeen([item], seen);
      return h(
        "button",
        { type: "button", class: "chip", "aria-pressed": String(item.id === place?.id), onclick: () => open({ id: item.id, type: item.type, page: 1, of: item.pages }) },
        icon(isWhole ? "tick" : "eye"),
        h("span", {}, word(`material.${item.type}`, item.type)),
        h("span", { class: "visually-hidden" }, t(isWhole ? "materials.seen" : "materials.unseen")),
      );
    });

  function toolbar() {
    const now = /** @type {import("./material_pages.js").Place} */ (place);
    const places = pagesOf(items);
    return [
      tool("materials.previous", "chevron", () => move(-1), inTurn(places, now, -1) === null, "before"),
      h("span", { class: "soft digits" }, t("materials.page", { page: now.page, of: now.of })),
      tool("materials.next", "chevron", () => move(1), inTurn(places, now, 1) === null, "after"),
      h("span", { class: "grow" }),
      tool("materials.smaller", "smaller", () => scale(-1), zoom === 0),
      tool("materials.larger", "larger", () => scale(1), zoom === ZOOMS.length - 1),
      tool("materials.turn", "turn", turn, false),
    ];
  }

  const aboutView = () => {
    const item = items.find(({ id }) => id === place?.id);
    const left = pagesOf(items).filter((one) => !seen.has(keyOf(one))).length;
    return h(
      "p",
      { class: "hint" },
      item && t("materials.about", { size: sizeOf(item.size) }),
      " ",
      item && time(item.uploaded_at, "minute"),
      " · ",
      left > 0 ? t("materials.left", { count: left }) : t("materials.all_seen"),
    );
  };

  return { element, show, move, scale, turn, isSeen: () => isSeen(items, seen) };
}

/** @param {string} key @param {string} shape @param {() => void} run @param {boolean} disabled @param {string} [look] */
const tool = (key, shape, run, disabled, look = "") =>
  h("button", { type: "button", class: `tool ${look}`, "aria-label": t(key), title: t(key), disabled, onclick: run }, icon(shape));

/** @param {import("./material_pages.js").Place} place */
const name = ({ type, page, of }) => t("materials.name", { what: word(`material.${type}`, type), page, of });

/** @param {{id: string, page: number}} place */
const keyOf = ({ id, page }) => `${id}/${page}`;

/** @param {number} bytes */
const sizeOf = (bytes) => (bytes < 1_000_000 ? t("size.kb", { n: integer(Math.max(1, Math.round(bytes / 1000))) }) : t("size.mb", { n: (bytes / 1_000_000).toFixed(1) }));

// What was seen is remembered for as long as this window is open: a page that is loaded anew need not be gone through again.

/** @param {string} caseId */
const stored = (caseId) => `zhengpiao.seen.${data.session?.person.id}.${caseId}`;

/** @param {string} caseId @returns {Set<string>} */
function remembered(caseId) {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(stored(caseId)) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {string} caseId @param {Set<string>} seen */
function remember(caseId, seen) {
  try {
    sessionStorage.setItem(stored(caseId), JSON.stringify([...seen]));
  } catch {
    // Storage is closed to this page: it is remembered as long as the page is.
  }
}
