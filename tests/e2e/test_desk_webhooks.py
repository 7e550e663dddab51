"""Webhooks at a desk, in a real browser: a clerk has a program told, sees it fail, repairs it, and takes it away again."""

import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.auth import sessions
from service.deliveries import courier, events
from tests.chain import Chain
from tests.e2e.browsing import PHONE
from tests.e2e.staff import Staff, at_desk, staffed
from tests.integration.api import SELLER
from tests.integration.couriers import Receiver

DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def staff(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """With couriers at work that may send to this machine; the API allows it once a test says so."""
    with staffed(chain, tmp_path_factory.mktemp("webhooks")) as running:
        may_send = running.api.settings.model_copy(update={"webhooks_anywhere": True})
        made = courier.build(may_send, running.database)
        assert made is not None
        stop = threading.Event()
        rounds = courier.Rounds(made, stop)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(courier, "POLL_S", 0.1)
            rounds.start()
            yield running
        stop.set()
        rounds.join(5)


def fill_order(page: Page, **members: str) -> None:
    for name, value in members.items():
        page.fill(f"dialog #field-{name}", value)
    page.keyboard.press("Enter")


def is_sent(staff: Staff, event: str) -> bool:
    """Whether it was delivered, and that is known: what has arrived may not be answered yet."""
    with staff.database.read() as connection:
        query = text("SELECT count(*) FROM deliveries WHERE event = :event AND state = 'sent'")
        return bool(connection.execute(query, {"event": event}).scalar_one())


def test_a_clerk_has_a_program_told_of_cases(staff: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = staff.account("clerk@example.cn", "钱开票", "clerk", SELLER)
    status = [204]
    with Receiver(lambda *_: (status[0], {})) as receiver, at_desk(browser, staff, viewport=DESKTOP) as desk:
        page, url = desk.page, f"{receiver.url}/hooks?till=1"
        desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
        desk.sign_in(clerk)
        page.click("nav a[href='/issuer/webhooks']")
        expect(page.locator(".nothing")).to_have_text("还没有推送。")
        desk.check_accessible()

        # What is missing or wrong is said at its field.
        page.click(".acts .button")
        expect(page.locator("dialog input[type=checkbox]")).to_be_checked()
        fill_order(page, url="")
        expect(page.locator("#field-url-error")).to_have_text("请填写推送地址。")
        desk.check_accessible()
        fill_order(page, contact="nobody", url=url)
        expect(page.locator("#field-url-error")).to_contain_text("推送地址须是 https")
        monkeypatch.setitem(staff.api.settings.__dict__, "webhooks_anywhere", True)
        fill_order(page, label="收银系统")
        expect(page.locator("#field-contact-error")).to_contain_text("不是电子邮箱地址")
        expect(page.locator("#field-url-error")).to_be_hidden()
        with monkeypatch.context() as later:
            later.setattr(sessions, "REAUTHENTICATED_MS", -1)  # as five minutes later
            fill_order(page, contact="it@example.cn")
            page.wait_for_selector("dialog #field-code")
        desk.prove(clerk)

        # Its secret is shown this once.
        first = page.inner_text("#secret")
        # What the button says for two seconds it says for twenty.
        page.evaluate("() => { const later = setTimeout; window.setTimeout = (run, ms) => later(run, 10 * ms); }")
        page.locator("#secret + button").click()
        expect(page.locator("#secret + button")).to_have_attribute("aria-label", "已复制")
        assert page.evaluate("navigator.clipboard.readText()") == first
        row = page.locator("tbody tr")
        expect(row).to_contain_text("收银系统")
        expect(row).to_contain_text("启用中")
        expect(row).to_contain_text("尚无")
        desk.check_accessible()
        page.reload()
        desk.settle()
        assert page.locator("#secret").count() == 0

        # A test, and what really happened, arrive signed.
        page.get_by_role("link", name="收银系统").press("Enter")
        expect(page.locator("h1")).to_have_text("推送：收银系统")
        expect(page.locator(".nothing")).to_have_text("还没有投递过。")
        desk.check_accessible()
        page.get_by_role("button", name="发送测试").press("Enter")
        expect(page.locator(".notice[data-role=good]")).to_contain_text("已送达，对方已接收")
        [(path, headers, body)] = receiver.received
        assert path == "/hooks?till=1"
        assert Webhook(first).verify(body, headers)["type"] == "webhook.test"
        expect(page.locator("tbody tr", has_text=headers["webhook-id"])).to_contain_text("已送达")

        # For a day both secrets sign.
        page.get_by_role("button", name="更换密钥").click()
        desk.check_accessible()
        page.click("dialog button[type=submit]")
        expect(page.locator(".facts")).to_contain_text("旧密钥有效至")
        second = page.inner_text("#secret")
        with staff.database.write() as connection:
            data = {"case": "R261125-7K3M9QXA", "state": "approved"}
            events.emit(connection, "reprint.approved", "R261125-7K3M9QXA", data, staff.api.context.now_ms(), seller=SELLER)
        deadline = time.monotonic() + 30
        while not is_sent(staff, "reprint.approved"):
            assert time.monotonic() < deadline
            page.wait_for_timeout(20)
        status[0] = 410
        page.get_by_role("button", name="发送测试").click()
        expect(page.locator(".notice", has_text="没有送达")).to_contain_text("refused 410")
        expect(page.locator("tbody tr", has_text="reprint.approved")).to_contain_text("已送达")
        told = {headers["webhook-id"]: (headers, body) for _, headers, body in receiver.received[1:]}
        assert len(told) == 2
        for headers, body in told.values():
            assert Webhook(first).verify(body, headers) == Webhook(second).verify(body, headers)
            with pytest.raises(WebhookVerificationError):
                Webhook(first).verify(body + b" ", headers)

        # Who answers 410 is told nothing more until a person says so.
        expect(page.locator(".card .notice")).to_contain_text("对方返回 410，不再接收")
        assert page.get_by_role("button", name="发送测试").count() == 0
        desk.check_accessible()
        status[0] = 204
        page.get_by_role("button", name="重新启用").press("Enter")
        expect(page.get_by_role("button", name="发送测试")).to_be_visible()
        dead = page.locator("tbody tr", has_text="webhook.test").first
        dead.get_by_role("button", name="重发").press("Enter")
        expect(dead).to_contain_text("已送达")
        repeated = dead.locator("code.cut").get_attribute("title")
        assert [headers["webhook-id"] for _, headers, _ in receiver.received].count(str(repeated)) == 2

        page.get_by_role("button", name="删除").click()
        expect(page.locator("dialog")).to_contain_text("删除“收银系统”？")
        desk.check_accessible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="删除")).to_be_focused()
        page.keyboard.press("Enter")
        page.click("dialog button[type=submit]")
        page.wait_for_url("**/issuer/webhooks")
        expect(page.locator(".nothing")).to_have_text("还没有推送。")


