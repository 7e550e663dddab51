/** What the service is asked beside proofs: its own word, look-ups, and to read a picture. */

import { language } from "../../../verifier/web/page/texts.js";

const STATEMENT_MS = 5_000;
const LOOKUP_MS = 10_000;
const UPLOAD_MS = 60_000;

/** The service refused; `detail` is its sentence, in the page's language. */
export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} detail @param {number} retry_after_s */
  constructor(status, code, detail, retry_after_s) {
    super(code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retry_after_s = retry_after_s;
  }
}

/**
 * @param {import("../../../verifier/web/page/codes.js").Copy} copy
 * @returns {Promise<import("../../../verifier/web/page/answer.js").Statement | null>} null where the service has no such copy
 */
export async function stated({ number, commitment }) {
  try {
    return await post("/v1/statements", JSON.stringify({ number, commitment }), "application/json", STATEMENT_MS);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/**
 * @param {{number: string, issued_on: string, amount?: string, amount_with_tax?: string}} facts
 * @returns {Promise<any>} the answer of api.md, with its proof
 */
export const lookedUp = (facts) => post("/v1/lookups", JSON.stringify(facts), "application/json", LOOKUP_MS);

/** A picture or a PDF, given away because the visitor asked for that. @param {File} file @returns {Promise<any>} the report */
export function decoded(file) {
  const form = new FormData();
  form.append("file", file);
  return post("/v1/verifications", form, null, UPLOAD_MS);
}

/**
 * @param {string} path @param {BodyInit} body @param {string | null} type null: the body has its own @param {number} timeout_ms
 * @returns {Promise<any>}
 */
export async function post(path, body, type, timeout_ms) {
  const response = await fetch(path, {
    method: "POST",
    headers: { ...(type && { "content-type": type }), "accept-language": language() },
    body,
    signal: AbortSignal.timeout(timeout_ms),
    credentials: "omit",
    redirect: "error",
    cache: "no-store",
  });
  const said = await response.json();
  if (response.ok) return said;
  throw new Refused(response.status, String(said.code), String(said.detail), Number(response.headers.get("retry-after") ?? 0));
}
