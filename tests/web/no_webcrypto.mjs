/** Loaded before a test by `--import`: an engine without WebCrypto, as a browser is on a page without TLS. */
Object.defineProperty(globalThis, "crypto", {
  value: { getRandomValues: globalThis.crypto.getRandomValues.bind(globalThis.crypto) },
});
