/** Random changes to a file: of bytes, of structure, of spelling. Seeded, so that a failure can be repeated. */

/** mulberry32 @param {number} seed @returns {() => number} 0 to 1 */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @typedef {{next: () => number, int: (below: number) => number, of: <T>(list: T[]) => T}} Dice */
/** @param {number} seed @returns {Dice} */
export function dice(seed) {
  const next = random(seed);
  const int = (below) => Math.floor(next() * below);
  return { next, int, of: (list) => list[int(list.length)] };
}

/** Every place in a value: [parent, name]. */
function places(value, found = []) {
  if (typeof value !== "object" || value === null) return found;
  for (const name of Object.keys(value)) {
    found.push([value, name]);
    places(value[name], found);
  }
  return found;
}

const HEX = "0123456789abcdef";
const TEXTS = [
  "",
  " ",
  "\n",
  "é",
  "e\u0301",
  "\u200b",
  "ﾞ",
  "Å",
  "\u212b",
  "가",
  "\u1100\u1161",
  "\ufeff",
  "𠮷",
  "\u3164",
  "x".repeat(70),
];
const VALUES = [
  null,
  true,
  false,
  0,
  1,
  2,
  9,
  65535,
  65536,
  2 ** 32,
  2 ** 53 - 1,
  "",
  "0",
  [],
  {},
  "0".repeat(64),
  "f".repeat(64),
  [[]],
  { a: "b" },
];

/** Another value of the same kind. */
function nudged(value, { int, of }) {
  if (typeof value === "number") return of([value + 1, Math.max(0, value - 1), value * 2, 0, 1, value + 1000]);
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") {
    if (/^(?:0x)?[0-9a-f]{16,}$/.test(value)) {
      const at = value.length - 1 - int(value.length - 2);
      return value.slice(0, at) + of([...HEX].filter((digit) => digit !== value[at])) + value.slice(at + 1);
    }
    const at = int(value.length + 1);
    return of([
      value.slice(0, at) + of(TEXTS) + value.slice(at),
      value.slice(0, at) + value.slice(at + 1),
      value.toUpperCase(),
      value + value,
    ]);
  }
  if (Array.isArray(value))
    return of([value.slice(1), value.slice(0, -1), [...value, ...value.slice(0, 1)], value.toReversed(), []]);
  return value === null ? {} : Object.fromEntries(Object.entries(value).slice(1));
}

/** Structural: one place of the parsed file gets another value, is removed, copied, swapped or renamed. */
function edit(value, roll) {
  const all = places(value);
  const [parent, name] = roll.of(all);
  switch (roll.int(7)) {
    case 0:
      parent[name] = roll.of(VALUES);
      break;
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(name), 1);
      else delete parent[name];
      break;
    case 2: {
      const [otherParent, otherName] = roll.of(all);
      parent[name] = structuredClone(otherParent[otherName]);
      break;
    }
    case 3: {
      const [otherParent, otherName] = roll.of(all);
      const kept = structuredClone(parent[name]);
      parent[name] = structuredClone(otherParent[otherName]);
      otherParent[otherName] = kept;
      break;
    }
    case 4:
      if (!Array.isArray(parent))
        parent[roll.of(["x", "state", "hash", "salt", "receipt", "neighbour", "number", "original", "reprint", name + " "])] =
          structuredClone(parent[name]);
      break;
    default:
      parent[name] = nudged(parent[name], roll);
  }
}

/** Of the text: bytes flipped, cut, doubled; numbers, escapes and white space spelt in other ways; members twice. */
function respell(text, roll) {
  const at = roll.int(text.length);
  const numbers = [...text.matchAll(/(?<=[:[,]\s*)\d+(?=\s*[,\]}])/g)];
  const strings = [...text.matchAll(/"[^"\\]+"/g)];
  switch (roll.int(8)) {
    case 0: {
      if (numbers.length === 0) return text;
      const { 0: number, index } = roll.of(numbers);
      const spelt = roll.of([
        `${number}.0`,
        `${number}e0`,
        `0${number}`,
        `-${number}`,
        `+${number}`,
        `"${number}"`,
        `${number}E+0`,
        `${number} `,
        `${number}00`,
      ]);
      return text.slice(0, index) + spelt + text.slice(index + number.length);
    }
    case 1: {
      const { 0: string, index } = roll.of(strings);
      const inside = 1 + roll.int(string.length - 2);
      const escaped = `\\u${string.charCodeAt(inside).toString(16).padStart(4, "0")}`;
      const spelt = roll.of([
        escaped,
        escaped.toUpperCase().replace("U", "u"),
        "\\ud800",
        "\\udc00\\ud800",
        "\\u0000",
        "\\n",
        "\t",
        "\\/",
        "\\x",
      ]);
      return text.slice(0, index + inside) + spelt + text.slice(index + inside + 1);
    }
    case 2: {
      const members = [...text.matchAll(/"[a-z_]+": ?(?:"[^"\\]*"|\d+)(?=[,}])/g)];
      if (members.length === 0) return text;
      const { 0: member, index } = roll.of(members);
      return text.slice(0, index) + member + "," + text.slice(index);
    }
    case 3:
      return text.slice(0, at);
    case 4:
      return (
        text.slice(0, at) +
        roll.of([" ", "\n", ",", "{", "}", "[", "]", '"', "\\", "\u0000", "0", "null", "\u00a0", "/**/"]) +
        text.slice(at)
      );
    case 5:
      return text.slice(0, at) + text.slice(at + 1 + roll.int(4));
    case 6:
      return roll.of(["\ufeff", " ", "\n", "["]) + text + roll.of(["", " ", "x", "]", "{}", "\u0000"]);
    default:
      return text.replace(
        /"zp1"/,
        roll.of(['"zp2"', '"zp1","protocol":"zp2"', '"zp2","protocol":"zp1"', "1", "null", '"zp\\u0031"', '""']),
      );
  }
}

/** @param {Uint8Array} bytes @param {Dice} roll @returns {Uint8Array} */
function flip(bytes, roll) {
  const changed = bytes.slice();
  for (let i = 1 + roll.int(3); i > 0; i--) changed[roll.int(changed.length)] ^= 1 << roll.int(8);
  return changed;
}

/**
 * @param {Uint8Array} bytes a file @param {Dice} roll
 * @returns {Uint8Array} it with one to three random changes
 */
export function mutated(bytes, roll) {
  let changed = bytes;
  for (let i = roll.of([1, 1, 1, 2, 3]); i > 0; i--) {
    const kind = roll.int(10);
    const text = new TextDecoder().decode(changed);
    if (kind < 5) {
      let value;
      try {
        value = JSON.parse(text);
      } catch {
        return changed;
      }
      if (places(value).length === 0) return changed;
      edit(value, roll);
      changed = new TextEncoder().encode(JSON.stringify(value));
    } else {
      changed = kind < 8 ? new TextEncoder().encode(respell(text, roll)) : flip(changed, roll);
    }
    if (changed.length < 40) return changed;
  }
  return changed;
}
