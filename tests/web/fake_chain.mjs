/**
 * A chain in memory that answers JSON-RPC as a node does, at as many endpoints as a test wants, any of which may lie.
 * It never goes near a network: what is asked of an address that it does not know is refused like a dead host.
 */

import { ANCHORS } from "./vectors.mjs";

const WORD = 64;
const word = (value) => (typeof value === "string" ? value : value.toString(16)).padStart(WORD, "0");
const quantity = (number) => `0x${number.toString(16)}`;
/** error UnknownSeq(uint64) */
class Revert {
  constructor(seq) {
    this.error = { code: 3, message: "execution reverted", data: `0xc28bb05d${word(seq)}` };
  }
}

export class FakeChain {
  /**
   * One block for each of `anchors` (as in an anchors file), and empty ones after them: block n holds anchor n.
   * @param {{anchors?: object, chain_id?: number, contract?: string, spare?: number}} [from]
   */
  constructor({ anchors, chain_id, contract, spare = 3 } = {}) {
    const file = JSON.parse(ANCHORS);
    this.chain_id = chain_id ?? file.chain.chain_id;
    this.contract = contract ?? file.chain.contract;
    this.code = "0x6001";
    const held = Object.entries(anchors ?? file.anchors).map(([seq, anchor]) => ({ seq: Number(seq), ...anchor }));
    this.blocks = [this.block(0, held[0].time - 1, [])];
    for (const [i, anchor] of held.entries()) this.blocks.push(this.block(i + 1, anchor.time, held.slice(0, i + 1)));
    const { time } = held[held.length - 1];
    for (let i = 1; i <= spare; i++) this.blocks.push(this.block(held.length + i, time + i, held));
    this.finalized = this.blocks.length - 1;
    this.requests = [];
  }

  block(number, time, anchors, salt = "00") {
    return { number, time, anchors, hash: `0x${salt}${number.toString(16).padStart(62, "a")}` };
  }

  /** The time of the newest finalized block, in milliseconds. */
  get now() {
    return this.blocks[this.finalized].time * 1000;
  }

  /** What an honest node says. */
  answer(method, params) {
    switch (method) {
      case "eth_chainId":
        return { result: quantity(this.chain_id) };
      case "eth_getBlockByNumber": {
        const number =
          params[0] === "latest" ? this.blocks.length - 1 : params[0] === "finalized" ? this.finalized : Number(params[0]);
        const found = this.blocks[number];
        return { result: found ? { number: quantity(number), hash: found.hash, timestamp: quantity(found.time) } : null };
      }
      case "eth_getCode":
        return this.at(params[1], () => (params[0] === this.contract ? this.code : "0x"));
      case "eth_call":
        return this.at(params[1], (block) => this.call(params[0], block));
      default:
        return { error: { code: -32601, message: "method not found" } };
    }
  }

  at(pin, read) {
    const block = this.blocks.find(({ hash }) => hash === pin?.blockHash);
    if (!block) return { error: { code: -32000, message: "header for hash not found" } };
    const result = read(block);
    return result instanceof Revert ? { error: result.error } : { result };
  }

  call({ to, data }, { anchors }) {
    if (to !== this.contract) return "0x";
    if (data === "0x8f7dcfa3") return `0x${word(anchors.at(-1)?.seq ?? 0)}`;
    if (!data.startsWith("0xe4942e5e") || data.length !== 10 + WORD) return "0x";
    const seq = Number(`0x${data.slice(10)}`);
    const found = anchors.find((anchor) => anchor.seq === seq);
    return found ? `0x${found.log_root}${found.register_root}${word(found.size)}${word(found.time)}${word(seq)}` : new Revert(seq);
  }

  /** An endpoint; `lie(method, params, honest)` may change what it says. */
  endpoint(lie = (_method, _params, honest) => honest) {
    return (method, params) => lie(method, params, this.answer(method, params));
  }

  /** Anvil's kind of fork: the blocks from `number` on are others, holding `anchors`. */
  fork(number, anchors) {
    const other = Object.create(this);
    other.blocks = this.blocks.map((block) =>
      block.number < number ? block : this.block(block.number, block.time, anchors, "ff"),
    );
    return other;
  }
}

/**
 * A `fetch` for these endpoints. `log` receives each HTTP request as [url, requests].
 * @param {Record<string, (method: string, params: any[]) => object>} endpoints
 */
export function fakeFetch(endpoints, { log = [], batches = true } = {}) {
  return async (url, { body, signal }) => {
    const endpoint = endpoints[url];
    if (!endpoint) throw new TypeError("fetch failed");
    const asked = JSON.parse(body);
    log.push([url, asked]);
    const one = async ({ id, method, params }) => {
      const said = await endpoint(method, params, signal);
      return { jsonrpc: "2.0", id, ...said };
    };
    let answer;
    if (!Array.isArray(asked)) answer = await one(asked);
    else if (batches)
      answer = (await Promise.all(asked.map(one))).reverse(); // in any order, says JSON-RPC
    else answer = { jsonrpc: "2.0", id: null, error: { code: -32600, message: "batches are not supported" } };
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  };
}
