"""From *not registered* to a verified reprint: an applicant on a phone, on the real service with worker, mail server and chain.

The two reviewers, and the operator who sees the bank account, are played through the API.
"""

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from scripts.tour.inbox import Inbox, Servers
from service.deliveries import courier
from service.worker import Worker
from tests.chain import Chain, RegistryContract
from tests.e2e.applicants import paper
from tests.e2e.browsing import Visit, upload, visiting
from tests.e2e.site import Served
from tests.integration.api import Api, Signed
from tests.unit.samples import sections_of

ADDRESS = "zhao@example.cn"
_SECONDS = 60


class Service:
    """The application, its worker and its courier, each step when a test wants it."""

    def __init__(self, chain: Chain, database_url: str, folder: Path) -> None:
        self.inbox = Inbox(folder / "inbox")
        self.letters = Servers(self.inbox)
        self.api = Api(
            database_url,
            contract=RegistryContract.deploy(chain).address,
            chain_id=chain.chain_id,
            rpc_urls=(chain.url,),
            anchor_key=chain.accounts[2].private_key,
            public_url="http://localhost",
            max_lag_s=10**9,
            reconcile_s=0,
            smtp_url=self.letters.smtp_url,
            payment_account="示例登记簿，示例银行，6222 0000 0000 0000",
        )
        self.served = Served(self.api.app, "localhost")
        self.url = self.served.url
        self.worker = Worker(self.api.settings, self.api.database)
        found = courier.build(self.api.settings, self.api.database)
        assert found is not None
        self.courier = found
        self.hosts = [self.url[7:], chain.url[7:]]

    def close(self) -> None:
        self.served.stop()
        self.letters.close()
        self.api.context.close()

    def work(self) -> None:
        """A round of the worker, and everything that is to be sent by mail."""
        self.worker.round()
        while self.courier.step("email"):
            pass
        self.api.context._status = None

    def anchor_something(self) -> None:
        """Until an anchor is final: before there is one, nobody can say what is not registered."""
        deadline = time.monotonic() + _SECONDS
        while not self.api.client.get("/status").json()["final_head"]:
            assert time.monotonic() < deadline
            self.work()
            time.sleep(0.05)

    def work_until(self, page: Page, selector: str) -> None:
        """Until the page shows by itself what it waits for."""
        deadline = time.monotonic() + _SECONDS
        while not page.locator(selector).is_visible():
            assert time.monotonic() < deadline, page.inner_text("main")
            self.work()
            page.wait_for_timeout(100)

    def register(self, sections: dict[str, Any]) -> Any:
        answer = self.api.submit(sections)
        assert answer.status_code == 201, answer.text
        number = sections["header"]["number"]
        deadline = time.monotonic() + _SECONDS
        while self.api.client.get(f"/v1/invoices/{number}", headers=self.api.auditor).json()["state"] != "final":
            assert time.monotonic() < deadline
            self.work()
            time.sleep(0.05)
        return answer.json()

    def code(self) -> str:
        """Of the newest mail that has one."""
        self.work()
        mail = next(one for one in reversed(self.inbox.arrived) if "验证码" in one["subject"])
        assert mail["to"] == ADDRESS
        found = re.search(r"(?<![0-9A-Z-])[0-9]{6}(?![0-9-])", mail["subject"])
        assert found is not None, mail["subject"]
        return found[0]

    def subjects(self) -> list[str]:
        self.work()
        return [one["subject"].partition("：")[2] for one in self.inbox.arrived if "：" in one["subject"]]

    def decide(self, case_id: str, reviewer: Signed, decision: str, reason: str | None = None) -> None:
        shown = self.api.client.get(f"/v1/reprints/{case_id}/review", headers=reviewer.headers).json()["shown"]
        body = {
            "decision": decision,
            **({"shown": shown} if decision == "approve" else {}),
            **({"reason": reason} if reason else {}),
        }
        answer = self.api.client.post(f"/v1/reprints/{case_id}/reviews", json=body, headers=reviewer.headers)
        assert answer.status_code == 200, answer.text

    def confirm_payment(self, case_id: str, reference: str) -> None:
        operator = self.api.person("operator", purpose=None)
        body = {"reference": reference, "amount": "20.00"}
        answer = self.api.client.post(f"/v1/reprints/{case_id}/payment/confirm", json=body, headers=operator.headers)
        assert answer.status_code == 200, answer.text


@contextmanager
def serving(chain: Chain, database_url: str, folder: Path) -> Iterator[Service]:
    service = Service(chain, database_url, folder)
    try:
        service.anchor_something()
        yield service
    finally:
        service.close()


@pytest.fixture
def service(chain: Chain, made_url: str, tmp_path: Path) -> Iterator[Service]:
    with serving(chain, made_url, tmp_path) as running:
        yield running


@pytest.fixture
def phone(browser: Browser, service: Service) -> Iterator[Visit]:
    with visiting(browser, service.hosts, has_touch=True, is_mobile=True) as one:
        yield one


