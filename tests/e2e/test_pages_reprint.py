"""The applicant's pages alone, on a service that says what a test wants: nothing typed is lost, errors, what is shown when."""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, expect

from service.api.models.reprints import Case
from tests.e2e import codes
from tests.e2e import told_cases as told
from tests.e2e.browsing import Visit, upload, visiting
from tests.e2e.gallery_reprint import COMPLETE, DONE, FEE_DUE, REJECTED, RETURNED
from tests.e2e.site import Site
from tests.e2e.test_pages_diagnosis import said
from tests.e2e.test_pages_lookup import REGISTERED, fill
from tests.e2e.told_cases import FACTS, ID, NUMBER, TOKEN, Told, case, item
from tests.vector_files import PROOFS

Visiting = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    with visiting(browser, [site.url[7:]], has_touch=True, is_mobile=True) as one:
        yield one


def opened(site: Site, visit: Visit, found: dict[str, Any]) -> Told:
    """The page of a case that this tab had opened before."""
    Case.model_validate(found)  # what the tests show is what the API may say
    service = Told(visit.page, found)
    service.keep(visit.page)
    visit.page.goto(f"{site.url}/reprint")
    expect(visit.page.locator("#case .case-line")).to_contain_text(ID)
    return service


def look_up(site: Site, visit: Visit, diagnosis: dict[str, Any]) -> Told:
    service = Told(visit.page, None, diagnosis)
    visit.page.goto(f"{site.url}/reprint")
    visit.page.fill("#field-number", NUMBER)
    visit.page.fill("#field-issued_on", "2026/9/1")
    visit.page.fill("#field-amount", "¥1,060.00")
    visit.page.click("#lookup button")
    expect(visit.page.locator(f"#found [data-verdict={diagnosis['verdict']}]")).to_be_visible()
    return service


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def current_step(visit: Visit) -> Locator:
    return visit.page.locator("#steps [aria-current=step]")


def test_an_invoice_that_nobody_lost_is_viewed_and_not_made_anew(site: Site, visit: Visit) -> None:
    service = look_up(site, visit, told.present())
    assert service.sent("diagnoses") == [FACTS]
    buttons = visit.page.locator("#found .buttons > *")
    assert [text.strip() for text in buttons.all_inner_texts()] == ["扫码查看", "仍要申请补打", "查另一张"]
    expect(buttons.first).to_have_class(re.compile("primary"))
    expect(current_step(visit)).to_contain_text("核对")
    visit.page.click("#found summary")
    assert len(visit.page.locator("#found .hops li").all()) == 8
    assert visit.page.locator("#found [data-role=good]").count() == 0, "it is the service's word"
    visit.check_accessible()
    assert fits(visit.page)


def test_the_code_of_an_invoice_leads_to_its_page(site: Site, visit: Visit) -> None:
    site.context.settings.public_url = site.url
    service = Told(visit.page, None, told.present())
    visit.page.goto(f"{site.url}/reprint")
    copy = f"{NUMBER}.{'A' * 52}"
    visit.choose("paper", upload("photo.png", codes.png(codes.picture(f"{site.url}/v#{copy}")), "image/png"))
    expect(visit.page.locator("#found .buttons .primary")).to_have_attribute("href", f"/v#{copy}")
    assert service.sent("diagnoses") == [{"number": NUMBER, "commitment": "0" * 64}]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (upload("a.proof.json", b'{"protocol": "zp1"}', "application/json"), "application/vnd.zhengpiao.proof+json"),
        (upload("a.pdf", b"%PDF-1.7 x", "application/pdf"), "application/pdf"),
    ],
)
def test_a_file_is_shown_to_the_service_and_restores_what_it_lost(site: Site, visit: Visit, file: Any, kind: str) -> None:
    service = Told(visit.page, None, said("lost_after_anchor", "restore_from_copy", fee="free", number=NUMBER))
    sent: list[tuple[str, str | None]] = []

    def recover(request: Request) -> tuple[int, Any]:
        sent.append((request.url.rpartition("/")[2], request.headers.get("content-type")))
        service.diagnosis = told.present()
        return 200, {"number": NUMBER, "state": "restored", "restored": ["invoices"], "lost": [], "altered": [], "links": {}}

    service.handlers["POST", "recoveries"] = recover
    visit.page.goto(f"{site.url}/reprint")
    visit.choose("paper", file)
    visit.page.get_by_role("button", name="用这一份恢复记录").click()
    expect(visit.page.locator("#found")).to_contain_text("记录已经恢复")
    expect(visit.page.locator("#found .word")).to_have_text("各环节均在")
    assert sent == [("recoveries", kind)]


