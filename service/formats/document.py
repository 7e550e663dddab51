"""A registered copy as a printable invoice: PDF/A-3a, with its QR code and its proof file attached (relationship Source).

It is a copy from the registry and says so: the tax platform's own file is another one. Nothing of an invoice is ever read as
markup: the template (templates/invoice.typ) takes data alone.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
import typst

from service.formats import qr
from service.formats.fonts import Coverage, load_fonts
from verifier.commitment import commitment_to_text
from verifier.proof import MEDIA_TYPE, SUFFIX

MAX_LINES = 2_000
MAX_LINES_TEXT = 200_000
"""Lines, and characters of them together, that are printed: a second's work. Of more the document says how many there are."""
MAX_TEXT = 400
MAX_REMARKS = 4_000
"""Characters of a field, and of all remarks together, that are printed. The attached proof has everything."""
MISSING = "〓"
"""Stands for a character that the font does not have, as Chinese printers do it."""

_TEMPLATE = Path(__file__).parent / "templates/invoice.typ"
_BEIJING = timezone(timedelta(hours=8))
_LONG_WORD = re.compile(r"[!-~\u00a1-\u024f]{13,}")
_CURRENCY_SIGNS = {"CNY": "¥"}

_TITLES = {
    "digital_special": "电子发票（增值税专用发票）",
    "digital_ordinary": "电子发票（普通发票）",
    "legacy_special": "增值税专用发票",
    "legacy_ordinary": "增值税普通发票",
    "legacy_electronic_special": "增值税电子专用发票",
    "legacy_electronic_ordinary": "增值税电子普通发票",
    "roll": "增值税普通发票（卷票）",
    "toll": "通行费电子发票",
    "railway": "铁路电子客票",
    "airline": "航空运输电子客票行程单",
}
_COLUMNS = ("项目名称", "规格型号", "单位", "数量", "单价", "金额", "税率/征收率", "税额")
_STATUS_WORDS = {
    "valid": "登记有效",
    "void": "已作废",
    "reversed": "已红冲",
    "partly_reversed": "部分红冲",
    "released": "登记已撤回",
}
_STAMPS = {"void": "已作废", "reversed": "已红冲", "released": "登记已撤回"}
_REPLACED = "已被补打替换"
_NO_TAX_FILE = (
    "本件是发票登记簿的副本，不是税务机关的版式文件，不含其数字签名。“登记有效”表示登记簿中有这张发票且现行有效，"
    "不表示它由税务平台开具；“作废”指在本登记簿中作废。"
)
_HOW_TO_VERIFY = (
    "核验：扫码，或用浏览器打开上述网址、输入号码、日期和金额；也可用本 PDF 所附的证明文件离线核验。"
    "状态只到所写的时间为止，之后的变化以核验结果为准。时间为北京时间。"
)


class Registration(NamedTuple):
    """What the registry knows of a copy. Times in seconds since 1970 UTC; `status` as of `as_of`, the time of anchor `seq`."""

    public_url: str
    number: str
    commitment: bytes
    chain_id: int
    contract: str
    registered_at: float
    anchored_at: int
    seq: int
    as_of: int
    status: str
    is_current: bool


def render(sections: Mapping[str, Any], registration: Registration, proof: bytes) -> bytes:
    """The PDF. The same content as of the same anchor makes the same bytes. Raises Unavailable where the font is missing."""
    compiler = _compiler()
    data = _data(sections, registration, compiler.coverage)
    symbol = qr.svg(qr.symbol(data["link"]))
    return compiler.compile(
        {"data": orjson.dumps(data).decode(), "qr": symbol.decode(), "proof": proof.decode()}, registration.as_of
    )


def short_fingerprint(commitment: bytes) -> str:
    """What a person can compare: the first 16 characters of the commitment as it stands in the QR code, in fours."""
    text = commitment_to_text(commitment)
    return " ".join(text[start : start + 4] for start in range(0, 16, 4))


# The compiler


class _Compiler:
    """One for the process: its fonts are loaded once. typst's object serves one thread at a time."""

    def __init__(self) -> None:
        fonts, self.coverage = load_fonts()
        self._typst = typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent, font_paths=fonts)
        self._lock = threading.Lock()

    def compile(self, inputs: dict[str, str], at: int) -> bytes:
        with self._lock:
            made = self._typst.compile(sys_inputs=inputs, format="pdf", pdf_standards=["a-3a", "ua-1"], timestamp=at)
        assert isinstance(made, bytes)
        return made


_made: list[_Compiler] = []
_making = threading.Lock()


