/**
 * The verifier in one HTML file. It works from a disk, with no server of ours: what it trusts is what the person gives it, and it
 * asks nobody but the chain's endpoints, and, when told to, the site that stands in a QR code.
 */

import { proofsAt, UsageError } from "../verify.js";
import { explain } from "../messages.js";
import { origin } from "../rpc.js";
import { parseAnchors, parseTrust } from "../trust.js";
import { answerPlace } from "./answer_place.js";
import { button } from "./answer_view.js";
import { byId, h, icon } from "./dom.js";
import { codeItem, itemOfCode, saying } from "./dropped.js";
import { filesView } from "./files_view.js";
import { scannerView } from "./scanner_view.js";
import { addTexts, chooseLanguage, language, onLanguage, startLanguage, t, translate } from "./texts.js";
import en from "./texts/single.en.json" with { type: "json" };
import zh from "./texts/single.zh-CN.json" with { type: "json" };

/**
 * @typedef {{name: string, bytes: Uint8Array, parsed: import("../trust.js").Anchors}} AnchorsFile
 * @typedef {{name: string, bytes: Uint8Array, parsed: import("../trust.js").Trust}} TrustFile
 * @typedef {(() => string) | null} Why a file is neither; null where it does not even look like one
 */

/** @type {AnchorsFile[]} */
let anchors = [];
/** @type {TrustFile | null} */
let trust = null;
/** @type {{name: string, said: Why}[]} */
let unusable = [];

const preferred = navigator.languages.find((tag) => /^(zh|en)\b/.test(tag)) ?? "zh";
document.documentElement.lang = preferred.startsWith("en") ? "en" : "zh-CN";
addTexts({ "zh-CN": zh, en });
startLanguage();
translate(document.documentElement);
byId("language").addEventListener("click", () => chooseLanguage(language() === "en" ? "zh-CN" : "en"));

const place = answerPlace(byId("answer"), "title.single");
document.title = t("title.single");

/** @type {import("./dropped.js").Parts} */
const parts = {
  async detector() {
    const [{ BarcodeDetector, prepareZXingModule }, wasmBinary] = await Promise.all([
      import("barcode-detector/ponyfill"),
      embedded("zxing_reader.wasm"),
    ]);
    await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
    return BarcodeDetector;
  },
  pdf: {
    library: () => import("pdfjs-dist/legacy/build/pdf.mjs"),
    async worker() {
      const script = new Blob([await embedded("pdf.worker.js")], { type: "text/javascript" });
      const url = URL.createObjectURL(script);
      const worker = new Worker(url);
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      return worker;
    },
  },
};

/** A part of this file: gzip in base64. @param {string} name @returns {Promise<ArrayBuffer>} */
async function embedded(name) {
  const packed = Uint8Array.from(atob(byId(`part-${name}`).textContent), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** @param {import("../newer.js").Source[]} [sources] @returns {import("./dropped.js").Surroundings} */
function surroundings(sources = []) {
  const chosen = endpoints();
  return {
    ownHosts: [],
    parts,
    trusted: {
      trust: trust?.bytes,
      endpoints: chosen.length > 0 ? chosen : trust?.parsed.rpc_urls,
      anchors: trust ? undefined : anchors.map(({ bytes }) => bytes),
      anchorsNames: anchors.map(({ name }) => name),
      sources,
      stated: async () => null,
    },
  };
}

// --- what is trusted

/** @param {File[]} files */
async function trustFiles(files) {
  unusable = [];
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const found = await trustOf(file.name, bytes);
    if (found.kind === "trust") trust = found.file;
    else if (found.kind === "anchors") anchors = [...anchors.filter(({ name }) => name !== file.name), found.file];
    else unusable.push({ name: file.name, said: found.said });
  }
  showTrusted();
}

/**
 * @param {string} name @param {Uint8Array} bytes
 * @returns {Promise<{kind: "trust", file: TrustFile} | {kind: "anchors", file: AnchorsFile} | {kind: "none", said: Why}>}
 */
async function trustOf(name, bytes) {
  const looksLike = kindOfTrust(bytes);
  try {
    if (looksLike === "anchors") return { kind: "anchors", file: { name, bytes, parsed: await parseAnchors(bytes) } };
    if (looksLike === "trust") return { kind: "trust", file: { name, bytes, parsed: await parseTrust(bytes) } };
  } catch (error) {
    if (error instanceof UsageError) return { kind: "none", said: () => explain(language(), error) };
    throw error;
  }
  return { kind: "none", said: null };
}

/** By its members: what is in them the verifier judges. @param {Uint8Array} bytes @returns {"trust" | "anchors" | null} */
function kindOfTrust(bytes) {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== "object" || value === null || "sections" in value || "register" in value) return null;
    return "anchors" in value ? "anchors" : "chain" in value ? "trust" : null;
  } catch {
    return null;
  }
}

