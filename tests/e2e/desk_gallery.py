"""Pictures of the desks, on phone and desktop, light and dark, in both languages: `python -m tests.e2e.desk_gallery DIR [NAME…]`.

Nothing is compared: they are made to be looked at.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright
from sqlalchemy import text

from service.deliveries import endpoints, queue
from service.deliveries.endpoints import Order
from service.deliveries.events import Role
from service.deliveries.queue import Wanted
from tests.chain import anvil
from tests.e2e.applicants import Applicant, see_materials, submitted
from tests.e2e.browsing import PHONE, launch
from tests.e2e.staff import Account, Desk, Staff, staffed
from tests.integration.api import Signed
from tests.reprints import reissued
from tests.stores import simple_invoices
from tests.unit.samples import sections_of

DESKTOP = {"width": 1280, "height": 900}
LOOKS: dict[str, dict[str, Any]] = {
    "phone-light-zh": {"viewport": PHONE, "color_scheme": "light", "locale": "zh-CN"},
    "phone-dark-en": {"viewport": PHONE, "color_scheme": "dark", "locale": "en-US"},
    "desktop-light-en": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "desktop-light-zh": {"viewport": DESKTOP, "color_scheme": "light", "locale": "zh-CN"},
    "desktop-dark-zh": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "zh-CN"},
}
NUMBER = str(sections_of("S10")["header"]["number"])
PARTLY = str(sections_of("S01")["header"]["number"])


def fill(staff: Staff) -> None:
    """Weeks of use, as far as charts tell; a sound run, and one that found something."""
    staff.register_samples()
    for start in range(1000, 1060, 12):
        for sections in simple_invoices(range(start, start + 12)):
            if start % 24:
                sections["header"]["number"] = f"011002400111-{99000000 + start * 2:08}"[:-2] + sections["header"]["number"][-2:]
                sections["header"]["kind"] = "legacy_ordinary"
            staff.client.post(
                "/v1/invoices",
                json={"profile": "as_issued", "sections": sections},
                headers=staff.api.key("issuer", sections["seller"]["tax_id"]),
            )
        staff.rest()
    headers = staff.api.auditor
    staff.client.post("/v1/central/acknowledgements", json={"cursor": 2}, headers=staff.api.key("central"))
    staff.client.post("/v1/reconciliations", json={}, headers=headers)
    staff.rest()
    with staff.database.write() as connection:
        connection.execute(text("UPDATE invoices SET amount_fen = amount_fen + 700 WHERE number = :n"), {"n": NUMBER})
        for n in range(1, 28):
            row = {"on": f"2026-10-{n:02}", "i": 900 + 400 * (n % 5) + 31 * n, "e": 1500, "a": 700 + 13 * n}
            connection.execute(text("INSERT INTO daily_figures VALUES (:on, :i, :e, :a, 0)"), row)
        newest = connection.execute(text("SELECT max(at) FROM backlog_samples")).scalar_one()
        for n in range(1, 300):
            wave = max(0, int(40 * (n % 48) / 48 + (n * 7919) % 13))
            connection.execute(text("INSERT INTO backlog_samples VALUES (:at, :w)"), {"at": newest - 600 * n, "w": wave})
    staff.client.post("/v1/reconciliations", json={}, headers=headers)
    staff.rest()


WEBHOOKS: dict[str, str] = {}
"""Ids of a clerk's webhooks, by what each of them shows."""


