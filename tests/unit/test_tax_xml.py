"""Tax XML: the samples exactly, the variants of other producers, and files that are broken or hostile."""

import json
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Finding
from service.formats import FormatError, ImportedInvoice, tax_xml, zips
from service.formats.tax_xml import iter_zip, parse
from service.formats.text import clean
from service.invoices.rules import examine, refuses
from service.messages import detail, sentence
from tests.unit.samples import SAMPLES, TODAY
from verifier.canonical import canonical_bytes

FILES = sorted((SAMPLES / "tax-xml").glob("*.xml"))
S01 = (SAMPLES / "tax-xml" / "S01.xml").read_text()
S02 = (SAMPLES / "tax-xml" / "S02.xml").read_text()
S06 = (SAMPLES / "tax-xml" / "S06.xml").read_text()


def expected(name: str) -> Any:
    return json.loads((SAMPLES / "tax-xml" / f"{name}.expected.json").read_text())


def imported(text: str, *replacements: tuple[str, str]) -> ImportedInvoice:
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())


def sections(text: str, *replacements: tuple[str, str]) -> dict[str, Any]:
    """The sections of a changed sample, less the digest of the file."""
    result = imported(text, *replacements).sections
    assert re.fullmatch("[0-9a-f]{64}", result["notes"].pop("extra")["source"]["sha256"])
    return result


def without_source(name: str) -> Any:
    result = expected(name)
    del result["notes"]["extra"]
    return result


