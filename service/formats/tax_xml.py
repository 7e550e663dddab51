"""The Ministry's XML of a fully digital invoice (数电票) -> sections (domain.md, "Carriers").

Producers differ in version, blanks, empty elements and spellings; all that is told apart here, and what had to be assumed becomes a
finding. The file is hostile until proven otherwise: no DTD, no entities, no network, and limits on size, depth and elements.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from lxml import etree

from service.errors import Finding
from service.formats import FormatError, ImportedInvoice
from service.formats.text import clean
from service.formats.zips import members

MAX_BYTES = 4 * 1024 * 1024
"""Twice what the sections may be; an invoice of 2,000 lines takes less than 1 MiB."""
MAX_TAGS = 200_000
_SCHEMA = "zhengpiao/invoice/1"

_BEIJING = timezone(timedelta(hours=8))
_DECLARATION = re.compile(rb"""\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")
_CHINESE_ENCODINGS = frozenset({"gb2312", "gbk", "gb18030", "cp936"})

_AMOUNT = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_RATE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{0,10})?)(%?)")
_DAY = r"([0-9]{4})[-/.年]?([0-9]{2})[-/.月]?([0-9]{2})日?"
_TIME = r"[T ]?([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:\.[0-9]+)?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?"
_WHEN = re.compile(f"{_DAY}(?:{_TIME})?")
_TWO_DIGITS = re.compile("[0-9]{2}")
_ZERO_RATE_LABELS = ("免税", "不征税")

_REMARK_ORIGINALS = (
    re.compile(r"被红冲蓝字(?:数电票|数电发票|全电发票|发票)?号码[:：]\s*(?P<number>[0-9]{20})(?![0-9])"),
    re.compile(
        r"(?:被红冲蓝字发票|对应正数发票)代码[:：]\s*(?P<code>[0-9]{12}|[0-9]{10})[\s,，;；]*号码[:：]\s*(?P<legacy>[0-9]{8})(?![0-9])"
    ),
)
_REMARK_CONFIRMATION = re.compile(r"红字(?:发票)?(?:信息)?(?:确认单|表)编号[:：]\s*([0-9A-Za-z]+)")

# What follows Seller or Buyer in the elements' names.
_PARTY = (
    ("name", "Name"),
    ("tax_id", "IdNum"),
    ("address", "Addr"),
    ("phone", "TelNum"),
    ("bank", "BankName"),
    ("account", "BankAccNum"),
)
_TOTALS = ("amount", "TotalAmWithoutTax"), ("tax", "TotalTaxAm"), ("amount_with_tax", "TotalTax-includedAmount")
_LINE_TEXTS = (
    ("item", "ItemName"),
    ("classification_code", "TaxClassificationCode"),
    ("specification", "SpecMod"),
    ("unit", "MeaUnits"),
    ("quantity", "Quantity"),
    ("unit_price", "UnPrice"),
)
# Beware: the invoice has TotalTax-includedAmount, a line TotaltaxIncludedAmount.
_LINE_MONEY = ("amount", "Amount"), ("tax", "ComTaxAm"), ("amount_with_tax", "TotaltaxIncludedAmount")


def parse(data: bytes, *, file: str = "") -> ImportedInvoice:
    """One file -> the eight sections, to be looked at by the rules. `file` is the name to say in errors.

    Raises FormatError for what is no tax XML at all. What is missing in it is missing in the sections.
    """
    try:
        return _Reader(_root(data), sha256(data).hexdigest(), file).read()
    except FormatError as error:
        error.extra.update({"file": file} if file else {})
        error.file = file
        raise


def iter_zip(source: bytes | Path | BinaryIO) -> Iterator[ImportedInvoice | FormatError]:
    """Every file of a zip, in its order: an invoice, or why it is none. Both have the member's name in `file`.

    Raises FormatError before the first one where the archive as a whole is unreadable or too large.
    """
    for member in members(source):
        if isinstance(member, FormatError):
            yield member
        elif not member.name.lower().endswith(".xml"):
            yield FormatError("not_tax_xml", file=member.name)
        else:
            try:
                yield parse(member.data, file=member.name)
            except FormatError as error:
                yield error


