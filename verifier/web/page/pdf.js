/**
 * A PDF: the proof files attached to it, and the QR codes on its first pages. PDF.js reads it in a worker that is ended when it
 * takes too long; no script, no form and no font of the file gets anywhere.
 */

import { NoDetector } from "./detector.js";
import { codesInImage } from "./picture.js";

const MAX_BYTES = 25 * 1024 * 1024;
const MAX_PAGES = 5;
const MAX_MS = 20_000;
const MAX_ATTACHMENTS = 20;
const MAX_PROOF = 4 * 1024 * 1024;
const WIDTH = 1700;
const MAX_PIXELS = 12_000_000;
const SUFFIX = ".proof.json";

/** `code` is a key of the catalogue. */
export class UnreadablePdf extends Error {
  /** @param {"pdf_too_large" | "pdf_broken" | "pdf_locked" | "pdf_slow" | "pdf_no_reader"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @typedef {object} PdfParts
 * @property {() => Promise<any>} library PDF.js
 * @property {() => Promise<Worker>} worker its worker, new for each file
 *
 * @typedef {object} PdfContent
 * @property {{name: string, bytes: Uint8Array}[]} proofs
 * @property {string[]} codes texts of the QR codes
 */

/**
 * @param {Blob} file @param {PdfParts} parts @param {import("./detector.js").LoadPonyfill} load
 * @returns {Promise<PdfContent>}
 * @throws {UnreadablePdf}
 */
export async function readPdf(file, parts, load) {
  if (file.size > MAX_BYTES) throw new UnreadablePdf("pdf_too_large");
  const data = new Uint8Array(await file.arrayBuffer());
  let library;
  /** @type {Worker} */
  let port;
  try {
    [library, port] = await Promise.all([parts.library(), parts.worker()]);
  } catch {
    throw new UnreadablePdf("pdf_no_reader");
  }
  const clock = timer(MAX_MS);
  port.addEventListener("error", () => clock.end("pdf_no_reader"));
  const reader = library.PDFWorker.create({ port });
  try {
    return await Promise.race([read(library, reader, data, load), clock.over]);
  } finally {
    clock.stop();
    reader.destroy();
    port.terminate();
  }
}

/** @param {any} library @param {any} worker @param {Uint8Array} data @param {import("./detector.js").LoadPonyfill} load */
async function read(library, worker, data, load) {
  const task = library.getDocument({
    data,
    worker,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    useWorkerFetch: false,
    isOffscreenCanvasSupported: false,
    maxImageSize: MAX_PIXELS,
    canvasMaxAreaInBytes: 4 * MAX_PIXELS,
    verbosity: library.VerbosityLevel.ERRORS,
  });
  try {
    const document = await task.promise;
    return { proofs: await attachedProofs(document), codes: await codesOnPages(document, load) };
  } catch (error) {
    if (error instanceof NoDetector) throw error;
    throw new UnreadablePdf(/** @type {any} */ (error).name === "PasswordException" ? "pdf_locked" : "pdf_broken");
  }
}

/** @param {any} document */
async function attachedProofs(document) {
  /** @type {Map<string, {filename: string}>} */
  const attached = (await document.getAttachments()) ?? new Map();
  const proofs = [];
  for (const [id, { filename }] of [...attached].slice(0, MAX_ATTACHMENTS)) {
    if (!filename.toLowerCase().endsWith(SUFFIX)) continue;
    const content = await document.getAttachmentContent(id);
    // One byte more than the verifier takes is enough for it to say so.
    if (content) proofs.push({ name: filename, bytes: content.subarray(0, MAX_PROOF + 1) });
  }
  return proofs;
}

/** @param {any} document @param {import("./detector.js").LoadPonyfill} load */
async function codesOnPages(document, load) {
  /** @type {Set<string>} */
  const codes = new Set();
  for (let i = 1; i <= Math.min(document.numPages, MAX_PAGES); i++) {
    const page = await document.getPage(i);
    for (const text of await codesInImage(await rendered(page), load)) codes.add(text);
    page.cleanup();
  }
  return [...codes];
}

/** @param {any} page */
async function rendered(page) {
  const { width, height } = page.getViewport({ scale: 1 });
  const scale = Math.min(WIDTH / width, Math.sqrt(MAX_PIXELS / (width * height)));
  const viewport = page.getViewport({ scale });
  const canvas = globalThis.document.createElement("canvas");
  canvas.width = Math.ceil(viewport.width);
  canvas.height = Math.ceil(viewport.height);
  await page.render({ canvas, viewport, annotationMode: 0 }).promise;
  return canvas;
}

/** Rejects when the time is over, or before. @param {number} ms */
function timer(ms) {
  /** @type {(error: UnreadablePdf) => void} */
  let reject;
  const over = /** @type {Promise<never>} */ (new Promise((_, fail) => (reject = fail)));
  over.catch(() => {});
  const end = (/** @type {UnreadablePdf["code"]} */ code) => reject(new UnreadablePdf(code));
  const id = setTimeout(end, ms, "pdf_slow");
  return { over, end, stop: () => clearTimeout(id) };
}