def fill_webhooks(staff: Staff, clerk: Account, operator: Account, sellers: frozenset[str]) -> None:
    """One that works, one that fails and one that is disabled, each with what was sent to it; an operator's has a long address."""
    vault, now_ms = staff.api.context.vault, int(time.time() * 1000)
    wanted: list[tuple[str, Account, Role, str, str]] = [
        ("disabled", clerk, "issuer", "", "https://old.example.com/reprints"),
        ("failing", clerk, "issuer", "财务共享中心的消息总线", "https://bus.example.com/in/reprints"),
        ("enabled", clerk, "issuer", "收银系统", "https://erp.example.com/hooks/reprints"),
        ("operator", operator, "operator", "", f"https://alerts.example.com/{'a1b2c3d4' * 9}?channel=registry"),
    ]
    with staff.database.write() as connection:
        for n, (name, owner, role, label, url) in enumerate(wanted):
            events = ["reprint.*", "finding.opened", "incident.recorded"] if role == "operator" else ["reprint.*"]
            order = Order(owner.id, role, sellers if role == "issuer" else None, url, events, label, "it@example.com")
            row, _ = endpoints.create(connection, order, vault, now_ms - 86_400_000 + n)
            WEBHOOKS[name] = row.id
            for number, event in enumerate(("reprint.started", "reprint.review_1", "reprint.approved", "webhook.test")):
                about = row.id if event == "webhook.test" else f"R261125-7K3M9QX{number}"
                letter = Wanted("webhook", event, about, {"body": "{}"}, endpoint_id=row.id)
                queue.enqueue(connection, letter, vault, now_ms - 3_600_000 + 60_000 * number)
        sent = "UPDATE deliveries SET state = 'sent', tries = 1, ended_at = created_at + 800 WHERE endpoint_id IN (:a, :b)"
        connection.execute(text(sent), {"a": WEBHOOKS["enabled"], "b": WEBHOOKS["operator"]})
        failed = "UPDATE deliveries SET tries = 3, error = 'timed_out', due_at = :due WHERE endpoint_id = :id"
        connection.execute(text(failed), {"id": WEBHOOKS["failing"], "due": now_ms + 600_000})
        since = "UPDATE webhook_endpoints SET failing_since = :at, failures = 3 WHERE id = :id"
        connection.execute(text(since), {"id": WEBHOOKS["failing"], "at": now_ms - 3_000_000})
        dead = "UPDATE deliveries SET state = 'dead', tries = 1, error = 'refused', status = 410 WHERE endpoint_id = :id"
        connection.execute(text(dead), {"id": WEBHOOKS["disabled"]})
        gone = "UPDATE webhook_endpoints SET disabled_at = :at, disabled_by = 'gone' WHERE id = :id"
        connection.execute(text(gone), {"id": WEBHOOKS["disabled"], "at": now_ms})


CASES: dict[str, str] = {}
"""Ids of reprint cases, by what each of them shows."""


def fill_cases(staff: Staff) -> None:
    """Cases in every state that a reviewer meets. The central record has not acknowledged these invoices: they are free."""
    made = list(simple_invoices(range(2000, 2006)))
    for sections in made:
        staff.register(sections)
    staff.rest()
    copy, second, reissue, done, waiting, charged = made
    for name, sections, kind in (
        ("copy", copy, "copy"),
        ("second", second, "copy"),
        ("reissue", reissue, "reissue"),
        ("done", done, "copy"),
    ):
        CASES[name] = submitted(staff, sections, kind, delivery="collect").id
    seller = reissue["seller"]["tax_id"]
    order = {"sections": reissued(reissue, "26112999000000000777")}
    order["sections"]["buyer"]["name"] += "（更名）"
    answer = staff.client.post(f"/v1/reprints/{CASES['reissue']}/replacement", json=order, headers=staff.api.key("issuer", seller))
    assert answer.status_code == 200, answer.text
    first, other = staff.api.person("reviewer", name="孙审核"), staff.api.person("reviewer", name="周审核")
    for name, reviewers in (("second", (first,)), ("done", (first, other))):
        for reviewer in reviewers:
            approve(staff, CASES[name], reviewer)
    pending = Applicant(staff, waiting)
    pending.apply()
    pending.confirm()
    fee = submitted(staff, charged)
    with staff.database.write() as connection:
        now = int(time.time() * 1000)
        late = {"due": now - 90_000_000, "opened": now - 9 * 86_400_000, "id": CASES["copy"]}
        connection.execute(text("UPDATE reprint_cases SET due_at = :due, opened_at = :opened WHERE id = :id"), late)
        open_fee = "UPDATE reprint_cases SET state = 'fee_due', fee = 'charged', fee_fen = 2000 WHERE id = :id"
        connection.execute(text(open_fee), {"id": fee.id})
        undecided = "UPDATE reprint_cases SET fee = 'undetermined' WHERE id = :id"
        connection.execute(text(undecided), {"id": CASES["copy"]})
    fee.post("/payment", {"method": "bank_transfer"})
    for message in ("补打完成后在哪里下载？", "扫码页面在微信里打不开，换浏览器可以。"):
        contact = {"channel": "email", "address": "chen@example.cn"}
        sent = staff.client.post("/v1/feedback", json={"message": message, "page": "/reprint", "case": fee.id, "contact": contact})
        CASES["feedback"] = sent.json()["id"]
    said = {"text": "在补打页面输入申请编号即可下载。"}
    staff.client.post(f"/v1/feedback/{CASES['feedback']}/answers", json=said, headers=first.headers)
    staff.client.post(
        f"/v1/feedback/{CASES['feedback']}/messages",
        json={"text": "谢谢，找到了。"},
        headers={"Authorization": f"Bearer {sent.json()['token']}"},
    )
    staff.rest()