function showTrusted() {
  const said = [
    ...(trust ? [t("single.trust.chain", named(trust.parsed.chain))] : []),
    ...anchors.map(({ name, parsed }) => t("single.trust.anchors", { name, seq: String(parsed.head), ...named(parsed.chain) })),
  ];
  byId("trusted").replaceChildren(
    ...(said.length === 0 ? [h("p", { class: "hint" }, t("single.trust.none"))] : []),
    ...said.map((text) => h("p", { class: "given" }, icon("tick"), h("span", {}, text))),
    ...unusable.map(({ name, said: why }) =>
      h("p", { class: "error" }, t("single.trust.neither", { name }), why && h("span", { class: "step-said" }, why())),
    ),
    ...(said.length > 0 ? [button({ key: "single.trust.clear", icon: "cross", run: clearTrust })] : []),
  );
  byId("endpoints").hidden = trust === null;
  if (trust && endpoints().length === 0) byId("endpoints-own").placeholder = trust.parsed.rpc_urls.join("\n");
}

const isTrusting = () => trust !== null || anchors.length > 0;

/** @param {import("../fields.js").Chain} chain */
const named = ({ chain_id, contract }) => ({ chain_id: String(chain_id), contract });

function clearTrust() {
  [trust, anchors, unusable] = [null, [], []];
  showTrusted();
}

/** @returns {string[]} those that are addresses */
function endpoints() {
  const lines = /** @type {string[]} */ (
    byId("endpoints-own")
      .value.split("\n")
      .map((/** @type {string} */ line) => line.trim())
  );
  const wrong = lines.findIndex((line) => line !== "" && origin(line) === null);
  byId("endpoints-said").textContent = wrong < 0 ? "" : t("endpoints.wrong", { line: wrong + 1 });
  return lines.filter((line) => origin(line) !== null);
}

byId("endpoints").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
byId("endpoints-own").addEventListener("change", endpoints);
byId("trust").addEventListener("change", async () => {
  const input = byId("trust");
  await trustFiles([...input.files]);
  input.value = "";
});
onLanguage(showTrusted);
showTrusted();

// --- what is checked

const MAX_TRUST = 64 * 1024 * 1024;

const files = filesView(surroundings, place, {
  next: { key: "action.files", icon: "document", run: () => byId("files").click() },
  other(item, replace) {
    const { given, code } = item;
    if (given) return { key: "action.use_as_trust", icon: "check", run: () => void useAsTrust(given) };
    if (code?.kind !== "copy" || trust === null || item.name === FETCHED) return null;
    const fetch = () => replace(itemOfCode(FETCHED, code, surroundings([proofsAt(code.origin)])));
    return { key: "action.fetch", icon: "save", params: { host: code.host }, run: fetch };
  },
  code: () => null,
  async first(file) {
    if (file.size <= MAX_TRUST && kindOfTrust(new Uint8Array(await file.arrayBuffer())) !== null)
      return { ...saying(file, "trust_in_material"), given: file };
    return isTrusting() ? null : saying(file, "first_trust");
  },
});

/** The name of what was fetched: it is not offered again. */
const FETCHED = "";

/** @param {File} file that came with the material, and that the person names as trusted */
async function useAsTrust(file) {
  await trustFiles([file]);
  place.clear();
  byId("trust-heading").scrollIntoView();
}

scannerView(parts.detector, {
  start: () => place.clear(),
  end: () => {},
  codes: (texts) => files.open(isTrusting() ? codeItem("QR", texts, surroundings()) : saying({ name: "QR" }, "first_trust")),
});
