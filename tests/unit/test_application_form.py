"""The application form: fields that viewers know, filled in, and drawn as somebody sees them."""

import io

import pikepdf
import pytest
from PIL import Image

from service.formats import application_form, rendering
from service.formats.application_form import FieldName, render
from service.formats.document import MISSING

TEXTS: dict[FieldName, str] = {
    "case": "R261125-7K3M9QXA",
    "kind": "补打同号的新一份 Copy",
    "number": "26112999000000000001",
    "issued_on": "2026-09-01",
    "seller": "北京示例信息技术有限公司",
    "name": "张三",
    "company": "上海示例科技有限公司",
    "contact": "zhang@company.example",
    "delivery": "下载 Download",
    "reason": "原件遗失，\n报销需要。",
}
EMPTY = ("signature", "stamp", "signed_on")
MM = 72 / 25.4


@pytest.fixture(scope="module")
def form() -> bytes:
    return render(TEXTS)


def drawn(data: bytes) -> Image.Image:
    [(width, height, mode, pixels)] = rendering.draw(data, 1)
    return Image.frombytes(mode, (width, height), pixels).convert("L")


def ink(image: Image.Image, rect: list[float]) -> int:
    """Dark pixels within a field, its frame left out."""
    scale = image.height / (297 * MM)
    left, bottom, right, top = (edge * scale for edge in rect)
    inside = image.crop((int(left) + 8, int(image.height - top) + 8, int(right) - 8, int(image.height - bottom) - 8))
    return sum(inside.histogram()[:128])


def test_it_has_one_page_and_every_field(form: bytes) -> None:
    with pikepdf.open(io.BytesIO(form)) as pdf:
        assert len(pdf.pages) == 1
        found = {str(field.T): field for field in pdf.Root.AcroForm.Fields}
        assert found.keys() == {*TEXTS, *EMPTY}
        assert len(pdf.pages[0].Annots) == len(found)
        for name, text in TEXTS.items():
            assert (str(found[name].FT), str(found[name].V)) == ("/Tx", text)
        assert str(found["signed_on"].V) == ""
        assert {str(found[name].FT) for name in ("signature", "stamp")} == {"/Sig"}
        assert all("/V" not in found[name] for name in ("signature", "stamp"))
        read_only = {name for name, field in found.items() if int(field.get("/Ff", 0)) & 1}
        assert read_only == {"case", "kind", "number", "issued_on", "delivery"}, "what the registry knows is not to be changed"
        assert int(found["reason"].Ff) & 1 << 12
        assert all(str(field.TU) for field in found.values())


def test_what_is_filled_in_is_seen_and_what_is_not_is_empty(form: bytes) -> None:
    image = drawn(form)
    with pikepdf.open(io.BytesIO(form)) as pdf:
        seen = {str(field.T): ink(image, [float(edge) for edge in field.Rect]) for field in pdf.Root.AcroForm.Fields}
    assert all(seen[name] > 60 for name in TEXTS), seen
    assert all(seen[name] == 0 for name in EMPTY), seen
    nothing = drawn(render({}))
    with pikepdf.open(io.BytesIO(form)) as pdf:
        assert all(ink(nothing, [float(edge) for edge in field.Rect]) == 0 for field in pdf.Root.AcroForm.Fields)


def test_it_can_be_filled_in_further(form: bytes) -> None:
    """As a viewer does it, which draws what was typed anew."""
    with pikepdf.open(io.BytesIO(form)) as pdf:
        pdf.Root.AcroForm.NeedAppearances = True
        [field] = [field for field in pdf.Root.AcroForm.Fields if str(field.T) == "signed_on"]
        field.V = pikepdf.String("2026-11-25")
        del field.AP
        rect = [float(edge) for edge in field.Rect]
        pdf.generate_appearance_streams()
        out = io.BytesIO()
        pdf.save(out)
    assert ink(drawn(out.getvalue()), rect) > 60


def test_texts_are_text_whatever_they_hold() -> None:
    hostile: dict[FieldName, str] = {"name": "#panic() $x$ *_`", "seller": "(\\) Tj ET", "company": "一\n二", "reason": "长" * 5000}
    form = render(hostile)
    with pikepdf.open(io.BytesIO(form)) as pdf:
        found = {str(field.T): str(field.V) for field in pdf.Root.AcroForm.Fields if "/V" in field}
    assert (found["name"], found["seller"], found["company"]) == (hostile["name"], hostile["seller"], "一 二")
    assert len(found["reason"]) == application_form.MAX_TEXT
    assert found["reason"].endswith("…")
    drawn(form)


def test_a_character_that_the_font_lacks_is_marked() -> None:
    with pikepdf.open(io.BytesIO(render({"name": "王\U0001f600\u0007"}))) as pdf:
        [name] = [str(field.V) for field in pdf.Root.AcroForm.Fields if str(field.T) == "name"]
    assert name == f"王{MISSING}{MISSING}"


def test_no_page_of_a_field_is_left_behind(form: bytes) -> None:
    with pikepdf.open(io.BytesIO(form)) as pdf:
        pages = [obj for obj in pdf.objects if isinstance(obj, pikepdf.Dictionary) and obj.get("/Type") == "/Page"]
        assert len(pages) == 1
        assert "/StructTreeRoot" not in pdf.Root
    assert len(form) < 200_000
