/** What browsers get is what scripts/build-web makes of the sources and the locked packages. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const STATIC = "service/web/static";
const SINGLE = "verifier/web/zhengpiao-verify.html";
const MAX_PAGE_BYTES = 60 * 1024;
/** Of a desk: whoever works there comes every day, and has it already. */
const MAX_DESK_BYTES = 76 * 1024;
const LATER = /^(parts\/(ed25519|sha256|pdf|ponyfill|qr|diagnosis_place)-|pdf\.worker\.js|zxing_reader\.wasm|LICENSES)/;

const list = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

test("pages and single file are made anew, byte for byte", () => {
  const made = mkdtempSync(join(tmpdir(), "build-"));
  try {
    execFileSync(process.execPath, [join(root, "scripts/build-web"), "--out", made]);
    assert.deepEqual(list(join(made, STATIC)), list(join(root, STATIC)));
    for (const name of list(join(made, STATIC)))
      assert.ok(
        readFileSync(join(made, STATIC, name)).equals(readFileSync(join(root, STATIC, name))),
        `${name}: run scripts/build-web`,
      );
    assert.ok(readFileSync(join(made, SINGLE)).equals(readFileSync(join(root, SINGLE))), "run scripts/build-web");
  } finally {
    rmSync(made, { recursive: true });
  }
});

test("a page's scripts and looks are small", () => {
  const size = (name) => gzipSync(readFileSync(join(root, STATIC, name)), { level: 9 }).length;
  const imports = JSON.parse(readFileSync(join(root, STATIC, "imports.json"), "utf8"));
  for (const [script, imported] of Object.entries(imports)) {
    assert.ok(
      imported.every((name) => !LATER.test(name)),
      script,
    );
    const look = script.startsWith("applicant/") ? "applicant/applicant.css" : "page.css";
    const total = [script, ...imported, look].map(size).reduce((sum, one) => sum + one, 0);
    const most = script.startsWith("desk/") ? MAX_DESK_BYTES : MAX_PAGE_BYTES;
    assert.ok(total <= most - 8 * 1024, `${script}: ${total} bytes, and the page itself comes on top`);
  }
});

test("the single file lets nothing run but its own script", () => {
  const html = readFileSync(join(root, SINGLE), "utf8");
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)[1].replace(/\s+/g, " ");
  const scripts = [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)].map(([, script]) => script);
  assert.equal(scripts.length, 1);
  const hash = createHash("sha256").update(scripts[0]).digest("base64");
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[\w+/=]+' 'wasm-unsafe-eval'; /);
  assert.ok(policy.includes(`'sha256-${hash}'`));
  assert.doesNotMatch(html, /\b(?:src|href)="(?!#)/, "it loads nothing");
});
