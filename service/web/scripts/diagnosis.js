/** Where an invoice got lost, below the answer to what the visitor holds. It is loaded after the first answer: that comes first. */

/**
 * @typedef {import("../../../verifier/web/page/dropped.js").Item} Item
 * @typedef {import("../../../verifier/web/page/examining.js").Outcome} Outcome
 *
 * @typedef {object} Shown what the service is shown
 * @property {Record<string, unknown> | Uint8Array} body as JSON, or a proof file
 * @property {Record<string, string>} [facts] what was typed
 * @property {Record<string, unknown> | null} [copy] what an issuer kept: its sections, and the acknowledgement that it got
 */

/** The page has #diagnosis. */
export function diagnosisPlace() {
  /** @type {ReturnType<typeof import("./diagnosis_place.js").placeOf> | null} */
  let place = null;
  let turn = 0;
  return {
    clear() {
      turn++;
      place?.clear();
    },
    /** After each answer. @param {Item} item @param {Outcome} outcome */
    async show(item, outcome) {
      const mine = ++turn;
      const module = await import("./diagnosis_place.js").catch(() => null); // the server is off: another answer brings it
      if (module === null || mine !== turn) return;
      place ??= module.placeOf();
      place.show(item, outcome);
    },
  };
}
