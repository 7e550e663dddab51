"""What a run finds: stored once while it lasts, counted, filtered; resolved by the first later run that no longer sees it.

Codes are those of api.md. A finding names its record as exactly as what is left allows: number and section or column, else key,
else the place in a batch, else the batch.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from service.db import Database, chunks
from service.deliveries import events
from service.reconciliation.tables import findings as table

Code = Literal[
    "missing",
    "altered",
    "unanchored",
    "overdue",
    "duplicate",
    "status_conflict",
    "anchor_mismatch",
    "foreign_anchor",
    "lagging",
    "differs",
    "missing_there",
    "missing_here",
]
_TOLD = 20
"""Findings that an event names."""
CODES: tuple[str, ...] = Code.__args__  # type: ignore[attr-defined]


class Found(NamedTuple):
    """One finding. `place` is a section or `table.column`; `index` is a place in batch `seq`; `detail` is JSON for people."""

    code: Code
    place: str | None = None
    number: str | None = None
    key: bytes | None = None
    seq: int | None = None
    index: int | None = None  # type: ignore[assignment]  # as in the protocol
    detail: dict[str, Any] = {}

    def fingerprint(self) -> bytes:
        """What makes it this finding and no other; the details may change from run to run."""
        named = [self.code, self.place, self.number, self.key and self.key.hex(), self.seq, self[5]]
        return sha256(orjson.dumps(named)).digest()


class Filter(NamedTuple):
    """All that are given must hold. `open` None: open and resolved ones."""

    scope: str | None = None
    run: int | None = None
    code: str | None = None
    open: bool | None = None
    number: str | None = None


def store(connection: Connection, scope: str, run: int, found: Iterable[Found]) -> None:
    """Keep what a run found: new ones are inserted, those that are open already are marked as seen again."""
    by_fingerprint = {one.fingerprint(): one for one in found}
    known: set[bytes] = set()
    for some in chunks(list(by_fingerprint)):
        is_known = and_(table.c.scope == scope, table.c.fingerprint.in_(some), table.c.resolved_at.is_(None))
        known.update(connection.scalars(select(table.c.fingerprint).where(is_known)))
        connection.execute(update(table).where(is_known).values(last_run=run))
    rows = [
        {
            "scope": scope,
            "fingerprint": fingerprint,
            "code": one.code,
            "place": one.place and one.place[:64],
            "number": one.number and one.number[:64],
            "key": one.key,
            "seq": one.seq,
            "index": one[5],
            "detail": orjson.dumps(one.detail).decode(),
            "first_run": run,
            "last_run": run,
            "found_at": int(time.time() * 1000),
        }
        for fingerprint, one in by_fingerprint.items()
        if fingerprint not in known
    ]
    if rows:
        connection.execute(insert(table), rows)
        _tell(connection, scope, run, rows)


def _tell(connection: Connection, scope: str, run: int, rows: list[dict[str, Any]]) -> None:
    """One event for all that were found at once, which may be thousands, with the first of them."""
    by_code = dict(Counter(row["code"] for row in rows))
    first = [{name: row[name] for name in ("code", "place", "number", "seq")} for row in rows[:_TOLD]]
    told = {"scope": scope, "run": run, "count": len(rows), "by_code": by_code, "first": first}
    events.emit(connection, "finding.opened", f"run {run}", told, rows[0]["found_at"])


def resolve_unseen(connection: Connection, scope: str, run: int, now_ms: int) -> int:
    """A run that looked at everything is done: what it did not see is resolved. Returns how many."""
    unseen = and_(table.c.scope == scope, table.c.resolved_at.is_(None), table.c.last_run < run)
    return connection.execute(update(table).where(unseen).values(resolved_at=now_ms)).rowcount


def mark_repaired(connection: Connection, scope: str, found: Sequence[Found]) -> None:
    """What was wrong was set right by this run: the finding stays in the run's list, marked so."""
    for some in chunks([one.fingerprint() for one in found]):
        is_one = and_(table.c.scope == scope, table.c.fingerprint.in_(some), table.c.resolved_at.is_(None))
        connection.execute(update(table).where(is_one).values(repaired=1))


def count(connection: Connection, wanted: Filter) -> dict[str, int]:
    """How many there are, by code."""
    query = select(table.c.code, func.count()).where(*_where(wanted)).group_by(table.c.code).order_by(table.c.code)
    return {row[0]: row[1] for row in connection.execute(query)}


def listed(
    connection: Connection, wanted: Filter, limit: int, cursor: int | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    """Up to `limit` findings behind id `cursor`, oldest first, and the cursor of the next page."""
    query = select(table).where(*_where(wanted), table.c.id > (cursor or 0)).order_by(table.c.id).limit(limit + 1)
    rows = connection.execute(query).all()
    return [to_json(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def iterate(connection: Connection, wanted: Filter, at_once: int = 1000) -> Iterator[dict[str, Any]]:
    """All of them in order, a page at a time."""
    cursor: int | None = None
    while True:
        items, cursor = listed(connection, wanted, at_once, cursor)
        yield from items
        if cursor is None:
            return


def iterate_pages(database: Database, wanted: Filter, at_once: int = 1000) -> Iterator[dict[str, Any]]:
    """The same for a reader who may be slow: no transaction is open between two pages."""
    cursor: int | None = None
    while True:
        with database.read() as connection:
            items, cursor = listed(connection, wanted, at_once, cursor)
        yield from items
        if cursor is None:
            return


def to_json(row: Any) -> dict[str, Any]:
    """A row as the API and the exports show it."""
    return {
        "id": row.id,
        "code": row.code,
        "place": row.place,
        "number": row.number,
        "key": row.key.hex() if row.key else None,
        "seq": row.seq,
        "index": row._mapping["index"],
        "detail": orjson.loads(row.detail),
        "state": "open" if row.resolved_at is None else "resolved",
        "repaired": bool(row.repaired),
        "first_run": row.first_run,
        "last_run": row.last_run,
        "found_at": row.found_at,
        "resolved_at": row.resolved_at,
    }


def _where(wanted: Filter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.scope is not None:
        where.append(table.c.scope == wanted.scope)
    if wanted.run is not None:
        where.append(and_(table.c.first_run <= wanted.run, table.c.last_run >= wanted.run))
    if wanted.code is not None:
        where.append(table.c.code == wanted.code)
    if wanted.open is not None:
        where.append(table.c.resolved_at.is_(None) if wanted.open else table.c.resolved_at.is_not(None))
    if wanted.number is not None:
        where.append(table.c.number == wanted.number)
    return where
