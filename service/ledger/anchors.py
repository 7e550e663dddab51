"""Anchors as everybody may see them: what was sealed, and how far it has come."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from service.ledger import outbox as outbox_room
from service.ledger.tables import batches, outbox, transactions


class Anchor(NamedTuple):
    """Roots of 32 bytes; sealed_at in ms and block_time in seconds since 1970 UTC; `transactions` are hashes, oldest first.

    More than one were signed where the first had to be replaced by one with a higher fee, none for a foreign anchor.
    """

    seq: int
    log_root: bytes
    register_root: bytes
    size: int
    sealed_at: int
    foreign: bool
    state: outbox_room.State
    block_number: int | None
    block_time: int | None
    transactions: Sequence[bytes]


_anchors: Select[Any] = select(
    batches.c.seq,
    batches.c.log_root,
    batches.c.register_root,
    batches.c.size,
    batches.c.sealed_at,
    (batches.c.foreign == 1).label("foreign"),
    outbox.c.state,
    outbox.c.block_number,
    outbox.c.block_time,
).join(outbox, outbox.c.seq == batches.c.seq)


def page(connection: Connection, limit: int, below: int | None = None) -> list[Anchor]:
    """Up to `limit` anchors, newest first, of seq less than `below`."""
    query = _anchors.order_by(batches.c.seq.desc()).limit(limit)
    return _read(connection, query if below is None else query.where(batches.c.seq < below))


def find(connection: Connection, seq: int) -> Anchor | None:
    """None where nothing was sealed or found under that seq."""
    return next(iter(_read(connection, _anchors.where(batches.c.seq == seq))), None)


def _read(connection: Connection, query: Select[Any]) -> list[Anchor]:
    rows = connection.execute(query).all()
    signed = select(transactions.c.seq, transactions.c.hash).where(transactions.c.seq.in_([row.seq for row in rows]))
    hashes: dict[int, list[bytes]] = defaultdict(list)
    for seq, hash_ in connection.execute(signed.order_by(transactions.c.signed_at, transactions.c.max_fee)):
        hashes[seq].append(hash_)
    return [Anchor(**row._mapping, transactions=hashes[row.seq]) for row in rows]
