"""The process that draws one file that anybody may have sent, and ends: `python -I -m service.formats.rendering MAX_PAGES`.

It has the limits of sandboxed.py. What goes out is pixels and nothing else: no part of the file, no metadata, no place where a
photo was taken. First a line of JSON for the file, then for each page a line and its pixels, row by row; a last line says that
this was all. previews.py starts it.
"""

import io
import sys
from collections.abc import Iterator
from typing import IO, Any

import orjson
import pypdfium2
from PIL import Image, ImageChops, ImageOps

from service.formats import substitutes
from service.formats.pictures import BROKEN, MAX_PIXELS
from service.formats.sandboxed import give_up_rights, leave_network
from verifier.carried import MAX_FILE_BYTES

MAX_EDGE = 1800
"""Pixels of the longer side of what comes out: A4 at 154 dpi, on which small print can be read."""
_DPI = 170
_MAX_CPU_S = 25
_FORMATS = ("JPEG", "PNG", "WEBP")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_PDF_WITHIN = 1024  # ISO 32000-1 annex H.3.4.1: readers take the header anywhere in the first 1,024 bytes
_BROKEN_PDF = (pypdfium2.PdfiumError, ValueError, TypeError, OSError, RuntimeError)


class NotDrawn(Exception):
    """`reason` is one of previews.py."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def main(max_pages: int) -> int:
    leave_network()
    substitutes.install()
    _warm_up(max_pages)
    give_up_rights(_MAX_CPU_S)
    data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if data:
        _write(data, max_pages, sys.stdout.buffer)
    return 0


def _write(data: bytes, max_pages: int, out: IO[bytes]) -> None:
    try:
        for width, height, mode, pixels in draw(data, max_pages):
            out.write(_line({"width": width, "height": height, "mode": mode}))
            out.write(pixels)
        out.write(_line({"end": True}))
    except NotDrawn as error:
        out.write(_line({"error": error.reason}))
    except MemoryError:
        out.write(_line({"error": "costly"}))
    out.flush()


def _line(members: dict[str, Any]) -> bytes:
    return orjson.dumps(members) + b"\n"


def draw(data: bytes, max_pages: int) -> Iterator[tuple[int, int, str, bytes]]:
    """(width, height, L or RGB, pixels) of each page, in order. Raises NotDrawn."""
    kind = kind_of(data)
    images = _pages(data, max_pages) if kind == "pdf" else _picture(data)
    for image in images:
        image.thumbnail((MAX_EDGE, MAX_EDGE))
        plain = _without_colour(image)
        yield plain.width, plain.height, plain.mode, plain.tobytes()


def kind_of(data: bytes) -> str:
    """pdf or picture, by its first bytes; a name or a media type says nothing. Raises NotDrawn for anything else."""
    if data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "picture"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF:
        raise NotDrawn("heic")
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    raise NotDrawn("format")


def _picture(data: bytes) -> Iterator[Image.Image]:
    """Of an animation the first picture, turned as its EXIF says, on white where it is transparent."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NotDrawn("pixels")
            image.draft("RGB", (MAX_EDGE, MAX_EDGE))
            image.load()
            image.thumbnail((2 * MAX_EDGE, 2 * MAX_EDGE), reducing_gap=2.0)
            turned = ImageOps.exif_transpose(image)
            yield _on_white(turned)
    except BROKEN:
        raise NotDrawn("unreadable") from None


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    ground = Image.new("RGB", seen.size, (255, 255, 255))
    ground.paste(seen, mask=seen.getchannel("A"))
    return ground


def _without_colour(image: Image.Image) -> Image.Image:
    """In grey where there is no colour: a third of the bytes."""
    red, green, blue = image.split()
    is_grey = all(ImageChops.difference(red, other).getbbox() is None for other in (green, blue))
    return red if is_grey else image


def _pages(data: bytes, max_pages: int) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise NotDrawn("encrypted" if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD else "unreadable") from None
    try:
        document.init_forms()  # what was typed into a form is drawn too; it has to come before the pages
        if not 1 <= len(document) <= max_pages:
            raise NotDrawn("pages" if len(document) else "unreadable")
        for number in range(len(document)):
            page = document[number]
            width, height = page.get_size()
            scale = min(_DPI / 72, MAX_EDGE / max(width, height, 1.0))
            bitmap = page.render(scale=scale)
            yield bitmap.to_pil().convert("RGB")
            bitmap.close()
            page.close()
    except _BROKEN_PDF:
        raise NotDrawn("unreadable") from None
    finally:
        document.close()


def _warm_up(max_pages: int) -> None:
    """Draw something small of each kind: afterwards no module can be loaded any more."""
    for name in _FORMATS:
        picture = io.BytesIO()
        Image.new("RGB", (40, 40)).save(picture, name)
        _write(picture.getvalue(), max_pages, io.BytesIO())
    page = io.BytesIO()
    document = pypdfium2.PdfDocument.new()
    document.new_page(40, 40)
    document.save(page)
    document.close()
    for data in (page.getvalue(), b"%PDF-1.7 broken", b"\x89PNG\r\n\x1a\nbroken", b"broken"):
        _write(data, max_pages, io.BytesIO())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
