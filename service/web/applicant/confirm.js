/**
 * Step 1: the invoice, by its code, its proof file or PDF, or what stands on it. The diagnosis is shown, and often the trouble ends here.
 */

import { byId, h } from "../../../verifier/web/page/dom.js";
import { bestOf, codeFromText } from "../../../verifier/web/page/codes.js";
import { scannerView } from "../../../verifier/web/page/scanner_view.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { lookupForm } from "../scripts/lookup_form.js";
import { data, parts } from "../scripts/page.js";
import { ask, UPLOAD_MS } from "./ask.js";
import { diagnosisView } from "./diagnosed.js";
import { draftOf, keepDraft } from "./kept.js";
import { notice, said, trouble, waiting } from "./parts.js";

const PROOF = "application/vnd.zhengpiao.proof+json";
const FIELDS = ["number", "issued_on", "amount", "with_tax"];

/**
 * @typedef {object} Material what the API is shown, as `POST /v1/diagnoses` and `POST /v1/reprints` take it
 * @property {unknown} body
 * @property {string} [type]
 * @property {import("../../../verifier/web/page/codes.js").Copy} [copy]
 * @property {Record<string, string>} [facts]
 */

/**
 * The page has #confirm with what scanner and form need, #paper (file input) and #found.
 * @param {(material: Material) => Promise<void>} apply opens the case
 */
export function confirmStep(apply) {
  const root = byId("confirm");
  const place = byId("found");
  const paper = byId("paper");
  let turn = 0;

  /** @param {"start" | "scan" | "answer"} mode */
  function turnTo(mode) {
    turn++;
    root.dataset.mode = mode;
    place.replaceChildren();
  }

  const scanner = scannerView(parts.detector, {
    start: () => turnTo("scan"),
    end: () => turnTo("start"),
    codes: fromCodes,
    picture: () => show(waiting("waiting.picture")),
    // What is not read here the service may read: the visitor has chosen to show it.
    unreadable: (reason, file) => (reason === "picture_too_large" ? say(`sentence.${reason}`) : diagnose({ body: file, type: file.type || "image/jpeg" })),
  });
  const form = lookupForm(
    () => turnTo("start"),
    (facts) => {
      scanner.stop();
      void diagnose({ body: facts, facts });
    },
  );
  keepTyped();

  /** @param {string[]} texts of the QR codes */
  function fromCodes(texts) {
    const hosts = [...new Set([location.host, new URL(data.public_url).host])];
    const code = bestOf(texts.map((text) => codeFromText(text, hosts)));
    if (code.kind === "copy" && code.issuer === "own") return void diagnose({ body: code.copy, copy: code.copy });
    if (code.kind === "official") {
      turnTo("start");
      return form.submit(code.official);
    }
    say(code.kind === "unknown" ? "sentence.other_code" : "confirm.foreign");
  }

  /** @param {File} file */
  async function fromFile(file) {
    scanner.stop();
    const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 1024).arrayBuffer()));
    if (head.includes("%PDF-") && !head.trimStart().startsWith("{")) return diagnose({ body: file, type: "application/pdf" });
    if (head.trimStart().startsWith("{")) return diagnose({ body: file, type: PROOF });
    return scanner.read(file);
  }

  /** @param {Element} view */
  function show(view) {
    turnTo("answer");
    place.replaceChildren(view);
    place.scrollIntoView({ block: "start" });
  }

  /** @param {string} key */
  function say(key) {
    show(h("div", { class: "stack" }, notice("neutral", "question", said(key, "p")), back()));
  }

  const back = () => h("p", {}, h("button", { type: "button", class: "button", onclick: () => turnTo("start") }, said("confirm.back")));

  /** @param {Material} material @param {any} [restored] */
  async function diagnose(material, restored = null) {
    show(waiting("confirm.waiting"));
    const mine = turn;
    const { body, type } = material;
    try {
      const found = await ask("POST", "/v1/diagnoses", { body, type, timeout_ms: body instanceof Blob ? UPLOAD_MS : undefined });
      if (mine !== turn) return;
      const view = diagnosisView(found, {
        material,
        restored,
        again: () => void diagnose(material),
        edit: () => {
          turnTo("start");
          form.focus();
        },
        choose: () => {
          turnTo("start");
          paper.click();
        },
        restore: () => void restore(material),
        apply: () => apply(material),
      });
      show(view);
      /** @type {HTMLElement | null} */ (place.querySelector(".word"))?.focus({ preventScroll: true });
    } catch (error) {
      if (mine !== turn) return;
      show(h("div", { class: "stack" }, trouble(error, () => void diagnose(material)), back()));
    }
  }

  /** The copy in the visitor's hands proves itself, and the record is there again. @param {Material} material */
  async function restore(material) {
    show(waiting("confirm.restoring"));
    const mine = turn;
    try {
      const made = await ask("POST", "/v1/recoveries", { body: material.body, type: material.type, timeout_ms: UPLOAD_MS });
      if (mine === turn) await diagnose(material, made);
    } catch (error) {
      if (mine === turn) show(h("div", { class: "stack" }, trouble(error, () => void restore(material)), back()));
    }
  }

  /** The form of the look-up page, kept as the other forms here are. */
  function keepTyped() {
    const element = byId("lookup");
    const draft = draftOf("facts");
    for (const name of FIELDS) if (draft[name]) element.elements.namedItem(name).value = draft[name];
    element.addEventListener("input", () => keepDraft("facts", Object.fromEntries(FIELDS.map((name) => [name, element.elements.namedItem(name).value]))));
  }

  paper.addEventListener("change", () => {
    const [file] = paper.files;
    paper.value = "";
    if (file) void fromFile(file);
  });
  onLanguage(() => {
    if (place.childElementCount > 0 && root.dataset.mode === "answer") document.title = t("title.reprint");
  });

  return {
    /** @param {import("./arrival.js").Arrival} arrival of an invoice */
    arrive(arrival) {
      if (arrival.kind === "copy") void diagnose({ body: arrival.copy, copy: arrival.copy });
      else if (arrival.kind === "facts") form.fill(arrival.facts);
    },
    stop() {
      turn++;
      scanner.stop();
    },
    start: () => turnTo("start"),
  };
}
