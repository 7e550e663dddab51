"""`/`: codes from the camera and from photos, and what is typed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e import codes
from tests.e2e.browsing import Visit, launch, upload, visiting
from tests.e2e.site import Site
from tests.vector_files import PROOFS

REGISTERED, ABSENT = "26112569896198455131", "26112151872651485678"
OFFICIAL = f"01,32,,{REGISTERED},1060.00,20260901,,A1B2"


@pytest.fixture
def hosts(site: Site) -> list[str]:
    return [site.url[7:], site.chain.url[7:], site.chain.url[7:].replace("127.0.0.1", "localhost")]


@pytest.fixture
def visit(browser: Browser, hosts: list[str]) -> Iterator[Visit]:
    with visiting(browser, hosts) as one:
        yield one


def proof(name: str) -> Any:
    return json.loads((PROOFS / name).read_bytes())


def fill(visit: Visit, number: str, day: str, amount: str) -> None:
    visit.page.fill("#field-number", number)
    visit.page.fill("#field-issued_on", day)
    visit.page.fill("#field-amount", amount)
    visit.page.keyboard.press("Enter")


def show(visit: Visit, *texts: str) -> None:
    """A photo with these codes."""
    visit.choose("photo", upload("photo.png", codes.png(codes.picture(*texts)), "image/png"))


def test_a_code_held_before_the_camera(site: Site, hosts: list[str], browser: Browser, tmp_path: Path) -> None:
    code = site.answers.hold("valid.proof.json", status="valid", state="final")
    codes.film(f"{site.url}/v#{code}", tmp_path / "camera.y4m")
    camera = [f"--use-file-for-fake-video-capture={tmp_path / 'camera.y4m'}"]
    camera += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    held = launch(browser.browser_type, *camera)
    try:
        with visiting(held, hosts) as one:
            one.page.goto(f"{site.url}/")
            assert "zxing_reader.wasm" not in one.names(), "loaded before the camera was asked for"
            wasm: list[Route] = []  # held until the camera was seen: it is off again as soon as the code is read
            one.page.route("**/zxing_reader.wasm", lambda route: wasm.append(route))
            with one.page.expect_request("**/zxing_reader.wasm"):
                one.page.click("#scan")
            one.page.wait_for_selector("#scanner video")
            expect(one.page.locator("#lookup")).to_be_hidden()
            while not wasm:
                one.page.wait_for_timeout(20)
            wasm[0].continue_()
            one.wait_for("登记有效")
            assert one.role() == "good"
            assert "zxing_reader.wasm" in one.names()
            one.page.wait_for_function("document.querySelector('video').srcObject === null")  # the camera is off
            expect(one.page.locator("#answer .word")).to_be_focused()
            one.check_accessible()
            one.page.click(".actions .primary")  # the next one
            one.wait_for("登记有效")
    finally:
        held.close()


def test_a_camera_that_is_refused(site: Site, browser: Browser, hosts: list[str]) -> None:
    with visiting(browser, hosts, permissions=[]) as one:
        one.page.goto(f"{site.url}/")
        one.page.click("#scan")
        one.page.wait_for_selector("#scan-trouble:visible")
        expect(one.page.locator("#lookup")).to_be_visible()
        assert "请选照片" in one.page.inner_text("#scan-trouble") or "允许" in one.page.inner_text("#scan-trouble")


def test_a_photo_of_a_code(site: Site, visit: Visit) -> None:
    code = site.answers.hold("void.proof.json")
    visit.page.goto(f"{site.url}/")
    # The tax platform's code beside ours: ours leads to a proof.
    show(visit, "01,32,,26112107706804822740,1060.00,20260901,,A1B2", f"{site.url}/v#{code}")
    visit.wait_for("已作废")


def test_the_official_code_leads_to_the_look_up(site: Site, visit: Visit) -> None:
    site.answers.lookups[REGISTERED] = {
        "result": "match",
        "status": "valid",
        "proof": proof("registered.proof.json"),
        "tries_left": 5,
    }
    visit.page.goto(f"{site.url}/")
    show(visit, OFFICIAL.replace(",", "，"))
    visit.wait_for("一致")
    assert site.answers.asked[0] == (
        "/v1/lookups",
        {"number": REGISTERED, "issued_on": "2026-09-01", "amount_with_tax": "1060.00"},
    )
    assert visit.role() == "neutral", "that the fields agree is the service's word: no green"
    visit.check_accessible()


def test_codes_of_other_sites(site: Site, visit: Visit) -> None:
    code = site.answers.hold("valid.proof.json").rpartition(".")[2]
    site.context.settings.public_url = "https://zhengpiao.example"
    copy = f"/v#26112983965558933682.{code}"
    cases = [
        ("https://example.com/pay?id=1", "另一个网站 example.com", "neutral"),
        (f"https://zhengpiao.example.evil.test{copy}", "zhengpiao.example.evil.test", "bad"),
        (f"https://zhengpia0.example{copy}", "zhengpia0.example：它与本站的网址相似", "bad"),
        ("javascript:alert(1)", "不是发票的二维码", "neutral"),
        (f"https://other.test{copy}", "由 other.test 签发", "neutral"),
        ("<img src=x onerror=alert(1)>", "不是发票的二维码", "neutral"),
        (f"https://{'x' * 20}.test/", "x.test", "neutral"),
        (f"https://other.test{copy}", "由 other.test 签发", "neutral"),
    ]
    try:
        visit.page.goto(f"{site.url}/")
        for text, said, role in cases:
            show(visit, text)
            visit.page.wait_for_selector(f'#answer[aria-busy="false"] .verdict:has-text("{said}")')
            assert visit.role() == role, text
            assert visit.page.url == f"{site.url}/"
        assert not [asked for asked in visit.requested if "/v1/" in asked]
        # The last one is checked here only if the visitor wants that, and still under a notice.
        visit.page.click(".actions .primary")
        visit.wait_for("登记有效")
        assert "other.test" in visit.page.inner_text(".notes")
    finally:
        site.context.settings.public_url = site.url


def test_a_picture_goes_to_the_server_only_when_the_visitor_says_so(site: Site, visit: Visit) -> None:
    from PIL import Image

    site.answers.report = {
        "file": None,
        "verdict": "valid",
        "number": REGISTERED,
        "status": "valid",
        "checks": [{"name": "form", "result": "pass", "detail": "证明文件格式正确。"}],
    }
    visit.page.goto(f"{site.url}/")
    visit.choose("photo", upload("blank.png", codes.png(Image.new("L", (300, 300), 255)), "image/png"))
    visit.wait_for("没有找到二维码")
    assert not site.answers.asked
    visit.page.click(".actions .primary")
    visit.wait_for("登记有效")
    assert site.answers.asked[0][0] == "/v1/verifications"
    assert visit.role() == "neutral"
    assert visit.greens() == 0
    assert "浏览器没有核对" in visit.page.inner_text(".notes")


ANSWERS: list[tuple[str, dict[str, Any], str, str]] = [
    (REGISTERED, {"result": "match", "status": "valid", "proof": "registered"}, "一致", "neutral"),
    (REGISTERED, {"result": "match", "status": "void", "proof": "registered"}, "已作废", "bad"),
    (REGISTERED, {"result": "mismatch", "proof": "registered"}, "不一致", "bad"),
    (ABSENT, {"result": "not_registered", "proof": "absent"}, "查无此票", "bad"),
    (REGISTERED, {"result": "not_yet_known"}, "暂不能确定", "neutral"),
    # What the service's answer rests on does not hold: none of the first three is shown.
    (ABSENT, {"result": "match", "status": "valid", "proof": "registered"}, "暂不能确定", "neutral"),
    (REGISTERED, {"result": "not_registered", "proof": "absent"}, "暂不能确定", "neutral"),
    (REGISTERED, {"result": "mismatch", "proof": "presence_hash_fail"}, "暂不能确定", "neutral"),
    (ABSENT, {"result": "not_registered", "proof": "absence_empty_fail"}, "暂不能确定", "neutral"),
    (REGISTERED, {"result": "match", "status": "valid"}, "暂不能确定", "neutral"),
]


def test_the_four_answers(site: Site, visit: Visit) -> None:
    for number, found, word, role in ANSWERS:
        visit.page.goto(f"{site.url}/")  # first: the page before may ask again by itself
        site.answers.clear()
        read = proof(f"{found['proof']}.proof.json") if "proof" in found else None
        site.answers.lookups[number] = {**found, "proof": read, "tries_left": 4}
        fill(visit, f" {number[:4]} {number[4:]}", "2026年9月1日", "￥１,０６０.00元")
        visit.wait_for(word)
        assert visit.role() == role, found
        assert visit.greens() == 0, found
        if word == "不一致":
            assert "日期或金额" in visit.page.inner_text("#answer"), "which of them is not told"
        if word in ("一致", "不一致", "查无此票"):
            assert visit.page.locator(".tick").count() == 3
            assert "区块" in visit.page.inner_text(".source >> nth=0")
        asked = [body for path, body in site.answers.asked if path == "/v1/lookups"]
        assert asked[0] == {"number": number, "issued_on": "2026-09-01", "amount_with_tax": "1060.00"}


def test_a_guess_is_made_once_and_what_was_typed_stays(site: Site, visit: Visit) -> None:
    site.answers.lookups[REGISTERED] = {"result": "mismatch", "proof": proof("registered.proof.json"), "tries_left": 4}
    visit.page.goto(f"{site.url}/")
    fill(visit, REGISTERED, "20260902", "1060")
    visit.wait_for("不一致")
    visit.page.evaluate("dispatchEvent(new Event('online'))")
    visit.page.click(".actions .primary")  # correct it
    assert visit.page.input_value("#field-number") == "2611 2569 8961 9845 5131"
    assert visit.page.input_value("#field-issued_on") == "20260902"
    assert visit.page.input_value("#field-amount") == "1060"
    assert [path for path, _ in site.answers.asked if path == "/v1/lookups"] == ["/v1/lookups"]


def test_no_more_tries(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.url}/")
    fill(visit, REGISTERED, "20260902", "1060")
    visit.wait_for("暂不能确定")
    assert "次数已用完" in visit.page.inner_text(".sentence")
    assert "不受此限" in visit.page.inner_text(".next")


def test_a_server_that_is_off_says_nothing_about_the_invoice(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.url}/")
    site.served.pause()
    try:
        fill(visit, REGISTERED, "20260902", "1060")
        visit.wait_for("暂不能确定")
        assert "没有回答" in visit.page.inner_text(".sentence")
        assert visit.greens() == 0
    finally:
        site.served.start()


def test_what_is_wrong_is_said_beside_the_field_and_on_top(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.url}/")
    fill(visit, "12,34", "2026-02-30", "1.234")
    expect(visit.page.locator("#lookup-errors")).to_be_focused()
    expect(visit.page.locator("#lookup-errors a")).to_have_count(3)
    for name in ("number", "issued_on", "amount"):
        assert visit.page.get_attribute(f"#field-{name}", "aria-invalid") == "true"
        assert visit.page.inner_text(f"#field-{name}-error")
    visit.check_accessible()
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#field-number")).to_be_focused()
    assert visit.page.input_value("#field-number") == "12,34"
    assert not site.answers.asked
    visit.page.click("#language")
    expect(visit.page.locator("#lookup-errors")).to_contain_text("Enter the number")


def test_without_tax(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.url}/")
    visit.page.check('input[name="with_tax"][value="0"]')
    fill(visit, "011002400111-99000007", "2026.9.1", "1,000")
    visit.wait_for("暂不能确定")
    assert site.answers.asked[0][1] == {"number": "011002400111-99000007", "issued_on": "2026-09-01", "amount": "1000.00"}
