/** A question of the applicant's pages, which a tap beside it leaves. */

import { modal } from "../scripts/parts.js";

/**
 * @param {string} heading key @param {(close: () => void) => import("./parts.js").Child[]} content
 * @returns {Promise<void>} when it is closed
 */
export const dialog = (heading, content) => modal(heading, content, { class: "stack", isLeftBeside: true });
