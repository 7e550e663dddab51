/**
 * Going through a list by keys: what is looked at is the row whose link has the focus, so that Enter opens it without a word of ours.
 * @param {HTMLElement} list with a table in it
 */
export function stepper(list) {
  const links = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("tbody th a")]);
  return {
    /** @param {number} steps */
    step(steps) {
      const all = links();
      const at = all.indexOf(/** @type {any} */ (document.activeElement));
      const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + steps))];
      next?.focus();
      next?.closest("tr")?.scrollIntoView({ block: "nearest" });
    },
    /** Where no row has the focus Enter opens the first. */
    first() {
      links()[0]?.click();
    },
  };
}
