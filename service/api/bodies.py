"""Reading what is sent: its size, its media type, its JSON, its members. Each of these is checked, and nothing is guessed."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.errors import Finding, Refused
from service.invoices.findings import pointer_segment
from verifier import strict_json

Model = TypeVar("Model", bound=BaseModel)

MAX_SMALL = 64 * 1024
MAX_INVOICE = 6 * 1024 * 1024
"""An invoice's sections have 2 MiB at most as they are hashed; written with escapes that may be three times as many."""

_JSON = re.compile(r"application/(?:json|[a-z0-9.+-]+\+json)")


def media_type(request: Request) -> str:
    """Of the body, without parameters, in lower case; "" where none was given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_bytes(request: Request, most: int) -> bytes:
    """The body. Raises Refused("body_too_large") as soon as that is known."""
    if int(request.headers.get("content-length") or 0) > most:
        raise too_large(most)
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise too_large(most)
        pieces.append(piece)
    return b"".join(pieces)


def too_large(most: int) -> Refused:
    limit = f"{most // 1024} KiB" if most < 1024 * 1024 else f"{most // (1024 * 1024)} MiB"
    return Refused("body_too_large", {"limit": limit})


def check_media_type(request: Request, allowed: "re.Pattern[str]", expected: str) -> None:
    """No media type at all counts as the expected one."""
    sent = media_type(request)
    if (sent and not allowed.fullmatch(sent)) or request.headers.get("content-encoding", "identity") != "identity":
        raise Refused("media_type_unsupported", {"expected": expected})


def _json_of(most: int) -> Callable[[Request], Awaitable[bytes]]:
    async def body(request: Request) -> bytes:
        check_media_type(request, _JSON, "application/json")
        return await read_bytes(request, most)

    return body


small_body = _json_of(MAX_SMALL)
SmallBody = Annotated[bytes, Depends(small_body)]
InvoiceBody = Annotated[bytes, Depends(_json_of(MAX_INVOICE))]


def parse(model: type[Model], data: bytes) -> Model:
    """The body as `model`. Raises Refused: not JSON, a member twice, or members that are not the model's, with pointers."""
    value = parse_json(data)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Refused("invalid_request", findings=[_finding(item) for item in error.errors(include_url=False)]) from None


def parse_json(data: bytes) -> Any:
    """The value of a JSON text in which no member stands twice.

    Fractions, deep nesting and half surrogate pairs are let through: in sections they are findings with a pointer, not bad JSON.
    """
    value = strict_json.loads_plain(data)
    if value is None:
        try:
            text = data.decode()
            if _depth(text) > _MAX_DEPTH:
                raise ValueError
            value = json.loads(text, object_pairs_hook=_members_once, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise Refused("malformed_json") from None
    return value


_MAX_DEPTH = 500
"""json.loads recurses in C. Any library may raise the limit of that (py_ecc does, to 100,000), and then the process would crash."""
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)


def _depth(text: str) -> int:
    """How deep brackets lie in one another, outside of texts."""
    depth = deepest = 0
    for mark in _MARKS.finditer(text):
        bracket = mark[0]
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("malformed_json", {"case": "twice"})
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_CASES = {
    "model_type": "object",
    "model_attributes_type": "object",
    "string_type": "text",
    "list_type": "list",
    "tuple_type": "list",
    "int_type": "integer",
    "bool_type": "boolean",
    "string_too_short": "length",
    "string_too_long": "length",
    "too_short": "length",
    "too_long": "length",
    "greater_than": "range",
    "greater_than_equal": "range",
    "less_than": "range",
    "less_than_equal": "range",
    "string_pattern_mismatch": "pattern",
}


def _finding(item: ErrorDetails) -> Finding:
    pointer = "".join(pointer_segment(str(step)[:100]) for step in item["loc"])
    kind = item["type"]
    if kind == "missing":
        return Finding("member_missing", "error", pointer)
    if kind == "extra_forbidden":
        return Finding("member_unknown", "error", pointer)
    if kind == "literal_error":
        return Finding("member_invalid", "error", pointer, {"case": "choice", "allowed": str(item["ctx"]["expected"])})
    return Finding("member_invalid", "error", pointer, {"case": _CASES[kind]} if kind in _CASES else {})
