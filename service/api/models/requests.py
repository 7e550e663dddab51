"""What callers send. A member that is not named here is an error."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from service.auth.keys import Role
from service.invoices.content import Profile
from verifier.commitment import SECTIONS

NUMBER_PATTERN = r"^[0-9A-Z][0-9A-Z._:-]{0,63}$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
AMOUNT_PATTERN = r"^-?[0-9]{1,15}(\.[0-9]{1,2})?$"
COMMITMENT_PATTERN = r"^([0-9a-f]{64}|[A-Z2-7]{52})$"
_NO_CONTROL = "\\u0000-\\u0008\\u000b-\\u001f\\u007f"

Number = Annotated[str, Field(pattern=NUMBER_PATTERN, description="Invoice number, in the one spelling of its kind.")]
Commitment = Annotated[
    str,
    Field(
        pattern=COMMITMENT_PATTERN,
        description="Of a copy: 64 lower-case hex digits, or as in a QR code (52 characters of unpadded base32). Answers have hex.",
    ),
]
Line = Annotated[str, Field(min_length=1, max_length=128, pattern=f"^[^\\u0009\\u000a{_NO_CONTROL}]*$")]
Amount = Annotated[str, Field(pattern=AMOUNT_PATTERN)]
Date = Annotated[str, Field(pattern=DATE_PATTERN)]


class Request(BaseModel):
    """Strict: no value is turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


SECTIONS_SCHEMA = {
    "type": "object",
    "description": "The eight sections of protocol.md section 1. What is wrong in them is answered as findings with pointers.",
    "properties": {name: {"type": "array" if name == "lines" else "object"} for name in SECTIONS},
    "required": list(SECTIONS),
}


class InvoiceSubmission(Request):
    """One invoice to register, or to check."""

    profile: Annotated[
        Profile,
        Field(description="new: it is being issued, and any error refuses it. as_issued: it exists; it is taken with findings."),
    ]
    sections: Annotated[Any, WithJsonSchema(SECTIONS_SCHEMA)]
    external_id: Annotated[Line | None, Field(description="The issuer's own id of it.")] = None


class VoidOrder(Request):
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=f"^[^{_NO_CONTROL}]*[^\\s{_NO_CONTROL}][^{_NO_CONTROL}]*$")]
    replaced_by: Annotated[Number | None, Field(description="Number of the invoice that takes its place.")] = None


class ProofQuestion(Request):
    number: Number
    commitment: Commitment | None = None
    seq: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**53 - 1,
            description="As of which anchor, where that is kept; without it, or above the newest final one, as of that.",
        ),
    ] = None


class StatementQuestion(Request):
    number: Number
    commitment: Commitment


_Typed = Annotated[str, Field(min_length=1, max_length=100)]


class LookupQuestion(Request):
    """What stands on an invoice, as a person types it. Exactly one of the amounts."""

    number: Annotated[_Typed, Field(description="Blanks and full-width characters are read as they are meant.")]
    issued_on: Annotated[_Typed, Field(description="2026-09-01; also 2026/9/1, 2026年9月1日 and 20260901.")]
    amount_with_tax: Annotated[_Typed | None, Field(description="27232.82; also ¥27,232.82.")] = None
    amount: Annotated[
        _Typed | None, Field(description="Without tax, as the tax platform's QR code of a legacy invoice has it.")
    ] = None


class DocumentQuestion(Request):
    """A copy, and its buyer: tax id, or name, or both."""

    number: Number
    commitment: Commitment
    buyer_tax_id: Annotated[str | None, Field(min_length=1, max_length=128)] = None
    buyer_name: Annotated[str | None, Field(min_length=1, max_length=400)] = None


class SearchCriteria(Request):
    """All that are given must hold; bounds are included."""

    q: Annotated[
        Line | None,
        Field(description="Any text; of several words, each must stand somewhere in the invoice. Chinese words of any length."),
    ] = None
    number: Number | None = None
    seller: Annotated[Line | None, Field(description="Tax id.")] = None
    buyer: Annotated[Line | None, Field(description="Tax id, or the name of a buyer without one.")] = None
    issued_from: Date | None = None
    issued_to: Date | None = None
    amount_from: Annotated[Amount | None, Field(description="With tax.")] = None
    amount_to: Amount | None = None
    status: Literal["valid", "void", "reversed", "partly_reversed", "released"] | None = None
    state: Literal["pending", "sealed", "broadcast", "mined", "final"] | None = None


class SearchQuestion(SearchCriteria):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$")] = None


class KeyOrder(Request):
    role: Role
    bound: Annotated[
        list[Line], Field(max_length=1000, description="Tax ids: of sellers for an issuer, of the buyer for a recipient.")
    ] = []
    label: Annotated[str, Field(max_length=100, pattern=f"^[^\\u0009\\u000a{_NO_CONTROL}]*$")] = ""
