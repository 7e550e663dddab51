"""`/verify`: proof files, PDFs and pictures, each checked where it is."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import codes
from tests.e2e.browsing import Visit, upload, visiting
from tests.e2e.site import Site
from tests.vector_files import PROOFS

OFFICIAL = "01,32,,26112983965558933682,1060.00,20260901,,A1B2"


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    hosts = [site.url[7:], site.chain.url[7:], site.chain.url[7:].replace("127.0.0.1", "localhost")]
    with visiting(browser, hosts) as one:
        one.page.goto(f"{site.url}/verify")
        yield one


def choose(visit: Visit, *names: str) -> None:
    visit.choose("files", *(PROOFS / name for name in names))


def give(visit: Visit, *files: tuple[str, bytes]) -> None:
    visit.choose("files", *(upload(name, data) for name, data in files))


FILES = [
    ("valid.proof.json", "登记有效", "good"),
    ("released.proof.json", "登记已撤回", "bad"),
    ("amount_fail.proof.json", "与存证不符", "bad"),
    ("absent.proof.json", "查无此票", "bad"),
    ("receipt_signature_fail.proof.json", "与存证不符", "bad"),
    ("stale_valid.proof.json", "内容属实，状态待更新", "wait"),
    ("absence_empty_fail.proof.json", "与存证不符", "bad"),
    ("registered.proof.json", "号码已登记", "neutral"),
    ("pending.proof.json", "已受理，待上链", "wait"),
    ("chain_other.proof.json", "暂不能确定", "neutral"),
    ("trailing_fail.proof.json", "无法识别", "neutral"),
    ("protocol_other.proof.json", "暂不能确定", "neutral"),
]


def test_each_verdict_of_a_file(visit: Visit) -> None:
    for file, word, role in FILES:
        choose(visit, file)
        visit.wait_for(word)
        assert visit.role() == role, file
        assert (visit.greens() > 0) == (role == "good"), file
        if role == "neutral":  # the others' colours are on /v
            visit.check_accessible()


def test_nothing_is_told_of_a_file_that_is_not_ours(site: Site, visit: Visit) -> None:
    choose(visit, "chain_other.proof.json")
    visit.wait_for("暂不能确定")
    assert not site.answers.asked


def test_the_server_may_be_off(site: Site, visit: Visit) -> None:
    site.served.pause()
    try:
        choose(visit, "valid.proof.json")
        visit.wait_for("登记有效")
        block = int(site.chain.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16)
        assert f"区块 {block}" in visit.page.inner_text(".source")
        choose(visit, "stale_valid.proof.json")
        visit.wait_for("内容属实，状态待更新")
    finally:
        site.served.start()


def test_a_newer_proof_decides(site: Site, visit: Visit) -> None:
    site.answers.hold("valid.proof.json")
    choose(visit, "stale_valid.proof.json")
    visit.wait_for("登记有效")


def test_several_files_make_a_table(visit: Visit) -> None:
    names = [f"{name}.proof.json" for name in ("valid", "void", "amount_fail", "partly_reversed", "trailing_fail")]
    choose(visit, *names)
    visit.page.wait_for_selector(".several .button")
    rows = visit.page.locator(".several tbody tr")
    assert rows.count() == 5
    shown = {row.locator(".file").inner_text().split("\n")[-1]: row.locator(".open").inner_text() for row in rows.all()}
    assert shown == dict(zip(names, ["登记有效", "已作废", "与存证不符", "部分红冲", "无法识别"], strict=True))
    tally = visit.page.locator(".tally li").all_inner_texts()
    assert tally == ["1 个有效", "1 个须留意", "2 个有问题", "1 个未能确定"]
    visit.page.focus('tr[data-role="caution"] .open')
    visit.page.keyboard.press("Enter")
    visit.wait_for("部分红冲")
    visit.check_accessible()
    with visit.page.expect_download() as downloading:
        visit.page.click(".several > p .button")
    lines = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text("utf-8-sig"))))
    assert lines[0]["结果"] in shown.values()
    assert {line["发票号码"] for line in lines} >= {"\t26112983965558933682"}


def test_the_proof_file_can_be_kept(site: Site, visit: Visit) -> None:
    code = site.answers.hold("valid.proof.json")
    visit.page.goto(f"{site.url}/v#{code}")
    visit.wait_for("登记有效")
    with visit.page.expect_download() as downloading:
        visit.page.click('.actions .button:has-text("保存")')
    assert downloading.value.suggested_filename == "26112983965558933682.proof.json"
    assert Path(downloading.value.path()).read_bytes() == (PROOFS / "valid.proof.json").read_bytes()


def page_with(attached: bytes | None, *texts: str) -> bytes:
    return codes.pdf(codes.picture(*texts), *([attached] if attached else []))


def test_a_pdf_proves_itself(site: Site, visit: Visit) -> None:
    code = site.answers.hold("valid.proof.json")
    data = (PROOFS / "valid.proof.json").read_bytes()
    other = site.answers.hold("valid_reprint.proof.json")
    assert "pdf.worker.js" not in visit.names()
    link, others = f"{site.url}/v#{code}", f"{site.url}/v#{other}"
    forged = (PROOFS / "amount_fail.proof.json").read_bytes()
    blank = codes.picture("hello").point(lambda _: 255)
    agree = "税务二维码的号码、日期和金额与附件一致"
    cases: list[tuple[str, bytes, str, str, list[str]]] = [
        ("whole", page_with(data, link, OFFICIAL), "登记有效", "good", ["是同一份", agree, "没有比对"]),
        ("another copy's code", page_with(data, others), "与存证不符", "bad", ["不是同一份"]),
        ("no code", page_with(data, "hello"), "登记有效", "good", ["没有读到二维码"]),
        ("another official code", page_with(data, OFFICIAL.replace("1060", "9060")), "页面与附件不符", "bad", ["不一致"]),
        ("a code alone", page_with(None, link), "登记有效", "good", ["没有附带证明文件"]),
        ("two codes", page_with(data, link, others), "无法识别", "neutral", []),
        ("another site's code", page_with(data, f"https://other.test/v#{code}"), "登记有效", "caution", ["other.test"]),
        ("forged", page_with(forged, link), "与存证不符", "bad", []),
        ("nothing", codes.pdf(blank), "无法识别", "neutral", []),
    ]
    for name, pdf, word, role, notes in cases:
        give(visit, (f"{name}.pdf", pdf))
        visit.wait_for(word)
        assert visit.role() == role, name
        for note in notes:
            assert note in visit.page.inner_text(".notes"), name
        if role not in ("good", "caution"):
            assert visit.greens() == 0, name
    assert "pdf.worker.js" in visit.names()


def test_several_proofs_in_one_pdf(visit: Visit) -> None:
    attached = [(PROOFS / name).read_bytes() for name in ("valid.proof.json", "void.proof.json")]
    give(visit, ("both.pdf", codes.pdf(codes.picture("hello"), *attached)))
    visit.page.wait_for_selector(".several .button")
    assert sorted(visit.page.locator(".several .open").all_inner_texts()) == ["已作废", "登记有效"]


def test_broken_and_hostile_files(site: Site, visit: Visit) -> None:
    """A sentence for each of them, and the page goes on."""
    import pikepdf

    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(codes.pdf(codes.picture("hello")))) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    html = json.loads((PROOFS / "valid.proof.json").read_bytes())
    html["sections"]["seller"]["value"]["name"] = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    cases: list[tuple[str, bytes, str]] = [
        ("broken.pdf", b"%PDF-1.7\n" + b"\x00" * 500, "PDF 打不开"),
        ("locked.pdf", locked.getvalue(), "PDF 有密码"),
        ("broken.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "图片打不开"),
        ("huge.png", _bomb(), "图片"),
        ("empty.json", b"", "不是证明文件"),
        ("large.proof.json", b"[" * (4 * 1024 * 1024 + 1), "不是证明文件"),
        ("deep.proof.json", b'{"a":' * 100_000, "不是证明文件"),
        ("html.proof.json", json.dumps(html).encode(), "内容或证明与链上存证不一致"),
    ]
    for name, data, said in cases:
        give(visit, (name, data))
        visit.page.wait_for_selector(f'#answer[aria-busy="false"] .verdict:has-text("{said}")')
        assert visit.greens() == 0
        assert visit.page.locator("#answer img, #answer script").count() == 0
    choose(visit, "valid.proof.json")
    visit.wait_for("登记有效")
    assert not [path for path, _ in site.answers.asked if path == "/v1/verifications"]


def _bomb() -> bytes:
    """A PNG of 30,000 by 30,000 pixels in a few kilobytes."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer, rows = zlib.compressobj(9), b""
    for _ in range(300):
        rows += packer.compress(b"\x00" * (30_000 // 8 + 1) * 100)
    rows += packer.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def picture(text: str) -> bytes:
    return codes.png(codes.picture(text))


def test_a_screenshot_among_the_files(site: Site, visit: Visit) -> None:
    code = site.answers.hold("reversed.proof.json")
    give(visit, ("screenshot.png", picture(f"{site.url}/v#{code}")))
    visit.wait_for("已红冲")
    give(visit, ("official.png", picture(OFFICIAL)))
    visit.wait_for("税务二维码")
    visit.page.click(".actions .primary")
    expect(visit.page.locator("#field-number")).to_have_value("2611 2983 9655 5893 3682")
    expect(visit.page.locator("#field-amount")).to_have_value("1060.00")