def findings(text: str, *replacements: tuple[str, str]) -> list[tuple[str, str, str, str | None]]:
    return [(f.code, f.severity, f.pointer, f.params.get("case")) for f in imported(text, *replacements).findings]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_gives_exactly_its_sections(path: Path) -> None:
    result = parse(path.read_bytes())
    assert result.sections == expected(path.stem)
    assert result.findings == ()
    assert result.number == result.sections["header"]["number"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_is_registered_as_issued(path: Path) -> None:
    result = parse(path.read_bytes())
    examined = examine(result.sections, "as_issued", today=TODAY, found=result.findings)
    assert not refuses(examined.findings, "as_issued")
    # The official sample's tax ids were made fictitious, so their check digits do not hold.
    fictitious = [("tax_id_check_digit", f"/{party}/tax_id") for party in ("seller", "buyer")]
    assert [(f.code, f.pointer) for f in examined.findings] == (fictitious if path.stem == "official-special" else [])


@pytest.mark.parametrize("version", ["0.2", "0.32", "0.33", "0.35", ""])
def test_the_version_says_nothing(version: str) -> None:
    assert sections(S01, ("<Version>0.2<", f"<Version>{version}<")) == without_source("S01")


def test_namespaces_are_tolerated() -> None:
    assert sections(S01, ("<EInvoice>", '<EInvoice xmlns="http://example.org/einvoice">')) == without_source("S01")
    prefixed = re.sub(r"<(/?)(?=[A-Za-z])", r"<\1t:", S01).replace("<t:EInvoice>", '<t:EInvoice xmlns:t="urn:t">', 1)
    assert sections(prefixed) == without_source("S01")


def test_blanks_comments_and_cdata_say_nothing() -> None:
    spaced = S01.replace("><", ">\n  <")
    spaced = spaced.replace("王开票", "\n  <!-- 开票人 --><![CDATA[王开票]]>\n ")
    assert sections(spaced) == without_source("S01")


def test_unknown_elements_are_left_to_the_stored_original() -> None:
    more = ("<EInvoiceData>", "<EInvoiceData><Weather><Rain>1</Rain></Weather><Weather/>")
    line = ("<Amount>1000.00</Amount>", "<Amount>1000.00</Amount><Deduction>0</Deduction>")
    assert sections(S01, more, line) == without_source("S01")


@pytest.mark.parametrize(
    "empty", ["<GeneralOrSpecialVAT/>", "<GeneralOrSpecialVAT><LabelCode/><LabelName/></GeneralOrSpecialVAT>", ""]
)
def test_without_a_kind_an_ordinary_invoice_is_assumed_and_said(empty: str) -> None:
    text = re.sub("<GeneralOrSpecialVAT>.*</GeneralOrSpecialVAT>", empty, S01)
    assert sections(text)["header"]["kind"] == "digital_ordinary"
    assert findings(text) == [("kind_assumed", "warning", "/header/kind", None)]


def test_empty_elements_are_absent_fields() -> None:
    text = re.sub("<(SellerAddr|SellerTelNum|BuyerIdNum|Drawer|UnPrice|Quantity|SpecMod|TaxRate)>[^<]*</", r"<\1> </", S01)
    result = sections(text)
    assert result["seller"].keys() == {"name", "tax_id", "bank", "account"}
    assert "tax_id" not in result["buyer"]
    assert result["provenance"] == {}
    assert result["lines"][0].keys() == {"nature", "item", "classification_code", "unit", "amount", "tax", "amount_with_tax"}


def test_a_line_may_have_neither_quantity_nor_price() -> None:
    text = re.sub("<Quantity>1</Quantity><UnPrice>1000</UnPrice>", "", S01)
    assert [line["nature"] for line in sections(text)["lines"]] == ["normal", "normal"]
    assert refuses(examine(parse(text.encode()).sections, "new", today=TODAY).findings, "new") is False


def test_a_negative_line_without_quantity_and_price_discounts_the_one_before() -> None:
    assert [line["nature"] for line in sections(S02)["lines"]] == ["discounted", "discount", "normal"]
    priced = sections(S02, ("<Quantity/><UnPrice/><Amount>-20.22", "<Quantity>-1</Quantity><UnPrice>20.22</UnPrice><Amount>-20.22"))
    assert [line["nature"] for line in priced["lines"]] == ["normal", "normal", "normal"]


def test_a_first_line_discounts_nothing() -> None:
    first = re.sub("<IssuItemInformation>.*?</IssuItemInformation>", "", S02, count=1)
    assert [line["nature"] for line in sections(first)["lines"]] == ["normal", "normal"]


def test_in_a_red_letter_invoice_negative_lines_are_normal_and_a_positive_one_the_discount() -> None:
    unpriced = "<Quantity>-1</Quantity><UnPrice>1000</UnPrice>"
    line = re.search("<IssuItemInformation>.*</IssuItemInformation>", S06)
    assert line is not None
    two = line[0].replace(unpriced, "") * 2
    assert [one["nature"] for one in sections(S06, (line[0], two))["lines"]] == ["normal", "normal"]
    discount = line[0].replace(unpriced, "").replace("-1000.00", "10.00")
    assert [one["nature"] for one in sections(S06, (line[0], line[0] + discount))["lines"]] == ["discounted", "discount"]


@pytest.mark.parametrize(
    ("written", "rate", "label"),
    [
        ("0.06", "0.06", "6%"),
        ("0.060000", "0.06", "6%"),
        ("6%", "0.06", "6%"),
        ("6.00%", "0.06", "6%"),
        ("0.1", "0.1", "10%"),
        ("0.015", "0.015", "1.5%"),
        ("0", "0", "0%"),
        ("0.000000", "0", "0%"),
        ("0%", "0", "0%"),
        ("免税", "0", "免税"),
        ("不征税", "0", "不征税"),
        ("***", "***", None),
    ],
)
def test_rates_have_their_shortest_form(written: str, rate: str, label: str | None) -> None:
    line = sections(S01, ("<TaxRate>0.06<", f"<TaxRate>{written}<"))["lines"][0]
    assert (line["rate"], line.get("rate_label")) == (rate, label)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("2.120000", "2.12"),
        ("2.1", "2.10"),
        ("2", "2.00"),
        ("2.", "2.00"),
        (".5", "0.50"),
        ("002.50", "2.50"),
        ("+2.50", "2.50"),
        ("-0.00", "0.00"),
        ("-2.500", "-2.50"),
        ("0", "0.00"),
    ],
)
def test_money_has_two_decimals_where_that_is_exact(written: str, amount: str) -> None:
    assert sections(S01, ("<ComTaxAm>60.00<", f"<ComTaxAm>{written}<"))["lines"][0]["tax"] == amount
    assert findings(S01, ("<ComTaxAm>60.00<", f"<ComTaxAm>{written}<")) == []


