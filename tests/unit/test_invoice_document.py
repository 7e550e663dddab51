"""The printable document: what stands on it, that nothing of an invoice is markup, and what is attached."""

import io
import re
from typing import Any

import pikepdf
import pypdfium2
import pytest

from service.errors import Unavailable
from service.formats import document, fonts
from service.formats.document import MISSING, Registration
from tests.unit.samples import INVOICE_IDS, sections_of
from verifier.pdf import read_pdf

COMMITMENT = bytes(range(32))
PROOF = b'{"protocol":"zp1","text":"\xe8\xaf\x81\xe6\x98\x8e \\u0041"}'


def registration(number: str, **changes: Any) -> Registration:
    values: dict[str, Any] = {
        "public_url": "https://registry.example",
        "number": number,
        "commitment": COMMITMENT,
        "chain_id": 31337,
        "contract": "0x5fbdb2315678afecb367f032d93f642f64180aa3",
        "registered_at": 1_795_600_000.5,
        "anchored_at": 1_795_600_012,
        "seq": 15,
        "as_of": 1_795_603_612,
        "status": "valid",
        "is_current": True,
    }
    return Registration(**{**values, **changes})


def printed(sections: dict[str, Any], **changes: Any) -> bytes:
    return document.render(sections, registration(sections["header"]["number"], **changes), PROOF)


def words(pdf: bytes) -> str:
    """The text on all pages, without blanks and line ends."""
    with pypdfium2.PdfDocument(pdf) as opened:
        text = "".join(page.get_textpage().get_text_range() for page in opened)
    return "".join(text.replace("\u200b", "").replace("\ufffe", "").split())


@pytest.mark.parametrize("name", INVOICE_IDS)
def test_a_sample_is_printed_with_its_facts_its_code_and_its_proof(name: str) -> None:
    sections = sections_of(name)
    number = sections["header"]["number"]
    pdf = printed(sections)
    text = words(pdf)
    for wanted in (
        *number.split("-"),
        sections["seller"]["name"],
        sections["buyer"]["name"],
        "¥" + sections["totals"]["amount_with_tax"],
        sections["totals"]["amount_in_capitals"],
        sections["provenance"]["drawer"],
        "登记簿副本·非税务机关版式文件",
        "registry.example",
        "AAAQEAYEAUDAOCAJ",
        "登记有效（截至2026-11-2518:46:52）",
    ):
        assert "".join(wanted.split()) in text, wanted
    for line in sections["lines"]:
        assert line["item"] in text
        assert line["amount"] in text
    carried = read_pdf(pdf)
    assert carried.proofs == (PROOF,)
    assert carried.codes == (f"https://registry.example/v#{number}.AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ",)


def test_it_is_pdf_a_3_with_the_proof_as_its_source() -> None:
    with pikepdf.open(io.BytesIO(printed(sections_of("S01")))) as pdf:
        with pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
            assert metadata["dc:title"] == "电子发票（增值税专用发票） 26112999000000000001"
        [filespec] = pdf.Root.AF
        assert filespec.AFRelationship == pikepdf.Name.Source
        assert str(filespec.UF) == "26112999000000000001.proof.json"
        assert filespec.EF.F.Subtype == pikepdf.Name("/application/vnd.zhengpiao.proof+json")
        fonts_used = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert fonts_used
        for font in fonts_used:
            name = str(font.BaseFont)
            assert re.match(r"/[A-Z]{6}\+NotoSansCJK", name), name  # a subset
            assert any("/FontFile" in key for key in font.DescendantFonts[0].FontDescriptor)
        assert pdf.Root.Lang == "zh-CN"


def test_the_same_content_makes_the_same_bytes() -> None:
    assert printed(sections_of("S02")) == printed(sections_of("S02"))


