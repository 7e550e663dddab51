/** What the diagnosis found, and the one thing to do next: a reprint is the last of them. */

import { h, icon } from "../../../verifier/web/page/dom.js";
import { moment, t } from "../../../verifier/web/page/texts.js";
import { questionToText } from "../../../verifier/web/question.js";
import { HOP_ICONS, LOOKS } from "../scripts/diagnosis_looks.js";
import { busy, button, factList, notice, said, trouble } from "./parts.js";

/** The invoice is here and nobody lost anything: it is looked at, not made anew. */
const FINE = new Set(["present", "partly_reversed", "node_lagging", "not_delivered_to_central"]);
/** What a reprint is given of; the service decides, this only keeps from asking in vain. */
const REPRINTABLE = new Set([...FINE, "delivered_not_visible", "receipt_breached", "lost_after_anchor", "altered"]);

/**
 * @typedef {object} Ways
 * @property {import("./confirm.js").Material} material
 * @property {any} restored
 * @property {() => void} again @property {() => void} edit @property {() => void} choose @property {() => void} restore
 * @property {() => Promise<void>} apply
 *
 * @param {any} found the answer of POST /v1/diagnoses @param {Ways} ways @returns {HTMLElement}
 */
export function diagnosisView(found, ways) {
  const { verdict, sentences, next_action, tries_left } = found;
  const [role, shape] = LOOKS[verdict] ?? ["neutral", "question"];
  const failed = h("div", {});
  return h(
    "article",
    { class: "stack", "data-verdict": verdict },
    ways.restored && notice("neutral", "tick", said("confirm.restored", "p")),
    h(
      "section",
      { class: "verdict", "data-role": role },
      h("span", { class: "seal" }, icon(shape)),
      h("h2", { class: "word", tabindex: "-1" }, sentences.title),
      h("p", { class: "sentence" }, sentences.verdict),
    ),
    next_action.fields && notice("caution", "differs", h("ul", {}, next_action.fields.map((/** @type {any} */ { sentence }) => h("li", {}, sentence)))),
    h(
      "section",
      { class: "card stack" },
      factList([
        ["found.next", [sentences.next_action, next_action.until && h("span", { class: "hint" }, t("until.found", { time: moment(Date.parse(next_action.until) / 1000) }))]],
        ["found.responsible", sentences.responsible],
        found.fee.kind !== "none" && ["found.fee", sentences.fee],
      ]),
      tries_left !== null && tries_left < 5 && h("p", { class: "hint" }, t("found.tries", { count: tries_left })),
      hopList(found.evidence),
    ),
    failed,
    h("section", { class: "next-steps" }, adviceOf(found, ways), h("div", { class: "buttons" }, actionsOf(found, ways, failed))),
  );
}

/** @param {any} found @param {Ways} ways */
function adviceOf(found, { material }) {
  if (!FINE.has(found.verdict)) return null;
  return said(material.copy ? "confirm.fine.copy" : "confirm.fine", "p");
}

/** @param {any} found @param {Ways} ways @param {HTMLElement} failed where it is said that a case was not opened */
function actionsOf(found, ways, failed) {
  const { verdict, next_action } = found;
  const isFine = FINE.has(verdict);
  /** @type {import("../../../verifier/web/page/dom.js").Child[]} */
  const first = [];
  if (ways.material.copy && isFine)
    first.push(button("confirm.view", { icon: "document", primary: true, href: `/v#${questionToText(ways.material.copy.number, ways.material.copy.commitment)}` }));
  else if (isFine) first.push(button("confirm.scan_it", { icon: "scan", primary: true, href: "/#scan" }));
  else if (next_action.code === "restore_from_copy" && ways.material.type) first.push(button("confirm.restore", { icon: "again", primary: true, run: ways.restore }));
  else if (next_action.code === "find_copy" || next_action.code === "restore_from_copy") first.push(button("confirm.find_copy", { icon: "upload", primary: true, run: ways.choose }));
  else if (next_action.code === "check_details") first.push(button("confirm.edit", { icon: "edit", primary: true, run: ways.edit }));
  const waits = next_action.code === "wait" || next_action.code === "try_again";
  const open = button(isFine ? "confirm.apply_anyway" : "confirm.apply", {
    icon: "arrow",
    primary: first.length === 0 && !waits,
    run: () =>
      void busy(open, async () => {
        failed.replaceChildren();
        await ways.apply().catch((error) => {
          failed.replaceChildren(trouble(error));
          failed.scrollIntoView({ block: "center" });
        });
      }),
  });
  return [
    ...first,
    waits && !isFine && button("confirm.again", { icon: "again", primary: first.length === 0, run: ways.again }),
    REPRINTABLE.has(verdict) && open,
    next_action.code !== "check_details" && button("confirm.other", { quiet: true, run: ways.edit }),
  ];
}

/** From hop to hop, as far as anybody could be asked. @param {any[]} hops */
export const hopList = (hops) =>
  h(
    "details",
    { class: "plain-details" },
    h("summary", {}, said("found.hops"), icon("chevron")),
    h(
      "ol",
      { class: "hops" },
      hops.map(({ state, hop_name, state_name, at }) =>
        h(
          "li",
          { "data-state": state },
          icon(HOP_ICONS[state] ?? "dash"),
          h("span", {}, h("span", { class: "hop-name" }, hop_name), " ", state_name, at && h("span", { class: "hint" }, moment(Date.parse(at) / 1000))),
        ),
      ),
    ),
  );
