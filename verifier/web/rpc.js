/** JSON-RPC 2.0 over HTTP: one batch to several endpoints, which must all give the same answers. */

/** The chain could not be read; `code` is a key of messages.js. It never says anything about a proof. */
export class ChainUnavailable extends Error {
  /** @param {string} code @param {Record<string, string | number>} [params] */
  constructor(code, params = {}) {
    super(`${code} ${JSON.stringify(params)}`);
    this.name = "ChainUnavailable";
    this.code = code;
    this.params = params;
  }
}

/** A call that the contract refused: the data that it gave with it. */
export class Reverted {
  /** @param {string} data hex, lower case */
  constructor(data) {
    this.data = data;
  }
}

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {any[]} params
 *
 * @typedef {object} Transport
 * @property {typeof globalThis.fetch} fetch
 * @property {number} timeout_ms of one request
 */

/**
 * The results of `requests` in their order, from one endpoint. A call that the contract refused ends in a Reverted.
 * @param {string} url @param {Request[]} requests @param {Transport} transport
 * @returns {Promise<any[]>}
 * @throws {ChainUnavailable}
 */
export async function ask(url, requests, transport) {
  const batch = requests.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
  let answers = await post(url, batch, transport);
  // Some endpoints take no batches and answer with one error: they are asked one by one.
  if (!Array.isArray(answers)) answers = await Promise.all(batch.map((request) => post(url, request, transport)));
  const byId = new Map(answers.map((/** @type {any} */ answer) => [answer?.id, answer]));
  if (byId.size !== requests.length || answers.length !== requests.length) throw bad(url);
  return batch.map(({ id }) => {
    const answer = byId.get(id);
    if (!answer?.error) {
      if (answer?.result === undefined) throw bad(url);
      return answer.result;
    }
    const { code, data } = answer.error;
    const reverted = data?.data ?? data; // as it is (Geth, Anvil), or one level down (Hardhat)
    if (typeof reverted === "string" && /^0x[0-9a-f]+$/i.test(reverted)) return new Reverted(reverted.toLowerCase());
    throw new ChainUnavailable("chain.rpc_error", { endpoint: host(url), code: Number.isInteger(code) ? code : 0 });
  });
}

/** @param {string} url @param {unknown} body @param {Transport} transport @returns {Promise<any>} */
async function post(url, body, { fetch, timeout_ms }) {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), timeout_ms);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: clock.signal,
      credentials: "omit",
      referrerPolicy: "no-referrer",
      redirect: "error",
      cache: "no-store",
    });
    if (!response.ok) throw new ChainUnavailable("chain.http", { endpoint: host(url), status_code: response.status });
    return await response.json();
  } catch (error) {
    if (error instanceof ChainUnavailable) throw error;
    if (clock.signal.aborted) throw new ChainUnavailable("chain.timeout", { endpoint: host(url) });
    if (error instanceof SyntaxError) throw bad(url);
    throw new ChainUnavailable("chain.unreachable", { endpoint: host(url) });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} url */
const bad = (url) => new ChainUnavailable("chain.bad_answer", { endpoint: host(url) });

/** How an endpoint is shown and reported: path, query and user may hold an access key. @param {string} url */
export const host = (url) => origin(url) ?? "?";

/** @param {string} url @returns {string | null} null where it is no http or https URL */
export function origin(url) {
  try {
    const { protocol, origin } = new URL(url);
    return /^https?:$/.test(protocol) && !/\s/.test(url) ? origin : null;
  } catch {
    return null;
  }
}
