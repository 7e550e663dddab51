"""The activity log: everything that people do at a desk, append-only and hash-chained.

Record n is hashed with the hash of record n - 1, and the worker anchors the newest hash as a note: whoever changes, removes or
inserts a record afterwards breaks the chain before an anchored head, and `verify` names where.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, Select, String, Table, Text, func, insert, select

from service.db import Id, chunks, metadata
from verifier.canonical import canonical_bytes
from verifier.entry import ZERO, log_key
from verifier.errors import NotCanonical

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


Index("activity_actor_idx", activity.c.actor, activity.c.id)
Index("activity_object_idx", activity.c.object, activity.c.id)

_LOCK = 0x7A70_6163  # "zpac": any fixed number does, so long as nobody else takes it


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

    Whoever appends at the same time waits until this transaction ends. Raises NotCanonical for a text that holds characters which
    could not be hashed.
    """
    if connection.dialect.name == "postgresql":  # on SQLite a write holds the one lock there is
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
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


class Filter(NamedTuple):
    """All that are given must hold; `since` and `until` in ms since 1970 UTC, until left out."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: int | None = None
    until: int | None = None


EVERYTHING = Filter()


def read(connection: Connection, wanted: Filter = EVERYTHING, *, below: int | None = None, limit: int = 100) -> list[Record]:
    """The newest records first, below id `below`."""
    query: Select[Any] = _records.order_by(activity.c.id.desc()).limit(limit)
    for name in ("actor", "action", "object"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(activity.c[name] == value)
    if wanted.until is not None:
        query = query.where(activity.c.id < _first_since(connection, wanted.until))
    if wanted.since is not None:
        query = query.where(activity.c.id >= _first_since(connection, wanted.since))
    if below is not None:
        query = query.where(activity.c.id < below)
    return [Record(*row) for row in connection.execute(query)]


def places(connection: Connection, heads: Sequence[bytes]) -> dict[bytes, int]:
    """The id of the record that has each hash; a hash that no record has is left out."""
    found: dict[bytes, int] = {}
    for some in chunks(heads):
        query = select(activity.c.hash, activity.c.id).where(activity.c.hash.in_(some))
        found |= {row[0]: row[1] for row in connection.execute(query)}
    return found


def _first_since(connection: Connection, at: int) -> int:
    """The id of the first record of that time or later, found by halving: ids have no gap, and records lie in order of time."""
    low, high = 1, head(connection)[0] + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.scalar(select(activity.c.at).where(activity.c.id == middle))
        low, high = (middle + 1, high) if found is not None and found < at else (low, middle)
    return low


class Verified(NamedTuple):
    """`last` is the id of the last record that was looked at. `broken_at` is the id of the first one that does not follow from the
    one before, None where all do. `found` are the anchored heads that are hashes of these records.
    """

    last: int
    broken_at: int | None
    found: frozenset[bytes]


def verify(connection: Connection, anchored_heads: Iterable[bytes], after: int = 0, limit: int | None = None) -> Verified:
    """Recompute the hashes of up to `limit` records behind id `after`, streamed, and look for anchored heads (32 bytes) among them.

    What is behind a broken record vouches for nothing: no head is found there. A whole log, looked at in parts or at once, is sound
    if nothing is broken and every anchored head was found: a head that is not there was anchored of another history.
    """
    wanted = frozenset(anchored_heads)
    found: set[bytes] = set()
    before = connection.scalar(select(activity.c.hash).where(activity.c.id == after)) if after else ZERO
    last = after
    query = _records.where(activity.c.id > after).order_by(activity.c.id).limit(limit)
    with connection.execute(query.execution_options(yield_per=1000)) as rows:
        for row in rows:
            record = Record(*row)
            if record.id != last + 1 or before is None or not _follows(record, before):
                return Verified(record.id, record.id, frozenset(found))
            last, before = record.id, record.hash
            if before in wanted:
                found.add(before)
    return Verified(last, None, frozenset(found))


def _follows(record: Record, before: bytes) -> bool:
    try:
        return hash_of(record, before) == record.hash
    except (NotCanonical, TypeError):  # no text that could ever have been hashed
        return False