@pytest.mark.parametrize(("written", "case"), [("2.125", None), ("1,060.00", "number"), ("¥60.00", "number"), ("***", "number")])
def test_other_money_stays_as_given_and_is_said(written: str, case: str | None) -> None:
    for tag, pointer in (("ComTaxAm>60.00", "/lines/0/tax"), ("TotalTaxAm>1541.48", "/totals/tax")):
        replaced = (f"<{tag}<", f"<{tag.partition('>')[0]}>{written}<")
        section, name = pointer.split("/")[1], pointer.split("/")[-1]
        result = sections(S01, replaced)[section]
        assert (result[0] if section == "lines" else result)[name] == written
        assert findings(S01, replaced) == [("amount_scale", "warning", pointer, case)]


def test_tax_ids_and_capitals_stay_as_given() -> None:
    masked = sections(S01, ("91110105MAXXXX023T", "911101********023T"), ("贰圆捌角", "贰元捌角"))
    assert masked["buyer"]["tax_id"] == "911101********023T"
    examined = examine(masked, "as_issued", today=TODAY)
    assert [(f.code, f.pointer) for f in examined.findings] == [("tax_id_format", "/buyer/tax_id")]


@pytest.mark.parametrize(
    ("issue_time", "request_time", "issued_on", "issued_at"),
    [
        ("2026-09-01 10:11:12", "2026-08-31", "2026-09-01", "2026-09-01T10:11:12+08:00"),
        ("2026-09-01", "2026-08-31 10:11:12", "2026-09-01", None),
        ("", "2026-08-31 10:11:12", "2026-08-31", "2026-08-31T10:11:12+08:00"),
        ("", "2026-08-31", "2026-08-31", None),
        ("2026-09-01T10:11:12", "", "2026-09-01", "2026-09-01T10:11:12+08:00"),
        ("2026-09-01T10:11:12.345+08:00", "", "2026-09-01", "2026-09-01T10:11:12+08:00"),
        ("2026-08-31T20:11:12Z", "", "2026-09-01", "2026-09-01T04:11:12+08:00"),
        ("2026-09-01 10:11", "", "2026-09-01", "2026-09-01T10:11:00+08:00"),
        ("20260901", "", "2026-09-01", None),
        ("20260901101112", "", "2026-09-01", "2026-09-01T10:11:12+08:00"),
        ("2026/09/01", "", "2026-09-01", None),
        ("2026年09月01日", "", "2026-09-01", None),
    ],
)
def test_a_date_may_have_a_time_and_a_time_be_a_date(
    issue_time: str, request_time: str, issued_on: str, issued_at: str | None
) -> None:
    text = S01.replace("<IssueTime>2026-09-01 10:11:12", f"<IssueTime>{issue_time}")
    header = sections(text.replace("<RequestTime>2026-09-01 10:11:12", f"<RequestTime>{request_time}"))["header"]
    assert (header["issued_on"], header.get("issued_at")) == (issued_on, issued_at)


