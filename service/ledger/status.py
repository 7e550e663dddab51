"""How the ledger fares: what waits, how far anchoring has come, what a person must look at."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from service.ledger import health
from service.ledger.entries import count_pending
from service.ledger.outbox import State
from service.ledger.sealing import newest_seq
from service.ledger.tables import entries, incidents, outbox
from verifier.entry import decode_entry


class Status(NamedTuple):
    """`backlog` is counted up to the limit that was given; `oldest_pending` is when that was recorded, in ms since 1970 UTC."""

    health: health.Health | None
    backlog: int
    oldest_pending: int | None
    sealed_head: int | None
    incidents: dict[str, int]


def read(connection: Connection, limit: int) -> Status:
    oldest = connection.scalar(
        select(entries.c.entry).where(entries.c.seq.is_(None)).order_by(entries.c.accepted_with, entries.c.id).limit(1)
    )
    found = connection.execute(select(incidents.c.code, func.count()).group_by(incidents.c.code))
    return Status(
        health.read(connection),
        0 if oldest is None else count_pending(connection, limit),
        None if oldest is None else decode_entry(oldest).recorded_at,
        newest_seq(connection),
        {row[0]: row[1] for row in found},
    )


def newest_mined(connection: Connection) -> int:
    """Seq of the newest anchor that is mined or final; 0 where none is. Anchors are mined in order."""
    mined: tuple[State, ...] = ("mined", "final")
    query = select(outbox.c.seq).where(outbox.c.state.in_(mined)).order_by(outbox.c.seq.desc()).limit(1)
    return connection.scalar(query) or 0


def mined_of(connection: Connection, ids: Sequence[int], head: int) -> list[int]:
    """Which of the entries `ids` are in an anchor up to `head`."""
    query = select(entries.c.id).where(entries.c.id.in_(ids), entries.c.seq <= head)
    return list(connection.scalars(query))
