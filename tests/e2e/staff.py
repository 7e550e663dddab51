"""A whole service with people: accounts whose authenticators a test holds, invoices, anchors, a worker that takes its rounds."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pyotp
import pytest
import zxingcpp
from argon2 import PasswordHasher
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from service.auth import people
from service.auth.people import PersonRole
from service.worker import Worker
from tests.chain import Chain, RegistryContract
from tests.e2e.browsing import Visit
from tests.e2e.site import Served
from tests.integration.api import Api
from tests.unit.samples import sections_of

_SETTLED = """() => document.readyState === "complete"
    && document.getElementById("main") !== null
    && document.querySelector(".bones, .bone, .spinner, [aria-busy=true]") === null"""
PASSWORD = "correct horse battery staple"
SAMPLES = ("S01", "S02", "S03", "S06", "S08", "S10")


@dataclass
class Account:
    """Somebody with a password and an authenticator; each of its codes is good once."""

    id: str
    login: str
    name: str
    secret: str
    used: int = 0

    def code(self) -> str:
        """The code of now, or of the next half minute where that was used: clocks may differ by so much."""
        step = max(int(time.time()) // 30, self.used + 1)
        self.used = step
        return str(pyotp.TOTP(self.secret).at(step * 30))


class Staff:
    """The real application on a real chain; at the port of its public URL, if that has one."""

    def __init__(self, chain: Chain, contract: RegistryContract, database_url: str, **settings: Any) -> None:
        settings = {"public_url": "http://localhost", **settings}
        self.api = Api(
            database_url,
            contract=contract.address,
            chain_id=chain.chain_id,
            rpc_urls=(chain.url,),
            anchor_key=chain.accounts[2].private_key,
            max_lag_s=10**9,
            reconcile_s=0,
            note_s=1,
            **settings,
        )
        self.database = self.api.database
        self.served = Served(self.api.app, "localhost", urlsplit(settings["public_url"]).port or 0)
        self.url = self.served.url
        self.worker = Worker(self.api.settings, self.database)
        self.client = httpx2.Client(base_url=self.url, timeout=30)
        self.hosts = [self.url[7:], chain.url[7:]]
        self.round()

    def close(self) -> None:
        self.client.close()
        self.served.stop()
        self.api.context.close()

    def round(self) -> None:
        self.worker.round()
        self.api.context._status = None

    def rest(self) -> None:
        """Work until nothing is left to do."""
        deadline = time.monotonic() + 80
        quiet = 0
        while quiet < 3:
            assert time.monotonic() < deadline
            self.round()
            status = self.client.get("/status").json()
            runs = self.client.get("/v1/reconciliations?limit=5", headers=self.api.auditor).json()["items"]
            is_over = status["backlog"] == 0 and status["sealed_head"] == status["final_head"]
            is_over = is_over and all(run["finished_at"] for run in runs)
            quiet = quiet + 1 if is_over else 0
            time.sleep(0.05)

    def register(self, sections: dict[str, Any]) -> Any:
        headers = self.api.key("issuer", sections["seller"]["tax_id"])
        answer = self.client.post("/v1/invoices", json={"profile": "as_issued", "sections": sections}, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def register_samples(self) -> None:
        for name in SAMPLES:
            self.register(sections_of(name))
        self.rest()

    def link(self, login: str, name: str, role: PersonRole, *sellers: str) -> str:
        """A new account's one-time link, as `zhengpiao users create` shows it."""
        with self.database.write() as connection:
            _, secret = people.create(connection, login, name, role, frozenset(sellers), int(time.time() * 1000))
        return f"{self.url}/welcome#{secret}"

    def account(self, login: str, name: str, role: PersonRole, *sellers: str) -> Account:
        """One that is ready."""
        token = self.link(login, name, role, *sellers).partition("#")[2]
        now_ms = int(time.time() * 1000)
        with self.database.read() as connection:
            person, secret = people.begin(connection, token, now_ms)
        step = now_ms // 30_000 - 1
        chosen = people.prepare(self.database, token, PASSWORD, secret, pyotp.TOTP(secret).at(step * 30), now_ms)
        with self.database.write() as connection:
            people.accept(connection, token, chosen, self.api.context.vault, now_ms)
        return Account(person.id, login, name, secret, step)


@contextmanager
def staffed(chain: Chain, folder: Path, database_url: str = "", **settings: Any) -> Iterator[Staff]:
    """On SQLite in that folder, if no other database is named; with these settings beside those that tests need.

    With quick password hashes: the real ones cost a tenth of a second each, on purpose.
    """
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(people, "_HASHER", quick)
        patch.setattr(people, "_NOBODY", quick.hash("nobody"))
        staff = Staff(chain, RegistryContract.deploy(chain), database_url or f"sqlite:///{folder / 'service.db'}", **settings)
        try:
            yield staff
        finally:
            staff.close()


class Desk(Visit):
    """Somebody at a desk. Unlike a visitor they have cookies, and these are as they have to be."""

    def __init__(self, browser: Browser, staff: Staff, **options: Any) -> None:
        super().__init__(browser, staff.hosts, **options)
        self.staff = staff
        self.page.on("dialog", lambda dialog: dialog.dismiss())

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.staff.url}{path}")
        self.page.wait_for_selector('#root[aria-busy="false"], form')
        return self.page

    def sign_in(self, account: Account, path: str = "/sign-in") -> None:
        self.open(path)
        self.page.fill("#field-login", account.login)
        self.page.fill("#field-password", PASSWORD)
        self.page.fill("#field-code", account.code())
        self.page.click("form button[type=submit]")
        self.page.wait_for_selector(".desk #root[aria-busy='false']")

    def prove(self, account: Account) -> None:
        """In the dialog that asks for password and code again."""
        again = self.page.locator("dialog:has(#field-code)")
        again.locator("#field-password").fill(PASSWORD)
        again.locator("#field-code").fill(account.code())
        again.locator("button[type=submit]").click()
        expect(again).to_have_count(0)

    def choose_purpose(self, purpose: str = "complaint", reference: str = "2026-0317") -> None:
        self.page.wait_for_selector("dialog #field-purpose")
        self.page.select_option("dialog #field-purpose", purpose)
        self.page.fill("dialog #field-reference", reference)
        self.page.click("dialog button[type=submit]")
        self.page.wait_for_selector("dialog", state="detached")

    def settle(self) -> None:
        """Until the page is there, and nothing on it is on its way. A click may have led to it: then it was not there before."""
        self.page.wait_for_function(_SETTLED)

    def close(self) -> None:
        cookies = self.context.cookies()
        self.context.close()
        assert not self.faults, self.faults
        assert self.asked_hosts() <= self.hosts, self.asked_hosts() - self.hosts
        assert {cookie["name"] for cookie in cookies} <= {"__Host-zhengpiao-session", "__Host-zhengpiao-device"}
        for cookie in cookies:
            flags = (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"])
            assert flags == (True, True, "Strict", "/"), cookie


def read_code(picture: bytes) -> str:
    """What the QR code on a screenshot says."""
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return str(code.text)


@contextmanager
def at_desk(browser: Browser, staff: Staff, **options: Any) -> Iterator[Desk]:
    desk = Desk(browser, staff, **options)
    try:
        yield desk
    except BaseException:
        print("faults:", desk.faults)
        desk.context.close()
        raise
    desk.close()
