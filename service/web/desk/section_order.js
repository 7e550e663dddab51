/** The order of what stands on an invoice: as on paper. */

export const ORDER = ["header", "seller", "buyer", "lines", "totals", "provenance", "payment", "notes"];

/** Of a line. */
export const LINE = ["item", "specification", "unit", "quantity", "unit_price", "amount", "rate_label", "tax"];

/** Of every other section; what is not named here follows. */
const MEMBERS = [
  ...["number", "kind", "issued_on", "issued_at", "region", "check_code", "machine_number"],
  ...["name", "tax_id", "address", "phone", "bank", "account"],
  ...["amount", "tax", "amount_with_tax", "amount_in_capitals", "currency", "drawer", "reviewer", "original", "relation", "reprint"],
];

/** @param {string} section */
export const sectionPlace = (section) => placeIn(ORDER, section);

/** @param {string} name */
export const memberPlace = (name) => placeIn(MEMBERS, name);

/** @param {string} name */
export const linePlace = (name) => placeIn(LINE, name);

/** @param {string[]} order @param {string} name */
const placeIn = (order, name) => (order.includes(name) ? order.indexOf(name) : order.length);
