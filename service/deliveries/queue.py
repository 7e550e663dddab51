"""The queue: put in by whoever tells something, in the transaction of its cause; taken out by couriers.

    queued -> sending -> sent
    sending -> queued (the next try) | dead (given up, for staff to see)
    dead -> queued (staff sends it again)

A courier commits `sending` before it sends, and what came of it afterwards. If it dies in between, another one sends it again once
the lease is over, under the same `uid`, by which the receiver recognises the repeat: Message-ID of an e-mail, Idempotency-Key of an
SMS, webhook-id of a webhook.
"""

import secrets
from base64 import b32encode
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from service.deliveries.tables import deliveries as table
from service.deliveries.tables import webhook_endpoints as endpoints
from service.deliveries.timing import Quiet, not_in
from service.errors import Refused
from service.vault import Vault

Channel = Literal["email", "sms", "webhook"]
CHANNELS: tuple[Channel, ...] = ("email", "sms", "webhook")
State = Literal["queued", "sending", "sent", "dead"]

LEASE_MS = 120_000
"""So long a courier may take for one delivery; much longer than the time limits of all it does."""


class Wanted(NamedTuple):
    """What is to be delivered. `message` is JSON that its channel understands: mail.py, sms.py, webhooks.py.

    `object` is the case, run or endpoint that it is about; `quiet` holds it until morning; after `expires_at` it is of no use.
    """

    channel: Channel
    event: str
    object: str
    message: dict[str, Any]
    quiet: Quiet | None = None
    expires_at: int | None = None
    endpoint_id: str | None = None


class Taken(NamedTuple):
    """A delivery in the hands of a courier, by its `claim`. `tries` counts this one."""

    id: int
    uid: str
    channel: Channel
    event: str
    object: str
    endpoint_id: str | None
    message: dict[str, Any]
    created_at: int
    expires_at: int | None
    tries: int
    quiet: Quiet | None
    claim: str


def new_uid() -> str:
    return "msg_" + b32encode(secrets.token_bytes(17)).decode().rstrip("=").lower()[:26]


def enqueue(connection: Connection, wanted: Wanted, vault: Vault, now_ms: int) -> str:
    """Queue it, in the caller's transaction. Returns its uid."""
    uid = new_uid()
    row = {
        "uid": uid,
        "channel": wanted.channel,
        "event": wanted.event,
        "object": wanted.object,
        "endpoint_id": wanted.endpoint_id,
        "state": "queued",
        "message": vault.encrypt(orjson.dumps(wanted.message), _context(uid)),
        "quiet_from": wanted.quiet.start if wanted.quiet else None,
        "quiet_until": wanted.quiet.end if wanted.quiet else None,
        "created_at": now_ms,
        "due_at": not_in(wanted.quiet, now_ms),
        "expires_at": wanted.expires_at,
    }
    connection.execute(insert(table), row)
    return uid


def waiting(connection: Connection, channels: Collection[Channel], now_ms: int, limit: int = 20) -> list[int]:
    """Ids of what is due, the most overdue first; a webhook only where its endpoint does not rest."""
    query = (
        select(table.c.id)
        .outerjoin(endpoints, table.c.endpoint_id == endpoints.c.id)
        .where(
            table.c.channel.in_(channels),
            table.c.state.in_(("queued", "sending")),
            table.c.due_at <= now_ms,
            or_(endpoints.c.id.is_(None), endpoints.c.rests_until <= now_ms),
        )
    )
    return list(connection.scalars(query.order_by(table.c.due_at, table.c.id).limit(limit)))


def take(connection: Connection, id_: int, vault: Vault, now_ms: int, lease_ms: int = LEASE_MS) -> Taken | None:
    """Claim it; None where another courier was faster. To be committed before anything is sent.

    Raises NotDecrypted where the vault has lost its key; then it must be given up.
    """
    claim = secrets.token_hex(16)
    is_free = and_(table.c.id == id_, table.c.state.in_(("queued", "sending")), table.c.due_at <= now_ms)
    taking = {"state": "sending", "claim": claim, "due_at": now_ms + lease_ms, "tries": table.c.tries + 1}
    row = connection.execute(update(table).where(is_free).values(taking).returning(table)).one_or_none()
    if row is None:
        return None
    quiet = None if row.quiet_from is None else Quiet(row.quiet_from, row.quiet_until)
    message = orjson.loads(vault.decrypt(row.message or b"", _context(row.uid)))
    return Taken(
        row.id,
        row.uid,
        row.channel,
        row.event,
        row.object,
        row.endpoint_id,
        message,
        row.created_at,
        row.expires_at,
        row.tries,
        quiet,
        claim,
    )


