/** The report of protocol.md section 8, the same in every implementation. */

import { SECTIONS } from "./commitment.js";
import { sentence } from "./messages.js";

/**
 * @typedef {object} Report
 * @property {string | null} file
 * @property {import("./verdict.js").Verdict} verdict
 * @property {string | null} number
 * @property {string[]} disclosed the sections that are open
 * @property {string | null} status
 * @property {{seq: number, time: number} | null} as_of
 * @property {import("./anchors.js").ChainView["source"] | null} source
 * @property {{name: string, result: string, detail: string}[]} checks
 */

/**
 * @param {import("./recipe.js").Examination} examination
 * @param {string | null} file its name @param {string} lang `zh` or `en`, or what begins with it
 * @returns {Report}
 */
export function reportOf({ verdict, proof, status, as_of, view, checks }, file, lang) {
  const sections = proof?.sections ?? {};
  return {
    file,
    verdict,
    number: proof?.number ?? null,
    disclosed: SECTIONS.filter((name) => name in sections && !("hash" in sections[name])),
    status,
    as_of,
    source: view?.source ?? null,
    checks: Object.entries(checks).map(([name, { result, code, params }]) => ({
      name,
      result,
      detail: sentence(lang, code, params),
    })),
  };
}
