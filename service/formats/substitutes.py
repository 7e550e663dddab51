"""Chinese, Japanese and Korean text of PDFs that do not carry their font: drawn with ours, from memory.

A process that may open no file (rendering.py) cannot look for a font when it meets such text, and would leave it out: a reviewer
would see an empty line where somebody typed their name. So PDFium is given the one font beforehand, mapped into memory.
"""

import ctypes
import mmap
import struct
from typing import Any

import pypdfium2.raw as pdfium

from service.formats.fonts import font_file

_CJK = (
    pdfium.FXFONT_GB2312_CHARSET,
    pdfium.FXFONT_CHINESEBIG5_CHARSET,
    pdfium.FXFONT_SHIFTJIS_CHARSET,
    pdfium.FXFONT_HANGEUL_CHARSET,
)
_HANDLE = 1
"""Of the one font there is."""
_WHOLE = 0
"""The table that stands for all of the file."""

_kept: list[Any] = []
"""What PDFium points to must not go away."""


def install() -> None:
    """For this process, once. Where the font is not installed, such text stays undrawn."""
    found = font_file()
    if found is None or _kept:
        return
    file, index = found
    with file.open("rb") as opened:
        font = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    _make_single(font, index)
    _keep(font)


def _make_single(font: mmap.mmap, index: int) -> None:
    """A collection becomes its font of that index: its offset table is put where a single font has one (OpenType 1.9, "otff").

    Tables are found from the beginning of the file in both, and before the first of them stand the offset tables of all fonts.
    """
    if font[:4] != b"ttcf":
        return
    at = struct.unpack_from(">I", font, 12 + 4 * index)[0]
    count = struct.unpack_from(">H", font, at + 4)[0]
    table = font[at : at + 12 + 16 * count]
    font[: len(table)] = table


def _keep(font: mmap.mmap) -> None:
    start = (ctypes.c_char * len(font)).from_buffer(font)

    def map_font(_info: Any, _weight: int, _italic: int, charset: int, _pitch: int, _face: Any, _exact: Any) -> int | None:
        return _HANDLE if charset in _CJK else None

    def get_font(_info: Any, _face: Any) -> None:
        return None

    def get_data(_info: Any, _font: Any, table: int, buffer: Any, size: int) -> int:
        if table != _WHOLE:
            return 0
        if buffer and size >= len(font):
            ctypes.memmove(buffer, start, len(font))
        return len(font)

    def get_name(_info: Any, _font: Any, _buffer: Any, _size: int) -> int:
        return 0

    def get_charset(_info: Any, _font: Any) -> int:
        return int(pdfium.FXFONT_GB2312_CHARSET)

    def nothing(*_: Any) -> None:
        return None

    said = {
        "Release": nothing,
        "EnumFonts": nothing,
        "MapFont": map_font,
        "GetFont": get_font,
        "GetFontData": get_data,
        "GetFaceName": get_name,
        "GetFontCharset": get_charset,
        "DeleteFont": nothing,
    }
    info = pdfium.FPDF_SYSFONTINFO(version=1)
    types = dict(pdfium.FPDF_SYSFONTINFO._fields_)
    callbacks = {name: types[name](call) for name, call in said.items()}
    for name, callback in callbacks.items():
        setattr(info, name, callback)
    pdfium.FPDF_SetSystemFontInfo(ctypes.byref(info))
    _kept.extend([font, start, callbacks, info])