def _compiler() -> _Compiler:
    with _making:
        if not _made:
            _made.append(_Compiler())
        return _made[0]


# The data of the template


def _data(sections: Mapping[str, Any], registration: Registration, coverage: Coverage) -> dict[str, Any]:
    shown = _Shown(coverage)
    header, totals = sections["header"], sections["totals"]
    printed = _lines(sections["lines"], shown)
    currency = _text(totals, "currency") or "CNY"
    title = _TITLES.get(header["kind"], "发票")
    unit = "" if currency == "CNY" else f"（{shown(currency, 8)}）"
    host = shown(host_of(registration.public_url))
    data: dict[str, Any] = {
        "document_title": f"{title} {registration.number}",
        "title": title,
        "number": registration.number,
        "copy_mark": "登记簿副本 · 非税务机关版式文件",
        "marks": _marks(sections["provenance"], shown),
        "link": qr.link(registration.public_url, registration.number, registration.commitment),
        "host": host,
        "stamp": _STAMPS.get(registration.status) or ("" if registration.is_current else _REPLACED),
        "proof_name": registration.number.replace(":", "_") + SUFFIX,
        "proof_type": MEDIA_TYPE,
        "head": _head(header, shown),
        "buyer": _party(sections["buyer"], shown),
        "seller": _party(sections["seller"], shown),
        "columns": [name + unit if name in ("金额", "税额") else name for name in _COLUMNS],
        "lines": printed,
        "amount": _money(totals, "amount", currency, shown),
        "tax": _money(totals, "tax", currency, shown),
        "capitals": _capitals(totals, shown),
        "amount_with_tax": _money(totals, "amount_with_tax", currency, shown),
        "remarks": _remarks(sections, shown),
        "signers": _pairs(
            shown,
            ("开票人", sections["provenance"], "drawer"),
            ("复核", sections["provenance"], "reviewer"),
            ("收款人", sections["payment"], "payee"),
        ),
        "registry_title": f"登记簿的记载（{host}）",
        "registry": _registry(registration, shown),
        "footer": f"登记簿副本，由 {host} 提供；以扫码或附件核验的结果为准。",
    }
    data["notices"] = _notices(len(printed), len(sections["lines"]), shown)
    return data


class _Shown:
    """Text as it is printed: on one line, not endless, able to break, and with what the font lacks marked."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.is_cut = False
        self.lacks = False

    def __call__(self, text: str, most: int = MAX_TEXT) -> str:
        if len(text) > most:
            text = text[: most - 1] + "…"
            self.is_cut = True
        text = text.replace("\n", " ")
        if not text.isascii() and any(character not in self._coverage for character in text):
            text = "".join(character if character in self._coverage else MISSING for character in text)
            self.lacks = True
        return _LONG_WORD.sub(_breakable, text)


def _breakable(found: re.Match[str]) -> str:
    """A zero-width space where a word that fits into no column may break."""
    word = found[0]
    return "\u200b".join(word[start : start + 6] for start in range(0, len(word), 6))


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _pairs(shown: _Shown, *fields: tuple[str, Mapping[str, Any], str]) -> list[tuple[str, str]]:
    """(label, text) of those that are there."""
    return [(label, shown(text)) for label, holder, name in fields if (text := _text(holder, name))]


def _head(header: Mapping[str, Any], shown: _Shown) -> list[tuple[str, str]]:
    code, dash, number = header["number"].partition("-")
    pairs = (
        [("发票代码", code), ("发票号码", number)]
        if dash and code.isdigit() and number.isdigit()
        else [("发票号码", header["number"])]
    )
    pairs = [(label, shown(text)) for label, text in pairs]
    pairs.append(("开票日期", shown(_date(_text(header, "issued_on")))))
    pairs += _pairs(shown, ("校验码", header, "check_code"), ("机器编号", header, "machine_number"))
    return pairs


def _marks(provenance: Mapping[str, Any], shown: _Shown) -> list[str]:
    """What nobody is to overlook: that it is a reprint, and which one; that it took another invoice's place."""
    marks = []
    reprint, original = provenance.get("reprint"), provenance.get("original")
    if isinstance(reprint, dict):
        marks.append(f"补打 第 {shown(_text(reprint, 'ordinal'), 12)} 次")
    if isinstance(original, dict) and _text(original, "relation") == "reissues":
        marks.append(f"重开 原发票 {shown(_text(original, 'number'), 64)}")
    return marks


def _date(written: str) -> str:
    year, *rest = written.split("-")
    return f"{year}年{rest[0]}月{rest[1]}日" if len(rest) == 2 else written


