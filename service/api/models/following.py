"""What followers send and are answered."""

from typing import Annotated

from pydantic import Field

from service.api.models.answers import Answer, Time
from service.api.models.requests import Request


class Acknowledgement(Request):
    cursor: Annotated[int, Field(ge=1, le=2**53 - 1, description="Seq of the newest batch that has arrived, with all before it.")]


class Acknowledged(Answer):
    cursor: int
    acknowledged_at: Time


class RegisterPages(Answer):
    seq: int
    pages: dict[str, Annotated[str, Field(pattern="^[0-9a-f]+$")]]


ACKNOWLEDGED = {"cursor": 12, "acknowledged_at": "2026-11-25T09:46:40.000+00:00"}
PAGES = {"seq": 12, "pages": {"": "00" + "4c1f0e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1" + "9f" * 32}}
