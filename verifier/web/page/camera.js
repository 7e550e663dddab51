/** A QR code from the camera, live. */

import { detectorOf, NoDetector } from "./detector.js";

const PAUSE_MS = 120;
const SIDE = 960;

/** @typedef {"insecure" | "denied" | "none" | "busy" | "no_detector" | "failed"} Trouble a key of the catalogue: `camera.…` */

/** There is no camera, or no way to read what it sees. */
export class NoCamera extends Error {
  /** @param {Trouble} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @typedef {object} Scan
 * @property {() => void} stop
 * @property {(() => Promise<boolean>) | null} torch switches the light, and says whether it is on; null where there is none
 */

/** Why there can be no camera here, before anybody is asked for it. @returns {Trouble | null} */
export function cameraTrouble() {
  if (!globalThis.isSecureContext) return "insecure";
  return navigator.mediaDevices?.getUserMedia ? null : "none";
}

/**
 * @param {HTMLVideoElement} video
 * @param {import("./detector.js").LoadPonyfill} load
 * @param {(texts: string[]) => void} found called once, with all that is in the frame: the camera is off by then
 * @returns {Promise<Scan>}
 * @throws {NoCamera}
 */
export async function startScan(video, load, found) {
  const trouble = cameraTrouble();
  if (trouble) throw new NoCamera(trouble);
  const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 960 } };
  const [stream, detector] = await Promise.all([
    navigator.mediaDevices.getUserMedia({ video: wanted }).catch((error) => {
      throw new NoCamera(troubleOf(error));
    }),
    detectorOf(load).catch((error) => error),
  ]);
  const stop = () => {
    isOn = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  let isOn = true;
  if (detector instanceof NoDetector) {
    stop();
    throw new NoCamera("no_detector");
  }
  video.srcObject = stream;
  await video.play().catch(() => {}); // paused by a stop that came at once
  void look();

  async function look() {
    while (isOn) {
      const texts = video.readyState >= video.HAVE_CURRENT_DATA ? await codesInFrame(video, detector) : [];
      if (isOn && texts.length > 0) {
        stop();
        navigator.vibrate?.(60);
        found(texts);
        return;
      }
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }
  return { stop, torch: torchOf(stream) };
}

/** @param {HTMLVideoElement} video @param {import("./detector.js").Detector} detector @returns {Promise<string[]>} */
async function codesInFrame(video, detector) {
  try {
    const found = await detector.detect(frame(video));
    return found.map(({ rawValue }) => rawValue).filter((text) => text !== "");
  } catch {
    return []; // a frame that could not be read; there are more
  }
}

/** @type {HTMLCanvasElement | null} */
let canvas = null;

/** @param {HTMLVideoElement} video */
function frame(video) {
  canvas ??= document.createElement("canvas");
  const factor = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * factor);
  canvas.height = Math.round(video.videoHeight * factor);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** @param {MediaStream} stream @returns {Scan["torch"]} */
function torchOf(stream) {
  const [track] = stream.getVideoTracks();
  const can = /** @type {any} */ (track.getCapabilities?.() ?? {});
  if (!can.torch) return null;
  let isLit = false;
  return async () => {
    await track.applyConstraints(/** @type {any} */ ({ advanced: [{ torch: !isLit }] }));
    isLit = !isLit;
    return isLit;
  };
}

/** @param {{name?: string}} error @returns {Trouble} */
function troubleOf({ name }) {
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "failed";
}
