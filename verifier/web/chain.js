/**
 * The chain itself, read by `eth_call` pinned to a block hash (protocol.md section 8, "Reading the chain").
 *
 * F is the lowest finalized block among the endpoints. All must agree on F's hash and on every answer at that hash; nothing is a
 * vote. Whatever is odd makes a ChainUnavailable, which the view carries as its `problem`: checks 6 to 9 could not be made.
 */

import { MAX_BATCH } from "./entry.js";
import { ask, ChainUnavailable, host, Reverted } from "./rpc.js";

/** The first four bytes of keccak-256 of each signature; a test computes them. */
export const SELECTORS = Object.freeze({
  "anchorAt(uint64)": "0xe4942e5e",
  "head()": "0x8f7dcfa3",
  "UnknownSeq(uint64)": "0xc28bb05d",
});

const ANCHOR_WORDS = 5;

/**
 * @typedef {import("./anchors.js").ChainView} ChainView
 * @typedef {import("./anchors.js").Held} Held
 * @typedef {{number: number, hash: string, time: number}} Block time in seconds since 1970 UTC
 * @typedef {import("./trust.js").Anchor & {block: number}} AnchorAtBlock
 *
 * @typedef {object} Options
 * @property {string[]} [endpoints] in place of the trust file's
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [now] milliseconds since 1970 UTC
 * @property {number} [timeout_ms] of one request
 */

/**
 * @param {import("./trust.js").Trust} trust
 * @param {Options} options
 * @param {number[]} seqs wanted anyhow: read in the same round trip as head
 * @returns {Promise<ChainView>} never rejects for what a chain or an endpoint did
 */
export async function openChain(trust, options, seqs) {
  const chain = new LiveChain(trust, options);
  await chain.attempt(() => chain.open(seqs));
  return chain;
}

/** @implements {ChainView} */
class LiveChain {
  /** @param {import("./trust.js").Trust} trust @param {Options} options */
  constructor(trust, { endpoints = trust.rpc_urls, fetch = globalThis.fetch, now = Date.now, timeout_ms = 10_000 }) {
    this.trust = trust;
    this.chain = trust.chain;
    this.urls = [...new Set(endpoints)];
    this.transport = { fetch: fetch.bind(globalThis), timeout_ms };
    this.now = now;
    /** @type {Block | null} */
    this.finalized = null;
    /** The number of the lowest latest block. */
    this.latest = 0;
    this.head = 0;
    this.head_root = "";
    /** @type {import("./anchors.js").Problem | null} */
    this.problem = null;
    /** @type {Map<number, Held>} */
    this.known = new Map();
  }

  get time() {
    return this.finalized?.time ?? null;
  }

  get source() {
    return { kind: /** @type {const} */ ("rpc"), endpoints: this.urls.map(host), block: this.finalized };
  }

