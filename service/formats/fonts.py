"""The font of printed documents, and which characters it has."""

import struct
from bisect import bisect_right
from pathlib import Path

import typst

from service.errors import Unavailable

FONT = "Noto Sans CJK SC"
_FOLDERS = (
    "/usr/share/fonts/opentype/noto",  # Debian's fonts-noto-cjk
    "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/noto",
)
_REGULAR = 400


def load_fonts() -> tuple[typst.Fonts, "Coverage"]:
    """For a typst compiler: the folder of FONT and nothing else of the machine. Raises Unavailable where it is not installed."""
    found = _find()
    if found is None:
        raise Unavailable("font_missing", 3600, {"font": FONT})
    fonts, file, index = found
    return fonts, Coverage(file.read_bytes(), index)


def font_file() -> tuple[Path, int] | None:
    """Where FONT is: its file, and which font of that collection; None where it is not installed."""
    found = _find()
    return None if found is None else found[1:]


def _find() -> tuple[typst.Fonts, Path, int] | None:
    for folder in _FOLDERS:
        if any(Path(folder).glob("NotoSans*CJK*")):
            fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
            for info in fonts.fonts():
                if info.family == FONT and info.weight == _REGULAR and info.path is not None:
                    return fonts, Path(info.path), info.index
    return None


class Coverage:
    """Which characters a font has: its cmap, format 12 (OpenType 1.9, "cmap"). PDF/A allows no text without glyphs."""

    def __init__(self, data: bytes, index: int) -> None:
        at = struct.unpack_from(f">{index + 1}I", data, 12)[index] if data[:4] == b"ttcf" else 0
        count = struct.unpack_from(">H", data, at + 4)[0]
        tables = (struct.unpack_from(">4sIII", data, at + 12 + 16 * n) for n in range(count))
        cmap = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
        encodings = struct.unpack_from(">H", data, cmap + 2)[0]
        subtables = [cmap + struct.unpack_from(">HHI", data, cmap + 4 + 8 * n)[2] for n in range(encodings)]
        at = next(subtable for subtable in subtables if struct.unpack_from(">H", data, subtable)[0] == 12)
        groups = [struct.unpack_from(">III", data, at + 16 + 12 * n) for n in range(struct.unpack_from(">I", data, at + 12)[0])]
        self._first = [first for first, _, _ in groups]
        self._last = [last for _, last, _ in groups]

    def __contains__(self, character: str) -> bool:
        at = bisect_right(self._first, ord(character)) - 1
        return at >= 0 and ord(character) <= self._last[at]
