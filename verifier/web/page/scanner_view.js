/** The camera, and in its place a photo: where a QR code comes from. */

import { cameraTrouble, NoCamera, startScan } from "./camera.js";
import { NoDetector } from "./detector.js";
import { byId } from "./dom.js";
import { codesInPicture, Unreadable } from "./picture.js";
import { onLanguage, t } from "./texts.js";

/**
 * The page has: #scan (button), perhaps #photo (file input), #scanner with #video, #scan-stop and #scan-light, #scan-trouble.
 * @param {import("./detector.js").LoadPonyfill} load
 * @param {object} on
 * @param {(texts: string[]) => void} on.codes what was read, one or more
 * @param {(reason: "picture_too_large" | "picture_broken" | "no_detector" | "no_code", file: File) => void} [on.unreadable]
 * @param {() => void} on.start the camera begins
 * @param {() => void} on.end the camera ended, and nothing was read
 * @param {(file: File) => void} [on.picture] a picture is being read
 */
export function scannerView(load, on) {
  const [start, photo, panel, video] = ["scan", "photo", "scanner", "video"].map(byId);
  const [stopButton, light, trouble, live] = ["scan-stop", "scan-light", "scan-trouble", "live"].map(byId);
  /** @type {import("./camera.js").Scan | null} */
  let scan = null;
  /** @type {string | null} */
  let told = null;
  let turn = 0;
  const early = cameraTrouble();

  /** @param {string | null} key */
  function tell(key) {
    told = key;
    trouble.hidden = key === null;
    trouble.querySelector("p").textContent = key === null ? "" : t(key);
    if (key !== null) live.textContent = t(key);
  }

  function stop() {
    turn++;
    scan?.stop();
    scan = null;
    panel.hidden = true;
    start.hidden = early !== null;
  }

  async function begin() {
    stop();
    on.start();
    tell(null);
    const mine = ++turn;
    start.hidden = true;
    panel.hidden = false;
    light.hidden = true;
    panel.scrollIntoView({ block: "center" });
    stopButton.focus({ preventScroll: true });
    live.textContent = t("scan.aim");
    try {
      const started = await startScan(video, load, (texts) => {
        stop();
        on.codes(texts);
      });
      if (mine !== turn) return started.stop();
      scan = started;
      light.hidden = scan.torch === null;
    } catch (error) {
      if (mine !== turn) return;
      stop();
      on.end();
      tell(`camera.${error instanceof NoCamera ? error.code : "failed"}`);
    }
  }

  /** @param {File} file */
  async function read(file) {
    stop();
    tell(null);
    on.picture?.(file);
    const mine = ++turn;
    try {
      const texts = await codesInPicture(file, load);
      if (mine !== turn) return;
      if (texts.length > 0) on.codes(texts);
      else on.unreadable?.("no_code", file);
    } catch (error) {
      if (mine !== turn) return;
      if (error instanceof Unreadable) on.unreadable?.(error.code, file);
      else if (error instanceof NoDetector) on.unreadable?.("no_detector", file);
      else throw error;
    }
  }

  start.addEventListener("click", begin);
  stopButton.addEventListener("click", () => {
    stop();
    on.end();
    start.focus();
  });
  light.addEventListener("click", async () => light.setAttribute("aria-pressed", String(await scan?.torch?.())));
  photo?.addEventListener("change", () => {
    const [file] = photo.files;
    if (file) void read(file);
    photo.value = "";
  });
  addEventListener("pagehide", stop);
  onLanguage(() => tell(told));
  start.hidden = early !== null;
  if (early) tell(`camera.${early}`);
  return { begin, read, stop };
}
