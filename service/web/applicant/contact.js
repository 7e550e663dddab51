/** Where the applicant is written to: one field, which tells a phone number from an e-mail address by itself. */

/** @typedef {{channel: "email" | "sms", address: string}} Contact */

const EMAIL = /^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$/;
/** A mobile number of the mainland, with or without its country's code. */
const MOBILE = /^(?:\+?86)?(1[3-9]\d{9})$/;

/** @param {string} text @returns {Contact | null} null where it is neither */
export function contactOf(text) {
  const plain = text.normalize("NFKC").trim();
  if (plain.includes("@")) return EMAIL.test(plain) && plain.length <= 254 ? { channel: "email", address: plain } : null;
  const mobile = MOBILE.exec(plain.replace(/[\s().‐-―−-]/gu, ""));
  return mobile && { channel: "sms", address: mobile[1] };
}

/** A one-time code as it is pasted: blanks and full-width digits. @param {string} text @returns {string | null} */
export function codeOf(text) {
  const digits = text.normalize("NFKC").replace(/[\s-]/gu, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}