def test_what_was_mistyped_is_corrected_in_the_form_that_still_has_it(site: Site, visit: Visit) -> None:
    fields = [{"field": "amount", "slip": "with_and_without_tax", "sentence": "金额填成了另一个。"}]
    look_up(site, visit, said("detail_mismatch", "check_details", "applicant", next_action={"fields": fields}, tries_left=3))
    assert "金额填成了另一个" in visit.page.inner_text("#found .notice")
    assert "再试 3 次" in visit.page.inner_text("#found")
    assert visit.page.get_by_role("button", name="申请补打").count() == 0
    visit.page.get_by_role("button", name="改正后再查").click()
    assert visit.page.input_value("#field-amount") == "¥1,060.00"
    expect(visit.page.locator("#field-number")).to_be_focused()


def test_what_stood_on_the_look_up_page_comes_along_and_leaves_no_trace(site: Site, visit: Visit) -> None:
    service = Told(visit.page)
    visit.page.goto(f"{site.url}/reprint#number={NUMBER}&issued_on=2026-09-01&amount_with_tax=1060.00")
    expect(visit.page.locator("#found .word")).to_be_visible()
    assert service.sent("diagnoses") == [FACTS]
    assert visit.page.evaluate("location.hash") == ""


def test_from_the_look_up_s_answer_to_the_reprint(site: Site, browser: Browser) -> None:
    hosts = [site.url[7:], site.chain.url[7:], site.chain.url[7:].replace("127.0.0.1", "localhost")]
    proof = json.loads((PROOFS / "registered.proof.json").read_bytes())
    site.answers.lookups[REGISTERED] = {"result": "match", "status": "valid", "proof": proof, "tries_left": 5}
    with visiting(browser, hosts) as visit:
        service = Told(visit.page)
        visit.page.goto(f"{site.url}/")
        fill(visit, REGISTERED, "2026-09-01", "1060.00")
        visit.page.get_by_role("link", name="申请补打").click()
        expect(visit.page.locator("#found .word")).to_have_text("各环节均在")
        assert service.sent("diagnoses") == [{**FACTS, "number": REGISTERED}]
        site.answers.lookups[REGISTERED] = {"result": "match", "status": "void", "proof": proof, "tries_left": 5}
        visit.page.goto(f"{site.url}/")
        fill(visit, REGISTERED, "2026-09-01", "1060.00")
        expect(visit.page.get_by_role("button", name="查经过")).to_be_visible()
        assert visit.page.get_by_role("link", name="申请补打").count() == 0


def test_a_case_is_opened_and_a_refusal_says_why(site: Site, visit: Visit) -> None:
    service = look_up(site, visit, told.missing_at_a_node())
    service.refuse("POST", "reprints", 409, "case_open", "这张发票已有一份补打申请在办理。")
    apply = visit.page.get_by_role("button", name="申请补打")
    apply.click()
    expect(visit.page.locator("#found [role=alert]")).to_contain_text("已有一份补打申请")
    service.case = case("started", diagnosis=told.missing_at_a_node())
    service.handlers["POST", "reprints"] = lambda _: (201, {**(service.case or {}), "token": TOKEN})
    apply.click()
    expect(visit.page.locator("#case form h2")).to_have_text("申请补打")
    assert service.sent("reprints") == [FACTS, FACTS]
    expect(current_step(visit)).to_contain_text("申请")
    assert json.loads(visit.page.evaluate("sessionStorage.getItem('zhengpiao.reprint.case')"))["token"] == TOKEN
    assert visit.page.evaluate("localStorage.length") == 0
    visit.check_accessible()


