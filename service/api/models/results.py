"""What is sent and answered about what a reprint case comes to: the issuer's new invoice, the document, its handing over."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from service.api.examples import NUMBER, SECTIONS
from service.api.models.answers import Answer, Finding, Time
from service.api.models.reprints import CaseId
from service.api.models.requests import SECTIONS_SCHEMA, Request
from service.reprints.transitions import State as CaseState


class ReplacementOrder(Request):
    """The eight sections of the invoice that is to take the original's place, by the rules of a new one.

    `provenance.original` is the case's invoice with `relation` `reissues`; left out, it is written in.
    """

    sections: Annotated[Any, WithJsonSchema(SECTIONS_SCHEMA)]


class PickupOrder(Request):
    pickup_code: Annotated[
        str, Field(min_length=8, max_length=20, description="As whoever collects it says; case, blanks and - are no matter.")
    ]


class Replacement(Answer):
    """`number` is the new one, `original` that of the case."""

    id: CaseId
    number: str
    original: str
    findings: Annotated[list[Finding], Field(description="Warnings: an error would have refused it.")]


class ReplacementWanted(Answer):
    """A reissue whose new invoice may be sent, or changed. `sent`: there is one already."""

    id: CaseId
    number: str
    state: CaseState
    opened_at: Time
    sent: bool


class ReplacementsWanted(Answer):
    items: list[ReplacementWanted]
    next_cursor: str | None


_ID = "R261125-7K3M9QXA"
REPLACEMENT_ORDER: dict[str, Any] = {"sections": SECTIONS}
REPLACEMENT: dict[str, Any] = {
    "id": _ID,
    "number": "26112000000000000777",
    "original": NUMBER,
    "findings": [
        {
            "pointer": "/header/number",
            "code": "possible_duplicate",
            "severity": "warning",
            "detail": "同一双方、同日、同金额的发票 26112000000000000001 在 24 小时内登记过。",
        }
    ],
}
WANTED: dict[str, Any] = {
    "items": [{"id": _ID, "number": NUMBER, "state": "review_1", "opened_at": "2026-11-25T08:26:40.000+00:00", "sent": False}],
    "next_cursor": None,
}
PICKUP_ORDER = {"pickup_code": "7K3M-9QXA"}
