"""The activity log: everything that people do at a desk, append-only and hash-chained.

Record n is hashed with the hash of record n - 1, and the worker anchors the newest hash as a note: whoever changes, removes or
inserts a record afterwards breaks the chain before an anchored head, and `verify` names where.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, String, Table, Text, insert, select

from service.db import Id, metadata
from verifier.canonical import canonical_bytes
from verifier.entry import ZERO, log_key

LOG_NAME = "activity"
LOG_KEY = log_key(LOG_NAME)
"""The `key` of the notes that anchor this log's head."""

activity = Table(
    "activity",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="1, 2, 3 … without a gap"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("actor", String(64), nullable=False, comment="id of the person or key, or system"),
    Column("action", String(64), nullable=False),
    Column("object", String(128), nullable=False, comment="number, case, user or run that it was done to"),
    Column("details", Text, nullable=False, comment="canonical JSON of texts; nothing personal"),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
)


class Record(NamedTuple):
    """One thing that was done; `details` is canonical JSON, `hash` covers all before it."""

    id: int
    at: int
    actor: str
    action: str
    object: str
    details: str
    hash: bytes


_records = select(*(activity.c[name] for name in Record._fields))


def hash_of(record: Record, before: bytes) -> bytes:
    """H("zp1/activity" ‖ 0x00 ‖ hash of the record before, zero for the first ‖ canonical JSON of the record without its hash)."""
    said = {
        "id": str(record.id),
        "at": str(record.at),
        "actor": record.actor,
        "action": record.action,
        "object": record.object,
        "details": record.details,
    }
    return sha256(b"zp1/activity\x00" + before + canonical_bytes(said)).digest()


def append(
    connection: Connection, now_ms: int, actor: str, action: str, object_: str, details: dict[str, str] | None = None
) -> Record:
    """Add a record, in the transaction of what it records: neither is kept without the other.

    A UNIQUE violation means that another process was faster: run the transaction again. Raises NotCanonical for a text that holds
    characters which could not be hashed.
    """
    last = connection.execute(_records.order_by(activity.c.id.desc()).limit(1)).one_or_none()
    before = ZERO if last is None else last.hash
    record = Record(
        1 if last is None else last.id + 1, now_ms, actor, action, object_, canonical_bytes(details or {}).decode(), ZERO
    )
    record = record._replace(hash=hash_of(record, before))
    connection.execute(insert(activity), record._asdict())
    return record


def head(connection: Connection) -> tuple[int, bytes]:
    """(number of records, hash of the newest); (0, zero) of an empty log."""
    last = connection.execute(select(activity.c.id, activity.c.hash).order_by(activity.c.id.desc()).limit(1)).one_or_none()
    return (0, ZERO) if last is None else (last.id, last.hash)


def read(connection: Connection, *, object_: str | None = None, below: int | None = None, limit: int = 100) -> list[Record]:
    """The newest records first, below id `below`, of one object or of all."""
    query = _records.order_by(activity.c.id.desc()).limit(limit)
    if object_ is not None:
        query = query.where(activity.c.object == object_)
    if below is not None:
        query = query.where(activity.c.id < below)
    return [Record(*row) for row in connection.execute(query)]


class Verified(NamedTuple):
    """`broken_at` is the id of the first record that does not follow from the one before, None where all do.

    `anchored` heads were found in the chain of hashes; `missing_heads` were anchored and are not there: history was rewritten.
    """

    records: int
    broken_at: int | None
    anchored: int
    missing_heads: list[bytes]


def verify(connection: Connection, anchored_heads: Sequence[bytes]) -> Verified:
    """Recompute every hash, streamed, and look for each anchored head (32 bytes, of the notes) among them."""
    wanted = set(anchored_heads)
    found: set[bytes] = set()
    before, count, broken_at = ZERO, 0, None
    for record in _stream(connection):
        count += 1
        if broken_at is None and (record.id != count or hash_of(record, before) != record.hash):
            broken_at = record.id
        before = record.hash
        if broken_at is None and before in wanted:
            found.add(before)
    return Verified(count, broken_at, len(found), [head for head in anchored_heads if head not in found])


def _stream(connection: Connection) -> Iterator[Record]:
    rows = connection.execute(_records.order_by(activity.c.id).execution_options(yield_per=1000))
    return (Record(*row) for row in rows)