  /** @template T @param {() => Promise<T>} read @returns {Promise<T | undefined>} */
  async attempt(read) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ChainUnavailable)) throw error;
      this.problem ??= { code: error.code, params: error.params };
    }
  }

  /** @param {number[]} seqs */
  async open(seqs) {
    await this.findFinalized();
    await this.readHead(seqs);
  }

  async findFinalized() {
    if (this.urls.length === 0) throw new ChainUnavailable("chain.no_endpoint");
    const { finality } = this.trust;
    const tags = finality === "finalized" ? ["latest", "finalized"] : ["latest"];
    const requests = [{ method: "eth_chainId", params: [] }, ...tags.map(blockByTag)];
    const opened = await Promise.all(
      this.urls.map(async (url) => {
        const [id, ...answers] = await ask(url, requests, this.transport);
        if (quantity(id, url) !== this.chain.chain_id)
          throw new ChainUnavailable("chain.other_chain", { endpoint: host(url), chain_id: quantity(id, url) });
        const [latest, finalized] = answers.map((answer) => block(answer, url));
        return { url, latest, finalized };
      }),
    );
    this.latest = Math.min(...opened.map(({ latest }) => latest.number));
    const lowest =
      finality === "finalized"
        ? Math.min(...opened.map(({ finalized }) => finalized.number))
        : this.latest - finality.confirmations;
    if (lowest < 0) throw new ChainUnavailable("chain.too_short");
    const pinned = opened.every(({ finalized }) => finalized?.number === lowest)
      ? same(
          opened.map(({ finalized }) => finalized),
          blockKey,
        )
      : await this.blockAt(lowest);
    const age = Math.floor(this.now() / 1000) - pinned.time;
    if (age > this.trust.max_lag_s) throw new ChainUnavailable("chain.lag", { block: pinned.number, age });
    this.finalized = pinned;
  }

  /** @param {number[]} seqs */
  async readHead(seqs) {
    const at = /** @type {Block} */ (this.finalized);
    const { contract } = this.chain;
    const requests = [
      { method: "eth_getCode", params: [contract, pin(at)] },
      { method: "eth_call", params: [{ to: contract, data: SELECTORS["head()"] }, pin(at)] },
      ...seqs.map((seq) => this.anchorCall(seq, at)),
    ];
    const [code, head, ...anchors] = await this.agree(requests);
    if (code === "0x") throw new ChainUnavailable("chain.no_code", { contract });
    if (typeof code !== "string" || !/^0x[0-9a-f]+$/i.test(code))
      throw new ChainUnavailable("chain.bad_answer", { endpoint: this.source.endpoints[0] });
    const [word] = words(head, 1);
    this.head = safe(word);
    seqs.forEach((seq, i) => seq <= this.head && this.known.set(seq, this.held(seq, anchors[i], true)));
    const top = (await this.anchors([this.head])).get(this.head);
    if (!top || "problem" in top || !top.anchor) throw new ChainUnavailable("chain.no_head", { seq: this.head });
    this.head_root = top.anchor.register_root;
    const silence = at.time - top.anchor.time;
    if (silence > 2 * this.trust.heartbeat_s) throw new ChainUnavailable("chain.heartbeat", { seq: this.head, silence });
  }

  /** @param {number[]} seqs @returns {Promise<Map<number, Held>>} */
  async anchors(seqs) {
    const missing = [...new Set(seqs)].filter((seq) => !this.known.has(seq));
    const final = missing.filter((seq) => seq <= this.head);
    if (this.finalized && final.length > 0) {
      await this.attempt(() => this.readAnchors(final, /** @type {Block} */ (this.finalized), true));
    }
    const above = missing.filter((seq) => seq > this.head);
    if (this.finalized && above.length > 0) await this.readAbove(above);
    const problem = this.problem ?? { code: "chain.unreachable", params: { endpoint: "?" } };
    return new Map(seqs.map((seq) => [seq, this.known.get(seq) ?? { problem }]));
  }

  /** Not final yet: what goes wrong here is said of these seqs alone. @param {number[]} seqs */
  async readAbove(seqs) {
    try {
      await this.readAnchors(seqs, await this.blockAt(this.latest), false);
    } catch (error) {
      if (!(error instanceof ChainUnavailable)) throw error;
      for (const seq of seqs) this.known.set(seq, { problem: { code: error.code, params: error.params } });
    }
  }

  /** @param {number[]} seqs @param {Block} at @param {boolean} final */
  async readAnchors(seqs, at, final) {
    const answers = await this.agree(seqs.map((seq) => this.anchorCall(seq, at)));
    seqs.forEach((seq, i) => this.known.set(seq, this.held(seq, answers[i], final)));
  }

  /**
   * Whether `root`, the register root of `seq` but no longer of head, was head's until less than grace_s before F.
   * The anchor that changed it is looked for by halving, next door first: a root does not come back.
   * @param {number} seq @param {string} root @returns {Promise<boolean | null>} null where that could not be read
   */
  async within_grace(seq, root) {
    let [before, after] = [seq, this.head];
    for (let middle = seq + 1; after - before > 1; middle = Math.floor((before + after) / 2)) {
      const held = (await this.anchors([middle])).get(middle);
      if (!held || "problem" in held || !held.anchor) return null;
      if (held.anchor.register_root === root) before = middle;
      else after = middle;
    }
    const change = (await this.anchors([after])).get(after);
    if (!change || "problem" in change || !change.anchor || this.time === null) return null;
    return this.time - change.anchor.time < this.trust.grace_s;
  }

  /** The block of that number, the same at every endpoint. @param {number} number @returns {Promise<Block>} */
  async blockAt(number) {
    const request = { method: "eth_getBlockByNumber", params: [`0x${number.toString(16)}`, false] };
    const blocks = await Promise.all(this.urls.map(async (url) => block((await ask(url, [request], this.transport))[0], url)));
    if (blocks.some((found) => found.number !== number)) throw new ChainUnavailable("chain.disagree");
    return same(blocks, blockKey);
  }

  /**
   * The results that every endpoint gives alike.
   * @param {import("./rpc.js").Request[]} requests @returns {Promise<any[]>}
   */
  async agree(requests) {
    const all = await Promise.all(this.urls.map((url) => ask(url, requests, this.transport)));
    return requests.map((_, i) =>
      same(
        all.map((results) => results[i]),
        answerKey,
      ),
    );
  }

  /** @param {number} seq @param {Block} at @returns {import("./rpc.js").Request} */
  anchorCall(seq, at) {
    const data = SELECTORS["anchorAt(uint64)"] + argument(seq);
    return { method: "eth_call", params: [{ to: this.chain.contract, data }, pin(at)] };
  }

  /** @param {number} seq @param {unknown} answer @param {boolean} final @returns {Held} */
  held(seq, answer, final) {
    if (answer instanceof Reverted) {
      if (answer.data !== SELECTORS["UnknownSeq(uint64)"] + argument(seq)) throw new ChainUnavailable("chain.bad_data");
      // Head has passed this seq, and the contract will never hold it; above head it may come yet.
      return final ? { anchor: null, final } : { problem: { code: "chain.unknown_seq", params: { seq } } };
    }
    const [log_root, register_root, size, time] = words(answer, ANCHOR_WORDS);
    if (safe(time) === 0) throw new ChainUnavailable("chain.no_time", { seq });
    if (safe(size) > MAX_BATCH) throw new ChainUnavailable("chain.bad_data");
    return { anchor: { log_root, register_root, size: safe(size), time: safe(time) }, final };
  }
}

