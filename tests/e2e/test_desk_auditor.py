"""An auditor's day in a real browser, on a phone and at a desk: search, an invoice's story, evidence, anchors, runs, charts."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from tests.chain import Chain
from tests.e2e.browsing import PHONE, visiting
from tests.e2e.site import Served
from tests.e2e.staff import Account, Desk, Staff, at_desk, staffed
from tests.stores import simple_invoices
from tests.unit.samples import sections_of
from verifier.cli import main as zhengpiao_verify

DESKTOP = {"width": 1280, "height": 900}
NUMBER = str(sections_of("S10")["header"]["number"])
PARTLY = str(sections_of("S01")["header"]["number"])
CHINESE = (
    "() => [...document.querySelectorAll('[data-t]')].map((e) => e.textContent).filter((said) => /[\\u4e00-\\u9fff]/.test(said))"
)
SELLER = str(sections_of("S10")["seller"]["tax_id"])


@pytest.fixture(scope="module")
def staff(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    with staffed(chain, tmp_path_factory.mktemp("auditor")) as running:
        running.register_samples()
        for sections in simple_invoices(range(1000, 1003)):
            running.register(sections)
        running.rest()
        head = running.client.get("/v1/anchors/head").json()["seq"]
        central = running.api.key("central")
        acknowledged = running.client.post("/v1/central/acknowledgements", json={"cursor": head}, headers=central)
        assert acknowledged.status_code == 200
        yield running


@pytest.fixture(scope="module")
def auditor(staff: Staff) -> Account:
    return staff.account("li@example.cn", "李审", "auditor")


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def desk(request: pytest.FixtureRequest, browser: Browser, staff: Staff, auditor: Account) -> Iterator[Desk]:
    with staff.database.write() as connection:  # so that one authenticator will do
        connection.exec_driver_sql("UPDATE users SET totp_step = 0")
    auditor.used = 0
    with at_desk(browser, staff, viewport=request.param, accept_downloads=True) as desk:
        desk.sign_in(auditor)
        desk.settle()
        yield desk


def fits(page: Page) -> bool:
    """Whether nothing stands out at the side."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


def go(desk: Desk, href: str) -> None:
    """By the navigation, which a phone has behind its menu."""
    if desk.page.is_visible("#menu"):
        desk.page.click("#menu")
    desk.page.click(f"nav a[href='{href}']")
    desk.page.wait_for_url(f"**{href}")
    desk.settle()


def download(desk: Desk, press: str) -> bytes:
    with desk.page.expect_download() as waiting:
        desk.page.get_by_role("button", name=press, exact=True).last.click()
    return Path(waiting.value.path()).read_bytes()


def test_every_page_is_accessible_and_fits(desk: Desk) -> None:
    for path in ("/audit", f"/audit/invoices/{NUMBER}", "/audit/anchors", "/audit/anchors/2", "/audit/charts", "/audit/gaps"):
        desk.open(path)
        if desk.page.locator("dialog").count():
            desk.choose_purpose()
        if path.endswith(NUMBER):
            desk.page.wait_for_selector("dialog, .proof .verdict .seal:not(.spinner)")
            if desk.page.locator("dialog").count():
                desk.check_accessible()
                desk.choose_purpose()
        desk.settle()
        desk.check_accessible()
        assert fits(desk.page), path
        desk.page.click("#menu") if desk.page.is_visible("#menu") else None
        desk.page.click("#language")
        expect(desk.page.locator("html")).to_have_attribute("lang", "en")
        desk.settle()
        desk.check_accessible()
        assert fits(desk.page), path
        assert desk.page.evaluate(CHINESE) == ["中文"], "only the switch to the other language"
        desk.page.click("#language")