def _root(data: bytes) -> etree._Element:
    if len(data) > MAX_BYTES:
        raise FormatError("file_too_large", limit=f"{MAX_BYTES // 2**20} MiB")
    if data.count(b"<") > MAX_TAGS:
        raise FormatError("xml_too_many_elements")
    declaration = _DECLARATION.match(data[:512])
    declared = declaration[1].decode().lower() if declaration else "utf-8"
    encoding = None
    if declared in _CHINESE_ENCODINGS:
        # Files that say GB2312 hold GBK; GB 18030 contains both. Decoded here, so that nothing depends on how libxml2 was built.
        try:
            data, encoding = data.decode("gb18030").encode(), "utf-8"
        except UnicodeDecodeError:
            raise FormatError("file_encoding", encoding=declared) from None
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _xml_error(error, declared) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatError("xml_dtd", line=1)
    return root


def _xml_error(error: etree.XMLSyntaxError, declared: str) -> FormatError:
    types, code = etree.ErrorTypes, getattr(error, "code", None)  # the stubs do not know it
    if code in (types.ERR_INVALID_ENCODING, types.ERR_UNSUPPORTED_ENCODING, types.ERR_INVALID_CHAR):
        return FormatError("file_encoding", line=error.lineno, encoding=declared)
    if code == types.ERR_UNDECLARED_ENTITY or "amplification" in str(error):
        return FormatError("xml_dtd", line=error.lineno)
    if "Excessive depth" in str(error):
        return FormatError("xml_too_deep", line=error.lineno)
    return FormatError("xml_malformed", line=error.lineno)


