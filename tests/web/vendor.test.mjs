/** verifier/web/vendor is what scripts/vendor-web makes of the locked packages. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the vendored modules are made anew, byte for byte", () => {
  const made = mkdtempSync(join(tmpdir(), "vendor-"));
  try {
    execFileSync(join(root, "scripts/vendor-web"), ["--out", made]);
    const committed = join(root, "verifier/web/vendor");
    assert.deepEqual(readdirSync(made).sort(), readdirSync(committed).sort());
    for (const name of readdirSync(made))
      assert.equal(readFileSync(join(committed, name), "utf8"), readFileSync(join(made, name), "utf8"), name);
  } finally {
    rmSync(made, { recursive: true });
  }
});
