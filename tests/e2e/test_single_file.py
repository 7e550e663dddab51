"""The verifier in one HTML file, opened from a disk: it needs no server of ours, and trusts what it is given and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import codes
from tests.e2e.browsing import ROOT, Visit, upload, visiting
from tests.e2e.site import Site, trust_file
from tests.vector_files import PROOFS

FILE = (ROOT / "verifier/web/zhengpiao-verify.html").as_uri()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    with visiting(browser, [site.chain.url[7:]], viewport={"width": 1280, "height": 900}) as one:
        one.page.goto(FILE)
        yield one


def trust(visit: Visit, *names: str) -> None:
    visit.choose("trust", *(PROOFS / name for name in names))


def trust_chain(visit: Visit, site: Site, *more: str) -> None:
    data = json.dumps(trust_file(site.chain.url, *more)).encode()
    visit.choose("trust", upload("trust.json", data))
    visit.page.wait_for_selector("#trusted .given")


def check(visit: Visit, *names: str) -> None:
    visit.choose("files", *(PROOFS / name for name in names))


def test_with_anchors_files_and_no_network(visit: Visit) -> None:
    check(visit, "valid.proof.json")
    visit.wait_for("没有核对")
    assert "还不知道您信任什么" in visit.page.inner_text(".sentence")
    trust(visit, "anchors.json")
    visit.page.wait_for_selector("#trusted .given")
    assert "至第 9 号" in visit.page.inner_text("#trusted")
    for file, word, role in (
        ("valid.proof.json", "登记有效", "good"),
        ("void.proof.json", "已作废", "bad"),
        ("amount_fail.proof.json", "与存证不符", "bad"),
        ("stale_valid.proof.json", "内容属实，状态待更新", "wait"),
        ("absent.proof.json", "查无此票", "bad"),
        ("chain_other.proof.json", "暂不能确定", "neutral"),
    ):
        check(visit, file)
        visit.wait_for(word)
        assert visit.role() == role
    check(visit, "valid.proof.json")
    visit.wait_for("登记有效")
    assert "anchors.json" in visit.page.inner_text(".source"), "it says where the anchors came from"
    visit.check_accessible()
    assert not visit.asked_hosts()


def test_against_the_chain(site: Site, visit: Visit) -> None:
    trust_chain(visit, site)
    check(visit, "valid.proof.json")
    visit.wait_for("登记有效")
    assert "只询问了一个节点" in visit.page.inner_text(".source")
    visit.page.fill("#endpoints-own", "http://127.0.0.1:1/\nnonsense")
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator("#endpoints-said")).to_contain_text("第 2 行")
    visit.hosts.add("127.0.0.1:1")
    check(visit, "valid.proof.json")
    visit.wait_for("暂不能确定")


def test_anchors_among_the_material_are_used_only_if_named(visit: Visit) -> None:
    check(visit, "anchors.json")
    visit.wait_for("无法识别")
    assert "只有您点名" in visit.page.inner_text(".sentence")
    assert "还没有给出" in visit.page.inner_text("#trusted")
    visit.page.click(".actions .primary")
    visit.page.wait_for_selector("#trusted .given")
    check(visit, "valid.proof.json")
    visit.wait_for("登记有效")


def test_a_pdf_and_a_code(site: Site, visit: Visit) -> None:
    trust_chain(visit, site)
    code = site.answers.hold("valid.proof.json")
    link = f"{site.url}/v#{code}"
    pdf = codes.pdf(codes.picture(link), (PROOFS / "valid.proof.json").read_bytes())
    visit.choose("files", upload("a.pdf", pdf))
    visit.wait_for("登记有效")
    assert "是同一份" in visit.page.inner_text(".notes")
    assert visit.asked_hosts() == {site.chain.url[7:]}
    # Whoever stands in a code is asked only when told to.
    visit.choose("files", upload("a.png", codes.png(codes.picture(link)), "image/png"))
    visit.wait_for("二维码已读出")
    assert visit.asked_hosts() == {site.chain.url[7:]}


def test_what_cannot_be_trusted_is_said(visit: Visit, tmp_path: Path) -> None:
    bad = tmp_path / "trust.json"
    bad.write_text(json.dumps({"protocol": "zp1", "chain": {"chain_id": 1}}))
    visit.choose("trust", bad, PROOFS / "valid.proof.json")
    said = visit.page.locator("#trusted")
    expect(said).to_contain_text("contract")
    expect(said).to_contain_text("valid.proof.json")
    visit.page.click("#language")
    expect(said).to_contain_text("neither a trust file")
    visit.check_accessible()
