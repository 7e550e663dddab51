"""`/v1/deliveries`: what was sent to people and webhooks, and what could not be, for staff to see and to send again."""

from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Context, Here
from service.api.models import deliveries as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Cursor, Limit
from service.api.webhooks import delivery_members
from service.auth.principals import Role, record
from service.deliveries import queue
from service.deliveries.queue import Channel, Filter
from service.reprints import applying
from service.vault import NotDecrypted

router = Operations("deliveries")

STAFF: tuple[Role, ...] = ("operator", "reviewer")


def _members(here: Context, row: Any) -> dict[str, Any]:
    to = None
    if row.channel != "webhook":
        try:
            message = queue.read_message(row, here.vault)
            to = None if message is None else applying.hint(row.channel, message["to"])
        except NotDecrypted:
            pass  # its key is gone: the rest can be shown
    return {**delivery_members(row), "to": to}


@router.operation(
    "GET",
    "/v1/deliveries",
    "List deliveries",
    Answered({"items": [schemas.LETTER], "next_cursor": None}, schemas.LetterPage, description="Newest first."),
    roles=STAFF,
    description="`state=dead` are those that were given up. `object` is a case, for one's own look whether its applicant was told.",
)
def listed(
    request: Request,
    here: Here,
    state: schemas.State | None = None,
    channel: Channel | None = None,
    object: Annotated[str | None, Query(max_length=64)] = None,  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    here.allow(request, *STAFF)
    with here.database.read() as connection:
        rows = queue.listed(connection, Filter(state, channel, object), limit + 1, cursor)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return answers.json({"items": [_members(here, row) for row in rows[:limit]], "next_cursor": following})


@router.operation(
    "POST",
    "/v1/deliveries/{id}/retry",
    "Send a dead letter again",
    Answered({**schemas.LETTER, "state": "queued"}, schemas.Letter, 202, description="Queued under the same id."),
    roles=STAFF,
    sent=(Sent({}, schemas.Again),),
    description="A receiver that had it after all recognises the repeat. One whose text is not kept any more cannot be sent again.",
)
def retry(request: Request, here: Here, id: Annotated[str, Path()], body: SmallBody) -> Response:  # noqa: A002
    principal = here.allow(request, *STAFF)
    parse(schemas.Again, body)
    now_ms = here.now_ms()
    with here.database.write() as connection:
        row = queue.send_again(connection, queue.get(connection, id), now_ms)
        record(connection, principal, now_ms, "sent_again", row.object, {"delivery": row.uid})
    return answers.json(_members(here, row), 202)
