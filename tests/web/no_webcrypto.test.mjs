/** Where WebCrypto is missing every vector must come out the same, by @noble. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

test("every vector without WebCrypto", async () => {
  const { NODE_TEST_CONTEXT, ...env } = process.env; // a test run of its own
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", new URL("no_webcrypto.mjs", import.meta.url).href, "--test-reporter=tap", here("vectors.test.mjs")],
    { env },
  );
  assert.match(stdout, /^# fail 0$/m);
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 200, stdout.slice(-400));
});

test("and it is indeed missing there", async () => {
  const check =
    'import("../../verifier/web/hash.js").then(async (h) => { if (globalThis.crypto.subtle) throw new Error(); console.log(Buffer.from(await h.sha256(new Uint8Array())).toString("hex")); });';
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    new URL("no_webcrypto.mjs", import.meta.url).href,
    "-e",
    check.replace("../../verifier", new URL("../../verifier", import.meta.url).href),
  ]);
  assert.equal(stdout.trim(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