def test_nothing_typed_is_lost_by_errors_reload_or_the_other_language(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("started"))
    page = visit.page
    page.fill("#field-reason", "遗失")
    page.check("input[value=collect]")
    page.fill("#field-contact", "1380013800")
    page.click("#case form button[type=submit]")
    errors = page.locator("#case .errors a")
    expect(errors).to_have_text(["请填写您的姓名。", "这不像手机号（11 位），也不像邮箱。请检查。"])
    expect(page.locator("#case .errors")).to_be_focused()
    expect(page.locator("#field-name")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#field-name-error")).to_have_text("请填写您的姓名。")
    errors.first.click()
    expect(page.locator("#field-name")).to_be_focused()
    visit.check_accessible()
    page.fill("#field-name", "张三")
    page.click("#language")
    expect(page.locator("#field-contact-error")).to_contain_text("neither a mobile number")
    expect(page.locator("label[for=field-name]")).to_have_text("Your name")
    page.reload()
    expect(page.locator("label[for=field-name]")).to_have_text("Your name")
    held = [page.input_value(f"#field-{name}") for name in ("reason", "name", "contact")]
    assert held == ["遗失", "张三", "1380013800"]
    assert page.is_checked("input[value=collect]")
    page.click("#language")
    page.fill("#field-contact", "138 0013 8000")
    service.handlers["POST", ".*/application"] = lambda _: None  # nobody answers
    page.click("#case form button[type=submit]")
    expect(page.locator("#case .errors")).to_contain_text("没有回答")
    service.moves("POST", ".*/application", case("submitted", contact_hint="138****8000"))
    page.click("#case form button[type=submit]")
    expect(page.locator("#case form h2")).to_have_text("输入验证码")
    assert "138****8000" in page.inner_text("#case form")
    first, second = service.sent("/application")
    assert first == second
    assert first["contact"] == {"channel": "sms", "address": "13800138000"}
    assert first["delivery"] == "collect"


def test_the_service_refuses_a_field_and_the_kind_that_is_not_given(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("started"))
    page = visit.page
    for name, text in (("reason", "遗失"), ("name", "张三"), ("contact", "z@example.cn")):
        page.fill(f"#field-{name}", text)
    page.check("input[value=reissue]")
    page.click("#case details summary")
    page.fill("#field-also", "other@example.cn")
    page.click("#case details summary")
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-also-error")).to_contain_text("这里请填手机号")  # and what was folded is open
    page.fill("#field-also", "")
    wrong = {"pointer": "/contact/address", "code": "member_invalid", "severity": "error", "detail": "这个邮箱收不到邮件。"}
    service.refuse("POST", ".*/application", 422, "invalid_request", "请求有误。", errors=[wrong])
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-contact-error")).to_have_text("这个邮箱收不到邮件。")
    service.refuse("POST", ".*/application", 409, "reprint_copy_only", "这张发票只能补打，不能重开。")
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-kind-error")).to_have_text("这张发票只能补打，不能重开。")
    assert page.locator("input[name=kind]").count() == 1
    service.moves("POST", ".*/application", case("submitted"))
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-code")).to_be_visible()
    assert [body["kind"] for body in service.sent("/application")] == ["reissue", "reissue", "copy"]


def test_a_partly_reversed_invoice_is_only_copied(site: Site, visit: Visit) -> None:
    opened(site, visit, case("started", diagnosis={**told.present(), "status": "partly_reversed"}))
    assert visit.page.locator("input[name=kind]").count() == 1


def test_the_code_proves_the_contact_and_ends_the_first_token(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("submitted"))
    page = visit.page
    visit.check_accessible()
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-code-error")).to_contain_text("6 位")
    page.fill("#field-code", "111111")
    service.refuse("POST", ".*/session", 403, "code_wrong", "验证码不对，或已过期。")
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-code-error")).to_have_text("验证码不对，或已过期。")
    fresh = TOKEN.replace("aaaa", "bbbb")
    tokens: list[str | None] = []

    def read(request: Request) -> None:
        if request.method == "GET" and request.url.endswith(ID):
            tokens.append(request.headers.get("authorization"))

    page.on("request", read)
    service.moves("POST", ".*/session", case("materials_pending"), token=fresh)
    page.fill("#field-code", " 492 039")
    page.click("#case form button[type=submit]")
    expect(page.locator("#case h2").first).to_have_text("上传材料")
    assert service.sent("/session")[-1] == {"code": "492039"}
    with page.expect_request(lambda request: request.method == "GET" and request.url.endswith(ID)):
        page.click("#language")  # and the case is read again
    expect(page.locator("#case h2").first).to_have_text("Materials")
    assert set(tokens) == {f"Bearer {fresh}"}


def test_a_contact_with_a_typing_error_is_corrected(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("submitted"))
    page = visit.page
    page.get_by_role("button", name="收不到").click()
    assert page.input_value("#field-name") == "张三"
    assert page.input_value("#field-contact") == "zhangsan@example.cn"
    page.fill("#field-contact", "zhang@example.cn")
    service.moves("POST", ".*/application", case("submitted", contact_hint="z***@example.com"))
    page.click("#case form button[type=submit]")
    expect(page.locator("#case form")).to_contain_text("z***@example.com")


def photograph(width: int = 4000, height: int = 3000) -> bytes:
    """As a phone takes it: large, lying on its side, and saying where it was taken."""
    made = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "PHONE-OF-SOMEBODY"
    written = io.BytesIO()
    made.save(written, "JPEG", quality=97, exif=exif)
    return written.getvalue()


def test_papers_are_photographed_looked_at_replaced_and_removed(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("materials_pending"))
    page = visit.page
    kept: list[dict[str, Any]] = []
    taken: list[tuple[str, bytes]] = []

    def materials() -> None:
        assert service.case is not None
        service.case = {**service.case, "materials": {"needed": told.NEEDED, "items": list(kept)}}

    def take(request: Request) -> tuple[int, Any]:
        type_ = request.url.partition("type=")[2]
        taken.append((type_, request.post_data_buffer or b""))
        kept.append(item(type_, len(taken)))
        materials()
        return 201, kept[-1]

    def remove(request: Request) -> tuple[int, Any]:
        kept[:] = [one for one in kept if not request.url.endswith(one["id"])]
        materials()
        return 200, {"removed": True}

    service.handlers["POST", ".*/materials.*"] = take
    service.handlers["DELETE", ".*/materials/.*"] = remove
    assert page.get_attribute("#photo-identity", "capture") == "environment"
    assert "还缺：身份证件、公司介绍信、补打申请表" in page.inner_text("#case")
    page.get_by_role("button", name="提交审核").click()
    expect(page.locator("#case .errors a")).to_have_count(3)
    visit.check_accessible()

    visit.choose("photo-identity", upload("IMG.jpg", photograph(), "image/jpeg"))
    identity = page.locator("[data-type=identity]")
    expect(identity.locator(".thumb img")).to_have_attribute("src", re.compile("^blob:"))
    (type_, sent), *_ = taken
    picture = Image.open(io.BytesIO(sent))
    assert (type_, picture.format, picture.size) == ("identity", "JPEG", (1800, 2400)), "upright, and smaller"
    assert b"PHONE-OF-SOMEBODY" not in sent
    identity.locator(".thumb").click()
    expect(page.locator("dialog img")).to_be_visible()
    visit.check_accessible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)

    visit.choose("file-identity", upload("paper.pdf", b"%PDF-1.7 paper", "application/pdf"))
    expect(identity.locator(".item")).to_have_count(1)
    page.wait_for_function("document.querySelector('[data-type=identity] .upload') === null")
    assert [one["id"] for one in kept] == [item("identity", 2)["id"]], "the new one came, and the old one went"
    assert taken[1][1] == b"%PDF-1.7 paper"
    identity.get_by_role("button", name="删除").click()
    expect(identity.locator(".item")).to_have_count(0)

    for wrong, words in (
        (upload("a.txt", b"words", "text/plain"), "这种文件不能用"),
        (upload("a.jpg", b"no picture", "image/jpeg"), "打不开"),
        (upload("a.pdf", b"%PDF-" + bytes(11 * 1024 * 1024), "application/pdf"), "不能超过 10 MB"),
    ):
        visit.choose("file-identity", wrong)
        expect(identity.locator(".error")).to_contain_text(words)
    service.refuse("POST", ".*/materials.*", 422, "material_unreadable", "这份文件打不开。")
    visit.choose("file-identity", upload("b.pdf", b"%PDF-1.7", "application/pdf"))
    expect(identity.locator(".error")).to_contain_text("这份文件打不开。")
    service.handlers["POST", ".*/materials.*"] = take

    for type_ in ("identity", "company_letter", "application_form"):
        visit.choose(f"file-{type_}", upload("p.pdf", b"%PDF-1.7 p", "application/pdf"))
        expect(page.locator(f"[data-type={type_}] .item")).to_have_count(1)
    service.moves("POST", ".*/submit", case("review_1"))
    page.get_by_role("button", name="提交审核").click()
    expect(page.locator(".owed")).to_contain_text("第一位审核人正在审核")
    expect(current_step(visit)).to_contain_text("审核")
    assert fits(page)


