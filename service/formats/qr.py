"""The QR code of a copy: `https://HOST/v#N.C`, as SVG and PNG (protocol.md section 9). It is read again before it is handed out."""

import math
import re
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

import zxingcpp
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from verifier.question import Question

QUIET_ZONE = 4
MIN_MM, MAX_MM = 25, 200
"""Of the symbol without its quiet zone, printed: what a phone needs, and what a poster may have."""
DPI = 600
_MM_PER_INCH = 25.4
_READING_SCALE = 4
_PATH = re.compile(r"M([0-9]+) ([0-9]+)h([0-9]+)v1h-([0-9]+)z")


class Unreadable(Exception):
    """What was drawn does not read as what it should say: it must not be handed out."""


class Symbol(NamedTuple):
    """`modules` are the rows from top to bottom, quiet zone included, dark is True; `mm` is what a row measures in print."""

    text: str
    modules: list[list[bool]]
    mm: float


def link(public_url: str, number: str, commitment: bytes) -> str:
    """What the code of a copy says. The commitment stands behind the `#`, which no browser sends with the request."""
    return f"{public_url.rstrip('/')}/v#{Question(number, commitment).to_text()}"


def symbol(text: str, mm: float = MIN_MM) -> Symbol:
    """`mm` is the least that the symbol without its quiet zone is to measure in print."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    modules = [[bool(module) for module in row] for row in code.get_matrix()]
    return Symbol(text, modules, mm * len(modules) / (len(modules) - 2 * QUIET_ZONE))


def svg(drawn: Symbol) -> bytes:
    """One path over a white ground, without script, style or anything from elsewhere. Raises Unreadable."""
    side = len(drawn.modules)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(drawn.modules) for x, length in _runs(row))
    _check(_grid(path, side), drawn.text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn.mm:.2f}mm" height="{drawn.mm:.2f}mm" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>\n'
    ).encode()


def png(drawn: Symbol) -> bytes:
    """Black and white, a whole number of pixels for each module, of a density that prints it at its size. Raises Unreadable."""
    side = len(drawn.modules)
    scale = math.ceil(drawn.mm / _MM_PER_INCH * DPI / side)
    image = _image(drawn.modules).resize((side * scale, side * scale), Image.Resampling.NEAREST).convert("1")
    density = side * scale * _MM_PER_INCH / drawn.mm
    written = BytesIO()
    image.save(written, "PNG", optimize=True, dpi=(density, density))
    with Image.open(written) as again:
        _check(again.convert("L"), drawn.text)
    return written.getvalue()


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """(where, how many) of dark modules that stand side by side."""
    runs, x = [], 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            runs.append((x, length))
        x += length
    return runs


def _image(modules: list[list[bool]]) -> Image.Image:
    side = len(modules)
    return Image.frombytes("L", (side, side), bytes(0 if dark else 255 for row in modules for dark in row))


def _grid(path: str, side: int) -> Image.Image:
    """What a path of SVG draws: read from what was written, not from what it was written of."""
    image = Image.new("L", (side, side), 255)
    for x, y, length, back in _PATH.findall(path):
        if length == back:
            image.paste(0, (int(x), int(y), int(x) + int(length), int(y) + 1))
    return image.resize((side * _READING_SCALE, side * _READING_SCALE), Image.Resampling.NEAREST)


def _check(image: Image.Image, text: str) -> None:
    read = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode), is_pure=True)
    if [code.text for code in read] != [text]:
        raise Unreadable
