/** The pages of all materials of a case, one after the other. */

/**
 * @typedef {{id: string, type: string, pages: number, size: number, uploaded_at: string}} Material
 * @typedef {{id: string, type: string, page: number, of: number}} Place a page of one of them, from 1 on
 */

/** @param {Material[]} items @returns {Place[]} */
export const pagesOf = (items) => items.flatMap(({ id, type, pages }) => Array.from({ length: pages }, (_, n) => ({ id, type, page: n + 1, of: pages })));

/** The page that many steps on; null where there is none. @param {Place[]} places @param {Place} place @param {number} steps */
export function inTurn(places, place, steps) {
  const at = places.findIndex(({ id, page }) => id === place.id && page === place.page);
  return at < 0 ? null : (places[at + steps] ?? null);
}

/** Whether every page of them was. @param {Material[]} items @param {Set<string>} seen `ID/PAGE` */
export const isSeen = (items, seen) => pagesOf(items).every(({ id, page }) => seen.has(`${id}/${page}`));