def test_the_prefilled_form_is_saved(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("materials_pending"))
    service.handlers["GET", ".*/application-form.pdf"] = lambda _: (200, b"%PDF-1.7 form")
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("button", name="下载填好的申请表").click()
    assert waiting.value.suggested_filename == f"{ID}.pdf"


def test_what_was_returned_stands_on_top_with_the_way_to_correct_it(site: Site, visit: Visit) -> None:
    opened(site, visit, case("materials_pending", materials=COMPLETE, history=RETURNED))
    notice = visit.page.locator(".returned")
    expect(notice).to_contain_text("介绍信没有盖公章")
    expect(notice).to_contain_text("更换有问题的材料")
    above = visit.page.evaluate(
        "document.querySelector('.returned').compareDocumentPosition(document.querySelector('.material'))"
        " === Node.DOCUMENT_POSITION_FOLLOWING"
    )
    assert above
    assert "材料齐了" in visit.page.inner_text("#case")
    visit.check_accessible()


def test_a_fee_shows_its_evidence_and_is_paid_by_the_method_chosen(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("fee_due", fee=FEE_DUE))
    page = visit.page
    fee = page.inner_text("[aria-labelledby=fee-heading]")
    for part in ("¥20.00", "待缴", "登记系统没有差错", "依据：终局，已完成"):
        assert part in fee
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pay = {"reference": "P7K3M9QXA2VD", "amount": "20.00", "currency": "CNY", "state": "open", "paid_at": None, "refunded_at": None}
    pay = {**pay, "opened_at": told.DUE, "url": None, "instructions": None}
    service.handlers["POST", ".*/payment"] = lambda _: (200, {**pay, "method": "bank_transfer", "instructions": "请转账。"})
    page.get_by_role("button", name="银行转账").click()
    page.get_by_role("button", name="复制").click()
    expect(page.locator("#live")).to_have_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()") == "P7K3M9QXA2VD"
    assert "请转账。" in page.inner_text("[aria-labelledby=pay-heading]")
    visit.check_accessible()
    page.get_by_role("button", name="换一种方式").click()
    service.handlers["POST", ".*/payment"] = lambda _: (200, {**pay, "method": "provider", "url": "https://pay.example/1"})
    page.get_by_role("button", name="在线支付").click()
    link = page.get_by_role("link", name="去支付")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == ("https://pay.example/1", "noreferrer")
    assert link.get_attribute("target") is None, "another tab would not have the case's token"
    service.case = case("review_1", fee={**FEE_DUE, "state": "paid"})
    page.evaluate("dispatchEvent(new Event('online'))")  # what the page does by itself every ten seconds
    expect(page.locator(".owed")).to_contain_text("第一位审核人正在审核")