def approve(staff: Staff, case_id: str, reviewer: Signed) -> None:
    shown = staff.client.get(f"/v1/reprints/{case_id}/review", headers=reviewer.headers).json()["shown"]
    order = {"decision": "approve", "shown": shown}
    answer = staff.client.post(f"/v1/reprints/{case_id}/reviews", json=order, headers=reviewer.headers)
    assert answer.status_code == 200, answer.text


Scene = tuple[str, Callable[[Desk], None]]


def visit(path: str) -> Callable[[Desk], None]:
    def scene(desk: Desk) -> None:
        desk.open(path)
        desk.settle()

    return scene


def purpose(desk: Desk) -> None:
    desk.open("/audit")
    desk.settle()
    desk.page.click(".purpose .quiet")
    desk.page.wait_for_selector("dialog")


def found(desk: Desk) -> None:
    desk.open("/audit/invoices#q=%E7%A4%BA%E4%BE%8B")
    desk.settle()


def gaps(desk: Desk) -> None:
    desk.open("/audit/gaps")
    desk.page.fill("#field-seller", sections_of("S02")["seller"]["tax_id"])
    desk.page.click("form button[type=submit]")
    desk.page.wait_for_selector(".sheet, .nothing")


def verified(desk: Desk) -> None:
    desk.open("/audit/activity")
    desk.page.click(".acts .button")
    desk.page.wait_for_selector(".notice")
    desk.settle()


def menu(desk: Desk) -> None:
    desk.open("/audit")
    if desk.page.is_visible("#menu"):
        desk.page.click("#menu")


def finding(desk: Desk) -> None:
    desk.open("/audit/runs/2")
    desk.settle()
    desk.page.click("tbody th a")
    desk.page.wait_for_selector(".side-by-side")


AUDITOR: dict[str, Callable[[Desk], None]] = {
    "overview": visit("/audit"),
    "menu": menu,
    "purpose": purpose,
    "invoices": found,
    "invoice": visit(f"/audit/invoices/{NUMBER}"),
    "invoice-partly": visit(f"/audit/invoices/{PARTLY}"),
    "anchors": visit("/audit/anchors"),
    "anchor": visit("/audit/anchors/2"),
    "runs": visit("/audit/runs"),
    "run-sound": visit("/audit/runs/1"),
    "run": visit("/audit/runs/2"),
    "finding": finding,
    "charts": visit("/audit/charts"),
    "gaps": gaps,
    "activity": verified,
    "webhooks-none": visit("/audit/webhooks"),
}


def create_user(desk: Desk) -> None:
    desk.open("/operator/users")
    desk.settle()
    desk.page.click(".acts .button")
    desk.page.wait_for_selector("dialog")
    desk.page.select_option("dialog #field-role", "clerk")


def new_webhook(path: str) -> Callable[[Desk], None]:
    """The dialog, with what is missing in it."""

    def scene(desk: Desk) -> None:
        desk.open(path)
        desk.settle()
        desk.page.click(".acts .button")
        desk.page.wait_for_selector("dialog")
        desk.page.keyboard.press("Enter")

    return scene


def made_webhook(desk: Desk) -> None:
    """Its secret is shown this once; it is gone again for the next look."""
    desk.open("/issuer/webhooks")
    desk.settle()
    desk.page.click(".acts .button")
    desk.page.fill("dialog #field-url", "https://erp.example.com/hooks/second")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("#secret")
    desk.settle()
    made = str(desk.page.locator("tbody th a").first.get_attribute("href")).rpartition("/")[2]
    with desk.staff.database.write() as connection:
        endpoints.remove(connection, made)


def webhook(name: str) -> Callable[[Desk], None]:
    def scene(desk: Desk) -> None:
        desk.open(f"/issuer/webhooks/{WEBHOOKS[name]}")
        desk.settle()

    return scene


OPERATOR: dict[str, Callable[[Desk], None]] = {
    "releases": visit("/operator"),
    "release": visit(f"/operator/releases/{NUMBER}"),
    "users": visit("/operator/users"),
    "user-new": create_user,
    "keys": visit("/operator/keys"),
    "deliveries": visit("/operator/deliveries"),
    "webhooks-operator": visit("/operator/webhooks"),
    "webhook-new-operator": new_webhook("/operator/webhooks"),
}


def shortcuts(desk: Desk) -> None:
    desk.open("/staff")
    desk.settle()
    desk.page.keyboard.press("?")
    desk.page.wait_for_selector("dialog")