def look_up(page: Page, sections: dict[str, Any]) -> None:
    header, totals = sections["header"], sections["totals"]
    page.fill("#field-number", header["number"])
    page.fill("#field-issued_on", header["issued_on"])
    page.fill("#field-amount", totals["amount_with_tax"])
    page.tap("#lookup button")


def send_papers(visit: Visit, *types: str) -> None:
    for type_ in types:
        visit.choose(f"photo-{type_}", upload(f"{type_}.png", paper(type_.upper()), "image/png"))
        thumb = visit.page.locator(f"[data-type={type_}] .thumb img")
        expect(thumb.first).to_have_attribute("src", re.compile("^blob:"))


def test_from_not_registered_to_a_verified_reprint(service: Service, phone: Visit, browser: Browser) -> None:
    sections = sections_of("S10")
    page = phone.page
    page.goto(f"{service.url}/reprint")
    look_up(page, sections)
    expect(page.locator("#found .word")).to_have_text("没有登记过")
    assert page.get_by_role("button", name="申请补打").count() == 0

    made = service.register(sections)
    old = f"/v{made['links']['verify'].partition('/v')[2]}"
    page.get_by_role("button", name="改正后再查").tap()
    page.tap("#lookup button")
    expect(page.locator("#found .word")).to_have_text("各环节均在")
    page.get_by_role("button", name="仍要申请补打").tap()

    page.fill("#field-reason", "纸质发票遗失，报销需要。")
    page.fill("#field-name", "赵某某")
    page.fill("#field-company", "北京样本数据科技有限公司")
    page.fill("#field-contact", ADDRESS)
    page.tap("#case details summary")
    page.get_by_label("任何时候都可以").check()  # this test may run at night
    page.reload()  # nothing typed is lost
    page.get_by_role("button", name="提交申请").tap()
    expect(page.locator("#case form h2")).to_have_text("输入验证码")
    page.fill("#field-code", service.code())
    page.get_by_role("button", name="确认").tap()
    expect(page.locator("#case h2").first).to_have_text("上传材料")
    case_id = page.inner_text(".case-line strong")

    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载填好的申请表").tap()
    assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF-")
    send_papers(phone, "identity", "company_letter", "application_form")
    phone.check_accessible()
    page.get_by_role("button", name="提交审核").tap()

    expect(page.locator("#pay-heading")).to_be_visible()
    page.get_by_role("button", name="银行转账").tap()
    reference = page.inner_text(".copyable .value")
    assert reference in page.inner_text("[aria-labelledby=pay-heading] .quote")
    service.confirm_payment(case_id, reference)
    service.work_until(page, '.owed:has-text("第一位审核人正在审核")')

    first, second = service.api.person("reviewer", name="甲"), service.api.person("reviewer", name="乙")
    service.decide(case_id, first, "return", "介绍信没有盖公章，请盖章后重拍。")
    service.work()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".returned")).to_contain_text("介绍信没有盖公章")
    send_papers(phone, "company_letter")
    page.get_by_role("button", name="提交审核").tap()
    expect(page.locator(".owed")).to_contain_text("第一位审核人正在审核")
    service.decide(case_id, first, "approve")
    service.decide(case_id, second, "approve")
    page.evaluate("dispatchEvent(new Event('online'))")
    service.work_until(page, '#case .word:text-is("补打完成")')
    phone.check_accessible()

    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载 PDF").tap()
    document = Path(waiting.value.path()).read_bytes()
    page.get_by_role("link", name="核验新的一份").tap()
    phone.wait_for("登记有效")
    assert phone.role() == "good"
    page.goto(f"{service.url}{old}")
    phone.wait_for("已被补打替换")
    with visiting(browser, service.hosts) as anybody:
        anybody.page.goto(f"{service.url}/verify")
        anybody.choose("files", upload("reprint.pdf", document, "application/pdf"))
        anybody.wait_for("登记有效")
    subjects = service.subjects()
    assert len(subjects) == len(set(subjects)) + subjects.count("开始审核") - 1, subjects


