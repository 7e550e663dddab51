/**
 * A strict reader of JSON (RFC 8259, restricted by protocol.md section 7).
 *
 * `JSON.parse` forgets what a verifier must see: a member that stands twice, how an integer was spelt, half a surrogate pair.
 * Syntax is an error; everything else that zp1 does not allow is a *flaw*, because of a file of another protocol only the
 * syntax is looked at. No recursion: depth costs no stack.
 */

import { utf8 } from "./bytes.js";

/** At most this many bytes are read. */
export const MAX_BYTES = 4 * 1024 * 1024;
/** The value of a section stands at level 4 and may be 16 levels deep; nothing beside the sections goes as far. */
export const MAX_DEPTH = 19;

/** Bytes that are not what they should be; `code` is a key of messages.js, `params` fill its sentence. */
export class Malformed extends Error {
  /** @param {string} code @param {Record<string, string | number>} [params] */
  constructor(code, params = {}) {
    super(`${code} ${JSON.stringify(params)}`);
    this.name = "Malformed";
    this.code = code;
    this.params = params;
  }
}

const LONE_SURROGATE = /[\ud800-\udfff]/u;
const INTEGER = /^(?:0|[1-9][0-9]*)$/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] };

/**
 * @typedef {object} Reading
 * @property {any} value objects without a prototype, so that no member has a meaning to the engine; integers as numbers
 * @property {Malformed | null} flaw the first thing that zp1 does not allow
 * @property {Set<string>} repeated names that stand twice in the outermost object
 */

/**
 * @param {Uint8Array | ArrayBuffer | string} bytesOrText
 * @returns {Reading}
 * @throws {Malformed} more than 4 MiB, not UTF-8, a byte order mark, not JSON, trailing data
 */
export function readJson(bytesOrText) {
  return new Reader(decode(bytesOrText)).read();
}

/** The same where every flaw is an error. @param {Uint8Array | ArrayBuffer | string} bytesOrText @returns {any} */
export function readStrictJson(bytesOrText) {
  const { value, flaw } = readJson(bytesOrText);
  if (flaw) throw flaw;
  return value;
}

/** @param {Uint8Array | ArrayBuffer | string} bytesOrText @returns {string} */
function decode(bytesOrText) {
  if (typeof bytesOrText === "string") {
    if (bytesOrText.length > MAX_BYTES || utf8(bytesOrText).length > MAX_BYTES) throw new Malformed("form.size");
    if (LONE_SURROGATE.test(bytesOrText)) throw new Malformed("form.utf8");
    return bytesOrText;
  }
  if (bytesOrText.byteLength > MAX_BYTES) throw new Malformed("form.size");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOrText);
  } catch {
    throw new Malformed("form.utf8");
  }
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
    /** @type {Malformed | null} */
    this.flaw = null;
    /** @type {Set<string>} */
    this.repeated = new Set();
  }

  /** @returns {Reading} */
  read() {
    /**
     * The containers that are open, outermost first, and the name under which each object's next value goes.
     * @type {any[]}
     */
    const open = [];
    /** @type {string[]} */
    const names = [];
    for (;;) {
      // One value: a scalar, or a container that is empty, or one that is opened and asks for its first value.
      let value;
      const first = this.text[this.skip()];
      if (first === "{" || first === "[") {
        this.at++;
        value = this.container(first, open.length + 1);
        if (this.text[this.skip()] === CLOSE[first]) {
          this.at++;
        } else {
          open.push(value);
          names.push(first === "{" ? this.name() : "");
          continue;
        }
      } else {
        value = this.scalar(first);
      }
      // Put it where it belongs, and close what ends with it.
      for (;;) {
        const depth = open.length;
        if (depth === 0) {
          if (this.skip() < this.text.length) this.fail();
          return { value, flaw: this.flaw, repeated: this.repeated };
        }
        const container = open[depth - 1];
        const isArray = Array.isArray(container);
        if (depth <= MAX_DEPTH) {
          if (isArray) container.push(value);
          else this.put(container, names[depth - 1], value, depth);
        }
        const next = this.text[this.skip()];
        this.at++;
        if (next === ",") {
          if (!isArray) names[depth - 1] = this.name();
          break;
        }
        if (next !== (isArray ? "]" : "}")) this.fail(-1);
        value = open.pop();
        names.pop();
      }
    }
  }

  /** @param {"{" | "["} first @param {number} depth of the new container, the outermost being 1 */
  container(first, depth) {
    if (depth <= MAX_DEPTH) return first === "[" ? [] : Object.create(null);
    this.spoil("form.depth");
    // Past the limit nothing is kept, so that a bomb of brackets costs a reference a level.
    return first === "[" ? DEEP_ARRAY : DEEP_OBJECT;
  }

  /** @param {Record<string, any>} object @param {string} name @param {any} value @param {number} depth */
  put(object, name, value, depth) {
    if (name in object) {
      this.spoil("form.duplicate", { name });
      if (depth === 1) this.repeated.add(name);
    }
    object[name] = value;
  }

  /** White space passed over. @returns {number} where the next token starts */
  skip() {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return this.at;
      this.at++;
    }
  }

  /** A member's name and its colon. @returns {string} */
  name() {
    if (this.text[this.skip()] !== '"') this.fail();
    const name = this.string();
    if (this.text[this.skip()] !== ":") this.fail();
    this.at++;
    return name;
  }

  /** @param {string} first @returns {string | number | boolean | null} */
  scalar(first) {
    if (first === '"') return this.string();
    const word = WORDS[/** @type {keyof typeof WORDS} */ (first)];
    if (word) {
      const [spelling, value] = /** @type {[string, boolean | null]} */ (word);
      if (!this.text.startsWith(spelling, this.at)) this.fail();
      this.at += spelling.length;
      return value;
    }
    NUMBER.lastIndex = this.at;
    const spelling = NUMBER.exec(this.text)?.[0] ?? this.fail();
    this.at += spelling.length;
    const number = Number(spelling);
    if (!INTEGER.test(spelling) || !Number.isSafeInteger(number)) this.spoil("form.integer", { spelling: spelling.slice(0, 40) });
    return number;
  }

  /** From its opening quotation mark to behind its closing one. @returns {string} */
  string() {
    const { text } = this;
    let value = "";
    let start = ++this.at;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c === 0x22) break;
      if (c === 0x5c) {
        value += text.slice(start, this.at) + this.escape();
        start = this.at;
      } else if (c >= 0x20) {
        this.at++;
      } else {
        this.fail(); // a control character, or NaN: the end of the text
      }
    }
    value += text.slice(start, this.at++);
    if (LONE_SURROGATE.test(value)) this.spoil("form.surrogate");
    return value;
  }

  /** @returns {string} */
  escape() {
    const letter = this.text[this.at + 1];
    if (letter === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail();
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(ESCAPES, letter ?? "") ? ESCAPES[/** @type {keyof typeof ESCAPES} */ (letter)] : this.fail();
    this.at += 2;
    return character;
  }

  /** @param {string} code @param {Record<string, string | number>} [params] */
  spoil(code, params) {
    this.flaw ??= new Malformed(code, params);
  }

  /** @param {number} [offset] @returns {never} */
  fail(offset = 0) {
    throw new Malformed("form.syntax", { at: this.at + offset + 1 });
  }
}

const CLOSE = { "{": "}", "[": "]" };
/** @type {any[]} */
const DEEP_ARRAY = [];
const DEEP_OBJECT = Object.create(null);
