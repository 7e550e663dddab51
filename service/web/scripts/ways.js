/** Where an answer that settles nothing may go on: to the look-up, or to the server, which reads what this browser could not. */

import { unanswered } from "../../../verifier/web/page/answer.js";
import { itemOfCode } from "../../../verifier/web/page/dropped.js";
import { surroundings } from "./page.js";
import { serverAnswer } from "./server_answer.js";
import { decoded, Refused } from "./service.js";

/**
 * @typedef {import("../../../verifier/web/page/dropped.js").Item} Item
 * @typedef {import("../../../verifier/web/page/answer_view.js").Action} Action
 */

/** @param {Item} item @returns {Action | null} */
function lookupAction({ code }) {
  if (code?.kind !== "official") return null;
  const { number, issued_on, amount, with_tax } = code.official;
  const fields = new URLSearchParams({ number, issued_on, [with_tax ? "amount_with_tax" : "amount"]: amount });
  return { key: "action.lookup", icon: "search", href: `/#${fields}` };
}

/** A code of another registry, checked in this one all the same. @param {Item} item @param {(item: Item) => void} replace */
function hereAction({ name, code }, replace) {
  if (code?.kind !== "copy" || code.issuer !== "other") return null;
  return { key: "action.check_here", icon: "search", run: () => replace(itemOfCode(name, code, surroundings(), true)) };
}

/** @param {Item} item @param {(item: Item) => void} replace @returns {Action | null} */
function uploadAction(item, replace) {
  const { undecoded } = item;
  if (undecoded === null) return null;
  return { key: "action.upload", icon: "upload", run: () => replace({ ...item, undecoded: null, look: () => read(undecoded) }) };
}

/**
 * Where to go on from what an item came to, first of all; null where its answer stands by itself.
 * @param {Item} item @param {(item: Item) => void} replace @returns {Action | null}
 */
export const otherWay = (item, replace) => lookupAction(item) ?? hereAction(item, replace) ?? uploadAction(item, replace);

/** @param {File} file @returns {Promise<import("../../../verifier/web/page/examining.js").Outcome>} */
async function read(file) {
  try {
    return { answer: serverAnswer(await decoded(file)), material: null };
  } catch (error) {
    const reason = error instanceof Refused ? unanswered("refused", { detail: error.detail }) : unanswered("unreachable");
    return { answer: reason, material: null };
  }
}