def test_coming_back_on_another_phone_and_giving_up(service: Service, phone: Visit, browser: Browser) -> None:
    sections = sections_of("S10")
    service.register(sections)
    page = phone.page
    page.goto(f"{service.url}/reprint")
    look_up(page, sections)
    page.get_by_role("button", name="仍要申请补打").tap()
    for name, text in (("reason", "遗失"), ("name", "赵某某"), ("contact", ADDRESS)):
        page.fill(f"#field-{name}", text)
    page.tap("#case details summary")
    page.fill("#field-also", "138 1234 5678")
    page.get_by_role("button", name="提交申请").tap()
    expect(page.locator("#case form h2")).to_have_text("输入验证码")
    page.fill("#field-code", service.code())
    page.get_by_role("button", name="确认").tap()
    expect(page.locator("#case h2").first).to_have_text("上传材料")
    case_id = page.inner_text(".case-line strong")
    # Somebody else asks for a reprint of the same invoice meanwhile.
    with visiting(browser, service.hosts) as other:
        other.page.goto(f"{service.url}/reprint")
        look_up_on_desk(other.page, sections)
        other.page.get_by_role("button", name="仍要申请补打").click()
        expect(other.page.locator("#found [role=alert]")).to_be_visible()
    with visiting(browser, service.hosts, has_touch=True, is_mobile=True) as second:
        second.page.goto(f"{service.url}/reprint#case={case_id}")
        second.page.get_by_role("button", name="发送验证码").tap()
        expect(second.page.locator("#field-code")).to_be_visible()
        code = service.code()
        second.page.fill("#field-code", "000000" if code != "000000" else "111111")
        second.page.get_by_role("button", name="确认").tap()
        expect(second.page.locator("#field-code-error")).to_be_visible()
        second.page.fill("#field-code", code)
        second.page.get_by_role("button", name="确认").tap()
        send_papers(second, "identity")
        preview = second.page.locator(".thumb img")
        preview.evaluate("(image) => image.decode()")  # it is drawn from now on
        picture = Image.open(io.BytesIO(preview.screenshot()))
        assert len(picture.convert("L").getcolors(256) or []) > 2, "a preview of what was sent"
        change_notices(second)
        second.page.get_by_role("button", name="撤回申请").tap()
        second.page.locator("dialog").get_by_role("button", name="撤回", exact=True).tap()
        expect(second.page.locator("#case .word")).to_have_text("已撤回")
    service.work()
    mail = next(one for one in service.inbox.arrived if "/unsubscribe#" in one["text"])
    token = re.search(r"/unsubscribe#([A-Za-z0-9_-]+)", mail["text"])
    assert token is not None
    page.goto(f"{service.url}/unsubscribe#{token[1]}")
    page.get_by_role("button", name="确认退订").tap()
    expect(page.locator("#root .notice")).to_contain_text("不再给您发邮件通知")


def change_notices(visit: Visit) -> None:
    """No more of them, to another number, and by mail again; beside that a program is told."""
    page = visit.page
    page.get_by_role("button", name="通知设置").tap()
    asked, present = page.locator("dialog"), page.locator("dialog .facts").first
    expect(present).to_contain_text("z***@example.cn")
    expect(present).to_contain_text("138****5678")
    expect(page.locator("#field-email")).to_be_visible()
    page.get_by_label("都不要").check()
    expect(page.locator("#field-email")).to_be_hidden()
    visit.check_accessible()
    asked.get_by_role("button", name="保存").tap()
    expect(present).to_contain_text("都不要")
    asked.get_by_text("也通知您的系统").tap()
    asked.get_by_role("button", name="添加").tap()
    page.fill("#field-url", "http://erp.example.com/")
    asked.get_by_role("button", name="添加").tap()
    expect(page.locator("#field-url-error")).to_contain_text("https")
    page.fill("#field-url", "https://erp.example.com/hooks")
    asked.get_by_role("button", name="添加").tap()
    expect(asked.locator(".copyable .value")).to_contain_text("whsec_")
    visit.check_accessible()
    asked.get_by_role("button", name="删除").tap()
    expect(asked.locator(".hooks")).to_have_count(0)
    asked.get_by_role("button", name="关闭").tap()

    page.get_by_role("button", name="通知设置").tap()
    expect(page.get_by_label("都不要")).to_be_checked()
    page.get_by_label("邮件和短信").check()
    page.fill("#field-sms", "139 1234")
    page.get_by_label("任何时候都可以").check()
    asked.get_by_role("button", name="保存").tap()
    expect(page.locator("#field-sms-error")).to_contain_text("请检查手机号")
    page.fill("#field-sms", "139 1234 5678")
    asked.get_by_role("button", name="保存").tap()
    expect(present).to_contain_text("139****5678")
    expect(present).to_contain_text("任何时候都可以")
    asked.get_by_role("button", name="关闭").tap()


def look_up_on_desk(page: Page, sections: dict[str, Any]) -> None:
    page.fill("#field-number", sections["header"]["number"])
    page.fill("#field-issued_on", sections["header"]["issued_on"])
    page.fill("#field-amount", sections["totals"]["amount_with_tax"])
    page.keyboard.press("Enter")


def test_feedback_is_answered(service: Service, phone: Visit) -> None:
    page = phone.page
    page.goto(f"{service.url}/feedback")
    page.fill("#field-message", "在哪里下载？")
    page.fill("#field-contact", ADDRESS)
    page.get_by_role("button", name="发送").tap()
    expect(page.locator("#root .notice")).to_contain_text("收到了")
    id_ = page.inner_text(".case-line strong")
    reviewer = service.api.person("reviewer")
    body = {"text": "在补打页面。"}
    answer = service.api.client.post(f"/v1/feedback/{id_}/answers", json=body, headers=reviewer.headers)
    assert answer.status_code == 200, answer.text
    service.work()
    link = re.search(r"/feedback#\S+", service.inbox.arrived[-1]["text"])
    assert link is not None
    page.goto("about:blank")
    page.goto(f"{service.url}{link[0]}")
    expect(page.locator(".conversation")).to_contain_text("在补打页面。")
    phone.check_accessible()
