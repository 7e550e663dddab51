/** Photos and screenshots: what QR codes are in them. Limits stand before and after the browser decodes. */

import { codesIn } from "./detector.js";

const MAX_BYTES = 25 * 1024 * 1024;
const MAX_PIXELS = 80_000_000;
/** A code that is small in a large photo needs the detail; one that fills it is found faster, and better, when it is smaller. */
const SIDES = [1600, 3200, 800];

/** `code` is a key of the catalogue. */
export class Unreadable extends Error {
  /** @param {"picture_too_large" | "picture_broken"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {Blob} file @param {import("./detector.js").LoadPonyfill} load @returns {Promise<string[]>} none where none is found
 * @throws {Unreadable} @throws {import("./detector.js").NoDetector}
 */
export async function codesInPicture(file, load) {
  if (file.size > MAX_BYTES) throw new Unreadable("picture_too_large");
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Unreadable("picture_broken");
  }
  try {
    if (picture.width * picture.height > MAX_PIXELS) throw new Unreadable("picture_too_large");
    return await codesInImage(picture, load);
  } finally {
    picture.close();
  }
}

/**
 * @param {ImageBitmap | HTMLCanvasElement} image @param {import("./detector.js").LoadPonyfill} load @returns {Promise<string[]>}
 */
export async function codesInImage(image, load) {
  const longest = Math.max(image.width, image.height);
  const sides = new Set(SIDES.map((side) => Math.min(side, longest)));
  for (const side of sides) {
    const found = await codesIn(scaled(image, side / longest), load);
    if (found.length > 0) return found;
  }
  return [];
}

/** On white, as paper is: a transparent screenshot would be black on black. @param {any} image @param {number} factor */
function scaled(image, factor) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * factor));
  canvas.height = Math.max(1, Math.round(image.height * factor));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
