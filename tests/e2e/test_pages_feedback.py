"""`/feedback` and `/unsubscribe`, on a service that says what a test wants."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from service.api.models.feedback import Feedback, FeedbackSent
from tests.e2e.browsing import Visit, visiting
from tests.e2e.gallery_reprint import ANSWERED, ASKED, FED, FEEDBACK_TOKEN
from tests.e2e.site import Site
from tests.e2e.told_cases import ID, Told


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    with visiting(browser, [site.url[7:]]) as one:
        yield one


def test_a_message_is_sent_followed_and_added_to(site: Site, visit: Visit) -> None:
    sent = {**FED, "messages": [ASKED], "token": FEEDBACK_TOKEN}
    answered = {**FED, "state": "answered", "messages": [ASKED, ANSWERED]}
    FeedbackSent.model_validate(sent)
    Feedback.model_validate(answered)
    service, page = Told(visit.page), visit.page
    page.goto(f"{site.url}/feedback#case={ID}")
    expect(page.locator("#field-case")).to_have_value(ID)
    page.fill("#field-contact", "nobody")
    page.click("form button[type=submit]")
    expect(page.locator(".errors a")).to_have_count(2)
    visit.check_accessible()
    page.fill("#field-message", ASKED["text"])
    page.reload()
    expect(page.locator("#field-message")).to_have_value(ASKED["text"])  # nothing typed is lost
    page.fill("#field-contact", "z@example.cn")
    service.handlers["POST", "feedback"] = lambda _: (201, sent)
    service.handlers["GET", "feedback/.*"] = lambda _: (200, answered)
    page.click("form button[type=submit]")
    expect(page.locator("#root .notice")).to_contain_text("收到了")
    contact = {"channel": "email", "address": "z@example.cn"}
    assert service.sent("feedback") == [{"message": ASKED["text"], "page": "/reprint", "case": ID, "contact": contact}]
    visit.check_accessible()
    page.reload()
    expect(page.locator(".conversation li")).to_have_count(2)
    expect(page.locator("#root .notice")).to_contain_text("已有答复")
    page.fill("#field-text", "谢谢")
    service.handlers["POST", "feedback/.*/messages"] = lambda _: (
        200,
        {**FED, "messages": [ASKED, ANSWERED, {**ASKED, "text": "谢谢"}]},
    )
    page.click("form button[type=submit]")
    expect(page.locator(".conversation li")).to_have_count(3)
    assert service.sent("/messages") == [{"text": "谢谢"}]


def test_the_link_of_an_answer_opens_it_and_leaves_no_trace(site: Site, visit: Visit) -> None:
    service = Told(visit.page)
    service.handlers["GET", "feedback/.*"] = lambda _: (200, {**FED, "state": "answered", "messages": [ASKED, ANSWERED]})
    visit.page.goto(f"{site.url}/feedback#{FEEDBACK_TOKEN}")
    expect(visit.page.locator(".conversation")).to_contain_text("即可下载")
    assert visit.page.evaluate("location.hash") == ""
    visit.page.click("#language")
    expect(visit.page.locator(".conversation")).to_contain_text("Staff")


def test_notices_end_only_when_that_is_confirmed(site: Site, visit: Visit) -> None:
    token = "Ab3_" * 20
    service = Told(visit.page)
    service.handlers["POST", "notifications/unsubscribe"] = lambda _: (200, {"channel": "sms"})
    visit.page.goto(f"{site.url}/unsubscribe#{token}")
    expect(visit.page.locator("#root .button")).to_have_text("确认退订")
    assert service.asked == [], "whoever opens the link changes nothing"
    visit.check_accessible()
    visit.page.click("#root .button")
    expect(visit.page.locator("#root .notice")).to_contain_text("不再给您发短信通知")
    assert service.sent("unsubscribe") == [{"token": token}]
    visit.page.goto(f"{site.url}/unsubscribe#short")
    visit.page.reload()
    expect(visit.page.locator("#root")).to_contain_text("不完整")
