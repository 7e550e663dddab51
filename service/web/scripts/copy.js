/** `/v#N.C`: where a QR code leads. The copy is checked at once, and again while that may change. */

import { actionsFor } from "../../../verifier/web/page/actions.js";
import { unanswered } from "../../../verifier/web/page/answer.js";
import { answerPlace } from "../../../verifier/web/page/answer_place.js";
import { byId } from "../../../verifier/web/page/dom.js";
import { copyLook } from "../../../verifier/web/page/examining.js";
import { watch } from "../../../verifier/web/page/watching.js";
import { questionFromText } from "../../../verifier/web/question.js";
import { diagnosisPlace } from "./diagnosis.js";
import { codeOnPaper, startPage, surroundings } from "./page.js";

if (startPage()) {
  const place = answerPlace(byId("answer"), "title.copy");
  const diagnosis = diagnosisPlace();
  const next = { key: "action.scan", icon: "scan", href: "/#scan" };
  /** @type {import("../../../verifier/web/page/watching.js").Watch | null} */
  let watched = null;

  const check = () => {
    watched?.stop();
    diagnosis.clear();
    const copy = questionFromText(fragment());
    if (copy === null) return show(unanswered("no_address"), null, null);
    place.wait("waiting.copy");
    const look = copyLook(copy, surroundings().trusted);
    const item = { name: "", look, undecoded: null, code: null, shown: { body: { ...copy } } };
    watched = watch(
      look,
      ({ answer, material }) => {
        show(answer, material, codeOnPaper(copy));
        diagnosis.show(item, { answer, material });
      },
      (error) => {
        show(unanswered("failed"), null, null);
        throw error;
      },
    );
  };
  /**
   * @param {import("../../../verifier/web/page/answer.js").Answer} answer @param {Uint8Array | null} material
   * @param {string | null} code on paper
   */
  const show = (answer, material, code) =>
    place.show({ answer, code, actions: () => actionsFor({ answer, material }, { next, again: () => watched?.again() }) });

  addEventListener("hashchange", check);
  check();
}

/** What stands behind the #; some programs that pass an address on write its dot as `%2E`. */
function fragment() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}
