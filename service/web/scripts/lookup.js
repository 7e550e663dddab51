/** `/`: a code from the camera or a photo, or what is typed from the paper. */

import { actionsFor } from "../../../verifier/web/page/actions.js";
import { unanswered } from "../../../verifier/web/page/answer.js";
import { answerPlace } from "../../../verifier/web/page/answer_place.js";
import { cameraTrouble } from "../../../verifier/web/page/camera.js";
import { byId } from "../../../verifier/web/page/dom.js";
import { codeItem } from "../../../verifier/web/page/dropped.js";
import { scannerView } from "../../../verifier/web/page/scanner_view.js";
import { watch } from "../../../verifier/web/page/watching.js";
import { diagnosisPlace } from "./diagnosis.js";
import { lookupForm } from "./lookup_form.js";
import { lookupLook } from "./lookup_answer.js";
import { codeOnPaper, codeOnPaperOf, startPage, surroundings } from "./page.js";
import { otherWay } from "./ways.js";

/**
 * @typedef {import("../../../verifier/web/page/dropped.js").Item} Item
 * @typedef {import("../../../verifier/web/page/official_qr.js").Official} Official
 */

if (startPage()) {
  const place = answerPlace(byId("answer"), "title.lookup");
  const diagnosis = diagnosisPlace();
  /** @type {import("../../../verifier/web/page/watching.js").Watch | null} */
  let watched = null;

  /**
   * What the page shows: how to begin, the camera, or an answer. What was typed stays.
   * @param {"start" | "scan" | "answer"} mode
   */
  function turnTo(mode) {
    watched?.stop();
    watched = null;
    place.clear();
    diagnosis.clear();
    byId("main").dataset.mode = mode;
  }

  const scanner = scannerView(surroundings().parts.detector, {
    start: () => turnTo("scan"),
    end: () => turnTo("start"),
    picture() {
      turnTo("answer");
      place.wait("waiting.picture");
    },
    codes(texts) {
      const item = codeItem("", texts, surroundings());
      if (item.code?.kind === "official") return form.submit(item.code.official);
      look(item, item.code?.kind === "copy" ? codeOnPaper(item.code.copy) : null);
    },
    unreadable: (reason, file) => look(unread(reason, file), null),
  });

  const form = lookupForm(
    () => turnTo("start"),
    (facts) => {
      scanner.stop();
      const item = { name: "", look: lookupLook(facts, surroundings().trusted), undecoded: null, code: null, shown: { body: facts, facts } };
      look(item, null, "waiting.lookup", { key: "action.edit", icon: "edit", run: toForm });
    },
  );

  function toForm() {
    turnTo("start");
    form.focus();
  }

  /** The next one: by the camera where there is one. */
  const next = cameraTrouble()
    ? { key: "action.to_lookup", icon: "search", run: toForm }
    : { key: "action.scan", icon: "scan", run: () => void scanner.begin() };

  /**
   * @param {Item} item @param {string | null} code on paper @param {string} [waiting]
   * @param {import("../../../verifier/web/page/answer_view.js").Action | null} [edit]
   */
  function look(item, code, waiting = "waiting.copy", edit = null) {
    turnTo("answer");
    place.wait(waiting);
    place.focus();
    let isFirst = true;
    watched = watch(
      item.look,
      (outcome) => {
        const way = otherWay(item, (replacement) => look(replacement, code, item.undecoded ? "waiting.upload" : "waiting.copy"));
        place.show({
          answer: outcome.answer,
          code: code ?? codeOnPaperOf(outcome.answer),
          actions: () =>
            actionsFor(outcome, { next, again: () => watched?.again(), other: way ?? (isSettled(outcome) ? edit : null) }),
        });
        diagnosis.show(item, outcome);
        if (isFirst) place.focus();
        isFirst = false;
      },
      (error) => {
        place.show({ answer: unanswered("failed"), code: null, actions: () => [next] });
        throw error;
      },
    );
  }

  /** What another page asks for: `#scan`, the facts of an official code, or the number of another invoice. */
  const arrive = () => {
    const asked = decodeURIComponent(location.hash.slice(1));
    if (asked !== "scan" && !/^([0-9A-Z][0-9A-Z._:-]*|number=.*)$/.test(asked)) return;
    history.replaceState(null, "", location.pathname + location.search);
    if (asked === "scan") void (cameraTrouble() ? null : scanner.begin());
    else form.fill(new URLSearchParams(asked.startsWith("number=") ? asked : { number: asked }));
  };
  addEventListener("hashchange", arrive);
  arrive();
}

/** Nothing but another question would change it. @param {import("../../../verifier/web/page/examining.js").Outcome} outcome */
const isSettled = ({ answer }) => !answer.waits && answer.icon !== "check";

/** @param {string} reason @param {File} file @returns {Item} a picture that the server may be able to read, if it is one */
const unread = (reason, file) => ({
  name: file.name,
  look: () => Promise.resolve({ answer: unanswered(reason), material: null }),
  undecoded: reason === "no_code" || reason === "no_detector" ? file : null,
  code: null,
});
