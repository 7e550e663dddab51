/**
 * Asking the API as an applicant: by the case's own token, never by a cookie. A write that may have arrived although no answer came
 * goes again under the same key, so that it is done once.
 */

import { language } from "../../../verifier/web/page/texts.js";

const TIMEOUT_MS = 20_000;
export const UPLOAD_MS = 180_000;

/** The service refused; `detail` is its sentence, in the page's language. */
export class Refused extends Error {
  /** @param {number} status @param {any} problem @param {number} [retry_after_s] */
  constructor(status, problem, retry_after_s = 0) {
    super(String(problem.code));
    this.status = status;
    this.code = String(problem.code);
    this.detail = String(problem.detail ?? problem.title ?? problem.code);
    /** @type {{pointer: string, detail: string}[]} */
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    /** What else it says. @type {any} */
    this.problem = problem;
    this.retry_after_s = retry_after_s;
  }
}

/** Nobody answered, or not in time: whether a write was done is not known. */
export class Unanswered extends Error {}

/** Keys of writes whose answer never came, by what they were. @type {Map<string, string>} */
const unanswered = new Map();

/** @param {string} name @returns {string} the key under which this write goes, again and again until it is answered */
export function keyOf(name) {
  const key = unanswered.get(name) ?? crypto.randomUUID?.() ?? hexOf(crypto.getRandomValues(new Uint8Array(16)));
  unanswered.set(name, key);
  return key;
}

/** @param {Uint8Array} bytes */
const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** It was answered: the same write is another one from now on. @param {string} name */
export const answered = (name) => unanswered.delete(name);

/**
 * @typedef {object} Asked
 * @property {string | null} [token] of the case
 * @property {unknown} [body] as JSON, or a file as it is
 * @property {string} [type] of a file
 * @property {number} [timeout_ms]
 */

/** @param {string} method @param {string} path @param {Asked} [asked] @returns {Promise<any>} the answer's JSON; null where it has none */
export async function ask(method, path, asked = {}) {
  const answer = await response(method, path, asked);
  const text = await answer.text().catch(failed);
  return text === "" ? null : JSON.parse(text);
}

/**
 * @param {string} method @param {string} path @param {Asked} [asked] @returns {Promise<Response>}
 * @throws {Refused} @throws {Unanswered}
 */
export async function response(method, path, { token, body, type, timeout_ms = TIMEOUT_MS } = {}) {
  const isFile = body instanceof Blob;
  const sent = body === undefined || isFile ? body : JSON.stringify(body);
  const name = `${method} ${path} ${isFile ? `${body.size} ${/** @type {File} */ (body).name}` : sent}`;
  const answer = await fetch(path, {
    method,
    headers: headersOf({ method, name, token, type: isFile ? (type ?? body.type) : sent === undefined ? null : "application/json" }),
    body: /** @type {BodyInit | undefined} */ (sent),
    signal: AbortSignal.timeout(timeout_ms),
    credentials: "omit",
    redirect: "error",
    cache: "no-store",
  }).catch(failed);
  answeredBy(answer.status, name);
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ code: `status ${answer.status}` }));
  throw new Refused(answer.status, problem, Number(answer.headers.get("retry-after") ?? 0));
}

/** @param {unknown} error @returns {never} */
function failed(error) {
  throw new Unanswered("unanswered", { cause: error });
}

/** @param {{method: string, name: string, token?: string | null, type?: string | null}} asked @returns {Record<string, string>} */
export const headersOf = ({ method, name, token, type }) => ({
  "accept-language": language(),
  ...(type && { "content-type": type }),
  ...(token && { authorization: `Bearer ${token}` }),
  ...(method === "POST" && { "idempotency-key": keyOf(name) }),
});

/** Where the server failed, or still works on it, nobody knows whether it was done. @param {number} status @param {string} name */
export const answeredBy = (status, name) => {
  if (status < 500 && status !== 409) answered(name);
};
