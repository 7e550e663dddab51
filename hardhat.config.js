import { createRequire } from "node:module";

import { defineConfig } from "hardhat/config";

const { resolve } = createRequire(import.meta.url);

export default defineConfig({
  solidity: {
    version: "0.8.37",
    // The compiler comes with npm, under the lock, and not by a download while building.
    path: resolve("solc/soljson.js"),
    settings: {
      // Older than the compiler's default, since consortium chains follow the main network late.
      evmVersion: "shanghai",
      optimizer: { enabled: true, runs: 10_000 },
    },
  },
  test: {
    solidity: {
      fsPermissions: { readDirectory: ["tests/vectors"] },
      fuzz: { runs: 256 },
      invariant: { runs: 32, depth: 64, failOnRevert: true },
    },
  },
});
