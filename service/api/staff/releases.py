"""`/v1/invoices/{number}/release` and `/v1/releases`: a number registered in error is free again, if two operators say so."""

from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Here
from service.api.models import staff as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Cursor, Limit
from service.api.staff import examples
from service.api.writes import attempt_of
from service.auth import people
from service.auth.principals import record as write_down
from service.errors import Refused
from service.invoices import reading, releasing
from service.invoices.idempotency import done_before, write_once
from service.invoices.issued import entry_members, receipt_members
from service.invoices.reading import at, at_or_none

router = Operations("releases")


def _members(connection: Connection, requests: list[releasing.Request]) -> list[dict[str, Any]]:
    ids = {id_ for request in requests for id_ in (request.requested_by, request.decided_by) if id_ is not None}
    names = people.names(connection, sorted(ids))
    return [
        {
            "id": request.id,
            "number": request.number,
            "reason": request.reason,
            "state": request.state,
            "requested_by": request.requested_by,
            "requested_by_name": names.get(request.requested_by),
            "requested_at": at(request.requested_at),
            "decided_by": request.decided_by,
            "decided_by_name": None if request.decided_by is None else names.get(request.decided_by),
            "decided_at": at_or_none(request.decided_at),
            "lapses_at": at(request.requested_at + releasing.LAPSE_MS),
            "approvals": [approval for approval in (request.first_approval, request.second_approval) if approval is not None],
        }
        for request in requests
    ]


@router.operation(
    "GET",
    "/v1/invoices/{number}/release",
    "What an operator decides on",
    Answered(examples.RELEASE_VIEW, schemas.ReleaseView, description="The invoice, and the request that waits, if there is one."),
    roles=("operator",),
    people_only=True,
)
def view(request: Request, here: Here, number: str) -> Response:
    principal = here.person(request, "operator")
    with here.database.read() as connection:
        record = reading.get(connection, number, None)
        shown = releasing.summary(connection, record)
        waiting = releasing.pending(connection, number, here.now_ms())
        members = _members(connection, [waiting])[0] if waiting else None
    here.look(principal, "looked_at_release", number)
    return answers.json({"number": number, "shown": shown, "request": members})


@router.operation(
    "POST",
    "/v1/invoices/{number}/release",
    "Release a number, by two operators",
    Answered(examples.RELEASED, schemas.Released, description="The second operator has confirmed: the number is free again."),
    Answered(examples.RELEASE_REQUEST, schemas.ReleaseRequest, 202, description="The first operator has asked; a second confirms."),
    roles=("operator",),
    people_only=True,
    sent=(Sent(examples.RELEASE_ORDER, schemas.ReleaseOrder),),
    is_write=True,
    description="For a number that was registered in error, of an invoice that is valid. A request waits for 72 hours. What each "
    "operator approves is exactly what they were shown; 409 `shown_differs` where that has changed.",
)
def release(request: Request, here: Here, number: str, body: SmallBody) -> Response:
    principal = here.person(request, "operator")
    here.require_fresh(principal)
    order = parse(schemas.ReleaseOrder, body)
    attempt, now_ms = attempt_of(request, principal.id, body), here.now_ms()
    shown = bytes.fromhex(order.shown)
    # What was done stays done, whatever has become impossible since.
    deadline = 0 if done_before(here.database, attempt) is not None else here.deadline(now_ms)

    def work(connection: Connection) -> tuple[int, bool]:
        record, waiting = reading.get(connection, number, None), releasing.pending(connection, number, now_ms)
        if order.reason is not None:
            made = releasing.request(connection, record, order.reason, shown, principal.id, now_ms)
            write_down(connection, principal, now_ms, "requested_release", number, {"shown": order.shown})
            return made.id, True
        if waiting is None:
            raise Refused("no_release_pending")
        done, accepted = releasing.confirm(connection, record, waiting, shown, principal.id, here.keys, now_ms, deadline)
        details = {"shown": order.shown, "auth": accepted.entry.auth.hex(), "requested_by": waiting.requested_by}
        write_down(connection, principal, now_ms, "released", number, details)
        return done.id, True

    with here.running.hold(attempt):
        made, _ = write_once(here.database, attempt, now_ms, work)
    with here.database.read() as connection:
        done = releasing.get(connection, made, now_ms)
        members = _members(connection, [done])[0]
        if done.entry_id is None or done.requested_by == principal.id:
            return answers.json(members, 202)
        record = reading.get(connection, number, None)
        stored = next(stored for stored in record.stored if stored.id == done.entry_id)
        state = reading.state_of(connection, stored)
    entry, receipt = entry_members(stored.entry), receipt_members(stored.receipt)
    return answers.json({"request": members, "status": "released", "state": state, "entry": entry, "receipt": receipt})


@router.operation(
    "DELETE",
    "/v1/invoices/{number}/release",
    "Decline a release",
    Answered(examples.RELEASE_REQUEST, schemas.ReleaseRequest, description="Declined: the invoice stays as it is."),
    roles=("operator",),
    people_only=True,
    description="By any operator; whoever asked takes the request back in this way.",
)
def decline(request: Request, here: Here, number: str) -> Response:
    principal = here.person(request, "operator")
    now_ms = here.now_ms()
    with here.database.write() as connection:
        waiting = releasing.pending(connection, number, now_ms)
        if waiting is None:
            raise Refused("no_release_pending")
        declined = releasing.decline(connection, waiting, principal.id, now_ms)
        write_down(connection, principal, now_ms, "declined_release", number)
        members = _members(connection, [declined])[0]
    return answers.json(members)


@router.operation(
    "GET",
    "/v1/releases",
    "List requests for a release",
    Answered(examples.RELEASE_REQUESTS, schemas.ReleaseRequests, description="Newest first, with what became of each."),
    roles=("operator", "auditor"),
)
def page(
    request: Request,
    here: Here,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    here.allow(request, "operator", "auditor")
    with here.database.read() as connection:
        listed = releasing.listed(connection, limit + 1, here.now_ms(), cursor)
        items = _members(connection, listed[:limit])
    return answers.json({"items": items, "next_cursor": str(items[-1]["id"]) if len(listed) > limit else None})
