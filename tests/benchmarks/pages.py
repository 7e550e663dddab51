"""How much a page weighs and how soon it answers: `python -m tests.benchmarks.pages` prints it; exit 1 if a goal is missed.

The slow phone is Chromium at a quarter of its speed, on a line of 1.6 Mbit/s and 150 ms there and back. Each visit is a first one.
"""

import statistics
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.benchmarks.documents import Figure
from tests.e2e.browsing import PHONE, launch
from tests.e2e.site import Site, vector_site

ROUNDS = 7
_DOWN, _UP, _LATENCY_MS = 1.6e6 / 8, 0.75e6 / 8, 150

# What stands on the page first: with it or without it there is nothing to see.
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_ANSWERED = """
new Promise((done) => {
  const isThere = () => document.querySelector('#answer[aria-busy=false] .word') !== null;
  const look = () => isThere() ? done(performance.now()) : requestAnimationFrame(look);
  look();
})
"""


class Load(NamedTuple):
    """Of one visit: compressed bytes, and milliseconds until something is seen and until the answer; of script, until then."""

    transferred: int
    painted_ms: float
    answered_ms: float
    script_ms: float


def load(browser: Browser, url: str, *, is_slow: bool) -> Load:
    """A visit by a phone that has never been here, without the requests to the chain's endpoints in its weight."""
    context = browser.new_context(viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Performance.enable")
    transferred = _count(session, url)
    if is_slow:
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": _LATENCY_MS, "downloadThroughput": _DOWN, "uploadThroughput": _UP},
        )
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(url, wait_until="load")
    answered = page.evaluate(_ANSWERED) if "/v#" in url else page.evaluate("performance.now()")
    painted = _until(page, _PAINTED)
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return Load(sum(transferred), painted, answered, 1000 * metrics["ScriptDuration"])


def _count(session: CDPSession, url: str) -> list[int]:
    """Grows by the compressed bytes of each answer of the site, headers included."""
    origin = url.partition("/v")[0] if "/v" in url else url.rstrip("/")
    ours: set[str] = set()
    sizes: list[int] = []

    def started(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith(origin):
            ours.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in ours:
            sizes.append(event["encodedDataLength"])

    session.on("Network.requestWillBeSent", started)
    session.on("Network.loadingFinished", finished)
    return sizes


def _until(page: Page, expression: str) -> float:
    while (value := page.evaluate(expression)) is None:
        page.wait_for_timeout(20)
    return float(value)


def _median(measure: Callable[[], Load]) -> Load:
    rounds = [measure() for _ in range(ROUNDS)]
    return Load(*(statistics.median(values) for values in zip(*rounds, strict=True)))


def figures(site: Site, browser: Browser) -> list[Figure]:
    code = site.answers.hold("valid.proof.json", status="valid", state="final")
    found = []
    for path in ("/", f"/v#{code}", "/verify"):
        name = path.partition("#")[0]
        quick = _median(lambda path=path: load(browser, site.url + path, is_slow=False))  # type: ignore[misc]
        slow = _median(lambda path=path: load(browser, site.url + path, is_slow=True))  # type: ignore[misc]
        found.append(Figure(f"{name} compressed, before the camera is asked for", quick.transferred / 1024, "KiB", 60))
        found.append(Figure(f"{name} first screen on a slow phone", slow.painted_ms, "ms", 1000))
        if "#" in path:
            found.append(Figure(f"{name} all script until the verdict", quick.script_ms, "ms", 50))
            found.append(Figure(f"{name} verdict on a slow phone", slow.answered_ms, "ms", 3000))
    return found


def main() -> int:
    with vector_site() as site, sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        found = figures(site, browser)
        browser.close()
    for figure in found:
        mark = "ok  " if figure.is_reached else "MISS"
        print(f"{mark} {figure.name}: {figure.value:.1f} {figure.unit} (goal {figure.goal:g})")
    return 0 if all(figure.is_reached for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