class _Reader:
    """Walks one document. Namespaces are ignored, so are elements that it does not know."""

    def __init__(self, root: etree._Element, digest: str, file: str) -> None:
        self._root = root
        self._digest = digest
        self._file = file
        self._findings: list[Finding] = []
        self._containers: dict[tuple[str, ...], _Children] = {(): _children(root)}

    def read(self) -> ImportedInvoice:
        root = self._root
        if _name(root) != "EInvoice":
            raise FormatError("tax_xml_other_root", line=_line(root), name=_name(root)[:64])
        if "EInvoiceData" not in self._container():
            raise FormatError("tax_xml_element_missing", line=_line(root), name="EInvoiceData")
        totals, notes = self._totals(), self._notes()
        red = self._is_red(totals)
        sections: dict[str, Any] = {
            "header": self._header(),
            "seller": self._party("seller", "Seller"),
            "totals": totals,
            "provenance": self._provenance(red, notes.get("remark", "")),
            "buyer": self._party("buyer", "Buyer"),
            "lines": self._lines(red),
            "payment": {},
            "notes": notes,
        }
        return ImportedInvoice(sections, tuple(self._findings), sections["header"].get("number"), self._file)

    def _header(self) -> dict[str, str]:
        header = {"schema": _SCHEMA, "kind": self._kind()}
        number = self._text("/header/number", "Header", "EIid")
        again = self._text("/header/number", "TaxSupervisionInfo", "InvoiceNumber")
        if number and again and number != again:
            self._findings.append(Finding("number_format", "error", "/header/number", {"case": "disagrees"}))
        number = number or again
        if number:
            header["number"] = number
        written = self._text("/header/issued_on", "TaxSupervisionInfo", "IssueTime")
        written = written or self._text("/header/issued_on", "EInvoiceData", "BasicInformation", "RequestTime")
        if written:
            header.update(_issued(written))
        bureau = self._text("/header/region", "TaxSupervisionInfo", "TaxBureauCode")
        region = bureau[1:3] if bureau else number[2:4]
        if _TWO_DIGITS.fullmatch(region):
            header["region"] = region + "0000"
        return header

    def _kind(self) -> str:
        code = self._text("/header/kind", "Header", "InherentLabel", "GeneralOrSpecialVAT", "LabelCode")
        if code not in ("01", "02"):
            self._warn("kind_assumed", "/header/kind")
        return "digital_special" if code == "01" else "digital_ordinary"

    def _totals(self) -> dict[str, str]:
        totals = {"currency": "CNY"}
        basic = ("EInvoiceData", "BasicInformation")
        for name, element in _TOTALS:
            if written := self._text(f"/totals/{name}", *basic, element):
                totals[name] = self._money(written, f"/totals/{name}")
        if written := self._text("/totals/amount_in_capitals", *basic, "TotalTax-includedAmountInChinese"):
            totals["amount_in_capitals"] = written
        return totals

    def _is_red(self, totals: dict[str, str]) -> bool:
        label = self._text("", "Header", "InherentLabel", "InIssuType", "LabelCode").upper()
        return label == "N" or (label != "Y" and _sign(totals) < 0)

    def _lines(self, red: bool) -> list[dict[str, str]]:
        lines: list[dict[str, str]] = []
        for element in self._container("EInvoiceData").get("IssuItemInformation", ()):
            place, children = f"/lines/{len(lines)}", _children(element)
            line = {"nature": "normal"}
            for name, tag in _LINE_TEXTS:
                if written := self._leaf(children, tag, f"{place}/{name}"):
                    line[name] = written
            for name, tag in _LINE_MONEY:
                if written := self._leaf(children, tag, f"{place}/{name}"):
                    line[name] = self._money(written, f"{place}/{name}")
            if written := self._leaf(children, "TaxRate", f"{place}/rate"):
                line.update(_rate(written))
            if lines and _is_discount(line, red):
                line["nature"] = "discount"
                if lines[-1]["nature"] == "normal":
                    lines[-1]["nature"] = "discounted"
            lines.append(line)
        return lines

    def _provenance(self, red: bool, remark: str) -> dict[str, Any]:
        provenance: dict[str, Any] = {}
        if drawer := self._text("/provenance/drawer", "EInvoiceData", "BasicInformation", "Drawer"):
            provenance["drawer"] = drawer
        if red and (original := self._original(remark)):
            provenance["original"] = original
        return provenance

    def _original(self, remark: str) -> dict[str, str] | None:
        place, path = "/provenance/original", ("EInvoiceData", "SpecificInformation", "RedEInvoice")
        number = self._text(f"{place}/number", *path, "OriginalInvoiceCode")
        legacy = self._text(f"{place}/number", *path, "OriginalInvoiceNumber")
        if legacy and number:
            number = f"{number}-{legacy}"
        for pattern in _REMARK_ORIGINALS:
            if not number and (match := pattern.search(remark)):
                found = match.groupdict()
                number = found.get("number") or f"{found['code']}-{found['legacy']}"
        if not number:
            return None
        original = {"number": number, "relation": "reverses"}
        confirmation = self._text(f"{place}/confirmation", *path, "CreditNoteNumber")
        if not confirmation and (match := _REMARK_CONFIRMATION.search(remark)):
            confirmation = match[1]
        if confirmation:
            original["confirmation"] = confirmation
        return original

    def _notes(self) -> dict[str, Any]:
        notes: dict[str, Any] = {"extra": {"source": {"format": "tax-xml", "sha256": self._digest}}}
        if remark := self._text("/notes/remark", "EInvoiceData", "AdditionalInformation", "Remark"):
            notes["remark"] = remark
        return notes

    def _party(self, section: str, prefix: str) -> dict[str, str]:
        path = ("EInvoiceData", f"{prefix}Information")
        written = {name: self._text(f"/{section}/{name}", *path, f"{prefix}{tag}") for name, tag in _PARTY}
        return {name: text for name, text in written.items() if text}

    def _money(self, written: str, pointer: str) -> str:
        """Two decimals where that is exact, else as given, with a finding."""
        match = _AMOUNT.fullmatch(written)
        if match is None:
            self._warn("amount_scale", pointer, case="number")
            return written
        whole, _, decimals = match[2].partition(".")
        decimals = decimals.rstrip("0")
        if len(decimals) > 2:
            self._warn("amount_scale", pointer)
            return written
        amount = f"{whole.lstrip('0') or '0'}.{decimals:0<2}"
        return f"-{amount}" if match[1] == "-" and amount != "0.00" else amount

    def _container(self, *path: str) -> "_Children":
        """The children of the element at `path` below the root; none where it, or one on the way, is absent."""
        if path not in self._containers:
            found = _single(self._container(*path[:-1]), path[-1])
            self._containers[path] = {} if found is None else _children(found)
        return self._containers[path]

    def _text(self, pointer: str, *path: str) -> str:
        """The text of the element at `path` below the root; "" where it is absent or empty."""
        return self._leaf(self._container(*path[:-1]), path[-1], pointer)

    def _leaf(self, children: "_Children", name: str, pointer: str) -> str:
        element = _single(children, name)
        written = (element.text or "").strip() if element is not None else ""
        cleaned = clean(written)
        if pointer and cleaned != written:
            self._warn("text_not_allowed", pointer, case="cleaned")
        return cleaned

    def _warn(self, code: str, pointer: str, **params: str) -> None:
        self._findings.append(Finding(code, "warning", pointer, params))


