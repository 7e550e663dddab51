"""Two reviewers at their desks in a real browser, and whoever else a reprint needs: issuer, cashier, those who answer feedback."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import text

from service.auth import sessions
from tests.chain import Chain
from tests.e2e.applicants import Applicant, paper, see_materials, submitted
from tests.e2e.browsing import PHONE, upload
from tests.e2e.staff import Account, Desk, Staff, at_desk, staffed
from tests.stores import simple_invoices
from tests.unit.samples import sections_of

DESKTOP = {"width": 1280, "height": 900}
NUMBER = str(sections_of("S10")["header"]["number"])
NEW = "26112999000000000777"
CHINESE = (
    "() => [...document.querySelectorAll('[data-t]')].map((e) => e.textContent).filter((said) => /[\\u4e00-\\u9fff]/.test(said))"
)


def reviewers(staff: Staff) -> tuple[Account, Account]:
    return tuple(staff.account(f"{login}@example.cn", name, "reviewer") for login, name in (("qian", "钱审核"), ("sun", "孙审核")))  # type: ignore[return-value]


def register_undelivered(staff: Staff, sections: dict[str, Any]) -> None:
    """The central record has what came before, and not this: that is our doing, so that the reprint is free."""
    for earlier in simple_invoices([2999]):
        staff.register(earlier)
    staff.rest()
    head = staff.client.get("/v1/anchors/head").json()["seq"]
    acknowledged = staff.client.post("/v1/central/acknowledgements", json={"cursor": head}, headers=staff.api.key("central"))
    assert acknowledged.status_code == 200
    staff.register(sections)
    staff.rest()


def open_case(desk: Desk, case_id: str) -> Page:
    desk.open(f"/staff/cases/{case_id}")
    desk.settle()
    return desk.page


def decide(page: Page, key: str) -> None:
    """By its key, and confirmed."""
    page.keyboard.press(key)
    page.wait_for_selector("dialog")
    page.click("dialog button[type=submit]")


def finish(staff: Staff, applicant: Applicant) -> Any:
    """Until the reprint is final, and its document can be given out."""
    deadline = time.monotonic() + 80
    while not (applicant.case()["result"] or {}).get("document_ready"):
        assert time.monotonic() < deadline
        staff.rest()
    return applicant.case()["result"]


def test_two_reviewers_take_a_case_from_return_to_handing_over(
    chain: Chain, tmp_path: Path, browser: Browser, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staffed(chain, tmp_path, database_url=database_url) as staff:
        register_undelivered(staff, sections_of("S10"))
        first, second = reviewers(staff)
        applicant = submitted(staff, sections_of("S10"), delivery="collect")
        with at_desk(browser, staff, viewport=DESKTOP) as one, at_desk(browser, staff, viewport=DESKTOP) as two:
            one.sign_in(first)
            one.settle()
            expect(one.page).to_have_url(f"{staff.url}/staff")
            one.check_accessible()
            page = one.page
            page.keyboard.press("j")
            expect(page.locator("tbody th a")).to_be_focused()
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/staff/cases/{applicant.id}")
            one.settle()
            page.wait_for_selector('.proof .word:text-is("登记有效")')
            one.check_accessible()
            # What has not been seen is not approved.
            expect(page.locator(".why-not")).to_have_text("不能通过：材料还没有看完，请逐页看过。")
            page.keyboard.press("a")
            assert page.locator("dialog").count() == 0
            assert see_materials(one) == 3
            expect(page.locator(".why-not")).to_be_empty()

            page.keyboard.press("r")
            page.click("dialog button[type=submit]")
            expect(page.locator("#field-reason-error")).to_have_text("请写明理由。")
            one.check_accessible()
            page.click("dialog .chip:text-is('看不清')")
            page.click("dialog button[type=submit]")
            expect(page.locator(".notice", has_text="已退回")).to_be_visible()
            expect(page.locator(".why-not")).to_contain_text("正在等待申请人的材料")
            returned = applicant.case()
            assert returned["state"] == "materials_pending"
            assert returned["history"][-1]["reason"].startswith("身份证件的照片看不清")

            applicant.hand_in(identity=paper("IDENTITY CARD", "legible"))
            page.keyboard.press("u")
            expect(page.locator(".why-not")).to_contain_text("材料还没有看完")  # these are others than those that were seen
            one.settle()
            see_materials(one)
            monkeypatch.setattr(sessions, "REAUTHENTICATED_MS", -1)  # as five minutes later
            decide(page, "a")
            page.wait_for_selector("dialog #field-code")
            monkeypatch.undo()
            one.prove(first)
            expect(page.locator(".notice", has_text="已认可")).to_be_visible()
            expect(page.locator(".why-not")).to_contain_text("初审是您通过的，复审须由另一位审核员进行")
            refused = page.evaluate(
                """async ([id, shown]) => {
                    const {csrf} = JSON.parse(document.getElementById("page").textContent).session;
                    const headers = {"content-type": "application/json", "x-csrf-token": csrf};
                    const body = JSON.stringify({decision: "approve", shown});
                    return (await fetch(`/v1/reprints/${id}/reviews`, {method: "POST", headers, body})).json();
                }""",
                [applicant.id, "00" * 32],
            )
            assert refused["code"] == "second_person_needed"

            two.sign_in(second)
            page = open_case(two, applicant.id)
            see_materials(two)
            with staff.database.write() as connection:  # what was shown is not what there is any more
                connection.execute(text("UPDATE reprint_cases SET fee_rests_on = 'final' WHERE id = :id"), {"id": applicant.id})
            decide(page, "a")
            expect(page.locator(".notice[data-role=caution]", has_text="您查看期间内容有变")).to_contain_text("费用")
            assert applicant.case()["state"] == "review_2"
            two.check_accessible()
            decide(page, "a")
            expect(page.locator(".notice", has_text="已认可")).to_be_visible()
            assert applicant.case()["state"] in ("approved", "completed")

            result = finish(staff, applicant)
            page.keyboard.press("u")
            expect(page.locator("#field-pickup_code")).to_be_visible()
            two.settle()
            two.check_accessible()
            page.fill("#field-pickup_code", "00000000")
            page.keyboard.press("Enter")
            expect(page.locator(".errors")).to_contain_text("领取码")
            page.fill("#field-pickup_code", result["pickup_code"].lower())
            page.keyboard.press("Enter")
            expect(page.locator(".notice", has_text="已交出")).to_be_visible()
            with page.expect_popup() as opened:
                page.click("a:has-text('打印文件')")
            opened.value.close()
        told = staff.client.get(f"/v1/invoices/{NUMBER}", headers=staff.api.auditor).json()
        assert told["sections"]["provenance"]["reprint"] == {"ordinal": "1"}
        logged = staff.client.get("/v1/activity", params={"object": applicant.id, "limit": 200}, headers=staff.api.auditor).json()
        steps = [item["details"]["step"] for item in logged["items"] if item["action"] == "looked_at_material"]
        assert sorted(set(steps)) == ["review_1", "review_2"], "each look is kept with what it was for"


@pytest.fixture(scope="module")
def staff(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    with staffed(chain, tmp_path_factory.mktemp("reviewers")) as running:
        for sections in (sections_of("S10"), *simple_invoices(range(3000, 3004))):
            running.register(sections)
        running.rest()
        yield running


@pytest.fixture(scope="module")
def reviewer(staff: Staff) -> Account:
    return staff.account("zhou@example.cn", "周审核", "reviewer")


def signed_in(desk: Desk, account: Account) -> Page:
    with desk.staff.database.write() as connection:  # so that one authenticator will do
        connection.exec_driver_sql("UPDATE users SET totp_step = 0")
    account.used = 0
    desk.sign_in(account)
    desk.settle()
    return desk.page


def test_an_issuer_sends_the_sections_of_a_reissue_and_a_reviewer_sees_what_differs(
    staff: Staff, browser: Browser, reviewer: Account
) -> None:
    original = sections_of("S10")
    applicant = submitted(staff, original, "reissue")
    clerk = staff.account("clerk@example.cn", "吴开票", "clerk", original["seller"]["tax_id"])
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        page = signed_in(desk, clerk)
        expect(page).to_have_url(f"{staff.url}/issuer/replacements")
        expect(page.locator("tbody tr")).to_contain_text("待填写")
        desk.check_accessible()
        page.click("tbody a")
        desk.settle()
        page.click("button[type=submit]")
        expect(page.locator(".errors")).to_be_visible()  # it has no number yet
        desk.check_accessible()
        page.fill("#at-header-number", NEW)
        page.fill("#at-buyer-name", "北京样本数据科技有限公司（更名）")
        page.keyboard.press("Tab")
        expect(page.locator("[data-differs]")).to_have_count(2)
        page.click("button[type=submit]")
        expect(page.locator(".notice[data-role=good]")).to_contain_text(NEW)
        sent = json.dumps({"sections": {**original, "header": {**original["header"], "number": NEW}}}).encode()
        page.set_input_files("#file", upload("new.json", sent, "application/json"))
        expect(page.locator("[data-differs]")).to_have_count(1)
        page.set_input_files("#file", upload("new.json", b"[1]", "application/json"))
        expect(page.locator(".errors")).to_contain_text("这个文件不是发票内容的 JSON")
    with at_desk(browser, staff, viewport=PHONE) as desk:
        page = signed_in(desk, reviewer)
        open_case(desk, applicant.id)
        differing = page.locator("[data-differs]")
        expect(differing).to_have_count(4)  # number and name, and of what it takes the place
        expect(page.locator("mark", has_text="（更名）")).to_be_visible()
        desk.check_accessible()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        # On a phone too a case is rejected with its reason.
        page.get_by_role("button", name="驳回").click()
        page.click("dialog .chip:text-is('无需补打')")
        page.click("dialog button[type=submit]")
        expect(page.locator(".notice", has_text="已驳回")).to_be_visible()
        expect(page.locator(".decide")).to_be_hidden()
    assert applicant.case()["state"] == "rejected"


def test_a_bank_transfer_is_confirmed_by_its_amount(staff: Staff, browser: Browser) -> None:
    [sections] = simple_invoices([3000])
    applicant = submitted(staff, sections)
    assert applicant.case()["state"] == "fee_due"
    payment = applicant.post("/payment", {"method": "bank_transfer"})
    operator = staff.account("cash@example.cn", "郑运维", "operator")
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        page = signed_in(desk, operator)
        page.click("nav a[href='/staff/payments']")
        desk.settle()
        desk.check_accessible()
        row = page.locator("tbody tr", has_text=payment["reference"])
        row.get_by_role("button", name="确认到账").click()
        page.click("dialog button[type=submit]")
        expect(page.locator("#field-amount-error")).to_have_text("请输入金额。")
        page.fill("dialog #field-amount", "1.00")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog .errors")).to_be_visible()
        desk.check_accessible()
        page.fill("dialog #field-amount", f"¥{payment['amount']}")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog")).to_have_count(0)
        expect(row).to_have_count(0)
        desk.settle()
        assert applicant.case()["state"] == "review_1"
        applicant.post("/cancel", {})
        page.keyboard.press("2")
        expect(page.locator(".chip[aria-pressed=true]")).to_have_text("待退款")
        row.get_by_role("button", name="登记退款").click()
        page.fill("dialog #field-bank_reference", "2026112500318")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog")).to_have_count(0)
    assert applicant.case()["fee"]["state"] == "refunded"


def test_feedback_is_answered_and_closed_by_keys(staff: Staff, browser: Browser, reviewer: Account) -> None:
    order = {"message": "补打完成后在哪里下载？", "page": "/reprint", "contact": {"channel": "email", "address": "chen@example.cn"}}
    sent = staff.client.post("/v1/feedback", json=order).json()
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        page = signed_in(desk, reviewer)
        page.click("nav a[href='/staff/feedback']")
        expect(page.locator("tbody tr", has_text=sent["id"])).to_be_visible()  # keys act on the rows that are there
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator(".talk")).to_contain_text("在哪里下载")
        desk.settle()
        desk.check_accessible()
        page.keyboard.press("a")
        page.keyboard.insert_text("在补打页面输入申请编号即可下载。")
        page.locator(".thread button[type=submit]").click()
        expect(page.locator(".talk li")).to_have_count(2)
        page.locator("h1").click()
        page.keyboard.press("x")
        page.click("dialog button[type=submit]")
        expect(page.locator(".thread .badge")).to_contain_text("已结束")
    headers = {"Authorization": f"Bearer {sent['token']}"}
    assert staff.client.get(f"/v1/feedback/{sent['id']}", headers=headers).json()["state"] == "closed"


def test_lists_are_filtered_kept_and_gone_through(staff: Staff, browser: Browser, reviewer: Account) -> None:
    with staff.database.write() as connection:  # whatever others have left
        connection.execute(text("UPDATE reprint_cases SET state = 'cancelled' WHERE state IN ('review_1', 'review_2', 'fee_due')"))
    made = [submitted(staff, sections) for sections in simple_invoices([3001, 3002])]
    with staff.database.write() as connection:  # as if they had been paid; one a week and a day ago
        connection.execute(text("UPDATE reprint_cases SET state = 'review_1' WHERE state = 'fee_due'"))
        late = {"due": int(time.time() * 1000) - 86_400_000, "id": made[0].id}
        connection.execute(text("UPDATE reprint_cases SET due_at = :due WHERE id = :id"), late)
    with at_desk(browser, staff, viewport=PHONE) as desk:
        page = signed_in(desk, reviewer)
        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page.locator("tbody tr", has_text=made[0].id)).to_contain_text("逾期")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("l")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name="保存这些条件").click()
        page.fill("dialog #field-name", "逾期")
        page.click("dialog button[type=submit]")
        expect(page.locator(".kept .chip")).to_have_text("逾期")
        expect(page.locator("dialog")).to_have_count(0)
        page.keyboard.press("l")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.click(".kept .chip")
        expect(page.locator("tbody tr")).to_have_count(1)
        # An answer that comes behind a newer one is of a question that nobody asks any more.
        held: list[Route] = []
        page.route("**/v1/reprints?*", lambda route: route.continue_() if held else held.append(route))
        page.keyboard.press("l")
        deadline = time.monotonic() + 30
        while not held and time.monotonic() < deadline:
            page.wait_for_timeout(20)
        with page.expect_response("**/v1/reprints?*"):  # the newer one, which is asked meanwhile
            page.keyboard.press("l")
        expect(page.locator("tbody tr")).to_have_count(1)
        with page.expect_response("**/v1/reprints?*"):
            held[0].continue_()
        desk.settle()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.unroute("**/v1/reprints?*")
        page.select_option("#field-state", "rejected")
        expect(page.locator(".nothing")).to_be_visible()
        # Keys are shown, and can be switched off.
        page.keyboard.press("?")
        expect(page.locator("dialog .keys")).to_be_visible()
        desk.check_accessible()
        page.click("dialog .tickbox input")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog")).to_have_count(0)
        page.keyboard.press("l")
        expect(page.locator("input[name=late]")).to_be_checked()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_accessible_fits_and_speaks_both_languages(
    staff: Staff, browser: Browser, reviewer: Account, viewport: Any
) -> None:
    with staff.database.read() as connection:
        case_id = connection.execute(text("SELECT id FROM reprint_cases WHERE application IS NOT NULL LIMIT 1")).scalar_one()
    with at_desk(browser, staff, viewport=viewport) as desk:
        page = signed_in(desk, reviewer)
        for path in ("/staff#state=all", f"/staff/cases/{case_id}", "/staff/payments", "/staff/feedback", "/staff/statistics"):
            desk.open(path)
            for _ in range(2):
                desk.settle()
                desk.check_accessible()
                assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
                if page.is_visible("#menu") and not page.is_visible("#language"):
                    page.click("#menu")
                page.click("#language")
            page.click("#language")
            assert page.evaluate(CHINESE) == ["中文"], "only the switch to the other language"
            page.click("#language")


def test_an_applicant_does_not_review_their_own_case(staff: Staff, browser: Browser, reviewer: Account) -> None:
    [sections] = simple_invoices([3003])
    applicant = Applicant(staff, sections)
    with staff.database.write() as connection:
        connection.execute(text("UPDATE reprint_cases SET opened_by = :by WHERE id = :id"), {"by": reviewer.id, "id": applicant.id})
    with at_desk(browser, staff, viewport=DESKTOP) as desk:
        page = signed_in(desk, reviewer)
        desk.open(f"/staff/cases/{applicant.id}")
        expect(page.locator(".notice")).to_be_visible()
        expect(page.locator(".decide")).to_be_hidden()
        assert page.locator("canvas").count() == 0
