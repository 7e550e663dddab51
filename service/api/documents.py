"""QR codes and printable documents of registered invoices."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from service.api import answers, examples
from service.api.bodies import SmallBody, parse
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import answers as schemas
from service.api.models.requests import DocumentQuestion
from service.api.operations import Answered, Operations, Sent
from service.api.proofs import commitment_of
from service.errors import Finding, Refused
from service.formats import qr
from service.invoices import documents, guessing, reading

router = Operations("documents")

RETRY_S = 5
SVG, PNG, PDF = "image/svg+xml", "image/png", "application/pdf"

Size = Annotated[
    float,
    Query(ge=qr.MIN_MM, le=qr.MAX_MM, allow_inf_nan=False, description="Millimetres of the printed code, without its margin."),
]
_BINARY = {"type": "string", "contentMediaType": "application/octet-stream"}
_DOCUMENT = Answered("%PDF-1.7 …", _BINARY, media_type=PDF, description="PDF/A-3 with the proof file attached.")
_LATER = Answered(
    examples.NOT_PRINTABLE, schemas.NotPrintable, 202, description="Not final yet: ask again after Retry-After seconds."
)


@router.operation(
    "GET",
    "/v1/invoices/{number}/qr.svg",
    "Get the QR code as SVG",
    Answered("<svg …></svg>", {"type": "string"}, media_type=SVG, description="Of the current copy, with its margin."),
    roles=("issuer",),
    description="To be had at once: where it leads says that the invoice is accepted, until it is anchored.",
)
def qr_svg(request: Request, here: Here, number: str, size_mm: Size = qr.MIN_MM) -> Response:
    return _file(qr.svg(qr.symbol(_link(request, here, number), size_mm)), SVG, number, "svg")


@router.operation(
    "GET",
    "/v1/invoices/{number}/qr.png",
    "Get the QR code as PNG",
    Answered("\x89PNG …", _BINARY, media_type=PNG, description="Of the current copy, with its margin."),
    roles=("issuer",),
)
def qr_png(request: Request, here: Here, number: str, size_mm: Size = qr.MIN_MM) -> Response:
    return _file(qr.png(qr.symbol(_link(request, here, number), size_mm)), PNG, number, "png")


@router.operation(
    "GET",
    "/v1/invoices/{number}/document.pdf",
    "Get the printable document",
    _DOCUMENT,
    _LATER,
    roles=("issuer",),
    description="Of the current copy, as of the newest final anchor. It is a copy from this registry, not the tax platform's file.",
)
def document(request: Request, here: Here, number: str) -> Response:
    principal = here.allow(request, "issuer")
    with here.database.read() as connection:
        record = reading.get(connection, number, principal.sellers)
        gathered = documents.gather(connection, here.chain, here.settings.public_url, record, record.current())
    return _printed(gathered)


@router.operation(
    "POST",
    "/v1/documents",
    "Get the printable document of a copy",
    _DOCUMENT,
    _LATER,
    sent=(Sent(examples.DOCUMENT, DocumentQuestion),),
    dependencies=[ANONYMOUS],
    description="For who holds the copy and knows its buyer. Wrong buyers are limited as wrong lookups are.",
)
def document_of_holder(request: Request, here: Here, body: SmallBody) -> Response:
    asked = parse(DocumentQuestion, body)
    if asked.buyer_tax_id is None and asked.buyer_name is None:
        raise Refused("invalid_request", findings=[Finding("buyer_missing", "error", "")])
    gathered = documents.of_holder(
        here.database,
        here.chain,
        here.settings.public_url,
        asked.number,
        commitment_of(asked.commitment) or b"",
        (asked.buyer_tax_id, asked.buyer_name),
        guessing.network_of(request.client.host if request.client else None),
        here.now_ms(),
    )
    return _printed(gathered)


def _link(request: Request, here: Context, number: str) -> str:
    principal = here.allow(request, "issuer")
    with here.database.read() as connection:
        record = reading.get(connection, number, principal.sellers)
        copy = reading.read_copy(connection, record.current().id)
    return qr.link(here.settings.public_url, number, copy.commitment())


def _printed(gathered: documents.Printable) -> Response:
    if gathered.registration is None:
        members = {"number": gathered.number, "state": gathered.state, "links": answers.invoice_links(gathered.number)}
        return answers.json(members, 202, {"Retry-After": str(RETRY_S)})
    return _file(gathered.render(), PDF, gathered.number, "pdf")


def _file(data: bytes, media_type: str, number: str, suffix: str) -> Response:
    name = f"{number.replace(':', '_')}.{suffix}"
    return Response(data, headers={"Content-Disposition": f'inline; filename="{name}"'}, media_type=media_type)
