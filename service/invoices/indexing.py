"""The index of what stands in invoices: grams (texts.py) by invoice, filled by the worker behind sealing.

SQLite has it as an FTS5 table without content, PostgreSQL as a tsvector under a GIN index; neither knows positions, since what is
found is looked at again. Registering pays nothing: invoices are taken in the order of the log, a few hundred at a time, while
nobody waits for the worker. So a buyer is found by a gram too: an index of the table by buyer would cost registering a fifth, since
each invoice of a batch has another one.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, event, func, insert, select, text, tuple_, update
from sqlalchemy.schema import MetaData

from service.db import Database, metadata
from service.invoices.tables import copies, invoices, search_progress
from service.invoices.texts import Gram, grams_of, tail_gram, text_of
from service.ledger.entries import count_pending
from service.ledger.tables import batches, entries
from verifier.commitment import SECTIONS

CREATE = {
    "sqlite": (
        """CREATE VIRTUAL TABLE IF NOT EXISTS invoice_grams
        USING fts5(grams, content='', detail=none, tokenize="ascii tokenchars '_'")""",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS invoice_grams (id BIGINT PRIMARY KEY, grams TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS invoice_grams_idx ON invoice_grams USING gin (grams)",
    ),
}
"""As the migration has it, word for word."""

AT_ONCE = 200
"""Invoices of one step: a twentieth of a second."""
BUSY = 1_000
"""Entries that wait to be sealed; while there are more, registering has the machine for itself."""
MAX_BEHIND = 10_000


@event.listens_for(metadata, "after_create")
def _create(_target: MetaData, connection: Connection, **_: Any) -> None:
    for statement in CREATE[connection.dialect.name]:
        connection.execute(text(statement))


@event.listens_for(metadata, "before_drop")
def _drop(_target: MetaData, connection: Connection, **_: Any) -> None:
    connection.execute(text("DROP TABLE IF EXISTS invoice_grams"))


class Indexed(NamedTuple):
    """The index holds every invoice up to place `index` of batch `seq`; `behind` entries are newer, counted up to MAX_BEHIND."""

    seq: int
    index: int  # type: ignore[assignment]  # as in the protocol
    behind: int


def progress(connection: Connection) -> Indexed:
    """How far the index is."""
    at = _place(connection)
    sealed = select(entries.c.id).where(tuple_(entries.c.seq, entries.c.index) > at).limit(MAX_BEHIND).subquery()
    behind = (connection.scalar(select(func.count()).select_from(sealed)) or 0) + count_pending(connection, MAX_BEHIND)
    return Indexed(*at, min(behind, MAX_BEHIND))


def _place(connection: Connection) -> tuple[int, int]:
    row = connection.execute(select(search_progress.c.seq, search_progress.c.index)).one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


class Indexer:
    """A step of the worker. It can be killed at any point, and two of them harm nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def step(self) -> bool:
        """Take in some more; False where nothing was left, or others had better go first."""
        with self._database.read() as connection:
            place = _place(connection)
            newest = _newest_place(connection)
            if newest <= place or count_pending(connection, BUSY + 1) > BUSY:
                return False
            rows = connection.execute(_behind(place)).all()
        found = [(row.id, " ".join(sorted({*grams_of(_text(row)), buyer_gram(row.buyer_id).text}))) for row in rows]
        reached = (rows[-1].seq, rows[-1][1]) if len(rows) == AT_ONCE else newest
        with self._database.write() as connection:
            if _place(connection) != place:
                return True  # another one was faster
            _add(connection, found)
            values = {"seq": reached[0], "index": reached[1]}
            if place == (0, 0):
                connection.execute(insert(search_progress), {"id": 1, **values})
            else:
                connection.execute(update(search_progress).values(values))
        return True


def _newest_place(connection: Connection) -> tuple[int, int]:
    """The last place that an entry has."""
    row = connection.execute(
        select(batches.c.seq, batches.c.size).where(batches.c.size > 0).order_by(batches.c.seq.desc()).limit(1)
    ).one_or_none()
    return (0, 0) if row is None else (row[0], row[1] - 1)


_columns = [copies.c.provenance if name == "provenance" else invoices.c[name] for name in SECTIONS]


def _behind(place: tuple[int, int]) -> Any:
    return (
        select(entries.c.seq, entries.c.index, invoices.c.id, invoices.c.external_id, invoices.c.buyer_id, *_columns)
        .join(invoices, invoices.c.id == entries.c.id)
        .join(copies, copies.c.entry_id == entries.c.id)
        .where(tuple_(entries.c.seq, entries.c.index) > place)
        .order_by(entries.c.seq, entries.c.index)
        .limit(AT_ONCE)
    )


def _text(row: Any) -> str:
    return text_of([getattr(row, name) for name in SECTIONS], row.external_id)


def _add(connection: Connection, found: Sequence[tuple[int, str]]) -> None:
    """An invoice's content never changes: what is there already stays as it is."""
    if not found:
        return
    if connection.dialect.name == "postgresql":
        statement = text(
            "INSERT INTO invoice_grams VALUES (:id, array_to_tsvector(string_to_array(:grams, ' '))) ON CONFLICT DO NOTHING"
        )
    else:
        known = set(
            connection.execute(text("SELECT rowid FROM invoice_grams WHERE rowid BETWEEN :low AND :high"), _bounds(found)).scalars()
        )
        found = [one for one in found if one[0] not in known]
        statement = text("INSERT INTO invoice_grams (rowid, grams) VALUES (:id, :grams)")
    if found:
        connection.execute(statement, [{"id": id_, "grams": grams} for id_, grams in found])


def _bounds(found: Sequence[tuple[int, str]]) -> dict[str, int]:
    return {"low": min(id_ for id_, _ in found), "high": max(id_ for id_, _ in found)}


def buyer_gram(buyer_id: str) -> Gram:
    """By which the invoices of a buyer are found; `buyer_id` as in the column of that name."""
    return Gram(f"__{sha256(buyer_id.encode()).hexdigest()[:16]}")


def candidates(connection: Connection, wanted: Sequence[Gram], below: int | None, limit: int) -> list[int]:
    """Up to `limit` ids of invoices below id `below`, newest first, that have every gram of `wanted`; none without a gram."""
    grams = list(dict.fromkeys(wanted))
    if not grams:
        return []
    if connection.dialect.name == "postgresql":
        query = "SELECT id FROM invoice_grams WHERE grams @@ CAST(:match AS tsquery) AND id < :below ORDER BY id DESC LIMIT :limit"
        match = " & ".join(f"({_either(gram, _tsquery, ' | ')})" for gram in grams)
    else:
        query = (
            "SELECT rowid FROM invoice_grams WHERE invoice_grams MATCH :match AND rowid < :below ORDER BY rowid DESC LIMIT :limit"
        )
        match = " AND ".join(f"({_either(gram, _fts5, ' OR ')})" for gram in grams)
    given = {"match": match, "below": 2**62 if below is None else below, "limit": limit}
    return list(connection.execute(text(query), given).scalars())


def _either(gram: Gram, write: Any, either: str) -> str:
    """A gram has letters, digits and _ alone: in quotation marks it cannot be anything but itself."""
    wanted = [write(gram.text, gram.is_prefix)]
    if gram.tail:
        wanted.append(write(tail_gram(gram.text), False))
    return either.join(wanted)


def _tsquery(text_: str, is_prefix: bool) -> str:
    return f"'{text_}'" + (":*" if is_prefix else "")


def _fts5(text_: str, is_prefix: bool) -> str:
    return f'"{text_}"' + ("*" if is_prefix else "")