def test_an_address_to_pay_at_that_is_none_is_no_link(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("fee_due", fee=FEE_DUE))
    pay = {
        "method": "provider",
        "reference": "P",
        "amount": "20.00",
        "currency": "CNY",
        "url": "javascript:alert(1)",
        "instructions": None,
    }
    service.handlers["POST", ".*/payment"] = lambda _: (200, pay)
    visit.page.get_by_role("button", name="在线支付").click()
    expect(visit.page.locator("[aria-labelledby=pay-heading]")).to_contain_text("正在等待支付结果")
    assert visit.page.get_by_role("link", name="去支付").count() == 0


def test_the_new_copy_comes_by_itself(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("approved"))
    page = visit.page
    expect(page.locator(".word")).to_have_text("正在制作")
    service.case = case("completed", result={"number": NUMBER, "state": "mined", "document_ready": False})
    expect(page.locator(".word")).to_have_text("正在上链存证")
    service.case = case("completed", result=DONE)
    expect(page.locator(".word")).to_have_text("补打完成")
    assert page.locator("[data-role=good]").count() == 0, "green is what the browser has checked"
    service.handlers["GET", ".*/document"] = lambda _: (200, b"%PDF-1.7 new")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载 PDF").click()
    assert waiting.value.suggested_filename == f"{NUMBER}.pdf"
    assert page.locator("#steps [data-mark=done]").count() == 5
    visit.check_accessible()


def test_paper_is_collected_by_its_code(site: Site, visit: Visit) -> None:
    alone = {**told.APPLICATION, "company": ""}
    opened(site, visit, case("completed", delivery="collect", application=alone, result={**DONE, "pickup_code": "4831-9027"}))
    assert "公司名称" not in visit.page.inner_text("#case")
    pickup = visit.page.locator(".pickup .value")
    expect(pickup).to_have_text("4831-9027")
    assert pickup.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)") >= 40
    visit.check_accessible()


