"""Files that applicants send, as pictures of their pages: the only form in which they are ever kept or looked at.

A file is read in a process of its own (rendering.py), and even that is not believed: it hands out pixels, from which the pictures
are made here. So nothing that an applicant has written reaches a reviewer's browser, and no metadata is left.
"""

import io
import sys
from typing import IO, Any

import orjson
from PIL import Image

from service.errors import Refused
from service.formats.rendering import MAX_EDGE
from service.formats.sandbox import Sandbox

TIMEOUT_S = 30.0
FORMATS = ("application/pdf", "image/jpeg", "image/png", "image/webp")
_MAX_LINE = 200
_CHANNELS = {"L": 1, "RGB": 3}
_COMPRESSION = 4
"""Of 1 to 9: scans get a few per cent smaller above it, and take twice as long."""


class Previews:
    """For the threads of one process. `max_pages` is for a whole file."""

    def __init__(self, max_pages: int, timeout_s: float = TIMEOUT_S) -> None:
        self.max_pages = max_pages
        self._sandbox = Sandbox(timeout_s, [sys.executable, "-I", "-m", "service.formats.rendering", str(max_pages)])

    def draw(self, data: bytes) -> list[bytes]:
        """The pages of a PDF, or a picture, each as PNG. Raises Refused with the reason, and Unavailable("busy_reading")."""
        return self._sandbox.run(data, self._receive)

    def close(self) -> None:
        """End the processes that wait for a file."""
        self._sandbox.close()

    def _receive(self, answer: IO[bytes]) -> list[bytes]:
        """It may be the answer of a process that a file has taken over: each length is checked before it is read."""
        pages: list[bytes] = []
        while True:
            said = _members(answer.readline(_MAX_LINE))
            if "error" in said:
                raise self._refusal(said["error"])
            if said.get("end") is True and pages:
                return pages
            pages.append(_png(said, answer))
            if len(pages) > self.max_pages:
                raise Refused("material_unreadable")

    def _refusal(self, reason: Any) -> Refused:
        if reason == "heic":
            return Refused("material_heic")
        if reason == "format":
            return Refused("material_format")
        if reason == "encrypted":
            return Refused("material_encrypted")
        if reason == "pages":
            return Refused("material_too_many_pages", {"limit": str(self.max_pages)})
        return Refused("material_unreadable")


def _members(line: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(line)
    except ValueError:  # it ended in between: too much memory, too much time, or a crash
        said = None
    if not isinstance(said, dict):
        raise Refused("material_unreadable")
    return said


def _png(said: dict[str, Any], answer: IO[bytes]) -> bytes:
    width, height, mode = said.get("width"), said.get("height"), said.get("mode")
    if not (isinstance(width, int) and isinstance(height, int) and 1 <= width <= MAX_EDGE and 1 <= height <= MAX_EDGE):
        raise Refused("material_unreadable")
    channels = _CHANNELS.get(mode) if isinstance(mode, str) else None
    if channels is None:
        raise Refused("material_unreadable")
    size = width * height * channels
    pixels = answer.read(size)
    if len(pixels) != size:
        raise Refused("material_unreadable")
    return png_of(Image.frombytes(str(mode), (width, height), pixels))


def png_of(image: Image.Image) -> bytes:
    """A picture as PNG, without anything beside its pixels."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_COMPRESSION)
    return out.getvalue()
