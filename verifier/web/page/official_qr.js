/**
 * The text of the QR code that every Chinese invoice carries: `01,kind,code,number,amount,yyyymmdd,check,CRC`.
 *
 * It names an invoice and proves nothing: what it says is looked up. As service/formats/official_qr.py reads it: full-width
 * punctuation, blanks, an empty or missing CRC and a comma at the end occur.
 */

import { parseAmount, parseDate } from "./typed.js";

const MAX_LENGTH = 256;

/**
 * @typedef {object} Official
 * @property {string} number in the registry's spelling
 * @property {string} issued_on
 * @property {string} amount with two decimals
 * @property {boolean} with_tax the amount is with tax: so on digital invoices; on legacy ones it is without
 */

/** @param {string} text @returns {Official | null} */
export function officialFromText(text) {
  if (text.length > MAX_LENGTH) return null;
  const fields = text
    .normalize("NFKC")
    .split(",")
    .map((field) => field.replace(/\s+/gu, ""));
  if (fields.length < 7 || fields.length > 9 || fields[8]) return null;
  const [version, kind, code, number, amount, day] = fields;
  if (version !== "01" || !/^\d{2}$/.test(kind) || !/^\d{8}$/.test(day) || !/^-?\d{1,16}(\.\d{1,2})?$/.test(amount)) return null;
  const isDigital = /^\d{20}$/.test(number) && code === "";
  if (!isDigital && !(/^(\d{10}|\d{12})$/.test(code) && /^\d{8}$/.test(number))) return null;
  const issued_on = parseDate(day);
  const value = parseAmount(amount);
  if (issued_on === null || value === null) return null;
  return { number: isDigital ? number : `${code}-${number}`, issued_on, amount: value, with_tax: isDigital };
}
