"""What a case comes to: the new invoice of a reissue, from the original's issuer; the document; its handing over on paper."""

import re
from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import InvoiceBody, SmallBody, parse
from service.api.context import Here
from service.api.models import results as schemas
from service.api.models.reprints import CASE_ID_PATTERN, Case
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit
from service.api.reprints import examples
from service.api.reprints.members import members, viewer
from service.api.writes import attempt_of
from service.auth.principals import Role, record
from service.errors import Refused
from service.invoices.idempotency import write_once
from service.invoices.reading import at
from service.invoices.registration import findings_from_json, findings_to_json
from service.invoices.submitting import Issuer
from service.reprints import cases, completing, handover, replacement

router = Operations("reprints")

ISSUERS: tuple[Role, ...] = ("issuer", "approver")
PDF = "application/pdf"
_BINARY = {"type": "string", "contentMediaType": "application/octet-stream"}


@router.operation(
    "GET",
    "/v1/reprints/replacements",
    "Reissues that wait for their new invoice",
    Answered(schemas.WANTED, schemas.ReplacementsWanted, description="Of the asker's own invoices, newest first."),
    roles=ISSUERS,
)
def page(
    request: Request,
    here: Here,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(pattern=CASE_ID_PATTERN)] = None,
) -> Response:
    principal = here.allow(request, *ISSUERS)
    with here.database.read() as connection:
        found = replacement.wanted(connection, principal.bound, limit + 1, cursor)
    items = [
        {"id": one.case_id, "number": one.number, "state": one.state, "opened_at": at(one.opened_at), "sent": one.is_sent}
        for one in found[:limit]
    ]
    return answers.json({"items": items, "next_cursor": items[-1]["id"] if len(found) > limit else None})


@router.operation(
    "POST",
    "/v1/reprints/{id}/replacement",
    "Send the new invoice of a reissue",
    Answered(schemas.REPLACEMENT, schemas.Replacement, description="Kept; the second approval binds it."),
    roles=ISSUERS,
    sent=(Sent(schemas.REPLACEMENT_ORDER, schemas.ReplacementOrder),),
    is_write=True,
    description="By the issuer of the original; to others the case does not exist. The rules of a new invoice are applied at once, "
    "and again when it is registered. Sent again before a reviewer has approved, it takes the place of the one before.",
)
def send(request: Request, here: Here, id: str, body: InvoiceBody) -> Response:  # noqa: A002  the name in the path
    principal = here.allow(request, *ISSUERS)
    sections = parse(schemas.ReplacementOrder, body).sections
    attempt, now_ms = attempt_of(request, principal.id, body), here.now_ms()
    sender = Issuer(principal.id, principal.sellers)

    def work(connection: Connection) -> tuple[list[Any], bool]:
        made = replacement.send(connection, id, sections, sender, now_ms)
        record(connection, principal, now_ms, "sent_replacement", id, {"number": made.number})
        return [made.number, made.original, findings_to_json(made.findings)], True

    with here.running.hold(attempt):
        (number, original, findings), _ = write_once(here.database, attempt, now_ms, work)
    said = problems.findings_members(findings_from_json(findings), problems.language_of(request))
    return answers.json({"id": id, "number": number, "original": original, "findings": said})


@router.operation(
    "GET",
    "/v1/reprints/{id}/document",
    "Get the document of a completed case",
    Answered("%PDF-1.7 …", _BINARY, media_type=PDF, description="PDF/A-3 with the new QR code; the proof file is attached."),
    roles=("reviewer",),
    applicant=True,
    description="Once the anchor is final; 409 `document_not_ready` with Retry-After before. A copy that was replaced says so.",
)
def document(request: Request, here: Here, id: str) -> Response:  # noqa: A002
    principal = here.applicant(request, id, "reviewer")
    with here.database.read() as connection:
        printable = completing.document(connection, here.chain, here.settings.public_url, cases.get(connection, id))
    if principal is not None:
        here.look(principal, "took_reprint", id)
    name = f"{printable.number.replace(':', '_')}.pdf"
    return Response(printable.render(), headers={"Content-Disposition": f'inline; filename="{name}"'}, media_type=PDF)


@router.operation(
    "POST",
    "/v1/reprints/{id}/handover",
    "Hand the paper over",
    Answered(examples.CASE, Case, description="Written down: who gave it out, and when."),
    roles=("reviewer",),
    people_only=True,
    sent=(Sent(schemas.PICKUP_ORDER, schemas.PickupOrder),),
    is_write=True,
    description="To who says the pick-up code, which the applicant sees on the page of the case.",
)
def hand_over(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, "reviewer")
    code = re.sub(r"[\s-]", "", parse(schemas.PickupOrder, body).pickup_code).upper()
    attempt, now_ms, vault = attempt_of(request, principal.id, body), here.now_ms(), here.vault

    def work(connection: Connection) -> tuple[str, bool]:
        handover.hand_over(connection, cases.lock(connection, id), code, principal.id, vault, now_ms)
        record(connection, principal, now_ms, "handed_over_reprint", id)
        return id, True

    try:
        with here.running.hold(attempt):
            write_once(here.database, attempt, now_ms, work)
    except Refused as refused:
        if refused.code == "pickup_code_wrong":
            with here.database.write() as connection:
                record(connection, principal, now_ms, "mistook_pickup_code", id)
        raise
    with here.database.read() as connection:
        whose = viewer(principal, problems.language_of(request))
        return answers.json(members(connection, cases.get(connection, id), vault, here.settings, whose))
