"""An operator's day in a real browser: the first account, inviting others, keys, a release by two, the log."""

import re
from collections.abc import Iterator

import httpx2
import pyotp
import pytest
from playwright.sync_api import Browser, expect

from service.auth import sessions
from tests.chain import Chain
from tests.e2e.browsing import PHONE
from tests.e2e.staff import PASSWORD, Account, Desk, Staff, at_desk, read_code, staffed
from tests.unit.samples import sections_of

DESKTOP = {"width": 1280, "height": 900}
NUMBER = str(sections_of("S10")["header"]["number"])


@pytest.fixture(scope="module")
def staff(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    with staffed(chain, tmp_path_factory.mktemp("operator")) as running:
        running.register(sections_of("S10"))
        running.rest()
        yield running


def welcome(desk: Desk, link: str, login: str, name: str) -> Account:
    """Open a one-time link, read the code on the screen as a phone would, and begin."""
    page = desk.page
    page.goto(link)
    page.wait_for_selector(".totp")
    assert "#" not in page.url, "the secret does not stay in the history"
    desk.check_accessible()
    expect(page.locator(".totp")).to_have_js_property("complete", value=True)
    secret = str(pyotp.parse_uri(read_code(page.locator(".totp").screenshot())).secret)
    account = Account("", login, name, secret)
    page.click("button[type=submit]")
    expect(page.locator(".errors")).to_contain_text("请输入密码。")
    page.fill("#field-password", PASSWORD)
    page.fill("#field-repeated", PASSWORD + "x")
    page.fill("#field-code", "000000")
    page.click("button[type=submit]")
    expect(page.locator("#field-repeated-error")).to_have_text("两次输入的密码不一样。")
    page.fill("#field-repeated", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("#field-code-error")).to_have_text("验证码不对。")
    page.fill("#field-code", account.code())
    page.click("button[type=submit]")
    page.wait_for_selector(".desk #root[aria-busy='false']")
    return account


def test_the_first_operator_begins_by_a_link_and_signs_in_again(staff: Staff, browser: Browser) -> None:
    link = staff.link("first@example.cn", "王运维", "operator")
    with at_desk(browser, staff, viewport=PHONE) as desk:
        account = welcome(desk, link, "first@example.cn", "王运维")
        expect(desk.page).to_have_url(f"{staff.url}/operator")
        desk.settle()
        desk.check_accessible()
        desk.page.click("#menu")
        desk.check_accessible()
        desk.page.click("#sign-out")
        desk.page.wait_for_url("**/sign-in")
        desk.page.goto(link)
        expect(desk.page.locator(".notice")).to_contain_text("链接已使用或已过期")
        desk.check_accessible()
        # The way that was wanted is gone on with after signing in.
        desk.open("/operator/users")
        assert "/sign-in?next=%2Foperator%2Fusers" in desk.page.url or "/sign-in?next=/operator/users" in desk.page.url
        desk.page.click("form button[type=submit]")
        expect(desk.page.locator(".errors a")).to_have_count(3)
        desk.check_accessible()
        desk.page.fill("#field-login", account.login)
        desk.page.fill("#field-password", "wrong horse battery staple")
        desk.page.fill("#field-code", account.code())
        desk.page.keyboard.press("Enter")
        expect(desk.page.locator(".errors")).to_contain_text("登录名、密码或验证码不对")
        assert desk.page.input_value("#field-login") == account.login, "nothing typed is lost"
        desk.page.fill("#field-password", PASSWORD)
        staff.database.engine.dispose()
        with staff.database.write() as connection:
            sessions.forget_old(connection, 2**50)
            connection.exec_driver_sql("UPDATE users SET totp_step = 0")
        account.used = 0
        desk.page.fill("#field-code", account.code())
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_url("**/operator/users")


def test_an_operator_invites_disables_and_makes_keys(staff: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = staff.account("ops@example.cn", "赵运维", "operator")
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        page = desk.page
        desk.sign_in(operator)
        page.click("nav a[href='/operator/users']")
        desk.settle()
        monkeypatch.setattr(sessions, "REAUTHENTICATED_MS", -1)  # as five minutes later
        page.click(".acts .button")
        page.wait_for_selector("dialog")
        desk.check_accessible()
        page.fill("dialog #field-login", "clerk@example.cn")
        page.fill("dialog #field-name", "钱开票")
        page.select_option("dialog #field-role", "clerk")
        page.keyboard.press("Tab")
        page.fill("dialog #field-sellers", "")
        page.click("dialog button[type=submit]")
        page.wait_for_selector("dialog #field-code")
        monkeypatch.undo()
        desk.prove(operator)
        expect(page.locator("#field-sellers-error")).to_contain_text("开票员和审批员须绑定销方税号")
        page.fill("dialog #field-sellers", "91110108MAXXXX015B")
        page.click("dialog button[type=submit]")
        expect(page.locator("#link")).to_contain_text("/welcome#")
        desk.settle()
        desk.check_accessible()
        row = page.locator("tr", has_text="钱开票")
        expect(row).to_contain_text("待启用")
        row.get_by_role("button", name="停用").click()
        page.click("dialog button[type=submit]")
        expect(page.locator("tr", has_text="钱开票")).to_contain_text("已停用")
        page.click("nav a[href='/operator/keys']")
        desk.settle()
        page.click(".acts .button")
        page.select_option("dialog #field-role", "auditor")
        page.fill("dialog #field-label", "夜间核对")
        page.click("dialog button[type=submit]")
        key = page.inner_text("#key")
        assert httpx2.get(f"{staff.url}/v1/activity", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        page.locator("tr", has_text="夜间核对").get_by_role("button").click()
        page.click("dialog button[type=submit]")
        expect(page.locator("tr", has_text="夜间核对")).to_contain_text("已吊销")
        desk.check_accessible()
        page.click("nav a[href='/operator/activity']")
        desk.settle()
        said = page.inner_text("table")
        for action in ("新建密钥", "吊销密钥", "停用账号", "新建账号", "再次验证身份", "登录"):
            assert action in said
        page.click(".acts .button")
        expect(page.locator(".notice")).to_contain_text("首尾相连")
        desk.check_accessible()


def test_two_operators_release_a_number(staff: Staff, browser: Browser) -> None:
    first, second = (staff.account(f"{n}@example.cn", name, "operator") for n, name in (("one", "孙运维"), ("two", "李运维")))
    with at_desk(browser, staff, viewport=DESKTOP) as one, at_desk(browser, staff, viewport=PHONE, locale="en-US") as two:
        one.sign_in(first)
        one.page.fill("#field-number", "2611 2999 0000 0000 0010")
        one.page.keyboard.press("Enter")
        one.page.wait_for_url(f"**/operator/releases/{NUMBER}")
        one.settle()
        expect(one.page.locator(".facts").first).to_contain_text("北京示例软件股份有限公司")
        one.check_accessible()
        one.page.click("form button[type=submit]")
        expect(one.page.locator("#field-reason-error")).to_have_text("请写明理由。")
        one.page.fill("#field-reason", "号码录入错误")
        one.page.click("form button[type=submit]")
        expect(one.page.locator("#root")).to_contain_text("须由另一位操作员确认")
        assert one.page.get_by_role("button", name="确认撤回").count() == 0

        two.sign_in(second)
        two.settle()
        expect(two.page.locator("table")).to_contain_text("waits for a second operator")
        two.check_accessible()
        two.page.click("table a")
        two.settle()
        expect(two.page.locator("#root")).to_contain_text("号码录入错误")
        two.check_accessible()
        two.page.get_by_role("button", name="Confirm the release").click()
        expect(two.page.locator("#root")).to_contain_text("It is released")
        two.check_accessible()
        staff.rest()
        told = staff.client.get(f"/v1/invoices/{NUMBER}", headers=staff.api.auditor).json()
        assert (told["status"], told["state"]) == ("released", "final")


def test_another_role_and_nobody_see_nothing(staff: Staff, browser: Browser) -> None:
    auditor = staff.account("aud@example.cn", "李审", "auditor")
    anonymous = httpx2.get(f"{staff.url}/audit/invoices/{NUMBER}", follow_redirects=False)
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, f"/sign-in?next=/audit/invoices/{NUMBER}")
    assert "no-store" in anonymous.headers["cache-control"]
    with at_desk(browser, staff, viewport=PHONE) as desk:
        desk.sign_in(auditor)
        desk.page.goto(f"{staff.url}/operator/users")
        expect(desk.page.locator("h1")).to_have_text("这是另一岗位的页面")
        desk.check_accessible()
        desk.page.click("a.button")
        desk.page.wait_for_url("**/audit")
    for wanted in ("https://evil.example", "//evil.example", "/audit/../x?y", "/v1/session"):
        html = httpx2.get(f"{staff.url}/sign-in", params={"next": wanted}).text
        assert re.search(r'"next":null', html), wanted


def test_a_page_that_was_open_for_too_long_leads_to_the_sign_in(staff: Staff, browser: Browser) -> None:
    operator = staff.account("late@example.cn", "周运维", "operator")
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        desk.sign_in(operator)
        desk.settle()  # else it is the page's own list that leads to the sign-in
        with staff.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM sessions")
        desk.page.fill("#field-number", NUMBER)
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_url("**/sign-in?next=**")
        desk.page.fill("#field-login", operator.login)
        desk.page.fill("#field-password", PASSWORD)
        desk.page.fill("#field-code", operator.code())
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_url(f"**/operator/releases/{NUMBER}")