def test_from_a_word_to_the_whole_story(desk: Desk, staff: Staff, tmp_path: Path) -> None:
    page = desk.page
    page.fill("#quick", "软件")
    page.keyboard.press("Enter")
    desk.choose_purpose()
    expect(page.locator("#indexed")).to_contain_text("文字索引")
    expect(page.locator("tbody tr").first).to_be_visible()
    desk.check_accessible()
    assert "q=" in page.url.partition("#")[2], "what is searched for stands behind the #"
    assert "%E8" not in page.url.partition("#")[0]
    page.fill("#field-q", "")
    page.click("details.facts-wanted summary")
    page.fill("#field-number", NUMBER)
    page.fill("#field-amount_from", "¥50,000")
    page.click("form button[type=submit]")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="保存这些条件").click()
    page.fill("dialog #field-name", "五万以上")
    page.click("dialog button[type=submit]")
    expect(page.locator(".kept .chip").last).to_have_text("五万以上")
    page.get_by_role("button", name="清空").click()
    expect(page.locator("tbody tr").nth(1)).to_be_visible()
    page.locator(".kept .chip", has_text="五万以上").last.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator(".kept .chip-end").last.click()
    expect(page.locator(".kept .chip")).to_have_count(0)

    page.locator("tbody a", has_text=NUMBER).click()
    expect(page.locator(".proof .word")).to_have_text("登记有效")
    assert page.get_attribute(".proof .verdict", "data-role") == "good"
    desk.settle()
    story = page.inner_text(".story")
    for hop in ("提交", "受理", "封批", "广播", "上链", "最终确定", "送达"):
        assert hop in story
    assert "已确认至第" in story, "what the central record has said"
    assert "北京示例软件股份有限公司" in page.inner_text("#root")
    desk.check_accessible()
    assert fits(page)
    looks = page.inner_text("#root")
    assert "李审 · 查看发票" in looks

    evidence = download(desk, "取得证据包")
    with ZipFile(io.BytesIO(evidence)) as archive:
        archive.extractall(tmp_path)
    verified_offline(desk.context.browser, tmp_path)
    arguments = ["--anchors", str(tmp_path / "anchors.json"), str(tmp_path / f"{NUMBER}.proof.json")]
    assert zhengpiao_verify(arguments) == 0

    page.goto(f"{staff.url}/audit/invoices/{PARTLY}")
    expect(page.locator(".proof .word")).to_have_text("部分红冲")
    desk.settle()
    page.locator(".story a.number").first.click()
    page.wait_for_selector(".proof .verdict .seal:not(.spinner)")
    desk.settle()
    page.goto(f"{staff.url}/audit/invoices/26112999000000009999")
    expect(page.locator(".notice")).to_contain_text("没有这一项")


def verified_offline(browser: Any, folder: Path) -> None:
    """The verifier that lies in the zip, opened from the disk by a browser that has no network."""
    with visiting(browser, [], offline=True) as visit:
        visit.page.goto((folder / "zhengpiao-verify.html").as_uri())
        visit.choose("trust", folder / "anchors.json")
        visit.page.wait_for_selector("#trusted .given")  # what is checked before that is checked against nothing
        visit.choose("files", folder / f"{NUMBER}.proof.json")
        visit.wait_for("登记有效")
        assert visit.role() == "good"


def test_an_anchor_is_compared_with_the_contract_in_the_browser(desk: Desk, staff: Staff) -> None:
    go(desk, "/audit/anchors")
    desk.page.locator("tbody a", has_text="#2").click()
    expect(desk.page.locator(".notice[data-role=good]")).to_contain_text("两个根和条目数与此处相同")
    desk.settle()
    assert NUMBER in desk.page.inner_text("#root")
    with staff.database.write() as connection:
        root = connection.execute(text("SELECT log_root FROM batches WHERE seq = 2")).scalar_one()
        connection.execute(text("UPDATE batches SET log_root = :r WHERE seq = 2"), {"r": bytes(32)})
    desk.page.reload()
    expect(desk.page.locator(".notice[data-role=bad]")).to_contain_text("持有的与此处不同")
    with staff.database.write() as connection:
        connection.execute(text("UPDATE batches SET log_root = :r WHERE seq = 2"), {"r": root})
    desk.page.goto(f"{staff.url}/audit/anchors/99")
    expect(desk.page.locator(".notice")).to_contain_text("没有这个序号的上链批次")


def test_from_a_run_to_the_exact_difference(desk: Desk, staff: Staff) -> None:
    page = desk.page
    with staff.database.write() as connection:
        connection.execute(text("UPDATE invoices SET amount_fen = 5000700 WHERE number = :n"), {"n": NUMBER})
    go(desk, "/audit/runs")
    page.click(".acts .button")
    desk.check_accessible()
    page.click("dialog button[type=submit]")
    page.wait_for_url("**/audit/runs/*")
    expect(page.locator("progress")).to_be_visible()
    staff.rest()
    expect(page.locator(".notice")).to_contain_text("发现 1 处差异")
    desk.settle()
    desk.check_accessible()
    assert fits(page)
    with ZipFile(io.BytesIO(exported(desk, "ndjson", asks_purpose=True))) as archive:
        name = next(each for each in archive.namelist() if each != "manifest.json")
        [row] = [json.loads(line) for line in archive.read(name).splitlines()]
        assert (row["number"], row["place"]) == (NUMBER, "invoices.amount_fen")
    page.locator("tbody a", has_text="被改动").click()
    expect(page.locator(".side-by-side .value")).to_have_text(["5000000", "5000700"])
    expect(page.locator("mark")).to_have_text(["0", "7"])
    desk.check_accessible()
    with staff.database.write() as connection:
        connection.execute(text("UPDATE invoices SET amount_fen = 5000000 WHERE number = :n"), {"n": NUMBER})
    go(desk, "/audit/runs")
    page.click(".acts .button")
    page.click("dialog button[type=submit]")
    page.wait_for_url("**/audit/runs/*")
    staff.rest()
    expect(page.locator(".notice[data-role=good]")).to_contain_text("一致")


