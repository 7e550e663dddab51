"""Two reviewers at their desks: sent back, handed in again, approved by one and by the other, and the reprint is there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.chain import Chain
from tests.e2e.applicants import see_materials, submitted
from tests.e2e.staff import Desk, Staff, at_desk, staffed
from tests.stores import simple_invoices
from tests.unit.samples import sections_of

DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def staff(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """The central record has what is before the case's invoice, and not that one: the registry is at fault, and nothing is due."""
    with staffed(chain, tmp_path_factory.mktemp("reviewers")) as running:
        running.register(sections_of("S10"))
        running.rest()
        central = running.api.key("central")
        assert running.client.post("/v1/central/acknowledgements", json={"cursor": 1}, headers=central).status_code == 200
        yield running


def open_case(desk: Desk, case: str) -> None:
    desk.open(f"/staff/cases/{case}")
    desk.settle()


def decide(desk: Desk, key: str, reason: str | None = None) -> None:
    """By the keyboard, as somebody who does it all day."""
    desk.page.keyboard.press(key)
    dialog = desk.page.locator("dialog")
    if reason is not None:
        dialog.locator("textarea").fill(reason)
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0)
    desk.settle()


def test_two_reviewers_bring_a_case_to_its_reprint(browser: Browser, staff: Staff) -> None:
    [sections] = simple_invoices(range(3000, 3001))
    staff.register(sections)
    staff.rest()
    applicant = submitted(staff, sections)
    assert applicant.case()["state"] == "review_1"
    lin, zhou = staff.account("lin", "林复核", "reviewer"), staff.account("zhou", "周复核", "reviewer")
    with at_desk(browser, staff, viewport=DESKTOP) as first, at_desk(browser, staff, viewport=DESKTOP) as second:
        first.sign_in(lin, "/sign-in?next=/staff")
        expect(first.page.locator("#root")).to_contain_text(applicant.id)
        open_case(first, applicant.id)
        approve = first.page.locator(".decide button.primary")
        expect(approve).to_be_disabled()  # nobody approves what they have not looked at
        assert see_materials(first) == 3
        expect(approve).to_be_enabled()
        decide(first, "r", "身份证件模糊，请重新拍照上传。")
        assert applicant.case()["state"] == "materials_pending"
        applicant.hand_in()
        open_case(first, applicant.id)
        see_materials(first)
        decide(first, "a")
        assert applicant.case()["state"] == "review_2"
        expect(approve).to_be_disabled()  # the second one is somebody else
        second.sign_in(zhou, "/sign-in?next=/staff")
        open_case(second, applicant.id)
        see_materials(second)
        decide(second, "a")
        staff.rest()
        staff.rest()
        case = applicant.case()
        assert case["state"] == "completed"
        assert [row["by"] for row in case["history"] if row["event"].startswith("approve")] == ["reviewer", "reviewer"]
        document = staff.client.get(f"/v1/reprints/{applicant.id}/document", headers=applicant.headers)
        assert document.status_code == 200
        assert document.content.startswith(b"%PDF")
