"""What applicants may send, drawn in a process of its own: what comes out is pixels, whatever went in."""

import io
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pikepdf
import pytest
from PIL import Image

from service.api.catalogue import PROBLEMS
from service.errors import Refused
from service.formats import previews, rendering, sandbox
from service.formats.application_form import render
from service.formats.pictures import MAX_PIXELS
from service.formats.previews import Previews
from service.formats.rendering import MAX_EDGE
from service.formats.sandbox import Sandbox
from service.formats.watermark import mark
from tests.integration.test_sandbox import PROBES, attachment_bomb, content_bomb, encoded, image_bomb, png_of, text_bomb

GPS_IFD, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F
RED, BLUE = (220, 20, 20), (20, 20, 220)


@pytest.fixture(scope="module")
def box() -> Iterator[Previews]:
    made = Previews(max_pages=5)
    yield made
    made.close()


def opened(png: bytes) -> Image.Image:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return Image.open(io.BytesIO(png))


def chunks(png: bytes) -> list[bytes]:
    """The names of its parts, in order."""
    names, at = [], 8
    while at < len(png):
        [size] = struct.unpack_from(">I", png, at)
        names.append(png[at + 4 : at + 8])
        at += 12 + size
    return names


def photo(width: int = 400, height: int = 300, orientation: int = 1, where: str = "") -> bytes:
    """Left half red, right half blue, as a phone takes it, with the place where it was taken."""
    image = Image.new("RGB", (width, height), BLUE)
    image.paste(RED, (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "Example Phone of " + where
    exif[GPS_IFD] = {1: "N", 2: (39.0, 54.0, 15.0), 3: "E", 4: (116.0, 24.0, 26.0)}
    return encoded(image, "JPEG", quality=92, exif=exif, comment=b"a comment")


def pdf(pages: int = 1, encryption: pikepdf.Encryption | bool = False) -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as made:
        for n in range(pages):
            page = made.add_blank_page(page_size=(595, 842))
            page.Contents = made.make_stream(f"1 0 0 rg 50 {50 + 20 * n} 300 200 re f".encode())
        made.docinfo["/Author"] = "Zhang San"
        made.save(written, encryption=encryption)
    return written.getvalue()


def refused(box: Previews, data: bytes) -> str:
    with pytest.raises(Refused) as raised:
        box.draw(data)
    assert raised.value.code in PROBLEMS
    return raised.value.code


# What is drawn


def test_nothing_but_pixels_is_left_of_a_photo(box: Previews) -> None:
    sent = photo(where="Zhang San")
    assert b"Example Phone" in sent
    assert b"a comment" in sent
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(GPS_IFD)[2] == (39.0, 54.0, 15.0)
    [png] = box.draw(sent)
    assert set(chunks(png)) == {b"IHDR", b"IDAT", b"IEND"}
    assert b"Zhang" not in png
    assert opened(png).info == {}
    assert len(opened(png).getexif()) == 0


@pytest.mark.parametrize(
    ("orientation", "is_wide", "where_red_is"),
    [(1, True, (0.25, 0.5)), (3, True, (0.75, 0.5)), (6, False, (0.5, 0.25)), (8, False, (0.5, 0.75)), (2, True, (0.75, 0.5))],
)
def test_a_photo_stands_as_it_was_taken(box: Previews, orientation: int, is_wide: bool, where_red_is: tuple[float, float]) -> None:
    [png] = box.draw(photo(orientation=orientation))
    image = opened(png)
    assert (image.width > image.height) is is_wide
    red, _, blue = image.getpixel((int(image.width * where_red_is[0]), int(image.height * where_red_is[1])))  # type: ignore[misc]
    assert red > 180 > blue


def test_a_large_photo_is_made_smaller(box: Previews) -> None:
    [png] = box.draw(photo(4032, 3024, 6))
    assert opened(png).size == (MAX_EDGE * 3 // 4, MAX_EDGE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_formats_of_phones_and_screens(box: Previews, kind: str) -> None:
    [png] = box.draw(encoded(Image.new("RGB", (60, 40), RED), kind))
    assert opened(png).size == (60, 40)


def test_what_has_no_colour_is_kept_without(box: Previews) -> None:
    [png] = box.draw(encoded(Image.new("RGB", (60, 40), (90, 90, 90))))
    assert opened(png).mode == "L"
    [coloured] = box.draw(encoded(Image.new("RGB", (60, 40), RED)))
    assert opened(coloured).mode == "RGB"


def test_what_is_transparent_lies_on_white(box: Previews) -> None:
    for image in (Image.new("RGBA", (10, 10), (0, 0, 0, 0)), Image.new("LA", (10, 10), (0, 0)), Image.new("P", (10, 10))):
        [png] = box.draw(encoded(image, transparency=0) if image.mode == "P" else encoded(image))
        assert opened(png).convert("L").getpixel((5, 5)) == 255


def test_of_what_moves_the_first_picture_counts(box: Previews) -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in (RED, BLUE)]
    moving = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert len(box.draw(moving)) == 1


def test_each_page_of_a_pdf_is_a_picture(box: Previews) -> None:
    drawn = box.draw(pdf(3))
    assert len(drawn) == 3
    assert all(max(opened(png).size) <= MAX_EDGE for png in drawn)
    assert all(b"Zhang" not in png for png in drawn)
    assert len(set(drawn)) == 3


def test_a_pdf_that_anybody_may_read_needs_no_password(box: Previews) -> None:
    protected = pdf(encryption=pikepdf.Encryption(owner="x", user="", allow=pikepdf.Permissions(extract=False)))
    assert len(box.draw(protected)) == 1


def test_what_was_typed_into_a_form_is_drawn(box: Previews) -> None:
    [empty], [filled] = box.draw(render({})), box.draw(render({"name": "张三"}))
    assert empty != filled


def typed(text: str) -> bytes:
    """The application form, as a viewer saves it in which somebody has typed: with a font that is not in the file."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(render({}))) as form:
        [field] = [field for field in form.Root.AcroForm.Fields if str(field.T) == "name"]
        shown = f"/Tx BMC q BT /Song 10.5 Tf 0 g 4 8 Td <{text.encode('utf-16-be').hex()}> Tj ET Q EMC"
        drawn = form.make_stream(shown.encode())
        drawn.Type, drawn.Subtype, drawn.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([0, 0, 232, 22])
        drawn.Resources = pikepdf.Dictionary(Font=form.Root.AcroForm.DR.Font)
        field.V, field.AP = pikepdf.String(text), pikepdf.Dictionary(N=drawn)
        form.save(written)
    return written.getvalue()


def test_chinese_that_somebody_typed_is_drawn_though_its_font_is_not_in_the_file(box: Previews) -> None:
    """The process can open no font: ours is with it from the beginning."""
    [empty], [name], [other] = box.draw(typed("")), box.draw(typed("王小明")), box.draw(typed("王小红"))
    dark = [sum(opened(png).convert("L").histogram()[:128]) for png in (empty, name, other)]
    assert dark[1] > dark[0] + 200
    assert dark[2] > dark[0] + 200
    assert name != other


# What is refused


def test_an_encrypted_pdf_is_refused_by_name(box: Previews) -> None:
    for strength in (4, 6):
        locked = pdf(encryption=pikepdf.Encryption(owner="x", user="secret", R=strength))
        assert refused(box, locked) == "material_encrypted"


def test_too_many_pages_are_refused(box: Previews) -> None:
    assert len(box.draw(pdf(5))) == 5
    with pytest.raises(Refused) as raised:
        box.draw(pdf(6))
    assert (raised.value.code, raised.value.params) == ("material_too_many_pages", {"limit": "5"})
    assert refused(box, pdf(400)) == "material_too_many_pages"


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"hevc", b"avif"])
def test_a_photo_of_an_iphone_says_what_to_do(box: Previews, brand: bytes) -> None:
    assert refused(box, b"\x00\x00\x00\x28ftyp" + brand + bytes(400)) == "material_heic"
    chinese, english = PROBLEMS["material_heic"].detail
    assert "JPEG" in chinese
    assert "JPEG" in english


def test_other_files_are_refused(box: Previews) -> None:
    others = (
        b"PK\x03\x04" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html><script>alert(1)</script></html>",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        b"MZ" + bytes(200),
        encoded(Image.new("L", (9, 9)), "GIF"),
        encoded(Image.new("L", (9, 9)), "BMP"),
        encoded(Image.new("L", (9, 9)), "TIFF"),
        b"x",
        b"\x00" * 4000,
    )
    assert {refused(box, data) for data in others} == {"material_format"}


def test_broken_files_are_refused(box: Previews) -> None:
    whole = (photo(), encoded(Image.new("RGB", (90, 90), RED)), pdf(2), encoded(Image.new("RGB", (90, 90), RED), "WEBP"))
    assert {refused(box, data[: len(data) // 3]) for data in whole[:2]} == {"material_unreadable"}
    for data in whole:
        for seed in range(3):
            spoilt = bytearray(data)
            for n in range(20, len(spoilt), 37):
                spoilt[n] = (spoilt[n] * 31 + n + seed) % 256
            try:
                drawn = box.draw(bytes(spoilt))
            except Refused as error:
                assert error.code in PROBLEMS  # noqa: PT017  either may come
            else:
                assert all(set(chunks(png)) == {b"IHDR", b"IDAT", b"IEND"} for png in drawn)


def test_pictures_that_explode_are_refused(box: Previews) -> None:
    side = int(MAX_PIXELS**0.5) + 10
    assert refused(box, png_of(side, side, honest=True)) == "material_unreadable"
    assert refused(box, png_of(2**31 - 1, 2**31 - 1, honest=False)) == "material_unreadable"
    assert refused(box, text_bomb()) == "material_unreadable"


def page_bomb() -> bytes:
    """A page as large as a field."""
    written = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(200, 200))
        made.pages[0].MediaBox = pikepdf.Array([0, 0, 3_000_000, 3_000_000])
        made.save(written)
    return written.getvalue()


def xref_bomb() -> bytes:
    """A page tree that leads back to itself."""
    written = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        kids = made.Root.Pages.Kids
        kids.append(made.Root.Pages)
        made.Root.Pages.Count = 2**31 - 1
        made.save(written)
    return written.getvalue()


@pytest.mark.parametrize("bomb", [content_bomb, attachment_bomb, image_bomb, page_bomb, xref_bomb])
def test_pdfs_that_explode_end_in_time(box: Previews, bomb: Callable[[], bytes]) -> None:
    data = bomb()
    began = time.monotonic()
    try:
        drawn = box.draw(data)
    except Refused as error:
        assert error.code in ("material_unreadable", "material_too_many_pages")  # noqa: PT017  either may come
    else:
        assert all(max(opened(png).size) <= MAX_EDGE for png in drawn)
    assert time.monotonic() - began < previews.TIMEOUT_S + 30
    assert len(box.draw(photo())) == 1, "and the next one is drawn as ever"


def test_a_file_that_is_two_things_is_one_picture(box: Previews) -> None:
    script = b"<script>alert('x')</script>PK\x03\x04"
    for carrier in (photo() + pdf(), photo() + script, encoded(Image.new("RGB", (30, 30), RED)) + pdf(4)):
        [png] = box.draw(carrier)
        assert b"script" not in png
        assert b"%PDF" not in png
        assert png.endswith(b"IEND\xaeB`\x82")
    [page] = box.draw(b"<html>" + script + b"\n" + pdf() + script)
    assert b"script" not in page


def test_scripts_and_links_of_a_pdf_are_not_kept(box: Previews) -> None:
    written = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(200, 200))
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('x')")
        made.attachments["evil.exe"] = pikepdf.AttachedFileSpec(made, b"MZ", filename="evil.exe")
        made.save(written)
    [png] = box.draw(written.getvalue())
    assert set(chunks(png)) == {b"IHDR", b"IDAT", b"IEND"}


# The parent believes nothing


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "raise SystemExit(1)",
        "print('nonsense')",
        "print('[]')",
        "print('{}')",
        "print('{\"end\":true}')",
        'print(\'{"width":9,"height":9,"mode":"L"}\')',
        'print(\'{"width":9,"height":9,"mode":"CMYK"}\')',
        'print(\'{"width":9,"height":9,"mode":["L"]}\')',
        'print(\'{"width":2000000,"height":9,"mode":"L"}\')',
        'print(\'{"width":true,"height":-9,"mode":"L"}\')',
        'print(\'{"error":{"x":1}}\')',
        'print(\'{"error":"</script>"}\')',
        "import sys; sys.stdout.write('[' * 100_000_000)",
        'import sys; sys.stdout.write(\'{"width":1,"height":1,"mode":"L"}\\nx\' * 1000)',
    ],
)
def test_whatever_a_process_answers_no_more_than_a_sentence_comes_of_it(program: str) -> None:
    taken = Previews(max_pages=3)
    taken._sandbox = Sandbox(20, [sys.executable, "-c", f"import sys\nsys.stdin.buffer.read()\n{program}"])
    assert refused(taken, b"x") == "material_unreadable"
    taken.close()


def test_a_process_that_hangs_is_ended() -> None:
    slow = Previews(max_pages=3, timeout_s=0.5)
    slow._sandbox = Sandbox(0.5, [sys.executable, "-c", "import time; time.sleep(60)"])
    began = time.monotonic()
    assert refused(slow, b"x" * 1_000_000) == "material_unreadable"
    assert time.monotonic() - began < 30
    slow.close()


def test_pixels_are_made_a_picture_here() -> None:
    """What the process writes is never parsed as one."""
    pixels = os.urandom(4)
    answer = b'{"width":2,"height":2,"mode":"L"}\n' + pixels + b'{"end":true}\n'
    program = f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write({answer!r})"
    taken = Previews(max_pages=3)
    taken._sandbox = Sandbox(20, [sys.executable, "-c", program])
    [png] = taken.draw(b"x")
    assert opened(png).tobytes() == pixels
    taken.close()


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_the_process_may_not(probe: str) -> None:
    """The probe stands where a library that was taken over would stand."""
    program = f"""
import os, socket, sys
from service.formats import rendering
drawn = rendering.draw
def taken_over(data, max_pages):
    if data != b"go":
        yield from drawn(data, max_pages)
        return
    try:
        {probe}
    except (OSError, MemoryError):
        raise rendering.NotDrawn("heic")
    raise rendering.NotDrawn("format")
rendering.draw = taken_over
sys.exit(rendering.main(3))
"""
    held = Previews(max_pages=3)
    held._sandbox = Sandbox(30, [sys.executable, "-I", "-c", program])
    assert refused(held, b"go") == "material_heic", "that is what the program says where it was refused"
    held.close()


def test_several_are_drawn_at_once(box: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WAIT_S", 60)  # for a place, which may come late where processes are slow to start
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(box.draw(pdf(2))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4


# The watermark


def test_a_watermark_is_all_over_the_page_and_hides_nothing() -> None:
    grey = encoded(Image.new("L", (900, 1200), 255))
    marked = opened(mark(grey, "林复核@registry.example · R261125-7K3M9QXA · 2026-11-25 16:26")).convert("RGB")
    quarters = [marked.crop((x, y, x + 225, y + 300)) for x in range(0, 900, 225) for y in range(0, 1200, 300)]
    assert all(min(quarter.getchannel("G").tobytes()) < 240 for quarter in quarters)
    assert min(marked.getchannel("G").tobytes()) > 180, "what is below stays legible"
    assert mark(grey, "a") != mark(grey, "b")
    assert set(chunks(mark(grey, "a"))) == {b"IHDR", b"IDAT", b"IEND"}
    dark = opened(mark(encoded(Image.new("L", (900, 1200), 0)), "a · b")).convert("RGB")
    assert max(dark.getchannel("R").tobytes()) > 25, "it is seen on black too"


def test_pixels_are_counted_before_they_are_drawn() -> None:
    with pytest.raises(rendering.NotDrawn) as raised:
        list(rendering.draw(png_of(40_000, 40_000, honest=False), 1))
    assert raised.value.reason == "pixels"
