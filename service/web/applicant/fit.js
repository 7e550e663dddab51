/** A photo of a paper made small enough to send: scaled down, turned upright, and without what a camera writes beside the picture. */

const LONGEST = 2400;
const QUALITY = 0.86;
const MAX_PIXELS = 80_000_000;

/** `code` is a key of the catalogue. */
export class Unusable extends Error {
  /** @param {"mat.wrong.picture" | "mat.wrong.large" | "mat.wrong.type"} code @param {Record<string, string | number>} [params] */
  constructor(code, params = {}) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

/**
 * The size that it is drawn at. @param {number} width @param {number} height @param {number} [longest]
 * @returns {{width: number, height: number}}
 */
export function sizeOf(width, height, longest = LONGEST) {
  const factor = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** @param {string} name */
export const asJpeg = (name) => `${name.replace(/\.[A-Za-z0-9]{1,5}$/, "") || "photo"}.jpg`;

/** By its first bytes: names and types are what somebody says. @param {Uint8Array} head @returns {"pdf" | "jpeg" | "png" | "other"} */
export function kindOf(head) {
  const start = String.fromCharCode(...head);
  if (start.includes("%PDF-")) return "pdf";
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  return start.startsWith("\x89PNG\r\n\x1a\n") ? "png" : "other";
}

/**
 * The file as it is sent: a PDF as it is, a picture as JPEG.
 * @param {File} file @param {number} maxBytes of what is sent @returns {Promise<File>} @throws {Unusable}
 */
export async function fitted(file, maxBytes) {
  const kind = kindOf(new Uint8Array(await file.slice(0, 1024).arrayBuffer()));
  if (kind === "pdf") {
    if (file.size > maxBytes) throw new Unusable("mat.wrong.large", { size: megabytes(maxBytes) });
    return new File([file], file.name, { type: "application/pdf" });
  }
  if (kind === "other" && !file.type.startsWith("image/")) throw new Unusable("mat.wrong.type");
  const sent = await redrawn(file, maxBytes);
  if (sent.size > maxBytes) throw new Unusable("mat.wrong.large", { size: megabytes(maxBytes) });
  return sent;
}

/** @param {File} file @param {number} maxBytes */
async function redrawn(file, maxBytes) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Unusable("mat.wrong.picture");
  }
  try {
    if (picture.width * picture.height > MAX_PIXELS) throw new Unusable("mat.wrong.large", { size: megabytes(maxBytes) });
    for (const longest of [LONGEST, 1800, 1200]) {
      const made = await jpeg(picture, longest);
      if (made && made.size <= maxBytes) return new File([made], asJpeg(file.name), { type: "image/jpeg" });
    }
    throw new Unusable("mat.wrong.large", { size: megabytes(maxBytes) });
  } finally {
    picture.close();
  }
}

/** On white, as paper is. @param {ImageBitmap} picture @param {number} longest @returns {Promise<Blob | null>} */
function jpeg(picture, longest) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, sizeOf(picture.width, picture.height, longest));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

/** @param {number} bytes @returns {string} `10`, `0.5` */
export const megabytes = (bytes) => String(Math.round((bytes / 1024 / 1024) * 10) / 10);
