"""`/v1/activity`: what people have done, and whether anybody has changed the record of it since."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service import activity
from service.activity import Filter, Record
from service.api import answers
from service.api.context import Here
from service.api.models import staff as schemas
from service.api.operations import Answered, Operations
from service.api.parameters import Cursor, parameter_error
from service.api.staff import examples
from service.auth import keys, people
from service.errors import Refused
from service.invoices.reading import at
from service.ledger import notes
from service.ledger.notes import Note

router = Operations("activity")

RECORDS_AT_ONCE = 5_000
"""Of a verification: less than a second."""

Word = Annotated[str | None, Query(max_length=128)]


def moment_ms(value: str | None, name: str) -> int | None:
    """RFC 3339 with offset as ms since 1970. Raises Refused, naming the parameter."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return int(moment.timestamp() * 1000)
    except ValueError:
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", name)]) from None


def record_members(connection: Connection, records: list[Record]) -> list[dict[str, Any]]:
    """As answers and exports show them, with the names of who did it."""
    actors = list({record.actor for record in records})
    names = people.names(connection, actors) | keys.labels(connection, actors)
    return [
        {
            "id": record.id,
            "at": at(record.at),
            "actor": record.actor,
            "actor_name": names.get(record.actor),
            "action": record.action,
            "object": record.object,
            "details": orjson.loads(record.details),
            "hash": record.hash.hex(),
        }
        for record in records
    ]


@router.operation(
    "GET",
    "/v1/activity",
    "Read the activity log",
    Answered(examples.ACTIVITY, schemas.ActivityPage, description="Newest first."),
    roles=("operator", "auditor"),
    description="`object` is what it was done to: an invoice's number, the id of a person, key or run. `since` and `until` are "
    "times with an offset; `until` is left out.",
)
def page(
    request: Request,
    here: Here,
    actor: Word = None,
    action: Word = None,
    object: Word = None,  # noqa: A002  the name of the parameter
    since: Word = None,
    until: Word = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Cursor = None,
) -> Response:
    here.allow(request, "operator", "auditor")
    wanted = Filter(actor, action, object, moment_ms(since, "since"), moment_ms(until, "until"))
    with here.database.read() as connection:
        found = activity.read(connection, wanted, below=cursor, limit=limit + 1)
        items = record_members(connection, found[:limit])
    return answers.json({"items": items, "next_cursor": str(items[-1]["id"]) if len(found) > limit else None})


@router.operation(
    "GET",
    "/v1/activity/verification",
    "Verify the activity log",
    Answered(examples.ACTIVITY_VERIFICATION, schemas.ActivityVerification, description="Of a part of it; go on with `next`."),
    roles=("operator", "auditor"),
    description="Every hash from record `after` + 1 on is computed again, and every head that a batch anchors is looked for among "
    "the records. The batches themselves are what a reconciliation compares with the chain.",
)
def verify(request: Request, here: Here, after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0) -> Response:
    here.allow(request, "operator", "auditor")
    with here.database.read() as connection:
        records, _ = activity.head(connection)
        verified = activity.verify(connection, (), after, RECORDS_AT_ONCE)
        sealed = notes.sealed(connection, activity.LOG_NAME)
        places = activity.places(connection, [note.head for note in sealed])
    newest = sealed[-1] if sealed else None
    return answers.json(
        {
            "records": records,
            "first": after + 1,
            "last": verified.last,
            "next": verified.last if verified.broken_at is None and verified.last < records else None,
            "broken_at": verified.broken_at,
            "missing": [_note_members(note, None) for note in sealed if note.head not in places],
            "newest_note": _note_members(newest, places.get(newest.head)) if newest else None,
        }
    )


def _note_members(note: Note, record: int | None) -> dict[str, Any]:
    return {"record": record, "head": note.head.hex(), "seq": note.seq, "index": note.index, "state": note.state}
