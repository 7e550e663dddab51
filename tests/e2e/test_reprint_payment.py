"""A fee that the evidence leaves open: a reviewer decides it and says why, and the applicant pays it at a provider's on a phone.

The provider is the demo's, in a process of its own; it calls the service back as any provider would.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from service.reprints.tables import reprint_cases
from tests.chain import Chain
from tests.e2e.applicants import Applicant, see_materials
from tests.e2e.browsing import ROOT, visiting
from tests.e2e.staff import Staff, at_desk, staffed
from tests.ports import held_port
from tests.unit.samples import sections_of

KEY, SECRET = "key-of-the-provider", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REASON = "原件由购方自行遗失，登记系统没有差错。"


@pytest.fixture
def provider_url() -> Iterator[str]:
    command = [sys.executable, "-m", "scripts.tour.payment_provider"]
    known = {**os.environ, "PAYMENT_KEY": KEY, "PAYMENT_SECRET": SECRET}
    with subprocess.Popen(command, cwd=ROOT, env=known, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.fixture
def staff(chain: Chain, tmp_path: Path, provider_url: str) -> Iterator[Staff]:
    settings: dict[str, Any] = {"payment_url": provider_url, "payment_key": KEY, "payment_secret": SECRET}
    settings |= {"payment_methods": ("provider", "bank_transfer"), "payment_account": "示例登记簿，示例银行，0000 1234"}
    # The provider is told beforehand where it leads back to.
    with held_port() as port, staffed(chain, tmp_path, public_url=f"http://localhost:{port}", **settings) as running:
        running.register(sections_of("S10"))
        running.rest()
        yield running


def undecided(staff: Staff) -> Applicant:
    """A case handed in, as it is where the evidence does not tell who owes the reprint."""
    applicant = Applicant(staff, sections_of("S10"))
    with staff.database.write() as connection:
        values = {"fee": "undetermined", "fee_fen": 0, "responsible": "undetermined"}
        connection.execute(update(reprint_cases).where(reprint_cases.c.id == applicant.id).values(values))
    applicant.apply()
    applicant.confirm()
    applicant.hand_in()
    assert applicant.case()["state"] == "review_1"
    return applicant


def fee_of(page: Page) -> str:
    return page.inner_text("[aria-labelledby=fee-heading]")


def test_a_reviewer_decides_the_fee_and_the_applicant_pays_it_at_a_provider(
    staff: Staff, browser: Browser, provider_url: str
) -> None:
    applicant = undecided(staff)
    reviewer = staff.account("zhou@example.cn", "周审核", "reviewer")
    with at_desk(browser, staff, viewport={"width": 1280, "height": 900}) as desk:
        desk.sign_in(reviewer)
        page = desk.open(f"/staff/cases/{applicant.id}")
        desk.settle()
        see_materials(desk)
        page.keyboard.press("a")
        page.click("dialog button[type=submit]")
        expect(page.locator("#field-fee-error")).to_have_text("请选择是否收费。")
        expect(page.locator("#field-reason-error")).to_be_visible()
        desk.check_accessible()
        page.select_option("dialog #field-fee", "charged")
        page.click("dialog button[type=submit]")
        expect(page.locator("#field-fee-error")).to_be_hidden()
        assert applicant.case()["state"] == "review_1", "not without a reason"
        page.fill("dialog #field-reason", REASON)
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator(".why-not")).to_contain_text("缴费")

    with visiting(browser, [*staff.hosts, provider_url[7:]], has_touch=True, is_mobile=True) as phone:
        page = phone.page
        page.goto(f"{staff.url}/reprint")
        kept = json.dumps({"id": applicant.id, "token": applicant.token})
        page.evaluate("(kept) => sessionStorage.setItem('zhengpiao.reprint.case', kept)", kept)
        page.reload()
        expect(page.locator("#pay-heading")).to_be_visible()
        for said in ("¥20.00", "待缴", REASON):
            assert said in fee_of(page)
        page.get_by_role("button", name="在线支付").tap()
        page.get_by_role("link", name="去支付").tap()
        page.wait_for_url(f"{provider_url}/pay/*")
        assert "20.00" in page.inner_text("dl")
        page.go_back()  # without having paid: the way there is still open
        page.get_by_role("link", name="去支付").tap()
        page.get_by_role("button", name="支付").tap()
        page.wait_for_url(f"{staff.url}/reprint")
        expect(page.locator(".case-line")).to_contain_text(applicant.id)
        # What the page asks by itself every ten seconds; the provider calls back meanwhile. Who asks again drops the answer to what
        # was asked before, so that there has to be time for one.
        again = "dispatchEvent(new Event('online'))"
        page.wait_for_function(
            f"() => {{ {again}; return document.querySelector('.owed')?.textContent.includes('第二位审核人正在复核') }}",
            polling=2_000,
        )
        assert "已缴" in fee_of(page)
        phone.check_accessible()
    fee = applicant.case()["fee"]
    assert (fee["state"], fee["decided_by"], fee["reason"]) == ("paid", "reviewer", REASON)
