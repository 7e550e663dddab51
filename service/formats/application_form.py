"""The form by which a reprint is applied for: a PDF that can be filled in on a screen, or on paper (ISO 32000-1 section 12.7).

What is known stands in its fields already. Their looks are drawn by typst with the font of printed documents, a page for each, and
those pages become the fields' appearances: so every viewer shows them, whether or not it has a Chinese font.
"""

import io
import threading
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
import pikepdf
import typst
from pikepdf import Array, Dictionary, Name, String

from service.formats.document import MISSING
from service.formats.fonts import Coverage, load_fonts

MAX_TEXT = 600
"""Characters of a field that are filled in."""
_LONG = 250
"""More of them are drawn smaller, so that they fit."""

_TEMPLATE = Path(__file__).parent / "templates/application_form.typ"
_POINTS = 72 / 25.4
_PAGE_MM = 297
_READ_ONLY, _MULTILINE = 1 << 0, 1 << 12  # ISO 32000-1 tables 221 and 228
_PRINT = 1 << 2  # of an annotation: table 165
_LOOK = "/Song 10.5 Tf 0 g"
"""For what somebody types: a font that viewers have for Chinese, since nothing of it can be embedded beforehand."""

FieldName = Literal[
    "case",
    "number",
    "issued_on",
    "seller",
    "kind",
    "delivery",
    "name",
    "company",
    "contact",
    "reason",
    "signed_on",
    "signature",
    "stamp",
]


class _Field(NamedTuple):
    """Where a field is, in mm from the left and the top. `kind`: text, lines of it, or to be signed by a person or an e-seal."""

    name: FieldName
    label: str
    label_en: str
    x: float
    y: float
    width: float
    height: float
    kind: Literal["text", "lines", "signature"] = "text"
    read_only: bool = False


_FIELDS = (
    _Field("case", "申请编号", "Case", 20, 51, 82, 8, read_only=True),
    _Field("kind", "补打方式", "Kind of reprint", 108, 51, 82, 8, read_only=True),
    _Field("number", "发票号码", "Invoice number", 20, 66, 82, 8, read_only=True),
    _Field("issued_on", "开票日期", "Date of issue", 108, 66, 82, 8, read_only=True),
    _Field("seller", "销方名称", "Seller", 20, 81, 170, 8),
    _Field("name", "申请人", "Applicant", 20, 96, 82, 8),
    _Field("company", "代表单位", "On behalf of", 108, 96, 82, 8),
    _Field("contact", "联系方式", "Contact", 20, 111, 82, 8),
    _Field("delivery", "领取方式", "Delivery", 108, 111, 82, 8, read_only=True),
    _Field("reason", "申请理由", "Reason", 20, 126, 170, 48, "lines"),
    _Field("signature", "申请人签名", "Applicant's signature", 20, 206, 82, 32, "signature"),
    _Field("stamp", "单位公章", "Company's stamp", 108, 206, 82, 48, "signature"),
    _Field("signed_on", "签署日期", "Date", 20, 246, 82, 8),
)
_STATEMENT_Y = 180
_TITLE = "发票补打申请表"
_WORDS = {
    "title": _TITLE,
    "title_en": "Application for the reprint of an invoice",
    "how": [
        "已知的内容已填好。请核对，补上空白处，签名；代表单位申请的，请加盖公章。然后拍照或扫描，在申请页面上传。",
        "What is known is filled in: check it, add what is missing, sign it; for a company, stamp it. Then send a photo or a scan.",
    ],
    "statement": [
        "本人申请补打上述发票，保证所填内容和所附材料真实。本人知道：补打完成后，该号码的新一份生效，此前的一份随即失效。",
        (
            "I apply for a reprint of this invoice and assure that what is stated here and what is enclosed is true. I know that "
            "the new copy replaces the one before it as soon as it is made."
        ),
    ],
    "footer": "本表由发票登记簿生成，仅用于本次申请。This form was made by the invoice registry, for this case alone.",
}


