/** Step 5: the new copy, as a file or by a code at the counter; or how the case ended without one. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { download } from "../../../verifier/web/page/downloads.js";
import { t } from "../../../verifier/web/page/texts.js";
import { Refused } from "./ask.js";
import { busy, button, copyable, factList, notice, said, trouble } from "./parts.js";

/**
 * @typedef {import("./case.js").Case} Case
 * @typedef {import("./case.js").Opened} Opened
 */

/** It is being made, or on its way to the chain. @param {Case} found @returns {HTMLElement} */
export const making = (found) =>
  h(
    "section",
    { class: "verdict", "data-role": "wait" },
    h("span", { class: "seal spinner" }),
    said(found.state === "approved" ? "done.making" : "done.anchoring", "h2", { class: "word", tabindex: "-1" }),
    said("done.making.sentence", "p", { class: "sentence" }),
    h("p", { class: "again" }, h("span", { class: "pulse", "aria-hidden": "true" }), said("done.by_itself")),
  );

/** @param {Case} found @param {Opened} opened @returns {HTMLElement} */
export function completed(found, opened) {
  const { result, delivery, kind } = found;
  return h(
    "div",
    { class: "stack wide-gap" },
    h(
      "section",
      { class: "verdict", "data-role": "neutral" },
      h("span", { class: "seal" }, icon("check")),
      said("done.heading", "h2", { class: "word", tabindex: "-1" }),
      h("p", { class: "sentence" }, t(kind === "reissue" ? "done.reissue" : "done.copy", { number: result.number })),
    ),
    delivery === "collect" && collect(result),
    h(
      "section",
      { class: "card stack" },
      said(delivery === "collect" ? "done.file.also" : "done.file", "h2"),
      documentButtons(found, opened),
      said("done.verify.how", "p", { class: "hint" }),
    ),
  );
}

/** @param {any} result */
const collect = ({ pickup_code }) =>
  h(
    "section",
    { class: "card stack" },
    said("done.collect", "h2"),
    pickup_code
      ? [said("done.collect.how", "p"), h("p", { class: "pickup", "aria-label": t("done.pickup", { code: [...pickup_code].join(" ") }) }, copyable(pickup_code, "done.pickup.name"))]
      : said("done.collected", "p"),
  );

/** @param {Case} found @param {Opened} opened */
function documentButtons({ result }, opened) {
  const failed = h("div", {});
  const get = button("done.download", {
    icon: "save",
    primary: true,
    run: () =>
      void busy(get, async () => {
        failed.replaceChildren();
        try {
          const blob = await opened.file("document");
          download(new Uint8Array(await blob.arrayBuffer()), `${result.number.replaceAll(":", "_")}.pdf`, "application/pdf");
        } catch (error) {
          const isEarly = error instanceof Refused && error.code === "document_not_ready";
          failed.replaceChildren(isEarly ? notice("wait", "clock", said("done.not_ready", "p")) : trouble(error));
        }
      }),
  });
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "buttons" }, get, button("done.verify", { icon: "shield", href: result.verify ?? "/verify" })),
    failed,
  );
}

/** @type {Record<string, [role: string, icon: string]>} */
const ENDS = { rejected: ["bad", "cross"], cancelled: ["neutral", "void"], expired: ["neutral", "clock"] };

/** @param {Case} found @param {() => void} anew @returns {HTMLElement} */
export function ended(found, anew) {
  const [role, shape] = ENDS[found.state];
  const last = found.history.at(-1);
  return h(
    "div",
    { class: "stack wide-gap" },
    h(
      "section",
      { class: "verdict", "data-role": role },
      h("span", { class: "seal" }, icon(shape)),
      h("h2", { class: "word", tabindex: "-1" }, t(`ended.${found.state}`)),
      h("p", { class: "sentence" }, t(`ended.${found.state}.sentence`)),
    ),
    last?.reason && h("section", { class: "card stack" }, factList([["ended.reason", last.reason]])),
    found.fee.state.startsWith("refund") && notice("wait", "pay", h("p", {}, t(`fee.state.${found.fee.state}`)), said("ended.refund", "p", { class: "hint" })),
    h("div", { class: "buttons" }, button("ended.anew", { icon: "again", primary: found.state !== "cancelled", run: anew })),
  );
}