def exported(desk: Desk, form: str, asks_purpose: bool = False) -> bytes:
    """The list that is shown, as a zip. What for is asked where it was not said before."""
    desk.page.locator(".acts .button").last.click()
    desk.page.select_option("dialog #field-form", form)
    with desk.page.expect_download() as waiting:
        desk.page.click("dialog:has(#field-form) button[type=submit]")
        if asks_purpose:
            desk.page.click("dialog:has(#field-purpose) button[type=submit]")
    return Path(waiting.value.path()).read_bytes()


def test_charts_have_axes_units_and_a_table(desk: Desk) -> None:
    go(desk, "/audit/charts")
    drawn = desk.page.locator("figure:has(svg.drawing)")
    assert drawn.count() >= 4
    for n in range(drawn.count()):
        figure = drawn.nth(n)
        assert figure.locator("text.unit").text_content()
        assert figure.locator("text.tick").count() >= 3
        figure.locator("summary").click()
        expect(figure.locator("table")).to_be_visible()
    desk.check_accessible()
    assert fits(desk.page)
    days = desk.page.locator("figure").first.locator("tbody tr")
    assert sum(int(row.locator("td").last.inner_text()) for row in days.all()) == 9, "on one day, unless it was midnight meanwhile"
    desk.page.get_by_role("button", name="7 天").click()
    expect(desk.page.locator("figure").first.locator("rect")).to_have_count(7)


def test_gaps_the_log_and_its_export(desk: Desk, staff: Staff) -> None:
    page = desk.page
    go(desk, "/audit/gaps")
    page.click("form button[type=submit]")
    expect(page.locator("#field-seller-error")).to_have_text("请输入销方税号。")
    page.fill("#field-seller", SELLER)
    page.click("form button[type=submit]")
    desk.choose_purpose()
    page.wait_for_selector(".sheet, .nothing")  # the introduction has the words below, too
    expect(page.locator("#root")).to_contain_text("已登记")
    desk.check_accessible()
    staff.rest()
    go(desk, "/audit/activity")
    desk.check_accessible()
    page.locator(".acts .button").first.click()
    expect(page.locator(".notice")).to_contain_text("首尾相连")
    page.select_option("#field-action", "looked_for_gaps")
    page.click("form button[type=submit]")
    expect(page.locator("tbody tr").first).to_contain_text("查断号")
    expect(page.locator("tbody")).not_to_contain_text("退出登录")
    with ZipFile(io.BytesIO(exported(desk, "csv"))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["exported_by"] == "li@example.cn"
        assert b"looked_for_gaps" in archive.read(manifest["file"])


def test_a_service_that_falls_silent_is_said_to_be(desk: Desk, staff: Staff) -> None:
    desk.page.route("**/v1/figures*", lambda route: route.abort())
    desk.open("/audit/charts")
    expect(desk.page.locator(".notice")).to_contain_text("服务没有回应")


def test_what_each_node_says(browser: Browser, chain: Chain, tmp_path: Path) -> None:
    """Two nodes: one that has the same to say, one that is not there."""
    with staffed(chain, tmp_path) as staff:
        staff.register(sections_of("S10"))
        staff.rest()
        node = Served(staff.api.app, "127.0.0.1")
        silent = "http://127.0.0.1:9"
        object.__setattr__(staff.api.settings, "nodes", (node.url, silent))
        account = staff.account("li@example.cn", "李审", "auditor")
        staff.hosts += [node.url[7:], silent[7:]]
        with at_desk(browser, staff, viewport=DESKTOP) as desk:
            desk.sign_in(account)
            desk.open(f"/audit/invoices/{NUMBER}")
            desk.choose_purpose()
            lines = desk.page.locator(".lines li")
            expect(lines.nth(0)).to_contain_text("一致")
            expect(lines.nth(0)).to_contain_text("登记有效，截至第")
            expect(lines.nth(1)).to_contain_text("未能确定")
            desk.settle()
        node.stop()


def test_without_javascript_it_is_said(browser: Browser, staff: Staff) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{staff.url}/sign-in")
    assert "需要 JavaScript" in page.inner_text("main")
    context.close()
