/**
 * The chain as anchors files tell it: what the recipe asks of a chain, answered without a network (protocol.md section 8).
 */

/**
 * What the recipe asks of a chain, be it a file or a live one.
 * @typedef {object} ChainView
 * @property {import("./trust.js").Chain} chain
 * @property {number | null} time of F (of head, in a file), seconds since 1970 UTC; null where there is none
 * @property {Problem | null} problem why nothing can be said of anchors; may come up while they are read
 * @property {number} head the newest final seq; meaningless beside a problem
 * @property {string} head_root the register root of head, hex
 * @property {{kind: "rpc" | "anchors_file", endpoints: string[], block: {number: number, hash: string, time: number} | null}} source
 * @property {(seqs: number[]) => Promise<Map<number, Held>>} anchors
 * @property {(seq: number, root: string) => Promise<boolean | null>} within_grace was that root head's until just now?
 *
 * @typedef {{code: string, params: Record<string, string | number>}} Problem a key of messages.js and what fills its sentence
 * @typedef {{anchor: import("./trust.js").Anchor | null, final: boolean} | {problem: Problem}} Held what is known of a seq;
 *   no anchor: the contract passed this seq and will never hold it
 */

/**
 * @param {import("./trust.js").Anchors[]} files of one chain, at least one; the highest head counts
 * @param {string[]} names of the files
 * @returns {ChainView}
 */
export function viewOfAnchors(files, names) {
  /** @type {Map<number, Held>} */
  const anchors = new Map();
  for (const file of files) {
    for (const [seq, held] of file.anchors) anchors.set(seq, merge(seq, anchors.get(seq), held));
  }
  const head = Math.max(...files.map((file) => file.head));
  const problem = problemOf(head, anchors);
  const newest = anchors.get(head);
  const anchor = newest && "anchor" in newest && !problem ? newest.anchor : null;
  return {
    chain: files[0].chain,
    time: anchor?.time ?? null,
    problem,
    head,
    head_root: anchor?.register_root ?? "",
    source: { kind: "anchors_file", endpoints: names, block: null },
    anchors: async (seqs) =>
      new Map(seqs.map((seq) => [seq, anchors.get(seq) ?? { problem: { code: "chain.not_in_file", params: { seq } } }])),
    within_grace: async () => false,
  };
}

/**
 * A seq on which two files differ is not known.
 * @param {number} seq @param {Held | undefined} a @param {Held} b @returns {Held}
 */
function merge(seq, a, b) {
  if (a === undefined) return b;
  if ("problem" in a || "problem" in b) return "problem" in a ? a : b;
  const isSame = SAME.every((member) => a.anchor?.[member] === b.anchor?.[member]);
  return isSame ? { anchor: a.anchor, final: a.final || b.final } : { problem: { code: "chain.files_differ", params: { seq } } };
}

const SAME = /** @type {const} */ (["log_root", "register_root", "size", "time"]);

/**
 * Head is there and final, and none above it is.
 * @param {number} head @param {Map<number, Held>} anchors @returns {Problem | null}
 */
function problemOf(head, anchors) {
  const newest = anchors.get(head);
  if (newest && "problem" in newest) return newest.problem;
  if (!newest?.final) return { code: "chain.head_missing", params: { seq: head } };
  for (const [seq, held] of anchors) {
    if (seq > head && "final" in held && held.final) return { code: "chain.final_above_head", params: { seq, head } };
  }
  return null;
}
