"""The pages on the whole service: register, anchor, scan, void, look up, print; a new user's way."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from tests.chain import Chain
from tests.e2e import codes
from tests.e2e.browsing import ROOT, Visit, upload, visiting
from tests.e2e.service import Service, serving
from tests.unit.samples import sections_of

SELLER = "91110108MAXXXX015B"
HOSTILE = "<img src=x onerror=alert(1)>&lt;b&gt;公司<script>alert(1)</script>"


@pytest.fixture(scope="module")
def service(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(chain, tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    with visiting(browser, service.hosts) as one:
        yield one


def test_from_registered_to_void(service: Service, visit: Visit) -> None:
    made = service.register(sections_of("S10"))
    number = made["number"]
    visit.page.goto(service.link(made))
    visit.wait_for("已受理，待上链")
    assert visit.greens() == 0
    service.finish(number)
    visit.wait_for("登记有效")  # by itself
    assert visit.role() == "good"
    reason = {"reason": "开票有误"}
    voided = service.client.post(f"/v1/invoices/{number}/void", json=reason, headers=service.api.key("issuer", SELLER))
    assert voided.status_code == 200, voided.text
    visit.page.reload()
    visit.page.wait_for_selector(".announcement")
    assert "正在作废" in visit.page.inner_text(".announcement")
    assert visit.greens() == 0
    service.finish(number)
    visit.wait_for("已作废")
    expect(visit.page.locator(".announcement")).to_have_count(0)


def test_the_issuers_pdf(service: Service, visit: Visit) -> None:
    made = service.register(sections_of("S01"))
    service.finish(made["number"])
    answer = service.client.get(f"/v1/invoices/{made['number']}/document.pdf", headers=service.api.key("issuer", SELLER))
    assert answer.status_code == 200, answer.text
    visit.page.goto(f"{service.served.url}/verify")
    visit.choose("files", upload("invoice.pdf", answer.content))
    # Its code has the public URL; this host is another name of the same service.
    visit.wait_for("登记有效")
    assert "是同一份" in visit.page.inner_text(".notes")


def test_the_four_answers_and_the_way_without_javascript(service: Service, browser: Browser) -> None:
    made = service.register(sections_of("S06"))
    service.finish(made["number"])
    sections = sections_of("S06")
    number, day, amount = made["number"], sections["header"]["issued_on"], sections["totals"]["amount_with_tax"]
    cases = [
        (number, day, amount, "一致"),
        (number, day, "1.00", "不一致"),
        ("26112999000000000099", day, amount, "查无此票"),
    ]
    for scripts in (True, False):
        with visiting(browser, service.hosts, java_script_enabled=scripts) as one:
            for asked, on, of, word in cases:
                one.page.goto(f"{service.served.url}/")
                one.page.fill("#field-number", asked)
                one.page.fill("#field-issued_on", on)
                one.page.fill("#field-amount", of)
                one.page.click("#lookup button[type=submit]")
                one.page.wait_for_selector(f'.word:text-is("{word}")')
                expect(one.page.locator(".notice:has-text('服务器的答复')")).to_have_count(0 if scripts else 1)
                assert one.greens() == 0
                diagnosed = one.page.locator("#diagnosis .dx-verdict" if scripts else "#diagnosed")
                if word != "一致":
                    expect(diagnosed).to_contain_text({"不一致": "所填内容不符", "查无此票": "没有登记过"}[word])
                else:
                    expect(diagnosed).to_have_count(0)
            if not scripts:
                one.page.goto(f"{service.served.url}/")
                one.page.fill("#field-number", "12,34")
                one.page.fill("#field-amount", "１,０６０元")
                one.page.click("#lookup button[type=submit]")
                expect(one.page.locator("#lookup-errors li")).to_have_count(2)
                assert one.page.input_value("#field-number") == "12,34"
                assert one.page.input_value("#field-amount") == "１,０６０元"
                one.page.goto(service.link(made))
                assert "需要 JavaScript" in one.page.inner_text("main")
                assert not one.page.is_visible(".spinner")
                one.page.click("main a")
                expect(one.page).to_have_url(f"{service.served.url}/")
                one.page.click("#language")
                expect(one.page.locator("h1")).to_have_text("Check an invoice")


def test_where_an_invoice_got_lost_and_how_it_comes_back(service: Service, visit: Visit) -> None:
    """A puzzled recipient: first it is on its way, then at every hop, then the registry loses it, and the kept file restores it."""
    sections = sections_of("S03")
    made = service.register(sections)
    number = made["number"]
    acknowledgement = upload("acknowledgement.json", json.dumps(made).encode())
    visit.page.goto(f"{service.served.url}/verify")
    visit.choose("files", acknowledgement)
    found = visit.page.locator("#diagnosis [data-verdict]")
    expect(found).to_have_attribute("data-verdict", re.compile("accepted_not_sealed|undecided"))
    service.finish(number)
    kept = service.client.get(f"/v1/invoices/{number}/proof", headers=service.api.auditor).content
    visit.choose("files", acknowledgement)
    expect(found).to_have_attribute("data-verdict", "present")
    states = visit.page.locator(".dx-hops > li").evaluate_all("all => all.map((one) => one.dataset.state)")
    assert set(states) == {"done", "not_applicable"}, "no central record and no node follow here"

    with service.api.database.write() as connection:
        issue = text("SELECT id FROM invoices WHERE number = :number")
        [id_] = connection.execute(issue, {"number": number}).scalars()
        for statement in ("DELETE FROM copies WHERE invoice_id = :id", "DELETE FROM invoices WHERE id = :id"):
            connection.execute(text(statement), {"id": id_})
    visit.page.goto(f"{service.served.url}/")
    visit.page.fill("#field-number", number)
    visit.page.fill("#field-issued_on", sections["header"]["issued_on"])
    visit.page.fill("#field-amount", sections["totals"]["amount_with_tax"])
    visit.page.click("#lookup button[type=submit]")
    expect(found).to_have_attribute("data-verdict", "lost_after_anchor")
    assert "存证后记录丢失" in visit.page.inner_text("#diagnosis")
    visit.page.get_by_role("link", name="我有证明文件").click()
    visit.page.wait_for_url(f"{service.served.url}/verify")  # loaded: nobody takes a file before
    visit.choose("files", upload("kept.json", kept))
    visit.wait_for("登记有效")
    visit.page.click("#diagnosis button")
    expect(found).to_have_attribute("data-verdict", "lost_after_anchor")
    visit.page.get_by_role("button", name="用这一份恢复记录").click()
    expect(found).to_have_attribute("data-verdict", "present")
    expect(visit.page.locator("#diagnosis .notice")).to_contain_text("记录已恢复")
    visit.check_accessible()
    assert service.client.get(f"/v1/invoices/{number}", headers=service.api.auditor).json()["sections"] == sections


def test_html_in_an_invoice_is_text(service: Service, visit: Visit) -> None:
    sections = sections_of("S02")
    sections["header"]["number"] = "26112999000000000777"
    sections["seller"]["name"] = HOSTILE
    sections["totals"]["amount_in_capitals"] = "<svg onload=alert(1)>"
    made = service.register(sections)
    service.finish(made["number"])
    visit.page.goto(service.link(made))
    visit.wait_for("登记有效")
    assert HOSTILE in visit.page.inner_text(".fact.seller")
    assert HOSTILE in visit.page.inner_text(".verdict .sentence")
    assert "<svg onload=alert(1)>" in visit.page.inner_text(".fact.amount")
    assert visit.page.locator("#answer img, #answer script").count() == 0


def test_the_single_file_asks_a_service_only_when_told_to(service: Service, browser: Browser) -> None:
    made = service.register(sections_of("S05"))
    service.finish(made["number"])
    answer = service.client.get("/zhengpiao-verify.html")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content == (ROOT / "verifier/web/zhengpiao-verify.html").read_bytes()
    photo = upload("a.png", codes.png(codes.picture(service.link(made))), "image/png")
    with visiting(browser, service.hosts) as one:
        one.page.goto((ROOT / "verifier/web/zhengpiao-verify.html").as_uri())
        one.choose("trust", upload("trust.json", service.client.get("/v1/trust").content))
        one.page.wait_for_selector("#trusted .given")
        one.choose("files", photo)
        one.wait_for("二维码已读出")
        assert service.served.url[7:] in one.page.inner_text(".actions .primary")
        assert not one.asked_hosts()
        one.page.click(".actions .primary")
        one.wait_for("登记有效")


def test_static_files_may_be_kept_and_pages_may_not(service: Service) -> None:
    page = service.client.get("/v", headers={"Accept-Encoding": "gzip"})
    assert page.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in page.headers
    script = page.text.partition('modulepreload" href="')[2].partition('"')[0]
    kept = service.client.get(script, headers={"Accept-Encoding": "gzip"})
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-encoding"] == "gzip"
    older = service.client.get(f"/static/0000/{script.rpartition('/')[2]}")
    assert older.headers["cache-control"] == "no-cache"
    assert older.content == kept.content
    for wrong in ("/static/x/..%2fpages.py", "/static/x/../policy.py", "/static/x/nothing.js"):
        assert service.client.get(wrong).status_code == 404
    for odd in (
        "/v?from=singlemessage&isappinstalled=0",
        "/?utm_source=a",
        "/verify?lang=xx",
        "/?lang=en&connect=javascript:alert(1)",
    ):
        answer = service.client.get(odd)
        assert answer.status_code == 200, odd
        assert "javascript" not in answer.headers["content-security-policy"]
    given = service.client.get("/?connect=https://rpc.example,http://[::1]:8545,https://a;script-src *,https://b.example/path")
    sources = given.headers["content-security-policy"].partition("connect-src ")[2].partition(";")[0].split()
    assert sources[-2:] == ["https://rpc.example", "http://[::1]:8545"]
