"""A run's work in pieces: each reads, compares and reports by itself, in this process or another, in a second or less."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from service.central.mirror import Mirror
from service.db import Database
from service.ledger.register import NO_CHILD
from service.reconciliation import content, log, states
from service.reconciliation.findings import Found
from service.reconciliation.scope import Scope, Witness
from verifier.chain import Anchor

Pass = Literal["file", "log", "content", "states"]
PASSES: tuple[Pass, ...] = ("file", "log", "content", "states")

CACHE_KIB = 8 * 1024
"""What SQLite may hold of the file: records are read once, from front to back."""


class Unit(NamedTuple):
    """`cursor` is where the run goes on when this one is done: a seq, an id, or how many prefixes."""

    of: Pass
    scope: Scope
    cursor: int
    low: int = 0
    anchors: dict[int, Anchor] = {}
    prefix: str = ""


class Outcome(NamedTuple):
    records: int
    found: list[Found]
    part: states.Part | None = None


def perform(database: Database, unit: Unit, witness: Witness | None) -> Outcome:
    """Do one unit. A database that cannot even be read there is a finding: whatever else is wrong is still looked for."""
    try:
        return _perform(database, unit, witness)
    except DatabaseError as error:
        if isinstance(error, OperationalError | InterfaceError) and not _is_damage(error):
            raise  # locked, restarted, gone: nothing is known
        place = f"{unit.of} from {unit.low}" if unit.of != "states" else f"keys {unit.prefix}"
        found = Found("altered", "database", detail={"at": place, "error": type(error.orig).__name__})
        part = states.Part(unit.prefix, NO_CHILD, NO_CHILD, (), False, False) if unit.of == "states" else None
        return Outcome(0, [found], part)


def _is_damage(error: DatabaseError) -> bool:
    """SQLite says of some damage that it is an operational error."""
    said = str(error.orig)
    return any(words in said for words in ("malformed", "corrupt", "disk I/O", "not a database", "no such", "UTF-8"))


def _perform(database: Database, unit: Unit, witness: Witness | None) -> Outcome:
    with database.read() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
        if unit.of == "file":
            said = connection.execute(text("PRAGMA integrity_check(100)")).scalars().all() if database.is_sqlite else ["ok"]
            return Outcome(0, [Found("altered", "database", detail={"error": line[:200]}) for line in said if line != "ok"])
        if unit.of == "log":
            found = list(log.check(connection, unit.scope, unit.anchors, witness))
            return Outcome(sum(anchor.size for anchor in unit.anchors.values()), found)
        if unit.of == "content":
            return Outcome(*content.check(connection, unit.scope, unit.low, unit.cursor, witness))
        count, part, found = states.check(connection, unit.scope, unit.prefix)
        return Outcome(count, found, part)


def in_order(
    units: Iterable[Unit], database: Database, mirror: Path | None, processes: int, url: str | None = None
) -> Iterator[tuple[Unit, Outcome]]:
    """The units with their outcomes, in order. More than one process need the database's URL; few units are under way at a time."""
    if processes == 1:
        witness = Mirror(mirror) if mirror is not None else None
        try:
            for unit in units:
                yield unit, perform(database, unit, witness)
        finally:
            if witness is not None:
                witness.close()
        return
    assert url is not None
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _open, (url, mirror)) as pool:
        under_way: deque[tuple[Unit, Future[Outcome]]] = deque()
        for unit in units:
            under_way.append((unit, pool.submit(_perform_here, unit)))
            if len(under_way) > 2 * processes:
                first, future = under_way.popleft()
                yield first, future.result()
        while under_way:
            first, future = under_way.popleft()
            yield first, future.result()


_here: tuple[Database, Witness | None]


def _open(url: str, mirror: Path | None) -> None:
    global _here
    _here = Database(url, pool_size=1), Mirror(mirror) if mirror is not None else None


def _perform_here(unit: Unit) -> Outcome:
    return perform(_here[0], unit, _here[1])
