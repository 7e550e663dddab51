"""What webhooks subscribe to. An event is written down in the transaction of its cause; a courier spreads it to the endpoints.

Whoever emits needs neither keys nor endpoints; where nobody subscribes, nothing is written.
"""

import fnmatch
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from service.deliveries import queue
from service.deliveries.queue import Wanted
from service.deliveries.tables import webhook_endpoints as endpoints
from service.deliveries.tables import webhook_events as table
from service.vault import Vault

Role = Literal["issuer", "auditor", "operator", "applicant"]

TYPES: dict[str, tuple[Role, ...]] = {
    "reprint.*": ("issuer", "operator", "applicant"),
    "finding.opened": ("auditor", "operator"),
    "incident.recorded": ("operator",),
}
"""What may be subscribed to, and by whom: an issuer gets what is about invoices of its own sellers, an applicant their case."""

_MAX_DATA = 60_000


def has_subscribers(connection: Connection) -> bool:
    """Whether there is anybody to tell anything."""
    return connection.scalar(select(endpoints.c.id).where(endpoints.c.disabled_at.is_(None)).limit(1)) is not None


def emit(connection: Connection, type_: str, object_: str, data: dict[str, Any], now_ms: int, *, seller: str | None = None) -> None:
    """Write an event down, in the caller's transaction. `data` holds nothing personal, no tax id; `seller` decides who gets it."""
    if not has_subscribers(connection):
        return
    written = orjson.dumps(data)
    assert len(written) <= _MAX_DATA
    row = {"at": now_ms, "type": type_, "seller": seller and seller[:64], "object": object_[:64], "data": written.decode()}
    connection.execute(insert(table), row)


def moment(at: int) -> str:
    """ms since 1970 UTC as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def is_waiting(connection: Connection) -> bool:
    """Whether there is an event to spread."""
    return connection.scalar(select(table.c.id).where(table.c.spread_at.is_(None)).limit(1)) is not None


def spread(connection: Connection, vault: Vault, now_ms: int, limit: int = 50) -> int:
    """Queue a delivery of every waiting event for every endpoint that wants it. Returns how many events there were.

    Of two couriers that spread at once, the second finds them spread.
    """
    waiting = select(table).where(table.c.spread_at.is_(None)).order_by(table.c.id).limit(limit)
    events = connection.execute(waiting.with_for_update(skip_locked=True)).all()  # on SQLite a write holds the one lock there is
    if not events:
        return 0
    wanting = connection.execute(select(endpoints).where(endpoints.c.disabled_at.is_(None)).order_by(endpoints.c.id)).all()
    for event in events:
        body = {"type": event.type, "timestamp": moment(event.at), "data": orjson.loads(event.data)}
        for endpoint in wanting:
            if concerns(endpoint, event):
                message = {"body": orjson.dumps(body).decode()}
                wanted = Wanted("webhook", event.type, event.object, message, endpoint_id=endpoint.id)
                queue.enqueue(connection, wanted, vault, now_ms)
    connection.execute(update(table).where(table.c.id.in_([event.id for event in events])).values(spread_at=now_ms))
    return len(events)


def concerns(endpoint: Any, event: Any) -> bool:
    """Whether an endpoint gets an event: it asked for its type, it was there, and it may know."""
    if not any(fnmatch.fnmatchcase(event.type, wanted) for wanted in orjson.loads(endpoint.events)):
        return False
    if event.at < endpoint.created_at or not any(
        endpoint.role in roles and fnmatch.fnmatchcase(event.type, type_) for type_, roles in TYPES.items()
    ):
        return False
    if endpoint.object is not None and endpoint.object != event.object:
        return False
    return endpoint.sellers is None or event.seller in orjson.loads(endpoint.sellers)


def forget(connection: Connection, before_ms: int) -> int:
    """Delete events from before then that were spread. Returns how many."""
    return connection.execute(delete(table).where(table.c.at < before_ms, table.c.spread_at.is_not(None))).rowcount
