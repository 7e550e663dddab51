"""How tests run a browser, and what holds for every visit to a page: no other host, no cookie, nothing against the policy."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, FilePayload, Page, Request, ViewportSize

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
PATIENCE_MS = 30_000
"""How long a page may take to show what it should: a machine that has much else to do is slow. Nothing waits once it is there."""
PHONE: ViewportSize = {"width": 390, "height": 844}

_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(`POLICY ${event.effectiveDirective} ${event.blockedURI}`));
"""
_PERSONAL = re.compile(r"[0-9]{20}|[A-Z2-7]{52}|[0-9a-f]{64}")
_EXPECTED = ("Failed to load resource", "net::ERR_")
"""What a browser says of a server that is off or answers 404: the page deals with that."""


def launch(chromium: BrowserType, *arguments: str) -> Browser:
    return chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])


def upload(name: str, data: bytes, media_type: str = "") -> FilePayload:
    """What a visitor chooses in a file field."""
    return {"name": name, "mimeType": media_type, "buffer": data}


class Visit:
    """A visitor: one page in a context of its own. `hosts` are those that the page may ask, with their ports."""

    def __init__(self, browser: Browser, hosts: Sequence[str], **options: Any) -> None:
        given = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": PHONE, **options}
        self.context: BrowserContext = browser.new_context(**given)
        self.context.add_init_script(_VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.hosts = {*hosts}
        self.requested: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known in message.text for known in _EXPECTED):
            self.faults.append(message.text)

    def asked_hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.requested if urlsplit(url).scheme in ("http", "https", "ws", "wss")}

    def names(self) -> list[str]:
        """The last part of each address that was asked."""
        return [urlsplit(url).path.rpartition("/")[2] for url in self.requested]

    # what is on the page

    def word(self) -> str:
        return self.page.inner_text("#answer .word")

    def role(self) -> str | None:
        return self.page.get_attribute("#answer .verdict", "data-role")

    def wait_for(self, word: str) -> None:
        self.page.wait_for_selector(f'#answer[aria-busy="false"] .word:text-is("{word}")')

    def greens(self) -> int:
        """How many things on the page are green."""
        return self.page.locator('[data-role="good"]').count()

    def check_accessible(self) -> None:
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)")
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]

    def choose(self, field: str, *files: FilePayload | Path) -> None:
        """In the file field with that id."""
        self.page.set_input_files(
            f"#{field}", [upload(file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files]
        )

    def close(self) -> None:
        cookies = self.context.cookies()
        self.context.close()
        assert not self.faults, self.faults
        assert not cookies, cookies
        assert self.asked_hosts() <= self.hosts, self.asked_hosts() - self.hosts
        addresses = [url.partition("#")[0] for url in self.requested if url.startswith("http")]
        assert not [url for url in addresses if _PERSONAL.search(url)], "a number or a commitment in an address"


@contextmanager
def visiting(browser: Browser, hosts: Sequence[str], **options: Any) -> Iterator[Visit]:
    visit = Visit(browser, hosts, **options)
    try:
        yield visit
    except BaseException:
        print("faults:", json.dumps(visit.faults, ensure_ascii=False))
        visit.context.close()
        raise
    visit.close()