def test_how_a_case_may_end(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("rejected", history=REJECTED, fee={**FEE_DUE, "state": "refund_due"}))
    text = visit.page.inner_text("#case")
    for part in ("没有通过", "所交证件与申请人不符", "待退款"):
        assert part in text
    visit.check_accessible()
    visit.page.get_by_role("button", name="重新开始").click()
    expect(visit.page.locator("#lookup")).to_be_visible()
    assert visit.page.evaluate("sessionStorage.getItem('zhengpiao.reprint.case')") is None
    assert service.asked[-1][0] == "GET"


def test_withdrawing_is_asked_twice(site: Site, visit: Visit) -> None:
    service = opened(site, visit, case("review_1"))
    page = visit.page
    page.get_by_role("button", name="撤回申请").click()
    visit.check_accessible()
    page.get_by_role("button", name="不撤回").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert service.sent("/cancel") == []
    page.get_by_role("button", name="撤回申请").click()
    service.moves("POST", ".*/cancel", case("cancelled"))
    page.locator("dialog").get_by_role("button", name="撤回", exact=True).click()
    expect(page.locator(".word")).to_have_text("已撤回")
    assert service.sent("/cancel") == [{}]


def test_coming_back_by_case_number_and_code(site: Site, visit: Visit) -> None:
    service = Told(visit.page)
    page = visit.page
    page.goto(f"{site.url}/reprint")
    page.get_by_role("button", name="已经申请过").click()
    page.fill("#field-case", "R26")
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-case-error")).to_contain_text("请检查申请编号")
    page.fill("#field-case", "r261125 7k3m9qxa")
    page.click("#case form button[type=submit]")
    expect(page.locator("#field-code")).to_be_focused()
    visit.check_accessible()
    service.moves("POST", ".*/session", case("review_2"), token=TOKEN)
    page.fill("#field-code", "492039")
    page.click("#case form button[type=submit]")
    expect(page.locator(".owed")).to_contain_text("第二位审核人正在复核")
    assert service.sent(f"{ID}/codes") == [{}]
    page.reload()
    expect(page.locator(".owed")).to_contain_text("第二位审核人正在复核")


def test_a_notice_leads_to_its_case_and_an_old_token_asks_for_a_code(site: Site, visit: Visit) -> None:
    service = Told(visit.page)
    visit.page.goto(f"{site.url}/reprint#case={ID}")
    expect(visit.page.locator("#field-case")).to_have_value(ID)
    assert visit.page.evaluate("location.hash") == ""
    service.keep(visit.page)
    service.refuse("GET", f"reprints/{ID}", 401, "applicant_unknown", "请重新验证。")
    visit.page.reload()
    expect(visit.page.locator("#case")).to_contain_text("请再验证一次")
    expect(visit.page.locator("#field-case")).to_have_value(ID)


def test_a_time_out_leaves_a_way_on(site: Site, visit: Visit) -> None:
    service = Told(visit.page, case("review_1"))
    service.keep(visit.page)
    service.handlers["GET", f"reprints/{ID}"] = lambda _: None
    visit.page.goto(f"{site.url}/reprint")
    expect(visit.page.locator("#case [role=alert]")).to_contain_text("没有回答")
    service.handlers.clear()
    visit.page.get_by_role("button", name="再试一次").click()
    expect(visit.page.locator(".owed")).to_contain_text("第一位审核人正在审核")


def test_all_of_a_form_by_keyboard_on_a_desk_at_night(site: Site, browser: Browser) -> None:
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark", "locale": "en-US"}
    with visiting(browser, [site.url[7:]], **options) as visit:
        service = opened(site, visit, case("started"))
        page = visit.page
        page.focus("#field-kind")
        for keys in ("Tab", "The paper was lost", "Tab", "Li Lei", "Tab", "Tab", "li@example.com", "Tab", "Tab"):
            page.keyboard.press(keys) if keys == "Tab" else page.keyboard.type(keys)
        page.keyboard.press("Tab")
        service.moves("POST", ".*/application", case("submitted"))
        assert page.evaluate("document.activeElement.textContent.trim()") == "Send the application"
        page.keyboard.press("Enter")
        expect(page.locator("#field-code")).to_be_visible()
        assert service.sent("/application")[0]["language"] == "en"
        visit.check_accessible()