/** @param {number} seq as a word, in hex */
const argument = (seq) => seq.toString(16).padStart(64, "0");

/** EIP-1898: the state after exactly this block. @param {Block} at */
const pin = (at) => ({ blockHash: at.hash });

/** @param {string} tag @returns {import("./rpc.js").Request} */
const blockByTag = (tag) => ({ method: "eth_getBlockByNumber", params: [tag, false] });

/** @param {Block} block */
const blockKey = ({ hash, time }) => `${hash} ${time}`;

/** @param {unknown} answer */
const answerKey = (answer) =>
  answer instanceof Reverted ? `reverted ${answer.data}` : typeof answer === "string" ? answer.toLowerCase() : answer;

/** The one value that all are. @template T @param {T[]} values @param {(value: T) => unknown} key @returns {T} */
function same(values, key) {
  const [first] = values;
  if (values.some((value) => key(value) !== key(first))) throw new ChainUnavailable("chain.disagree");
  return first;
}

/** @param {any} answer @param {string} url @returns {Block} */
function block(answer, url) {
  if (typeof answer?.hash !== "string" || !/^0x[0-9a-f]{64}$/i.test(answer.hash))
    throw new ChainUnavailable("chain.bad_answer", { endpoint: host(url) });
  return { number: quantity(answer.number, url), hash: answer.hash.toLowerCase(), time: quantity(answer.timestamp, url) };
}

/** @param {unknown} value @param {string} url @returns {number} */
function quantity(value, url) {
  const number = typeof value === "string" && /^0x[0-9a-f]{1,14}$/i.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new ChainUnavailable("chain.bad_answer", { endpoint: host(url) });
  return number;
}

/** Return data as words of 32 bytes, in hex. @param {unknown} data @param {number} count @returns {string[]} */
function words(data, count) {
  if (data === "0x") throw new ChainUnavailable("chain.empty");
  if (typeof data !== "string" || data.length !== 2 + 64 * count || !/^0x[0-9a-f]*$/i.test(data))
    throw new ChainUnavailable("chain.bad_data");
  return Array.from({ length: count }, (_, i) => data.slice(2 + 64 * i, 66 + 64 * i).toLowerCase());
}

/** @param {string} word @returns {number} */
function safe(word) {
  const number = Number(`0x${word}`);
  if (!Number.isSafeInteger(number)) throw new ChainUnavailable("chain.bad_data");
  return number;
}
