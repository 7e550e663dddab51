"""Writing answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

JSON = "application/json"


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """As orjson writes it."""
    return Response(orjson.dumps(value), status, headers, JSON)


def fragment(data: bytes) -> orjson.Fragment:
    """What is JSON already, as a part of an answer."""
    return orjson.Fragment(data)


def invoice_links(number: str) -> dict[str, str]:
    """Where else something about an invoice is to be had; relative to the host that was asked."""
    here = f"/v1/invoices/{quote(number)}"
    return {"self": here, "timeline": f"{here}/timeline", "proof": f"{here}/proof"}
