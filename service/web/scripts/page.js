/** What every page of the service starts with: its data, its language, what it checks against, and what is loaded when needed. */

import { byId } from "../../../verifier/web/page/dom.js";
import { chooseLanguage, language, startLanguage } from "../../../verifier/web/page/texts.js";
import { questionToText } from "../../../verifier/web/question.js";
import { proofsAt } from "../../../verifier/web/verify.js";
import { chosenEndpoints } from "./endpoints.js";
import { stated } from "./service.js";

/**
 * @typedef {object} PageData as the server wrote it into the page
 * @property {any} trust the trust file
 * @property {string} public_url
 * @property {string[]} connect the origins beside our own that this page may ask
 * @property {string} static where the static files are
 */

/** @type {PageData} */
export const data = JSON.parse(byId("page").textContent);

/**
 * Language, its switch, and where the visitor's own endpoints need it, the page once more.
 * @returns {boolean} false: it is coming anew
 */
export function startPage() {
  startWords();
  return chosenEndpoints(data.connect) !== "reload";
}

/** The language and its switch: all that a page starts with which asks no endpoints. */
export function startWords() {
  document.documentElement.classList.add("js");
  startLanguage();
  byId("language").addEventListener("click", (/** @type {Event} */ event) => {
    event.preventDefault();
    chooseLanguage(language() === "en" ? "zh-CN" : "en");
  });
}

/** @returns {import("../../../verifier/web/page/dropped.js").Surroundings} */
export function surroundings() {
  const chosen = chosenEndpoints(data.connect);
  return {
    ownHosts: [...new Set([location.host, new URL(data.public_url).host])],
    trusted: {
      trust: data.trust,
      endpoints: [...data.trust.rpc_urls, ...(Array.isArray(chosen) ? chosen : [])],
      sources: [proofsAt(location.origin)],
      stated,
    },
    parts,
  };
}

/** @type {import("../../../verifier/web/page/dropped.js").Parts} */
export const parts = {
  async detector() {
    const [{ BarcodeDetector, prepareZXingModule }, wasm] = await Promise.all([
      import("barcode-detector/ponyfill"),
      bytesOf("zxing_reader.wasm"),
    ]);
    await prepareZXingModule({ overrides: { wasmBinary: wasm }, fireImmediately: true });
    return BarcodeDetector;
  },
  pdf: {
    library: () => import("pdfjs-dist/legacy/build/pdf.mjs"),
    // A worker that fails to load says so by an event, and PDF.js would wait for it: so it is fetched first.
    async worker() {
      const url = `${data.static}/pdf.worker.js`;
      await bytesOf("pdf.worker.js");
      return new Worker(workerUrl(url));
    },
  },
};

/** @param {string} name */
async function bytesOf(name) {
  const response = await fetch(`${data.static}/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}

/** The one script address that this page makes. Trusted Types let it make no other. @type {(url: string) => any} */
const workerUrl = (() => {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return (/** @type {string} */ url) => url;
  const policy = types.createPolicy("zhengpiao", {
    createScriptURL(/** @type {string} */ url) {
      if (url !== `${data.static}/pdf.worker.js`) throw new TypeError("no worker of ours");
      return url;
    },
  });
  return (/** @type {string} */ url) => policy.createScriptURL(url);
})();

/** What the code on a printed answer says. @param {import("../../../verifier/web/page/codes.js").Copy} copy */
export const codeOnPaper = ({ number, commitment }) => `${data.public_url}/v#${questionToText(number, commitment)}`;

/** The same for whatever invoice the answer is about. @param {import("../../../verifier/web/page/answer.js").Answer} answer */
export function codeOnPaperOf({ examination, hashes }) {
  const commitment = hashes.find(({ name }) => name === "commitment")?.value;
  const number = examination?.proof?.number;
  return commitment && number && examination?.checks.content.result === "pass" ? codeOnPaper({ number, commitment }) : null;
}
