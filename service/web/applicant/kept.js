/**
 * What this tab remembers until it is closed: the case and its token, and what was typed. Nothing of it is kept longer: a phone may be
 * lent, and whoever comes back gets a new token for a code.
 */

const CASE = "zhengpiao.reprint.case";
const FEEDBACK = "zhengpiao.feedback";
const DRAFT = "zhengpiao.reprint.draft.";

/** @typedef {{id: string, token: string}} Kept */

/** @returns {Kept | null} */
export const keptCase = () => kept(CASE);

/** @returns {Kept | null} */
export const keptFeedback = () => kept(FEEDBACK);

/** @param {Kept | null} followed */
export const keepFeedback = (followed) => (followed === null ? remove(FEEDBACK) : write(FEEDBACK, followed));

/** @param {Kept} kept */
export const keepCase = (kept) => write(CASE, kept);

export const forgetCase = () => remove(CASE);

/** What was typed into a form. @param {string} form @returns {Record<string, string>} */
export const draftOf = (form) => read(DRAFT + form) ?? {};

/** @param {string} form @param {Record<string, string>} draft */
export const keepDraft = (form, draft) => write(DRAFT + form, draft);

/** @param {string} form */
export const forgetDraft = (form) => remove(DRAFT + form);

/** @param {string} name @returns {Kept | null} */
function kept(name) {
  const found = read(name);
  return typeof found?.id === "string" && typeof found.token === "string" ? found : null;
}

/** @param {string} name @returns {any} */
function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value */
function write(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is closed to this page: it lasts as long as the page does.
  }
}

/** @param {string} name */
function remove(name) {
  try {
    sessionStorage.removeItem(name);
  } catch {
    // as above
  }
}