def case(name: str, key: str | None = None) -> Callable[[Desk], None]:
    """A case's page, with its materials seen where a key is pressed."""

    def scene(desk: Desk) -> None:
        desk.open(f"/staff/cases/{CASES[name]}")
        desk.settle()
        if key is not None:
            see_materials(desk)
            desk.page.keyboard.press(key)
            desk.page.wait_for_selector("dialog")

    return scene


def feedback(desk: Desk) -> None:
    desk.open(f"/staff/feedback#{CASES['feedback']}")
    desk.settle()


def replacement(desk: Desk) -> None:
    desk.open(f"/issuer/replacements/{CASES['reissue']}")
    desk.settle()
    if desk.page.is_visible("#at-header-number"):
        desk.page.fill("#at-header-number", "26112999000000000778")
        desk.page.keyboard.press("Tab")


ISSUER: dict[str, Callable[[Desk], None]] = {
    "replacements": visit("/issuer/replacements"),
    "replacement": replacement,
    "webhooks": visit("/issuer/webhooks"),
    "webhook-new": new_webhook("/issuer/webhooks"),
    "webhook": webhook("enabled"),
    "webhook-failing": webhook("failing"),
    "webhook-disabled": webhook("disabled"),
    "webhook-made": made_webhook,
}


REVIEWER: dict[str, Callable[[Desk], None]] = {
    "queue": visit("/staff"),
    "queue-all": visit("/staff#state=all"),
    "shortcuts": shortcuts,
    "case": case("copy"),
    "case-second": case("second"),
    "case-reissue": case("reissue"),
    "case-done": case("done"),
    "case-approve": case("copy", "a"),
    "case-return": case("copy", "r"),
    "payments": visit("/staff/payments"),
    "feedback": feedback,
    "statistics": visit("/staff/statistics"),
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, anvil() as chain, staffed(chain, Path(scratch)) as staff, sync_playwright() as playwright:
        fill(staff)
        fill_cases(staff)
        auditor = staff.account("li@example.cn", "李审", "auditor")
        operator = staff.account("wang@example.cn", "王运维", "operator")
        reviewer = staff.account("qian@example.cn", "钱审核", "reviewer")
        sellers = {sections["seller"]["tax_id"] for sections in simple_invoices(range(2000, 2006))}
        clerk = staff.account("wu@example.cn", "吴开票", "clerk", *sorted(sellers))
        fill_webhooks(staff, clerk, operator, frozenset(sellers))
        browser = launch(playwright.chromium)
        for look, options in LOOKS.items():
            if names and not any(name in look or not name.startswith(("phone", "desktop")) for name in names):
                continue
            wanted = [name for name in names if not name.startswith(("phone", "desktop"))]
            if any(name.startswith(("phone", "desktop")) for name in names) and look not in names:
                continue
            for who, scenes in ((auditor, AUDITOR), (operator, OPERATOR), (reviewer, REVIEWER), (clerk, ISSUER)):
                shoot(Desk(browser, staff, **options), who, scenes, folder, look, wanted)
            front(Desk(browser, staff, **options), staff, folder, look, wanted)
        browser.close()


def shoot(desk: Desk, who: Account, scenes: dict[str, Callable[[Desk], None]], folder: Path, look: str, wanted: list[str]) -> None:
    if wanted and not set(wanted) & scenes.keys():
        desk.context.close()
        return
    with desk.staff.database.write() as connection:  # so that one authenticator will do for every look
        connection.execute(text("UPDATE users SET totp_step = 0"))
    who.used = 0
    desk.sign_in(who)
    if "auditor" in desk.page.url or "/audit" in desk.page.url:
        desk.page.click(".purpose .quiet")
        desk.choose_purpose()
    for name, scene in scenes.items():
        if not wanted or name in wanted:
            try:
                scene(desk)
            except Exception as error:  # noqa: BLE001  the picture shows what it is
                print(name, look, type(error).__name__, desk.faults[-3:])
            desk.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
    print(look, desk.faults)
    desk.context.close()


def front(desk: Desk, staff: Staff, folder: Path, look: str, wanted: list[str]) -> None:
    if not wanted or "sign-in" in wanted:
        desk.open("/sign-in")
        desk.page.click("form button[type=submit]")
        desk.page.screenshot(path=folder / f"sign-in-{look}.png", full_page=True)
    if not wanted or "welcome" in wanted:
        desk.page.goto(staff.link(f"{look}@example.cn", "张审", "auditor"))
        desk.page.wait_for_selector(".totp")
        desk.page.screenshot(path=folder / f"welcome-{look}.png", full_page=True)
    desk.context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
