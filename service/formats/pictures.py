"""The QR codes in a picture: a photo, a scan or a screenshot."""

import io

from PIL import Image, UnidentifiedImageError

from verifier.carried import MAX_FILE_BYTES, Carried
from verifier.errors import Malformed
from verifier.pdf import codes_in

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_PIXELS = 60_000_000
_ENOUGH = (3000, 3000)
"""A JPEG that is larger is decoded at a half, a quarter or an eighth: a code that a person can scan is still large enough."""

BROKEN = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    Image.DecompressionBombError,
)
"""What Pillow raises for a file that is not as it should be."""

Image.MAX_IMAGE_PIXELS = None  # asked for below, before anything is decoded


def read_picture(data: bytes) -> Carried:
    """Of an animation the first picture counts. Raises Malformed where it cannot be read."""
    if len(data) > MAX_FILE_BYTES:
        raise Malformed("carried.too_large", limit=MAX_FILE_BYTES // 2**20)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Malformed("carried.too_many_pixels", limit=MAX_PIXELS // 1_000_000)
            image.draft("L", _ENOUGH)
            return Carried("picture", (), codes_in(_grey(image)))
    except BROKEN:
        raise Malformed("carried.picture_unreadable") from None


def _grey(image: Image.Image) -> Image.Image:
    """On white, where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("L")
    seen = image.convert("LA")
    ground = Image.new("L", seen.size, 255)
    ground.paste(seen.getchannel("L"), mask=seen.getchannel("A"))
    return ground
