/**
 * Canonical bytes of a section: RFC 8785 (JCS) on a restricted kind of JSON (protocol.md section 1).
 *
 * With strings, booleans, arrays and objects only, RFC 8785 is `JSON.stringify` with sorted names: both escape alike, and names
 * are ASCII, where UTF-16 order is every order.
 */

import { utf8 } from "./bytes.js";
import { Malformed } from "./json.js";

const MAX_DEPTH = 16;
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const FORBIDDEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/u;
const PLAIN = /^[ -~\n]*$/;

/**
 * @param {unknown} value objects by `readJson`
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {Malformed} anything that protocol.md section 1 does not allow: refused, never repaired
 */
export const canonicalBytes = (value) => utf8(write(value, MAX_DEPTH, ""));

/** @param {unknown} value @param {number} levels how many more @param {string} pointer RFC 6901 @returns {string} */
function write(value, levels, pointer) {
  if (typeof value === "string") {
    if (!PLAIN.test(value)) {
      if (FORBIDDEN.test(value)) throw new Malformed("canonical.character", { pointer });
      if (value.normalize("NFC") !== value) throw new Malformed("canonical.normal_form", { pointer });
    }
    return JSON.stringify(value);
  }
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value === null) throw new Malformed("canonical.type", { pointer });
  if (levels === 0) throw new Malformed("canonical.depth", { pointer });
  if (Array.isArray(value)) return `[${value.map((item, i) => write(item, levels - 1, `${pointer}/${i}`)).join(",")}]`;
  const members = /** @type {Record<string, unknown>} */ (value);
  const written = Object.keys(members)
    .sort()
    .map((name) => {
      const where = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (!NAME.test(name) || name === "__proto__") throw new Malformed("canonical.key", { pointer: where });
      return `"${name}":${write(members[name], levels - 1, where)}`;
    });
  return `{${written.join(",")}}`;
}
