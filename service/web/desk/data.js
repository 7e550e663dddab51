/** What the server wrote into the page. */

import { byId } from "../../../verifier/web/page/dom.js";

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} login
 * @property {string} name
 * @property {"auditor" | "operator" | "reviewer" | "clerk" | "approver"} role
 *
 * @typedef {object} Session
 * @property {Person} person
 * @property {string} csrf goes along with every write
 * @property {string | null} purpose
 * @property {string} reference
 *
 * @typedef {object} Data
 * @property {any} trust the trust file
 * @property {string} public_url
 * @property {string[]} nodes query nodes that this page may ask
 * @property {Record<string, string>} home by role
 * @property {Session | null} session
 * @property {Record<string, string>} [params] of the path
 * @property {string[]} [events] what this role can be told of by webhooks
 * @property {string | null} [next]
 */

/** @type {Data} */
export const data = JSON.parse(byId("page").textContent);
