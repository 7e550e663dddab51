"""Accepting entries: the register's rules are applied here, before anything is signed, to all that was accepted for the number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from service.db import Rows, SelectIn, insert_rows
from service.ledger import promises
from service.ledger.receipts import Receipt, ReceiptKeys
from service.ledger.tables import entries, entry_ids
from verifier.entry import Entry, Kind, decode_entry
from verifier.register import State, apply


class Stored(NamedTuple):
    """An accepted entry as the ledger keeps it; seq and index are None while it is pending."""

    id: int
    entry: Entry
    receipt: Receipt
    seq: int | None
    index: int | None  # type: ignore[assignment]  # as in the protocol


class History:
    """All that was accepted for one key, replayed in order. `state` is None for a number that never was registered."""

    __slots__ = ("copies", "entries", "state")

    def __init__(self, accepted: Iterable[Stored] = ()) -> None:
        self.state: State | None = None
        self.copies: set[bytes] = set()
        self.entries: list[Entry] = []
        for stored in accepted:
            self.add(stored.entry, stored.seq or 0, stored.index or 0)

    def add(self, entry: Entry, seq: int = 0, index: int = 0) -> None:
        """Apply one more entry. Raises NotAllowed and changes nothing where the rules do not allow it."""
        if entry.kind is not Kind.NOTE:
            self.state = apply(self.state, entry, seq, index, self.copies)
            self.copies.add(self.state.copy)
        self.entries.append(entry)

    @property
    def ordinal(self) -> int:
        """Of the newest entry; 0 where there is none."""
        return len(self.entries)


class Accepted(NamedTuple):
    """What `append` made of an entry."""

    id: int
    entry: Entry
    receipt: Receipt


_COLUMNS = ("id", "key", "ordinal", "entry", "accepted_with", "key_id", "deadline", "signature")
stored_columns = (
    entries.c.id,
    entries.c.key,
    entries.c.entry,
    entries.c.key_id,
    entries.c.deadline,
    entries.c.signature,
    entries.c.seq,
    entries.c.index,
)
_of_keys = SelectIn(select(*stored_columns).order_by(entries.c.key, entries.c.ordinal), entries.c.key)


def stored_by_key(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, list[Stored]]:
    """Everything accepted for each of `keys`, in order; a key without entries is left out."""
    found: dict[bytes, list[Stored]] = defaultdict(list)
    for row in _of_keys(connection, keys):
        found[row.key].append(to_stored(row))
    return found


def to_stored(row: Any) -> Stored:
    """A row of `entries` as Stored."""
    return Stored(row.id, decode_entry(row.entry), Receipt(row.key_id, row.deadline, row.signature), row.seq, row[-1])


def histories(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, History]:
    """The replayed history of each of `keys`; a key without entries is left out."""
    return {key: History(stored) for key, stored in stored_by_key(connection, keys).items()}


def append(connection: Connection, accepted: Sequence[tuple[Entry, int]], keys: ReceiptKeys, deadline: int) -> list[Accepted]:
    """Sign and store entries of one transaction, each with its ordinal (`History.ordinal` once it was added).

    The caller has read everything that it decides by before this call: on PostgreSQL that is what makes the order of ids agree
    with the order in which transactions saw each other. A UNIQUE violation means that another process accepted for the same
    number meanwhile: try the whole transaction again.
    """
    signed, made = sign(connection, accepted, keys, deadline)
    for rows in made:
        insert_rows(connection, rows)
    return signed


def sign(
    connection: Connection,
    accepted: Sequence[tuple[Entry, int]],
    keys: ReceiptKeys,
    deadline: int,
    ahead: Mapping[bytes, Receipt] | None = None,
) -> tuple[list[Accepted], list[Rows]]:
    """The first half of `append`; the rows are to be inserted before anything that refers to them.

    `ahead`: receipts with this deadline that `keys` has signed already, by the entry's bytes.
    """
    if not accepted:
        return [], []
    ids = _next_ids(connection, len(accepted))
    encoded = [entry.encode() for entry, _ in accepted]
    known = ahead or {}
    left = [data for data in encoded if data not in known]
    fresh = dict(zip(left, keys.sign_all(left, deadline), strict=True))
    receipts = [known.get(data) or fresh[data] for data in encoded]
    together = list(zip(ids, accepted, encoded, receipts, strict=True))
    rows = [(id_, entry.key, ordinal, data, ids[0], *receipt) for id_, (entry, ordinal), data, receipt in together]
    made = [Rows(entries, _COLUMNS, rows), promises.rows(ids[0], encoded, receipts, keys)]
    return [Accepted(id_, entry, receipt) for id_, (entry, _), _, receipt in together], made


def _next_ids(connection: Connection, count: int) -> Sequence[int]:
    if connection.dialect.name == "sqlite":  # the write lock is held: nobody else takes these
        first = connection.scalar(select(func.coalesce(func.max(entries.c.id), 0))) or 0
        return range(first + 1, first + 1 + count)
    return connection.scalars(select(entry_ids.next_value()).select_from(func.generate_series(1, count))).all()


def count_pending(connection: Connection, limit: int) -> int:
    """How many entries are accepted and not sealed, counted up to `limit`."""
    pending = select(entries.c.id).where(entries.c.seq.is_(None)).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(pending)) or 0
