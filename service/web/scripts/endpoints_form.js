/** Which endpoints are asked, and those that the visitor adds. */

import { host, origin } from "../../../verifier/web/rpc.js";
import { byId, h } from "../../../verifier/web/page/dom.js";
import { onLanguage, t } from "../../../verifier/web/page/texts.js";
import { MAX_ENDPOINTS, storedEndpoints, storeEndpoints } from "./endpoints.js";
import { data } from "./page.js";

/** The page has #endpoints (form) with a textarea, #endpoints-listed and #endpoints-said. */
export function startEndpointsForm() {
  const [form, listed, said] = ["endpoints", "endpoints-listed", "endpoints-said"].map(byId);
  const field = form.querySelector("textarea");
  field.value = storedEndpoints().join("\n");

  const list = () => {
    const urls = /** @type {string[]} */ (data.trust.rpc_urls);
    listed.replaceChildren(
      urls.length > 0
        ? h(
            "ul",
            {},
            urls.map((url) => h("li", {}, h("code", {}, host(url)))),
          )
        : h("p", {}, t("endpoints.none")),
    );
  };

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const lines = /** @type {string[]} */ (field.value.split("\n").map((/** @type {string} */ line) => line.trim()));
    const wrong = lines.findIndex((line) => line !== "" && origin(line) === null);
    const urls = [...new Set(lines.filter((line) => line !== ""))];
    if (wrong >= 0) said.textContent = t("endpoints.wrong", { line: wrong + 1 });
    else if (urls.length > MAX_ENDPOINTS) said.textContent = t("endpoints.too_many", { count: MAX_ENDPOINTS });
    else {
      storeEndpoints(urls);
      // The page once more, with a policy that lets it ask them, or no longer does.
      const again = new URL(location.href);
      again.searchParams.delete("connect");
      location.replace(again);
    }
  });
  list();
  onLanguage(list);
}