def is_mine(taken: Taken) -> Any:
    """Its row, as long as no other courier took it over."""
    return and_(table.c.id == taken.id, table.c.claim == taken.claim, table.c.state == "sending")


def settle(
    connection: Connection,
    taken: Taken,
    state: Literal["queued", "sent", "dead"],
    now_ms: int,
    *,
    due_at: int | None = None,
    error: str | None = None,
    status: int | None = None,
) -> bool:
    """What came of it: False where another courier has taken it over meanwhile, whose word then counts."""
    values: dict[str, Any] = {"state": state, "claim": None, "error": error, "status": status}
    if state != "queued":
        values["ended_at"] = now_ms
    if due_at is not None:
        values["due_at"] = not_in(taken.quiet, due_at)
    if error is not None:
        values["failures"] = table.c.failures + 1
    return connection.execute(update(table).where(is_mine(taken)).values(values)).rowcount == 1


def give_up(connection: Connection, id_: int, now_ms: int, error: str) -> None:
    """What cannot even be read is dead at once."""
    is_open = and_(table.c.id == id_, table.c.state.in_(("queued", "sending")))
    values = {"state": "dead", "claim": None, "error": error, "ended_at": now_ms, "failures": table.c.failures + 1}
    connection.execute(update(table).where(is_open).values(values))


def send_again(connection: Connection, row: Any, now_ms: int) -> Any:
    """A dead letter begins anew, under the same uid. Returns its row.

    Raises Refused("delivery_not_dead"), or ("delivery_forgotten") where its text is not kept any more.
    """
    if row.state != "dead":
        raise Refused("delivery_not_dead", {"state": row.state})
    if row.message is None:
        raise Refused("delivery_forgotten")
    values = {"state": "queued", "due_at": now_ms, "tries": 0, "ended_at": None, "expires_at": None}
    connection.execute(update(table).where(table.c.id == row.id, table.c.state == "dead").values(values))
    if row.endpoint_id is not None:  # whoever sends it again wants it to be tried now
        connection.execute(update(endpoints).where(endpoints.c.id == row.endpoint_id).values(rests_until=0))
    return get(connection, row.uid)


def get(connection: Connection, uid: str) -> Any:
    """Its row. Raises Refused("delivery_not_found")."""
    row = connection.execute(select(table).where(table.c.uid == uid)).one_or_none()
    if row is None:
        raise Refused("delivery_not_found")
    return row


class Filter(NamedTuple):
    """All that are given must hold."""

    state: str | None = None
    channel: str | None = None
    object: str | None = None
    endpoint_id: str | None = None


def listed(connection: Connection, wanted: Filter, limit: int, below: int | None = None) -> list[Any]:
    """Rows, newest first, below id `below`."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    for name, value in wanted._asdict().items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return list(connection.execute(query if below is None else query.where(table.c.id < below)))


def read_message(row: Any, vault: Vault) -> dict[str, Any] | None:
    """What a row is to say, None where that is forgotten. Raises NotDecrypted."""
    if row.message is None:
        return None
    message: dict[str, Any] = orjson.loads(vault.decrypt(row.message, _context(row.uid)))
    return message


def forget(connection: Connection, before_ms: int, limit: int = 1000) -> int:
    """Delete the text and the recipient of up to `limit` deliveries that ended before then. Returns how many."""
    old = select(table.c.id).where(table.c.ended_at < before_ms, table.c.message.is_not(None)).limit(limit)
    return connection.execute(update(table).where(table.c.id.in_(old)).values(message=None)).rowcount


class Figures(NamedTuple):
    """By channel: `counts` of (channel, state), `failures` of tries, and since when the oldest due one waits (ms)."""

    counts: dict[tuple[str, str], int]
    failures: dict[str, int]
    oldest: dict[str, int]


def figures(connection: Connection, now_ms: int) -> Figures:
    """For metrics. What is held until morning is not late."""
    counted = select(table.c.channel, table.c.state, func.count(), func.sum(table.c.failures)).group_by(
        table.c.channel, table.c.state
    )
    counts: dict[tuple[str, str], int] = {}
    failures = {str(channel): 0 for channel in CHANNELS}
    for channel, state, count, failed in connection.execute(counted):
        counts[channel, state] = count
        failures[channel] += int(failed or 0)
    is_late = and_(table.c.state.in_(("queued", "sending")), table.c.due_at <= now_ms)
    oldest = select(table.c.channel, func.min(table.c.due_at)).where(is_late).group_by(table.c.channel)
    return Figures(counts, failures, {row[0]: row[1] for row in connection.execute(oldest)})


def _context(uid: str) -> str:
    return f"delivery/{uid}"