_Children = dict[str, list[etree._Element]]


def _children(element: etree._Element) -> _Children:
    children: _Children = {}
    for child in element:
        children.setdefault(_name(child), []).append(child)
    return children


def _single(children: _Children, name: str) -> etree._Element | None:
    """The child of that name. Two that differ are refused: which of them is meant cannot be told."""
    found = children.get(name)
    if found is None:
        return None
    if len(found) > 1:
        first, *others = (etree.tostring(child, method="c14n", with_tail=False) for child in found)
        if any(other != first for other in others):
            raise FormatError("tax_xml_element_twice", line=_line(found[1]), name=name)
    return found[0]


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _line(element: etree._Element) -> int | None:
    return cast("int | None", element.sourceline)


def _sign(amounts: dict[str, str]) -> int:
    written = amounts.get("amount_with_tax") or amounts.get("amount", "")
    return (-1 if written.startswith("-") else 1) if written.strip("-0.") else 0


def _is_discount(line: dict[str, str], red: bool) -> bool:
    """Negative, with neither quantity nor price. In a red-letter invoice everything is negative, and a discount is what is not."""
    return (
        not line.keys() & {"quantity", "unit_price"}
        and "amount" in line
        and _sign({"amount": line["amount"]}) == (1 if red else -1)
    )


def _issued(written: str) -> dict[str, str]:
    """issued_on and, with a time, issued_at in Beijing's offset. What is no date is kept as it is: the rules say so."""
    match = _WHEN.fullmatch(written)
    if match is None:
        return {"issued_on": written}
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        if hour is None:
            return {"issued_on": date(int(year), int(month), int(day)).isoformat()}
        at = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{offset or '+08:00'}").astimezone(
            _BEIJING
        )
    except (ValueError, OverflowError):
        return {"issued_on": written}
    return {"issued_on": at.date().isoformat(), "issued_at": at.isoformat()}


def _rate(written: str) -> dict[str, str]:
    """A rate in its shortest form (0.06) and its label as per cent. What is no rate is kept as it is."""
    if written in _ZERO_RATE_LABELS:
        return {"rate": "0", "rate_label": written}
    match = _RATE.fullmatch(written)
    if match is None:
        return {"rate": written}
    rate = Decimal(match[1]).scaleb(-2 if match[2] else 0)
    return {"rate": _shortest(rate), "rate_label": f"{_shortest(rate.scaleb(2))}%"}


def _shortest(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"