@pytest.mark.parametrize(
    "written", ["tomorrow", "2026-13-01", "2026-02-30 10:00:00", "2026-09-01 25:00:00", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_date_is_left_for_the_rules_to_refuse(written: str) -> None:
    result = sections(S01, ("<IssueTime>2026-09-01 10:11:12", f"<IssueTime>{written}"))
    assert result["header"]["issued_on"] == written
    assert refuses(examine(result, "as_issued", today=TODAY).findings, "as_issued")


def test_the_region_is_that_of_the_bureau_else_of_the_number() -> None:
    assert sections(S01, ("<TaxBureauCode>11100000000<", "<TaxBureauCode>14403000000<"))["header"]["region"] == "440000"
    for missing in ("<TaxBureauCode/>", ""):
        assert sections(S01, ("<TaxBureauCode>11100000000</TaxBureauCode>", missing))["header"]["region"] == "110000"
    assert (
        "region" not in sections(S01, ("26112999000000000001", "X"), ("<TaxBureauCode>11100000000<", "<TaxBureauCode><"))["header"]
    )


def test_both_numbers_must_agree() -> None:
    result = imported(S01, ("<InvoiceNumber>26112999000000000001", "<InvoiceNumber>26112999000000000002"))
    assert result.number == "26112999000000000001"
    assert result.findings == (Finding("number_format", "error", "/header/number", {"case": "disagrees"}),)
    found = examine(result.sections, "as_issued", today=TODAY, found=result.findings).findings
    assert refuses(found, "as_issued")


def test_one_number_is_enough_and_none_is_the_rules_business() -> None:
    assert sections(S01, ("<EIid>26112999000000000001</EIid>", "")) == without_source("S01")
    assert sections(S01, ("<InvoiceNumber>26112999000000000001</InvoiceNumber>", "<InvoiceNumber/>")) == without_source("S01")
    result = imported(S01, ("26112999000000000001", ""))
    assert result.number is None
    assert ("field_missing", "/header/number") in [
        (f.code, f.pointer) for f in examine(result.sections, "as_issued", today=TODAY).findings
    ]


RED = re.compile("<RedEInvoice>.*</RedEInvoice>")
REMARK = "<Remark>被红冲蓝字数电票号码：26112999000000000001 红字发票信息确认单编号：11010826099900000001</Remark>"


@pytest.mark.parametrize(
    ("remark", "original"),
    [
        (
            "被红冲蓝字数电票号码：26112999000000000001 红字发票信息确认单编号：11010826099900000001",
            ("26112999000000000001", "11010826099900000001"),
        ),
        ("退货。被红冲蓝字数电发票号码:26112999000000000001", ("26112999000000000001", None)),
        ("对应正数发票代码:011002400111号码:99000007", ("011002400111-99000007", None)),
        ("被红冲蓝字发票代码：3100231130 号码：99000008", ("3100231130-99000008", None)),
        ("被红冲蓝字数电票号码：261129990000000000011", None),
        ("退货", None),
    ],
)
def test_without_its_element_the_remark_names_the_original(remark: str, original: tuple[str, str | None] | None) -> None:
    provenance = sections(RED.sub("", S06), (REMARK, f"<Remark>{remark}</Remark>"))["provenance"]
    if original is None:
        assert "original" not in provenance
    else:
        number, confirmation = original
        assert provenance["original"] == {
            "number": number,
            "relation": "reverses",
            **({"confirmation": confirmation} if confirmation else {}),
        }


def test_the_element_counts_before_the_remark() -> None:
    result = sections(S06, ("<OriginalInvoiceCode>26112999000000000001", "<OriginalInvoiceCode>26112999000000000009"))
    assert result["provenance"]["original"]["number"] == "26112999000000000009"


def test_a_blue_invoice_has_no_original_whatever_its_remark_says() -> None:
    assert (
        "original"
        not in sections(S01, ("合同编号：HT-2026-0001", REMARK.removeprefix("<Remark>").removesuffix("</Remark>")))["provenance"]
    )


@pytest.mark.parametrize("label", ["<LabelCode/>", "<LabelCode></LabelCode>", "<LabelCode>n</LabelCode>"])
def test_without_its_label_a_negative_invoice_is_a_red_letter_one(label: str) -> None:
    assert sections(S06, ("<LabelCode>N</LabelCode>", label)) == without_source("S06")


def test_invisible_characters_are_cleaned_and_said() -> None:
    text = S01.replace("<Drawer>王开票", "<Drawer>\ufeff王\u200b开票").replace("合同编号：", "合同编号：\tCafe\u0301&#13;")
    result = imported(text)
    assert result.sections["provenance"]["drawer"] == "王开票"
    assert result.sections["notes"]["remark"] == "合同编号： Café\nHT-2026-0001"
    assert {(f.code, f.severity, f.pointer) for f in result.findings} == {
        ("text_not_allowed", "warning", "/provenance/drawer"),
        ("text_not_allowed", "warning", "/notes/remark"),
    }
    examined = examine(result.sections, "as_issued", today=TODAY, found=result.findings)
    assert not refuses(examined.findings, "as_issued")


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Mn", "Lo"])))
def test_cleaned_text_always_has_canonical_bytes(text: str) -> None:
    canonical_bytes(clean(text))


@pytest.mark.parametrize("encoding", ["GBK", "gb2312", "GB18030"])
def test_chinese_encodings(encoding: str) -> None:
    text = S01.replace('encoding="utf-8"', f"encoding='{encoding}'").replace("王开票", "朱镕")  # 镕 is in GBK, not in GB 2312
    assert parse(text.encode("gbk")).sections["provenance"] == {"drawer": "朱镕"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding: str) -> None:
    text = S01.replace('encoding="utf-8"', 'encoding="utf-16"') if encoding == "utf-16" else S01
    result = parse(text.encode(encoding)).sections
    del result["notes"]["extra"]
    assert result == without_source("S01")


LAUGHS = '<!DOCTYPE a [<!ENTITY x0 "ha">' + "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10}">' for i in range(1, 10)) + "]>"


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "xml_malformed", 1),
        (b"PK\x03\x04", "xml_malformed", 1),
        (b"\x00" * 100, "xml_malformed", 1),
        (b"<EInvoice>\n<EInvoiceData>\n</EInvoice>", "xml_malformed", 3),
        (b"<EInvoice/><EInvoice/>", "xml_malformed", 1),
        (S01.encode()[:-20], "xml_malformed", 1),
        (S01.encode("gbk"), "file_encoding", 1),
        (S01.replace('"utf-8"', '"gbk"').encode()[:-1] + b"\xff", "file_encoding", None),
        (S01.replace('"utf-8"', '"klingon"').encode(), "file_encoding", 1),
        (b"<!DOCTYPE EInvoice><EInvoice><EInvoiceData/></EInvoice>", "xml_dtd", 1),
        (b'<!DOCTYPE EInvoice SYSTEM "http://127.0.0.1:9/x.dtd"><EInvoice><EInvoiceData/></EInvoice>', "xml_dtd", 1),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><EInvoice><EInvoiceData>&x;</EInvoiceData></EInvoice>',
            "xml_dtd",
            1,
        ),
        (LAUGHS.encode() + b"<EInvoice>&x9;</EInvoice>", "xml_dtd", 1),
        (LAUGHS.encode() + b'<EInvoice a="&x9;"/>', "xml_dtd", 1),
        (b"<EInvoice>&nbsp;</EInvoice>", "xml_dtd", 1),
        (b"<a>" * 300 + b"</a>" * 300, "xml_too_deep", 1),
        (b"<EInvoice>" + b"<a/>" * tax_xml.MAX_TAGS + b"</EInvoice>", "xml_too_many_elements", None),
        (b"<EInvoice>" + b" " * tax_xml.MAX_BYTES + b"</EInvoice>", "file_too_large", None),
        (b"<root>\n</root>", "tax_xml_other_root", 1),
        (b"\n<EInvoice/>", "tax_xml_element_missing", 2),
        (S01.replace("<EIid>", "\n<EIid>1</EIid>\n<EIid>").encode(), "tax_xml_element_twice", 3),
        (S01.replace("<BasicInformation>", "<BasicInformation/><BasicInformation>").encode(), "tax_xml_element_twice", 1),
    ],
)
def test_a_broken_or_hostile_file_is_refused_with_its_line(data: bytes, code: str, line: int | None) -> None:
    with pytest.raises(FormatError) as raised:
        parse(data, file="发票.xml")
    error = raised.value
    assert (error.code, error.line, error.file) == (code, line, "发票.xml")
    assert error.extra == {"file": "发票.xml", **({"line": line} if line else {})}
    assert sentence(error.code, error.params, "zh")
    assert sentence(error.code, error.params, "en")