HOSTILE = [
    '<script>alert("x")</script>',
    '#image("/etc/passwd")',
    '#eval("1") #let x = 1 #panic()',
    "$ x^2 $ $",
    "@reference <label> \\u{41} \\",
    "`raw` ```code``` *strong* _emph_",
    "= title // comment /* comment */",
    "]] }} ) #[",
    "- 1. + / term: x ~ -- ---",
    "%PDF-1.7 endstream endobj (\\n)",
    "{{ 7*7 }} ${x} {number}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_field_is_printed_literally(text: str) -> None:
    sections = sections_of("S06")
    for section in ("seller", "buyer"):
        sections[section] = dict.fromkeys(sections[section], text)
    sections["lines"][0].update(
        dict.fromkeys(("item", "specification", "unit", "quantity", "unit_price", "rate_label", "tax"), text)
    )
    sections["totals"].update(amount_in_capitals=text, amount_with_tax=text, currency="EUR")
    sections["provenance"].update(drawer=text, reviewer=text, original={"number": text, "relation": text, "confirmation": text})
    sections["notes"] = {"remark": f"{text}\n{text}", "special": {"a": text}}
    sections["payment"] = {"payee": text, "method": text, "references": [text]}
    sections["header"].update(issued_on=text, check_code=text, machine_number=text)
    found = words(printed(sections))
    # The typesetter's own dashes and quotes stay as they are: shaping makes no other characters of them.
    assert found.count("".join(text.split())) >= 20, found


def test_what_the_font_lacks_is_marked_and_said() -> None:
    sections = sections_of("S03")
    sections["buyer"]["name"] = "张\U00020bb7😀مرحبا\U0002b740"
    text = words(printed(sections))
    assert f"张\U00020bb7{MISSING * 7}" in text
    assert f"“{MISSING}”处的字不在字库中" in text
    assert "不在字库中" not in words(printed(sections_of("S03")))


def test_long_invoices_have_pages_with_heads_and_all_lines() -> None:
    sections = sections_of("S02")
    sections["lines"] = [{**sections["lines"][n % 3], "item": f"*办公用品*第{n}项"} for n in range(150)]
    pdf = printed(sections)
    with pypdfium2.PdfDocument(pdf) as opened:
        pages = ["".join(page.get_textpage().get_text_range().split()) for page in opened]
    assert len(pages) > 3
    for n, page in enumerate(pages, 1):
        assert f"第{n}页，共{len(pages)}页" in page
    for page in pages[1:]:
        assert "发票号码：26317999000000000002" in page
    assert sum("项目名称规格型号" in page for page in pages) >= len(pages) - 1
    text = "".join(pages)
    assert all(f"*办公用品*第{n}项" in text for n in range(150))


def test_more_than_can_be_printed_is_counted() -> None:
    sections = sections_of("S02")
    sections["lines"] = [{"item": f"*办公用品*第{n}项", "amount": "1.00"} for n in range(document.MAX_LINES + 1)]
    assert "明细共2001行，此处印出前2000行" in words(printed(sections))
    sections["lines"] = [{"item": "长" * 390, "amount": "1.00"} for _ in range(1000)]
    sections["notes"] = {"remark": "备" * 10_000}
    text = words(printed(sections))
    assert "明细共1000行，此处印出前" in text
    assert "全文见所附的证明文件" in text


def test_discounts_negatives_and_foreign_currencies() -> None:
    assert "-20.22" in words(printed(sections_of("S02")))
    red = words(printed(sections_of("S06")))
    assert "¥-1060.00" in red
    assert "红字发票，冲减原发票：26112999000000000001" in red
    foreign = sections_of("S03")
    foreign["totals"]["currency"] = "EUR"
    text = words(printed(foreign))
    assert "EUR320.00" in text
    assert "金额（EUR）" in text
    assert "¥" not in text


@pytest.mark.parametrize(
    ("changes", "stamp"),
    [
        ({"status": "void"}, "已作废"),
        ({"status": "reversed"}, "已红冲"),
        ({"status": "released"}, "登记已撤回"),
        ({"is_current": False}, "已被补打替换"),
    ],
)
def test_what_is_no_longer_good_is_stamped(changes: dict[str, Any], stamp: str) -> None:
    text = words(printed(sections_of("S02"), **changes))
    assert text.count(stamp) >= 2  # across the page, and in what the registry says
    assert "登记有效（" not in text
    many = sections_of("S02")
    many["lines"] *= 40
    assert stamp in words(printed(many, **changes))


def test_a_reprint_says_which() -> None:
    sections = sections_of("S02")
    sections["provenance"]["reprint"] = {"ordinal": "2"}
    assert "补打第2次" in words(printed(sections))


def test_a_reissue_names_its_original() -> None:
    sections = sections_of("S11")
    assert "重开原发票26112999000000000010" in words(printed(sections))
    sections["provenance"]["original"]["relation"] = "reverses"
    assert "重开原发票" not in words(printed(sections))


@pytest.mark.parametrize("kind", ["roll", "toll", "railway", "airline", "other", "no such kind"])
def test_any_kind_and_whatever_is_missing_can_be_printed(kind: str) -> None:
    sections: dict[str, Any] = {name: {} for name in ("seller", "totals", "provenance", "buyer", "payment", "notes")}
    sections |= {"header": {"kind": kind, "number": "A:1", "issued_on": "2026"}, "lines": [{}]}
    text = words(printed(sections))
    assert "A:1" in text
    assert "—" in text


def test_rates_as_people_write_them() -> None:
    sections = sections_of("S02")
    sections["lines"] = [
        {"item": "a", "amount": "1.00", "rate": "0.13"},
        {"item": "b", "amount": "1.00", "rate": "0.015"},
        {"item": "c", "amount": "1.00", "rate": "0.1", "rate_label": "免税"},
        {"item": "d", "amount": "1.00", "rate": "x"},
        {"item": "e", "amount": "1.00", "rate": "Infinity"},
    ]
    text = words(printed(sections))
    for wanted in ("a1.0013%", "b1.001.5%", "c1.00免税", "d1.00x", "e1.00Infinity"):
        assert wanted in text


def test_a_machine_without_the_font_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_FOLDERS", ("/nonexistent",))
    with pytest.raises(Unavailable, match="font_missing"):
        fonts.load_fonts()
