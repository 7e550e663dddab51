"""What is in a batch, entry by entry, for people: which number each one is about."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from service.db import SelectIn
from service.invoices.tables import invoices
from service.ledger.tables import entries
from verifier.entry import Entry, Kind, decode_entry


class Placed(NamedTuple):
    """`number` is None for a note, and where the invoice's row is lost."""

    index: int  # type: ignore[assignment]  # as in the protocol
    entry: Entry
    number: str | None


_of_keys = SelectIn(select(entries.c.key, invoices.c.number).join(invoices, invoices.c.id == entries.c.id), entries.c.key)


def entries_of(connection: Connection, seq: int, after: int, limit: int) -> list[Placed]:
    """Up to `limit` entries of batch `seq` behind place `after`, in order."""
    query = select(entries.c.index, entries.c.entry).where(entries.c.seq == seq, entries.c.index > after)
    rows = [(place, decode_entry(data)) for place, data in connection.execute(query.order_by(entries.c.index).limit(limit))]
    keys = {entry.key for _, entry in rows if entry.kind is not Kind.NOTE}
    numbers = {key: number for key, number in _of_keys(connection, sorted(keys))} if keys else {}  # noqa: C416  rows, not pairs
    return [Placed(place, entry, numbers.get(entry.key)) for place, entry in rows]
