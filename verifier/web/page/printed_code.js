/** The QR code that a printed answer carries, so that whoever gets the paper can ask again. */

import { h, svg } from "./dom.js";
import { t } from "./texts.js";

const QUIET_ZONE = 4;

/**
 * Its place is there at once; what draws it is loaded when there is something to draw, and has no part in the answer.
 * @param {string} text @returns {HTMLElement}
 */
export function printedCode(text) {
  const place = h("div", { class: "code" });
  import("qr").then(
    ({ default: encodeQR }) => place.append(drawn(encodeQR(text, "raw", { ecc: "medium", border: QUIET_ZONE }))),
    () => place.remove(), // the answer is printed without
  );
  return place;
}

/** Black on white: it is seen on paper alone. @param {boolean[][]} rows @returns {SVGElement} */
function drawn(rows) {
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  const look = { viewBox: `0 0 ${rows.length} ${rows.length}`, role: "img", "aria-label": t("print.code") };
  return svg("svg", { ...look, "shape-rendering": "crispEdges" }, svg("path", { d: path }));
}
