"""Pictures of the applicant's pages at every step, as gallery.py makes them: `python -m tests.e2e.gallery_reprint DIR [NAME…]`."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.e2e import told_cases as told
from tests.e2e.gallery import run
from tests.e2e.site import Site
from tests.e2e.test_pages_diagnosis import said
from tests.e2e.told_cases import Told, case, happened, history_to, item

Scene = Callable[[Site, Page], None]

COMPLETE = {"needed": told.NEEDED, "items": [item("identity", 1, 2), item("company_letter", 2), item("application_form", 3)]}
RETURNED = [
    *history_to("review_1"),
    happened("return", "review_1", "materials_pending", "reviewer", "介绍信没有盖公章，请盖章后重新拍照上传。", 9),
]
FEE_DUE = {
    "kind": "charged",
    "amount": "20.00",
    "currency": "CNY",
    "rests_on": "final",
    "decided_by": "evidence",
    "reason": None,
    "state": "due",
}
REJECTED = [*history_to("review_1"), happened("reject", "review_1", "rejected", "reviewer", "所交证件与申请人不符。", 9)]


def start(site: Site, page: Page) -> None:
    Told(page)
    page.goto(f"{site.url}/reprint")


def diagnosed(diagnosis: dict[str, Any]) -> Scene:
    def scene(site: Site, page: Page) -> None:
        Told(page, None, diagnosis)
        page.goto(f"{site.url}/reprint#number={told.NUMBER}&issued_on=2026-09-01&amount_with_tax=1060.00")
        page.wait_for_selector("#found .verdict")

    return scene


def at(found: dict[str, Any], then: Callable[[Told, Page], None] = lambda told, page: None) -> Scene:
    def scene(site: Site, page: Page) -> None:
        service = Told(page, found)
        service.keep(page)
        page.goto(f"{site.url}/reprint")
        page.wait_for_selector("#case .case-line")
        then(service, page)

    return scene


def wrong(_: Told, page: Page) -> None:
    page.fill("#field-contact", "12345")
    page.click("#case details summary")
    page.click("#case form button[type=submit]")


def paying(service: Told, page: Page) -> None:
    how = "请转账 20.00 元至：示例登记簿，示例银行，6222 0000 0000 0000。附言请只写：P7K3M9QXA2VD。到账后由工作人员确认。"
    payment = {"method": "bank_transfer", "reference": "P7K3M9QXA2VD", "amount": "20.00", "currency": "CNY", "instructions": how}
    service.handlers["POST", ".*/payment"] = lambda _: (200, {**payment, "state": "open", "url": None})
    page.click("#case .card .buttons .button >> nth=0")
    page.wait_for_selector(".copyable")


def withdrawing(_: Told, page: Page) -> None:
    page.get_by_role("button", name="撤回申请").or_(page.get_by_role("button", name="Withdraw")).click()


def noticing(service: Told, page: Page) -> None:
    channels = [{"channel": "email", "hint": "z***@example.cn"}]
    kept = {"case": told.ID, "channels": channels, "quiet_hours": {"start": "22:00", "end": "08:00"}, "language": "zh-CN"}
    service.handlers["GET", "notifications/preferences"] = lambda _: (200, kept)
    page.get_by_role("button", name="通知设置").or_(page.get_by_role("button", name="Notices")).click()
    page.wait_for_selector("dialog form .choices")


def back(site: Site, page: Page) -> None:
    Told(page)
    page.goto(f"{site.url}/reprint#case={told.ID}")
    page.click("#case form button[type=submit]")
    page.wait_for_selector("#field-code")


def offline(site: Site, page: Page) -> None:
    service = Told(page)
    service.handlers["POST", "diagnoses"] = lambda _: None
    page.goto(f"{site.url}/reprint#number={told.NUMBER}&issued_on=2026-09-01&amount_with_tax=1060.00")
    page.wait_for_selector("#found [role=alert]")


FED: dict[str, Any] = {
    "id": "F261125-2VD7K3M9",
    "state": "open",
    "page": "/reprint",
    "case": told.ID,
    "opened_at": told.DUE,
    "changed_at": told.DUE,
}
ASKED = {
    "at": "2026-11-25T08:26:40.000+00:00",
    "event": "asked",
    "by": "visitor",
    "text": "补打完成后在哪里下载？\n我在手机上没有找到。",
}
ANSWERED = {
    "at": "2026-11-25T09:26:40.000+00:00",
    "event": "answered",
    "by": "staff",
    "text": "在补打页面输入申请编号和验证码，即可下载。",
}
FEEDBACK_TOKEN = "zpf_F261125-2VD7K3M9_k3jq2cs5svx2mb7yh6pq4wz3"


def feedback(site: Site, page: Page) -> None:
    Told(page)
    page.goto(f"{site.url}/feedback#case={told.ID}")
    page.wait_for_selector("#field-message")


def thanked(site: Site, page: Page) -> None:
    service = Told(page)
    service.handlers["POST", "feedback"] = lambda _: (201, {**FED, "messages": [ASKED], "token": FEEDBACK_TOKEN})
    page.goto(f"{site.url}/feedback")
    page.fill("#field-message", ASKED["text"])
    page.click("form button[type=submit]")
    page.wait_for_selector(".conversation")


def answered(site: Site, page: Page) -> None:
    service = Told(page)
    service.handlers["GET", "feedback/.*"] = lambda _: (200, {**FED, "state": "answered", "messages": [ASKED, ANSWERED]})
    page.goto(f"{site.url}/feedback#{FEEDBACK_TOKEN}")
    page.wait_for_selector(".conversation")


def unsubscribe(site: Site, page: Page) -> None:
    Told(page)
    page.goto(f"{site.url}/unsubscribe#{'Ab3_' * 20}")
    page.wait_for_selector("#root .button")


def unsubscribed(site: Site, page: Page) -> None:
    service = Told(page)
    service.handlers["POST", "notifications/.*"] = lambda _: (200, {"channel": "email"})
    page.goto(f"{site.url}/unsubscribe#{'Ab3_' * 20}")
    page.click("#root .button")
    page.wait_for_selector("#root .notice")


DONE = {"number": told.NUMBER, "state": "final", "document_ready": True, "verify": f"/v#{told.NUMBER}.{'A' * 52}"}
SCENES: dict[str, Scene] = {
    "start": start,
    "found": diagnosed(told.present()),
    "lost": diagnosed(told.missing_at_a_node()),
    "absent": diagnosed(said("never_submitted", "check_details", "undetermined", tries_left=4)),
    "offline": offline,
    "apply": at(case("started")),
    "apply-wrong": at(case("started"), wrong),
    "code": at(case("submitted")),
    "materials": at(case("materials_pending", materials={**COMPLETE, "items": COMPLETE["items"][:1]})),
    "returned": at(case("materials_pending", materials=COMPLETE, history=RETURNED)),
    "fee": at(case("fee_due", fee=FEE_DUE)),
    "paying": at(case("fee_due", fee=FEE_DUE), paying),
    "review": at(case("review_1")),
    "making": at(case("approved")),
    "completed": at(case("completed", result=DONE)),
    "collect": at(case("completed", delivery="collect", result={**DONE, "pickup_code": "4831 9027"})),
    "rejected": at(case("rejected", history=REJECTED, fee={**FEE_DUE, "state": "refund_due"})),
    "notices": at(case("review_1"), noticing),
    "withdrawing": at(case("review_1"), withdrawing),
    "back": back,
    "feedback": feedback,
    "feedback-thanked": thanked,
    "feedback-answered": answered,
    "unsubscribe": unsubscribe,
    "unsubscribed": unsubscribed,
}


if __name__ == "__main__":
    run(SCENES, lambda name, shown: SCENES[name](shown.site, shown.visit.page))
