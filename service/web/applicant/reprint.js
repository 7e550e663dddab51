/** `/reprint`: apply for a reprint, and see how it is coming along. One page for all five steps. */

import { byId, h } from "../../../verifier/web/page/dom.js";
import { addTexts, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { startWords } from "../scripts/page.js";
import { applyForm, codeForm, returnedNotice } from "./application.js";
import { arrivalOf } from "./arrival.js";
import { ask, Refused, UPLOAD_MS } from "./ask.js";
import { backStep } from "./back.js";
import { cancelButton } from "./cancelling.js";
import { openCase } from "./case.js";
import { completed, ended, making } from "./completion.js";
import { confirmStep } from "./confirm.js";
import { forgetCase, forgetDraft, keepCase, keptCase } from "./kept.js";
import { materialsStep } from "./materials.js";
import { noticesButton } from "./noticing.js";
import { announce, button, isThere, trouble, waiting } from "./parts.js";
import { applicationCard, feeCard, payCard, timeline } from "./review.js";
import { caseLine, owedLine, stepper } from "./stepper.js";
import { returnOf } from "./steps.js";
import en from "./texts/en.json" with { type: "json" };
import zh from "./texts/zh-CN.json" with { type: "json" };

/** @typedef {import("./case.js").Case} Case */

addTexts({ "zh-CN": zh, en });
startWords();

const [steps, confirm, root, way] = ["steps", "confirm", "case", "way"].map(byId);
/** @type {import("./case.js").Opened | null} */
let opened = null;
/** @type {Case | null} what stands on the page */
let shown = null;
/** @type {{update: (found: Case) => void} | null} a step that keeps what it has while the case is read again */
let lasting = null;
let isCorrecting = false;

const step = confirmStep(apply);

/** What the page is: the first step, the way back to a case, or a case. @param {"confirm" | "back" | "case"} mode */
function turnTo(mode) {
  if (mode !== "case") {
    opened?.stop();
    [opened, shown, lasting, isCorrecting] = [null, null, null, false];
    root.replaceChildren();
  }
  if (mode !== "confirm") step.stop();
  confirm.hidden = mode !== "confirm";
  root.hidden = mode === "confirm";
  way.hidden = mode !== "confirm";
  steps.hidden = mode === "back";
  drawSteps();
}

function drawSteps() {
  steps.replaceChildren(stepper(shown));
  document.title = shown ? t("title.case", { id: shown.id }) : t("title.reprint");
}

/** The case is opened by what the diagnosis was of. @param {import("./confirm.js").Material} material */
async function apply({ body, type }) {
  const { token, ...found } = await ask("POST", "/v1/reprints", { body, type, timeout_ms: body instanceof Blob ? UPLOAD_MS : undefined });
  forgetDraft("facts");
  go({ id: found.id, token }, found);
}

/** @param {import("./kept.js").Kept} kept @param {Case} [found] */
function go(kept, found) {
  keepCase(kept);
  turnTo("case");
  if (!found) root.replaceChildren(waiting("case.waiting"));
  const mine = openCase(kept, {
    show: (next) => mine === opened && show(next),
    fail: (error) => root.replaceChildren(trouble(error, () => void mine.read())),
    gone: () => comeBack({ id: kept.id, isExpired: true }),
  });
  opened = mine;
  if (found) mine.take(found);
}

/** @param {{id?: string, isExpired?: boolean}} arrived */
function comeBack(arrived) {
  turnTo("back");
  root.replaceChildren(backStep(arrived, { opened: go, left: anew }));
  focusHeading();
}

function anew() {
  forgetCase();
  for (const form of ["apply", "code", "back", "back_code"]) forgetDraft(form);
  turnTo("confirm");
  step.start();
}

/** @param {Case} found */
function show(found) {
  const before = shown;
  shown = found;
  drawSteps();
  // What somebody is typing in, or uploading to, stays as it is while the case is what it was.
  const isSame = before !== null && viewOf(before) === viewOf(found);
  if (isSame && lasting) {
    lasting.update(found);
    return;
  }
  if (isSame && JSON.stringify(before) === JSON.stringify(found)) return;
  if (isSame && root.querySelector("form, dialog[open]")) return;
  const hadFocus = root.contains(document.activeElement) || document.activeElement === document.body;
  draw();
  const owed = owedLine(found)?.textContent;
  if (owed && before?.state !== found.state) announce(owed);
  if (before !== null && !isSame) {
    if (hadFocus) focusHeading();
    steps.scrollIntoView({ block: "start" });
  }
}

/** Which view a case has. @param {Case} found */
function viewOf({ state, result, owed_by }) {
  if (state === "submitted" && isCorrecting) return "correcting";
  return state === "completed" ? `completed ${result?.document_ready}` : `${state} ${owed_by}`;
}

function draw() {
  const [found, mine] = [shown, opened];
  if (!found || !mine) return;
  lasting = null;
  const returned = returnOf(found);
  root.replaceChildren(
    ...[
      caseLine(found),
      owedLine(found),
      returned && returnedNotice(returned.reason),
      ...content(found, mine),
      footer(found, mine),
    ].filter(isThere),
  );
}

/** @param {Case} found @param {import("./case.js").Opened} mine @returns {any[]} */
function content(found, mine) {
  switch (found.state) {
    case "started":
      return [applyForm(found, mine)];
    case "submitted":
      return isCorrecting ? [applyForm(found, mine, { isAgain: true, done: () => correct(false) })] : [codeForm(found, mine, () => correct(true))];
    case "materials_pending": {
      const materials = materialsStep(found, mine);
      lasting = materials;
      return [materials.element, applicationCard(found)];
    }
    case "fee_due":
      lasting = { update: () => {} };
      return [payCard(mine), feeCard(found), timeline(found), applicationCard(found)];
    case "approved":
      return [making(found), timeline(found)];
    case "completed":
      return [found.result?.document_ready ? completed(found, mine) : making(found), timeline(found), applicationCard(found)];
    case "rejected":
    case "cancelled":
    case "expired":
      return [ended(found, anew), timeline(found)];
    default:
      return [timeline(found), feeCard(found), applicationCard(found)];
  }
}

/** @param {boolean} is */
function correct(is) {
  isCorrecting = is;
  draw();
  focusHeading();
}

/** @param {Case} found @param {import("./case.js").Opened} mine */
const footer = (found, mine) =>
  h(
    "footer",
    { class: "case-foot" },
    h("p", { class: "hint" }, t("case.remember", { id: found.id })),
    h(
      "p",
      { class: "row" },
      button("case.feedback", { quiet: true, href: `/feedback#case=${found.id}` }),
      found.application && found.state !== "submitted" && noticesButton(found, mine),
      found.actions.includes("cancel") && cancelButton(found, mine),
      button("case.leave", { quiet: true, run: anew }),
    ),
  );

function focusHeading() {
  const heading = /** @type {HTMLElement | null} */ (root.querySelector("h2[tabindex]"));
  heading?.focus({ preventScroll: true });
}

onLanguage(() => {
  drawSteps();
  // Forms and papers follow the language by themselves, and what is in them stays.
  if (!root.querySelector("form") && !lasting) draw();
});

/** What another page, a code or a message asks for. */
function arrive() {
  const arrival = arrivalOf(location.hash);
  const kept = keptCase();
  if (arrival) history.replaceState(null, "", location.pathname + location.search);
  if (arrival?.kind === "case") return kept?.id === arrival.id ? go(kept) : comeBack({ id: arrival.id });
  if (arrival) {
    turnTo("confirm");
    return step.arrive(arrival);
  }
  if (kept) return go(kept);
  turnTo("confirm");
}

way.replaceChildren(button("way.back", { icon: "clock", run: () => comeBack({}) }));
addEventListener("hashchange", () => location.hash && arrive());
arrive();