def _party(party: Mapping[str, Any], shown: _Shown) -> list[tuple[str, str]]:
    required = [("名称", shown(_text(party, "name"))), ("统一社会信用代码/纳税人识别号", shown(_text(party, "tax_id")))]
    return required + _pairs(
        shown, ("地址", party, "address"), ("电话", party, "phone"), ("开户行", party, "bank"), ("账号", party, "account")
    )


def _lines(lines: Sequence[Mapping[str, Any]], shown: _Shown) -> list[list[str]]:
    printed: list[list[str]] = []
    left = MAX_LINES_TEXT
    for line in lines[:MAX_LINES]:
        cells = _line(line, shown)
        left -= sum(map(len, cells))
        if left < 0:
            break
        printed.append(cells)
    return printed


def _line(line: Mapping[str, Any], shown: _Shown) -> list[str]:
    names = ("item", "specification", "unit", "quantity", "unit_price", "amount")
    return [*(shown(_text(line, name)) for name in names), shown(_rate(line)), shown(_text(line, "tax"))]


def _rate(line: Mapping[str, Any]) -> str:
    label, rate = _text(line, "rate_label"), _text(line, "rate")
    if label or not rate:
        return label
    try:
        percent = Decimal(rate) * 100
    except InvalidOperation:
        return rate
    return f"{percent.normalize():f}%" if percent.is_finite() else rate


def _money(totals: Mapping[str, Any], name: str, currency: str, shown: _Shown) -> str:
    amount = _text(totals, name)
    return shown((_CURRENCY_SIGNS.get(currency) or f"{currency} ") + amount) if amount else ""


def _capitals(totals: Mapping[str, Any], shown: _Shown) -> str:
    """As the content has it: what it does not say is not made up here."""
    capitals = _text(totals, "amount_in_capitals")
    return shown("⊗" + capitals.removeprefix("⊗")) if capitals else "—"


def _remarks(sections: Mapping[str, Any], shown: _Shown) -> list[str]:
    notes, payment = sections["notes"], sections["payment"]
    original = sections["provenance"].get("original")
    remarks = []
    if isinstance(original, dict):
        act = {"reverses": "红字发票，冲减原发票", "reissues": "重开，原发票"}.get(_text(original, "relation"), "原发票")
        confirmation = _text(original, "confirmation")
        remarks.append(f"{act}：{_text(original, 'number')}" + (f"　确认单编号：{confirmation}" if confirmation else ""))
    special = notes.get("special")
    if isinstance(special, dict):
        remarks += [f"{name}：{text}" for name, text in special.items() if isinstance(text, str)]
    if method := _text(payment, "method"):
        remarks.append(f"付款方式：{method}")
    references = payment.get("references")
    if isinstance(references, list) and references:
        remarks.append("付款凭证号：" + "、".join(text for text in references if isinstance(text, str)))
    remarks += _text(notes, "remark").split("\n")
    kept, left = [], MAX_REMARKS
    for remark in filter(None, remarks):
        if left <= 0:
            shown.is_cut = True
            break
        kept.append(shown(remark, min(left, MAX_REMARKS)))
        left -= len(remark) + 40
    return kept


def _registry(registration: Registration, shown: _Shown) -> list[tuple[str, str]]:
    status = _STATUS_WORDS[registration.status] if registration.is_current else _REPLACED
    contract = registration.contract
    return [
        ("登记状态", f"{status}（截至 {_time(registration.as_of)}）"),
        ("登记时间", _time(registration.registered_at)),
        ("存证", f"第 {registration.seq} 号登记簿，链 {registration.chain_id}"),
        ("上链时间", _time(registration.anchored_at)),
        ("指纹", short_fingerprint(registration.commitment)),
        ("合约", f"{contract[:10]}…{contract[-8:]}"),
    ]


def _notices(printed: int, lines: int, shown: _Shown) -> list[str]:
    notices = [_NO_TAX_FILE, _HOW_TO_VERIFY]
    if lines > printed:
        notices.append(f"明细共 {lines} 行，此处印出前 {printed} 行；全部明细见所附的证明文件。")
    if shown.is_cut:
        notices.append("“…”处原文较长，全文见所附的证明文件。")
    if shown.lacks:
        notices.append(f"“{MISSING}”处的字不在字库中，原文见所附的证明文件。")
    return notices


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def host_of(public_url: str) -> str:
    """The host in words, with its port where that is not the usual one."""
    return urlsplit(public_url).netloc
