/**
 * Asking the API as whoever is signed in. What the API wants before it answers (a purpose, password and code again, a new sign-in) is
 * asked for here, and the question is put again.
 */

import { language } from "../../../verifier/web/page/texts.js";
import { data } from "./data.js";
import { askPurpose } from "./purpose.js";
import { reauthenticate } from "./reauthentication.js";

const TIMEOUT_MS = 30_000;

/** The service refused; `detail` is its sentence, in the page's language. */
export class Refused extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(String(problem.code));
    this.status = status;
    this.code = String(problem.code);
    this.detail = String(problem.detail ?? problem.title ?? problem.code);
    /** @type {{pointer: string, detail: string}[]} */
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
  }
}

/**
 * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} the answer's JSON
 * @throws {Refused} and TypeError, where nobody answers
 */
export const ask = async (method, path, body) => (await response(method, path, body)).json();

/** The same of an answer that is a file: it is saved. @param {string} method @param {string} path @param {unknown} [body] */
export async function save(method, path, body) {
  const answer = await response(method, path, body, 0);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "download";
  const { download } = await import("../../../verifier/web/page/downloads.js");
  download(/** @type {any} */ (new Uint8Array(await answer.arrayBuffer())), name, answer.headers.get("content-type") ?? "");
}

/** @param {string} method @param {string} path @param {unknown} body @param {number} [timeout_ms] @returns {Promise<Response>} */
async function response(method, path, body, timeout_ms = TIMEOUT_MS) {
  for (;;) {
    try {
      return await once(method, path, body, timeout_ms);
    } catch (error) {
      if (!(error instanceof Refused) || !(await isMet(error))) throw error;
    }
  }
}

/** Whether what was lacking is there now. @param {Refused} refused */
async function isMet({ code }) {
  if (code === "reauthentication_required") return reauthenticate();
  if (code === "purpose_missing") return askPurpose();
  if (code === "not_signed_in" && data.session) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}${location.hash}`);
    await new Promise(() => {}); // the page is being left
  }
  return false;
}

/** @param {string} method @param {string} path @param {unknown} body @param {number} timeout_ms */
export async function once(method, path, body, timeout_ms = TIMEOUT_MS) {
  /** @type {Record<string, string>} */
  const headers = { "accept-language": language() };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (data.session && method !== "GET") headers["x-csrf-token"] = data.session.csrf;
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: timeout_ms > 0 ? AbortSignal.timeout(timeout_ms) : undefined,
    credentials: "same-origin",
    redirect: "error",
    cache: "no-store",
  });
  if (answer.ok) return answer;
  throw new Refused(answer.status, await answer.json().catch(() => ({ code: `status ${answer.status}` })));
}
