"""Notes: the head of another append-only log, brought onto the chain among the entries (kind 6 of protocol.md section 3)."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from service.ledger.entries import Accepted, append
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries, outbox
from verifier.entry import ZERO, Entry, Kind, decode_entry, log_key

_newest = select(entries.c.ordinal, entries.c.entry).order_by(entries.c.ordinal.desc()).limit(1)


def is_due(connection: Connection, name: str, head: bytes, now_ms: int, every_ms: int) -> bool:
    """Whether log `name` has a head (32 bytes) that no note has, and the newest note is old enough."""
    if head == ZERO:
        return False
    last = connection.execute(_newest.where(entries.c.key == log_key(name))).one_or_none()
    if last is None:
        return True
    noted = decode_entry(last.entry)
    return noted.copy != head and now_ms - noted.recorded_at >= every_ms


def take_down(connection: Connection, name: str, head: bytes, keys: ReceiptKeys, now_ms: int, deadline: int) -> Accepted:
    """Accept a note that log `name` has this head (32 bytes)."""
    key = log_key(name)
    last = connection.execute(_newest.where(entries.c.key == key)).one_or_none()
    entry = Entry(Kind.NOTE, now_ms, key, head, ZERO, ZERO)
    return append(connection, [(entry, 1 if last is None else last.ordinal + 1)], keys, deadline)[0]


class Note(NamedTuple):
    """A note that is in a batch: the head that it anchors (32 bytes), its place, its bytes, and how far the batch has come."""

    head: bytes
    seq: int
    index: int  # type: ignore[assignment]  # as in the protocol
    entry: bytes
    state: str


def sealed(connection: Connection, name: str) -> list[Note]:
    """Every note of log `name` that is in a batch, oldest first."""
    query = (
        select(entries.c.entry, entries.c.seq, entries.c.index, outbox.c.state)
        .join(outbox, outbox.c.seq == entries.c.seq)
        .where(entries.c.key == log_key(name))
        .order_by(entries.c.ordinal)
    )
    return [Note(decode_entry(data).copy, seq, index, data, state) for data, seq, index, state in connection.execute(query)]
