/** Files that the page makes for the visitor. */

import { h } from "./dom.js";

/** @param {Uint8Array | string} content @param {string} name @param {string} type */
export function download(content, name, type) {
  const url = URL.createObjectURL(new Blob([/** @type {any} */ (content)], { type }));
  const link = h("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {Uint8Array} material @param {string} number */
export const downloadProof = (material, number) =>
  download(material, `${number.replaceAll(":", "_")}.proof.json`, "application/vnd.zhengpiao.proof+json");