def render(texts: dict[FieldName, str]) -> bytes:
    """The PDF with these texts in its fields; the others are empty. Raises Unavailable where the font is missing."""
    drawing = _drawing()
    shown = {field.name: _printable(texts.get(field.name, ""), field, drawing.coverage) for field in _FIELDS}
    drawn = drawing.draw([_placed(field, shown[field.name]) for field in _FIELDS])
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        _add_fields(pdf, shown)
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _placed(field: _Field, text: str) -> dict[str, Any]:
    lines = field.kind == "lines"
    return {**field._asdict(), "text": text, "lines": lines, "is_long": lines and len(text) > _LONG}


def _printable(text: str, field: _Field, coverage: Coverage) -> str:
    """Not endless, on one line unless the field has several, and with what the font lacks marked."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    if field.kind != "lines":
        cut = " ".join(cut.split())
    return "".join(character if character in coverage or character == "\n" else MISSING for character in cut)


class _Drawing:
    """One for the process: its fonts are loaded once. typst's object serves one thread at a time."""

    def __init__(self) -> None:
        fonts, self.coverage = load_fonts()
        self._typst = typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent, font_paths=fonts)
        self._lock = threading.Lock()

    def draw(self, fields: list[dict[str, Any]]) -> bytes:
        said = {**_WORDS, "fields": fields, "statement_y": _STATEMENT_Y}
        with self._lock:
            made = self._typst.compile(sys_inputs={"data": orjson.dumps(said).decode()}, format="pdf")
        assert isinstance(made, bytes)
        return made


_made: list[_Drawing] = []
_making = threading.Lock()


def _drawing() -> _Drawing:
    with _making:
        if not _made:
            _made.append(_Drawing())
        return _made[0]


def _add_fields(pdf: pikepdf.Pdf, shown: dict[FieldName, str]) -> None:
    """The page's fields, from the pages behind it, which go."""
    page = pdf.pages[0]
    widgets = Array()
    for field, drawn in zip(_FIELDS, list(pdf.pages)[1:], strict=True):
        widgets.append(pdf.make_indirect(_widget(pdf, page, field, shown[field.name], drawn)))
    del pdf.pages[1:]
    page.Annots = widgets
    page.Tabs = Name.R
    pdf.Root.AcroForm = Dictionary(Fields=widgets, DR=Dictionary(Font=Dictionary(Song=_song(pdf))), DA=String(_LOOK))
    pdf.Root.Lang = String("zh-CN")
    for name in ("/StructTreeRoot", "/MarkInfo"):  # of pages that are gone
        if name in pdf.Root:
            del pdf.Root[name]


def _widget(pdf: pikepdf.Pdf, page: pikepdf.Page, field: _Field, text: str, drawn: pikepdf.Page) -> Dictionary:
    left, top = field.x * _POINTS, (_PAGE_MM - field.y) * _POINTS
    rect = [left, top - field.height * _POINTS, left + field.width * _POINTS, top]
    widget = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        Rect=Array([round(edge, 2) for edge in rect]),
        F=_PRINT,
        P=page.obj,
        T=String(field.name),
        TU=String(f"{field.label} {field.label_en}"),
    )
    if field.kind == "signature":
        widget.FT = Name.Sig
        return widget
    widget.FT = Name.Tx
    widget.Ff = _READ_ONLY * field.read_only | _MULTILINE * (field.kind == "lines")
    widget.DA = String(_LOOK)
    widget.V = String(text)
    appearance = drawn.as_form_xobject()
    appearance.write(b"/Tx BMC q\n" + appearance.read_bytes() + b"\nQ EMC")
    widget.AP = Dictionary(N=appearance)
    return widget


def _song(pdf: pikepdf.Pdf) -> Dictionary:
    """STSong-Light of Adobe-GB1 (ISO 32000-1 section 9.7.5.2), which viewers replace by what they have for Chinese."""
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name("/STSong-Light"),
        Flags=6,
        FontBBox=Array([-25, -254, 1000, 880]),
        ItalicAngle=0,
        Ascent=880,
        Descent=-120,
        CapHeight=880,
        StemV=93,
    )
    cid_font = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType0,
        BaseFont=Name("/STSong-Light"),
        CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("GB1"), Supplement=2),
        FontDescriptor=pdf.make_indirect(descriptor),
        DW=1000,
        W=Array([1, 95, 500]),  # letters and digits
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/STSong-Light-UniGB-UTF16-H"),
            Encoding=Name("/UniGB-UTF16-H"),
            DescendantFonts=Array([pdf.make_indirect(cid_font)]),
        )
    )
