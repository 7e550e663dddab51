/**
 * Finding QR codes in what a camera or a picture shows: the browser's own BarcodeDetector, else ZXing compiled to WebAssembly,
 * which is loaded only then.
 */

/**
 * @typedef {object} Detector
 * @property {(image: any) => Promise<{rawValue: string}[]>} detect
 *
 * @typedef {() => Promise<new (options: {formats: string[]}) => Detector>} LoadPonyfill
 */

const QR = ["qr_code"];

/** @type {Promise<Detector> | null} */
let ponyfill = null;

/** Nothing can be decoded here: neither the browser's detector nor ours could be had. */
export class NoDetector extends Error {}

/** @param {LoadPonyfill} load @returns {Promise<Detector>} @throws {NoDetector} */
export async function detectorOf(load) {
  return (await nativeDetector()) ?? (await ponyfillDetector(load));
}

/**
 * The texts of the QR codes in a still picture. Some native detectors miss what ours finds: so it is asked where they find nothing.
 * @param {any} image @param {LoadPonyfill} load @returns {Promise<string[]>} @throws {NoDetector}
 */
export async function codesIn(image, load) {
  const native = await nativeDetector();
  const found = native ? await texts(native, image) : [];
  return found.length > 0 ? found : texts(await ponyfillDetector(load), image);
}

/** @param {Detector} detector @param {any} image @returns {Promise<string[]>} */
async function texts(detector, image) {
  const found = await detector.detect(image);
  return [...new Set(found.map(({ rawValue }) => rawValue).filter((text) => text !== ""))];
}

/** @returns {Promise<Detector | null>} */
async function nativeDetector() {
  const Native = /** @type {any} */ (globalThis).BarcodeDetector;
  if (!Native) return null;
  try {
    const formats = await Native.getSupportedFormats();
    return formats.includes("qr_code") ? new Native({ formats: QR }) : null;
  } catch {
    return null; // declared, and without anything behind it, as on some desktops
  }
}

/** @param {LoadPonyfill} load @returns {Promise<Detector>} */
async function ponyfillDetector(load) {
  ponyfill ??= load().then((Ponyfill) => new Ponyfill({ formats: QR }));
  try {
    return await ponyfill;
  } catch {
    ponyfill = null; // the network may be back at the next try
    throw new NoDetector();
  }
}
