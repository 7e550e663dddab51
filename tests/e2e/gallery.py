"""Pictures of every page and verdict, on phone and desktop, light and dark, in both languages: `python -m tests.e2e.gallery DIR [NAME…]`.

Nothing is compared: they are made to be looked at.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.e2e.browsing import ARGUMENTS, CHROMIUM
from tests.e2e.site import Site, vector_site
from tests.vector_files import PROOFS

LOOKS: list[tuple[str, ViewportSize, Any, str]] = [
    ("phone-light-zh", {"width": 390, "height": 844}, "light", "zh-CN"),
    ("phone-dark-en", {"width": 390, "height": 844}, "dark", "en-US"),
    ("desktop-light-en", {"width": 1280, "height": 900}, "light", "en-US"),
    ("desktop-dark-zh", {"width": 1280, "height": 900}, "dark", "zh-CN"),
]
Scene = Callable[[Site, Page], None]
SINCE = "2026-11-25T02:46:50+00:00"


def copy(file: str, **statement: Any) -> Scene:
    def scene(site: Site, page: Page) -> None:
        page.goto(f"{site.url}/v#{site.answers.hold(file, **statement)}")

    return scene


def stated(status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "state": "final", "since": SINCE, **more}


def files(*names: str) -> Scene:
    def scene(site: Site, page: Page) -> None:
        page.goto(f"{site.url}/verify")
        page.set_input_files("#files", [str(PROOFS / name) for name in names])

    return scene


def lookup(result: str, proof: str | None = None, **more: Any) -> Scene:
    def scene(site: Site, page: Page) -> None:
        number = "26112569896198455131" if proof == "registered.proof.json" else "26112151872651485678"
        if result:
            found = {"result": result, "proof": None, **more}
            if proof:
                found["proof"] = __import__("json").loads((PROOFS / proof).read_bytes())
            site.answers.lookups[number] = found
        page.goto(f"{site.url}/")
        page.fill("#field-number", number)
        page.fill("#field-issued_on", "2026-09-01")
        page.fill("#field-amount", "¥1,060.00")
        page.click("#lookup button")

    return scene


def opened(scene: Scene) -> Scene:
    def with_details(site: Site, page: Page) -> None:
        scene(site, page)
        page.wait_for_selector(".ticks")
        for summary in page.query_selector_all("#answer summary"):
            summary.click()

    return with_details


def lying(site: Site, page: Page) -> None:
    site.trust(site.chain.url, "http://127.0.0.1:9/")
    page.goto(f"{site.url}/v#{site.answers.hold('valid.proof.json')}")


def form_errors(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/")
    page.fill("#field-number", "12 34,")
    page.click("#lookup button")


def at(path: str) -> Scene:
    return lambda site, page: (page.goto(site.url + path), None)[1]


SCENES: dict[str, Scene] = {
    "home": at("/"),
    "home-errors": form_errors,
    "files": at("/verify"),
    "valid": copy("valid.proof.json", **stated("valid")),
    "valid-open": opened(copy("valid.proof.json", **stated("valid"))),
    "announced": copy("valid.proof.json", **stated("valid", pending={"kind": "void"})),
    "partly-reversed": copy("partly_reversed.proof.json", **stated("partly_reversed")),
    "replaced": copy("replaced_original.proof.json", **stated("valid")),
    "void": copy("void.proof.json", **stated("void", other_number="26112754987794378563")),
    "reversed": copy("reversed.proof.json", **stated("reversed", other_number="26112322586405418271")),
    "pending": copy("pending.proof.json", **stated("valid")),
    "undecided": lying,
    "malformed-address": at("/v#26112983965558933682.ABC"),
    "released": files("released.proof.json"),
    "forged": files("amount_fail.proof.json"),
    "stale": files("stale_valid.proof.json"),
    "absent": files("absent.proof.json"),
    "registered": files("registered.proof.json"),
    "malformed": files("trailing_fail.proof.json"),
    "several": files("valid.proof.json", "void.proof.json", "amount_fail.proof.json", "stale_valid.proof.json", "chain_other.proof.json", "partly_reversed.proof.json"),
    "match": lookup("match", "registered.proof.json", status="valid"),
    "match-void": lookup("match", "registered.proof.json", status="void"),
    "mismatch": lookup("mismatch", "registered.proof.json", tries_left=4),
    "not-registered": lookup("not_registered", "absent.proof.json", tries_left=4),
    "not-yet-known": lookup("not_yet_known"),
    "limited": lookup(""),
}


def shots(site: Site, wanted: set[str], folder: Path) -> Iterator[str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, scene in SCENES.items():
            if wanted and name not in wanted:
                continue
            for look, viewport, scheme, locale in LOOKS:
                site.answers.clear()
                site.trust()
                context = browser.new_context(viewport=viewport, color_scheme=scheme, locale=locale, timezone_id="Asia/Shanghai")
                page = context.new_page()
                troubles: list[str] = []
                page.on("console", lambda message, into=troubles: into.append(message.text))
                page.on("pageerror", lambda error, into=troubles: into.append(str(error)))
                scene(site, page)
                page.wait_for_selector("#answer[aria-busy=false]", state="attached")
                page.wait_for_timeout(400)
                page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
                yield f"{name}-{look}: {page.title()} {troubles or ''}"
                context.close()
        browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with vector_site() as running:
        for line in shots(running, set(sys.argv[2:]), target):
            print(line)