def test_an_operator_chooses_what_to_be_told_of_on_a_phone(staff: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(staff.api.settings.__dict__, "webhooks_anywhere", True)
    operator = staff.account("ops@example.cn", "赵运维", "operator")
    with at_desk(browser, staff, viewport=PHONE, locale="en-US") as desk:
        page = desk.page
        desk.sign_in(operator)
        desk.open("/operator/webhooks")
        page.get_by_role("button", name="New webhook").click()
        boxes = page.locator("dialog input[type=checkbox]")
        assert [box.get_attribute("value") for box in boxes.all()] == ["reprint.*", "finding.opened", "incident.recorded"]
        fill_order(page, url="http://localhost:9/hooks")
        expect(page.locator("#field-events-error")).to_have_text("Please choose at least one.")
        desk.check_accessible()
        page.locator("dialog .errors a").click()
        expect(boxes.first).to_be_focused()
        for box in boxes.all()[1:]:
            box.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_selector("#secret")
        expect(page.locator("tbody td[data-label='Tell of']")).to_contain_text("Reconciliation found something new")
        desk.check_accessible()
        page.get_by_role("link", name="localhost:9").click()
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator(".notice[data-role=bad]")).to_contain_text("Nobody answers there")
        expect(page.locator("tbody tr")).to_contain_text("Next try")
        expect(page.locator(".facts")).to_contain_text("Failing")
        desk.check_accessible()


def test_an_auditor_may_have_webhooks_and_an_approver_none(staff: Staff, browser: Browser) -> None:
    auditor = staff.account("aud@example.cn", "李审", "auditor")
    approver = staff.account("approver@example.cn", "吴审批", "approver", SELLER)
    with at_desk(browser, staff, viewport=PHONE) as desk:
        desk.sign_in(auditor)
        desk.open("/audit/webhooks")
        expect(desk.page.locator(".nothing")).to_have_text("还没有推送。")
        desk.page.click(".acts .button")
        expect(desk.page.locator("dialog .tickbox")).to_have_text("对账发现新差异 finding.opened")
        desk.open("/audit/webhooks/wh_aaaaaaaaaaaaaaaa")
        expect(desk.page.locator(".notice")).to_contain_text("没有这个推送")
        desk.check_accessible()
    with at_desk(browser, staff, viewport=PHONE) as desk:
        desk.sign_in(approver)
        assert desk.page.locator("nav a").count() == 1
        desk.page.goto(f"{staff.url}/issuer/webhooks")
        expect(desk.page.locator("h1")).to_have_text("这是另一岗位的页面")
