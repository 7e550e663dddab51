"""A picture as somebody looks at it: with their name across it, so that a photograph of the screen says whose screen it was."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from service.formats.fonts import font_file
from service.formats.previews import png_of

_COLOUR = (176, 32, 32)
_OPACITY = 56
"""Of 255: what is below stays legible, on dark ground too."""
_ANGLE = 24
_SIZE = 30
_GAP = (120, 110)
"""Pixels between two marks, across and down."""


def mark(png: bytes, text: str) -> bytes:
    """`text` many times across a picture that the service has made itself (PNG), in a colour."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        shown = image.convert("RGB")
    tile = _tile(text)
    mask = Image.new("L", shown.size, 0)
    step_x, step_y = tile.width + _GAP[0] // 4, _GAP[1]
    for row, top in enumerate(range(-tile.height, shown.height, step_y)):
        for left in range(-tile.width - row % 2 * step_x // 2, shown.width, step_x):
            mask.paste(_OPACITY, (left, top), tile)
    shown.paste(_COLOUR, mask=mask)
    return png_of(shown)


def _tile(text: str) -> Image.Image:
    """The text, slanting: white where it is."""
    font = _font()
    left, top, right, bottom = font.getbbox(text)
    flat = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8), 0)
    ImageDraw.Draw(flat).text((4 - left, 4 - top), text, fill=255, font=font)
    return flat.rotate(_ANGLE, expand=True, resample=Image.Resampling.BICUBIC)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """That of printed documents; where it is missing, Pillow's own, which has no Chinese."""
    found = font_file()
    if found is None:
        return ImageFont.load_default(_SIZE)
    file, index = found
    return ImageFont.truetype(file, _SIZE, index=index)