def test_the_same_element_twice_with_the_same_content_is_harmless() -> None:
    assert sections(S01, ("<Drawer>王开票</Drawer>", "<Drawer>王开票</Drawer><Drawer>王开票</Drawer>")) == without_source("S01")


@given(st.data())
def test_any_mutation_is_an_invoice_or_a_format_error(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(FILES)).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(mutated)))
        cut = data.draw(st.sampled_from([0, 1, 1, 5, 200]))
        mutated[place : place + cut] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"<", b"</", b"&lt;", b"<Amount>", b"-", b"9", b"\xcc\x81"])
        )
    try:
        result = parse(bytes(mutated))
    except FormatError as error:
        sentence(error.code, error.params, "zh")
        return
    examined = examine(result.sections, "as_issued", today=TODAY, found=result.findings)
    assert set(result.sections) == {"header", "seller", "totals", "provenance", "buyer", "lines", "payment", "notes"}
    for finding in examined.findings:
        assert detail(finding, "zh")
        assert detail(finding, "en")


@given(st.binary(max_size=400))
def test_any_bytes_are_an_invoice_or_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse(data)


def archive(*entries: tuple[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", compression) as written:
        for name, data in entries:
            written.writestr(name, data)
    return buffer.getvalue()


def outcomes(source: Any) -> list[tuple[str, str | None]]:
    return [(one.file, one.number if isinstance(one, ImportedInvoice) else one.code) for one in iter_zip(source)]


def test_a_zip_of_invoices_in_order_each_with_its_name(tmp_path: Path) -> None:
    data = archive(*((path.name, path.read_bytes()) for path in FILES))
    expected_outcomes = [(path.name, parse(path.read_bytes()).number) for path in FILES]
    assert outcomes(data) == expected_outcomes
    (tmp_path / "a.zip").write_bytes(data)
    assert outcomes(tmp_path / "a.zip") == expected_outcomes
    with (tmp_path / "a.zip").open("rb") as file:
        assert outcomes(file) == expected_outcomes


def test_a_bad_member_never_harms_another() -> None:
    data = archive(
        ("好/1.XML", S01.encode()),
        ("broken.xml", b"<"),
        ("photo.pdf", b"%PDF"),
        ("inner.zip", archive(("x.xml", S01.encode()))),
        ("bomb.xml", b" " * (8 * 1024 * 1024)),
        ("text.xml", b"x"),
        ("folder/", b""),
        ("__MACOSX/1.xml", b"x"),
        ("2.xml", S02.encode()),
    )
    assert outcomes(data) == [
        ("好/1.XML", "26112999000000000001"),
        ("broken.xml", "xml_malformed"),
        ("photo.pdf", "not_tax_xml"),
        ("inner.zip", "zip_nested"),
        ("bomb.xml", "zip_ratio"),
        ("text.xml", "xml_malformed"),
        ("2.xml", "26317999000000000002"),
    ]


def test_a_member_without_a_name_is_a_member() -> None:
    data = archive(("Q.xml", S01.encode())).replace(b"Q.xml", b"\0.xml")
    assert outcomes(data) == [("", "not_tax_xml")]


def test_names_of_windows_archives_are_gbk() -> None:
    name = "发票.xml".encode("gbk")
    data = archive(("x" * len(name), S01.encode())).replace(b"x" * len(name), name)
    assert outcomes(data) == [("发票.xml", "26112999000000000001")]


def test_other_compression_and_encryption_are_refused() -> None:
    assert outcomes(archive(("a.xml", S01.encode()), compression=ZIP_BZIP2)) == [("a.xml", "zip_compression")]
    data = bytearray(archive(("a.xml", S01.encode())))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert outcomes(bytes(data)) == [("a.xml", "zip_encrypted")]


def test_a_damaged_member_is_named() -> None:
    data = bytearray(archive(("a.xml", S01.encode()), ("b.xml", S02.encode())))
    data[100] ^= 0xFF
    assert outcomes(bytes(data)) == [("a.xml", "zip_malformed"), ("b.xml", "26317999000000000002")]


def test_an_archive_has_limits_before_anything_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(*((f"{index}.xml", b"<a/>") for index in range(5)))
    monkeypatch.setattr(zips, "MAX_ENTRIES", 4)
    with pytest.raises(FormatError, match="zip_too_many_entries"):
        next(iter_zip(data))
    monkeypatch.setattr(zips, "MAX_ENTRIES", 5)
    monkeypatch.setattr(zips, "MAX_UNPACKED", 19)
    with pytest.raises(FormatError, match="zip_too_large"):
        next(iter_zip(data))
    monkeypatch.setattr(zips, "MAX_UNPACKED", 20)
    monkeypatch.setattr(zips, "MAX_MEMBER", 3)
    assert [code for _, code in outcomes(data)] == ["file_too_large"] * 5


def test_a_member_that_says_less_than_it_holds_gives_no_more_than_it_says() -> None:
    data = bytearray(archive(("a.xml", b" " * 100_000)))
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = (10).to_bytes(4, "little")
    assert outcomes(bytes(data)) == [("a.xml", "zip_malformed")]


# Named, because a zip says when it was made: processes that collected it in different seconds would have different tests.
@pytest.mark.parametrize(
    "data", [b"", b"PK", S01.encode(), archive(("a.xml", b"x"))[:-30]], ids=["empty", "beginning", "xml", "without its end"]
)
def test_what_is_no_zip_says_so(data: bytes) -> None:
    with pytest.raises(FormatError, match="zip_malformed"):
        next(iter_zip(data))


@given(st.data())
def test_any_mutation_of_a_zip_gives_invoices_and_format_errors(data: st.DataObject) -> None:
    mutated = bytearray(archive(("a.xml", S01.encode()), ("b.xml", b"<a/>")))
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        assert all(isinstance(one, ImportedInvoice | FormatError) for one in iter_zip(bytes(mutated)))
