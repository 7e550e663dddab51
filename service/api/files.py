"""Files that are sent: as the field `file` of a form, or as the body itself."""

import re
from collections.abc import AsyncGenerator
from email.message import Message
from typing import Any, NamedTuple

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.api.bodies import media_type, read_bytes, too_large
from service.errors import Finding, Refused

FILE: dict[str, Any] = {"type": "string", "contentMediaType": "application/octet-stream"}
FORM: dict[str, Any] = {"type": "object", "required": ["file"], "properties": {"file": FILE}}
"""How the document describes them."""

_FORM_SLACK = 64 * 1024
"""What a form may need around its file."""
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f]")


class SentFile(NamedTuple):
    data: bytes
    name: str | None


async def read_file(request: Request, most: int) -> SentFile:
    """Raises Refused: larger than `most` bytes, a form that is none or has no file, nothing in it."""
    is_form = media_type(request) == "multipart/form-data"
    file = await _read_form(request, most) if is_form else SentFile(await read_bytes(request, most), _name_of_body(request))
    if not file.data:
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/file")])
    return file


async def _read_form(request: Request, most: int) -> SentFile:
    parser = MultiPartParser(request.headers, _limited(request, most), max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, MultipartParseError):
        raise Refused("malformed_body") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/file")])
        return SentFile(await file.read(), _clean(file.filename))
    finally:
        await form.close()


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most + _FORM_SLACK:
            raise too_large(most)
        yield piece


def _name_of_body(request: Request) -> str | None:
    message = Message()
    message["content-disposition"] = request.headers.get("content-disposition", "")
    return _clean(message.get_filename())


def _clean(name: str | None) -> str | None:
    """The last part of a path, without what no file name shows."""
    last = re.split(r"[/\\]", name or "")[-1]
    return _NOT_IN_A_NAME.sub("", last)[:255] or None
