"""Pictures of every page and verdict, on phone and desktop, light and dark, in both languages.

`python -m tests.e2e.gallery DIR [NAME…]`. Nothing is compared: they are made to be looked at.
"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

from tests.e2e import codes
from tests.e2e.browsing import PHONE, ROOT, Visit, launch, upload
from tests.e2e.site import Site, vector_site
from tests.e2e.test_pages_diagnosis import PENDING, said
from tests.vector_files import PROOFS

DESKTOP = {"width": 1280, "height": 900}
LOOKS: dict[str, dict[str, Any]] = {
    "phone-light-zh": {"viewport": PHONE, "color_scheme": "light", "locale": "zh-CN"},
    "phone-dark-en": {"viewport": PHONE, "color_scheme": "dark", "locale": "en-US"},
    "desktop-light-en": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "desktop-dark-zh": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "zh-CN"},
}
SINCE = "2026-11-25T02:46:50+00:00"
REGISTERED, ABSENT = "26112569896198455131", "26112151872651485678"


class Shown(NamedTuple):
    site: Site
    visit: Visit


Scene = Callable[[Shown], None]


def copy(file: str, status: str, **more: Any) -> Scene:
    """Where a QR code leads."""

    def scene(shown: Shown) -> None:
        code = shown.site.answers.hold(file, status=status, state="final", since=SINCE, **more)
        shown.visit.page.goto(f"{shown.site.url}/v#{code}")

    return scene


def files(*names: str) -> Scene:
    def scene(shown: Shown) -> None:
        shown.visit.page.goto(f"{shown.site.url}/verify")
        shown.visit.choose("files", *(PROOFS / name for name in names))

    return scene


def lookup(found: dict[str, Any] | None, proof: str | None = None) -> Scene:
    """What is typed, and what the service says to it; nothing: no more tries."""

    def scene(shown: Shown) -> None:
        number = ABSENT if proof == "absent" else REGISTERED
        if found:
            read = json.loads((PROOFS / f"{proof}.proof.json").read_bytes()) if proof else None
            shown.site.answers.lookups[number] = {**found, "proof": read}
        page = shown.visit.page
        page.goto(f"{shown.site.url}/")
        page.fill("#field-number", number)
        page.fill("#field-issued_on", "2026-09-01")
        page.fill("#field-amount", "¥1,060.00")
        page.click("#lookup button")

    return scene


def photo(*texts: str) -> Scene:
    def scene(shown: Shown) -> None:
        shown.site.context.settings.public_url = "https://zhengpiao.example"
        code = shown.site.answers.hold("valid.proof.json")
        shown.visit.page.goto(f"{shown.site.url}/")
        drawn = codes.png(codes.picture(*(text.replace("{code}", code) for text in texts)))
        shown.visit.choose("photo", upload("photo.png", drawn, "image/png"))
        shown.site.context.settings.public_url = shown.site.url

    return scene


def at(path: str) -> Scene:
    def scene(shown: Shown) -> None:
        shown.visit.page.goto(shown.site.url + path)

    return scene


def opened(scene: Scene) -> Scene:
    """With everything that can be opened."""

    def with_details(shown: Shown) -> None:
        scene(shown)
        shown.visit.page.wait_for_selector(".ticks")
        for summary in shown.visit.page.query_selector_all("#answer summary"):
            summary.click()

    return with_details


def unreachable(shown: Shown) -> None:
    shown.site.trust(shown.site.chain.url, "http://127.0.0.1:2/")
    copy("valid.proof.json", "valid")(shown)


def form_errors(shown: Shown) -> None:
    shown.visit.page.goto(f"{shown.site.url}/")
    shown.visit.page.fill("#field-number", "12 34,")
    shown.visit.page.click("#lookup button")


def waiting(shown: Shown) -> None:
    code = shown.site.answers.hold("valid.proof.json")
    shown.visit.page.route("**/v1/**", lambda _: None)
    shown.visit.page.goto(f"{shown.site.url}/v#{code}")
    shown.visit.page.evaluate("document.getElementById('answer').setAttribute('aria-busy', 'false')")


def single(shown: Shown) -> None:
    shown.visit.page.goto((ROOT / "verifier/web/zhengpiao-verify.html").as_uri())
    shown.visit.choose("trust", PROOFS / "anchors.json")
    shown.visit.page.wait_for_selector("#trusted .given")
    shown.visit.choose("files", PROOFS / "valid.proof.json")


def pdf(shown: Shown) -> None:
    code = shown.site.answers.hold("valid.proof.json")
    made = codes.pdf(codes.picture(f"{shown.site.url}/v#{code}"), (PROOFS / "valid.proof.json").read_bytes())
    shown.visit.page.goto(f"{shown.site.url}/verify")
    shown.visit.choose("files", upload("invoice.pdf", made, "application/pdf"))
    shown.visit.page.wait_for_selector(".notes")


def diagnosed(scene: Scene, found: dict[str, Any], ask: bool = False) -> Scene:
    """With a diagnosis below the answer, asked for where it does not come by itself."""

    def with_diagnosis(shown: Shown) -> None:
        shown.site.answers.diagnoses = [found]
        scene(shown)
        if ask:
            shown.visit.page.click("#diagnosis button")
        shown.visit.page.wait_for_selector("#diagnosis [data-verdict]")

    return with_diagnosis


_NODES = [{"node": "https://a.example", "state": "visible", "seq": 12}, {"node": "https://b.example", "state": "behind", "seq": 9}]
_DELIVERED: Any = ("delivered", "done", {"consumer": "3ovefxwooz", "cursor": 12})
LAGGING = said(
    "node_lagging",
    "wait",
    fee="free",
    hops=[
        ("shown", "done", {"material": "facts"}),
        ("submitted", "done", {"external_id": "S10"}),
        ("accepted", "done", {"receipt": {"key_id": "3c77451d6d9f0bcb", "deadline": 1795509508738}}),
        ("sealed", "done", {"seq": 12, "index": 10}),
        ("broadcast", "done", {"transactions": ["0xd8df3027cf3a7fd390dfd69abf25c020c4e62aa81760f7f15270273efff7a4a6"]}),
        ("mined", "done", {"block": 9}),
        ("final", "done", {"block": 9}),
        _DELIVERED,
        ("visible", "missing", {"nodes": _NODES}),
    ],
)
LOST: Any = [("final", "done"), ("content", "missing", {"lost": ["totals"]})]
SEVERAL = ("valid", "void", "amount_fail", "stale_valid", "chain_other", "partly_reversed")
SCENES: dict[str, Scene] = {
    "home": at("/"),
    "home-errors": form_errors,
    "files": at("/verify"),
    "waiting": waiting,
    "valid": copy("valid.proof.json", "valid"),
    "valid-open": opened(copy("valid.proof.json", "valid")),
    "announced": copy("valid.proof.json", "valid", pending={"kind": "void"}),
    "partly-reversed": copy("partly_reversed.proof.json", "partly_reversed"),
    "replaced": copy("replaced_original.proof.json", "valid"),
    "void": copy("void.proof.json", "void", other_number="26112754987794378563"),
    "reversed": copy("reversed.proof.json", "reversed", other_number="26112322586405418271"),
    "pending": copy("pending.proof.json", "valid"),
    "undecided": unreachable,
    "malformed-address": at("/v#26112983965558933682.ABC"),
    "released": files("released.proof.json"),
    "forged": files("amount_fail.proof.json"),
    "stale": files("stale_valid.proof.json"),
    "absent": files("absent.proof.json"),
    "registered": files("registered.proof.json"),
    "malformed": files("trailing_fail.proof.json"),
    "several": files(*(f"{name}.proof.json" for name in SEVERAL)),
    "pdf": pdf,
    "match": lookup({"result": "match", "status": "valid"}, "registered"),
    "match-void": lookup({"result": "match", "status": "void"}, "registered"),
    "mismatch": lookup({"result": "mismatch", "tries_left": 4}, "registered"),
    "not-registered": lookup({"result": "not_registered", "tries_left": 4}, "absent"),
    "not-yet-known": lookup({"result": "not_yet_known"}),
    "limited": lookup(None),
    "diagnosis-mismatch": diagnosed(
        lookup({"result": "mismatch", "tries_left": 4}, "registered"),
        said("detail_mismatch", "check_details", "applicant", hops=[("shown", "differs", {"material": "facts"})], tries_left=4),
    ),
    "diagnosis-absent": diagnosed(
        lookup({"result": "not_registered", "tries_left": 4}, "absent"), said("never_submitted", "check_details", "undetermined")
    ),
    "diagnosis-pending": diagnosed(lookup({"result": "not_yet_known"}), said("sealed_not_anchored", "wait", hops=PENDING)),
    "diagnosis-lagging": diagnosed(lookup({"result": "match", "status": "valid"}, "registered"), LAGGING, ask=True),
    "diagnosis-lost": diagnosed(
        files("valid.proof.json"),
        said("lost_after_anchor", "restore_from_copy", fee="free", hops=LOST),
        ask=True,
    ),
    "diagnosis-offered": copy("valid.proof.json", "valid"),
    "other-registry": photo("https://other.test/v#{code}"),
    "look-alike": photo("https://zhengpia0.example/v#{code}"),
    "single": single,
}


def run(scenes: Iterable[str], draw: Callable[[str, Shown], None]) -> None:
    """Draw and take those scenes that are named behind the folder, or all, in every look; and say what was wrong with each."""
    folder, wanted = Path(sys.argv[1]), set(sys.argv[2:])
    folder.mkdir(parents=True, exist_ok=True)
    with vector_site() as site, sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        for name in scenes:
            for look, options in LOOKS.items() if not wanted or name in wanted else ():
                visit = Visit(browser, [], **options)
                draw(name, Shown(site, visit))
                visit.page.wait_for_timeout(400)
                is_wide = visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
                visit.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
                visit.page.unroute_all(behavior="ignoreErrors")
                print(f"{name}-{look}: {visit.page.title()} {'TOO WIDE ' if is_wide else ''}{visit.faults or ''}")
                visit.context.close()
        browser.close()


def answered(name: str, shown: Shown) -> None:
    shown.site.answers.clear()
    shown.site.trust()
    SCENES[name](shown)
    shown.visit.page.wait_for_selector("#answer[aria-busy=false]", state="attached")


if __name__ == "__main__":
    run(SCENES, answered)
