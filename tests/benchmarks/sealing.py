"""Sealing against registration, which it must stay ahead of, and against a floor that hashes and writes the same."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tests.benchmarks.ledger import BATCH, Ledger, lines
from tests.benchmarks.measure import Figure, Scale, at_least, at_most, timed
from verifier.register import shared_bits


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    with Ledger(folder) as ledger:
        for size in scale.registers:
            ledger.grow(size)
            yield from _compare(scale, ledger, size)


def _compare(scale: Scale, ledger: Ledger, size: int) -> Iterator[Figure]:
    entries = min(BATCH, size // 2)
    registering, sealing, bare = [], [], []
    with ledger.database.write() as connection:
        _copy(connection)
    for _ in range(scale.rounds):
        some = lines(ledger.size, entries)
        _checkpoint(ledger)
        registering.append(timed(lambda some=some: ledger.register(some)))  # type: ignore[misc]
        with ledger.database.write() as connection:
            connection.execute(text("INSERT INTO floor_entries SELECT * FROM entries WHERE seq IS NULL ORDER BY id"))
        _checkpoint(ledger)
        sealing.append(timed(ledger.seal))
        with ledger.database.read() as connection:
            floor = Floor(connection)
        _checkpoint(ledger)
        bare.append(timed(lambda floor=floor: floor.run(ledger)))  # type: ignore[misc]
        ledger.finish()
    yield at_least(f"sealing at {size:,} / bulk registration", 1.5, sealing, registering, entries, "entry")
    yield at_most(f"sealing at {size:,}: time / floor", 3, sealing, bare, entries, "entry")


def _checkpoint(ledger: Ledger) -> None:
    """Bring the write-ahead log to its place: what SQLite does by itself now and then must not fall into one side's time."""
    with ledger.database.engine.connect() as connection:
        is_busy = True  # where the database's own checkpoint is under way
        while is_busy:
            [(is_busy, _, _)] = connection.connection.cursor().execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


_COPIED = ("batches", "entries", "tiles", "register_pages")


def _copy(connection: Connection) -> None:
    """A log and a register beside ours for the floor to write to: as large, and declared alike, indexes and checks included."""
    for table in reversed(_COPIED):
        connection.execute(text(f"DROP TABLE IF EXISTS floor_{table}"))
    for table in _COPIED:
        declared = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE tbl_name = :table ORDER BY type DESC"), {"table": table}
        )
        first, *indexes = [sql for (sql,) in declared if sql is not None]
        for other in _COPIED:
            first = first.replace(f"CREATE TABLE {other} ", f"CREATE TABLE floor_{other} ")
            first = first.replace(f"REFERENCES {other} ", f"REFERENCES floor_{other} ")
        connection.exec_driver_sql(first)
        for index in indexes:
            connection.exec_driver_sql(index.replace(" INDEX ", " INDEX floor_").replace(f" ON {table} ", f" ON floor_{table} "))
        order = "seq, path" if table == "register_pages" else "1"
        connection.execute(text(f"INSERT INTO floor_{table} SELECT * FROM {table} ORDER BY {order}"))


class Floor:
    """What the newest batch changed, done again: as many bytes hashed, the same rows written, in one commit of the same database.

    Of the trees only nodes that changed are hashed: those above a changed leaf. Nothing is read, checked or replayed.
    """

    def __init__(self, connection: Connection) -> None:
        seq: int = connection.execute(text("SELECT max(seq) FROM batches")).scalar_one()

        def of_batch(query: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(text(f"{query} WHERE seq = :seq"), {"seq": seq})]

        self._batch = of_batch("SELECT * FROM batches")[0]
        self._pages = of_batch("SELECT path, seq, page FROM register_pages")
        self._tiles = of_batch("SELECT seq, level, tile, hashes FROM tiles")
        self._placed = of_batch("SELECT seq, min(id), min(id), max(id) FROM entries")[0]
        entries = of_batch("SELECT key, entry FROM entries")
        changed = {key for key, _ in entries}
        nodes = _nodes_above(connection, changed)
        # In the log every leaf is new; each changed number has a state and a leaf.
        self._entries = [entry for _, entry in entries]
        self._states = [bytes(90)] * len(changed)
        self._leaves = [(key, bytes(32)) for key in changed]
        self._inner = [(bytes(32), bytes(32))] * (len(entries) - 1 + nodes - len(changed))

    def run(self, ledger: Ledger) -> None:
        for entry in self._entries:
            sha256(b"\x00" + entry).digest()
        for state in self._states:
            sha256(state).digest()
        for key, state_hash in self._leaves:
            sha256(b"\x00" + key + state_hash).digest()
        for left, right in self._inner:
            sha256(b"\x01" + left + right).digest()
        with ledger.database.write() as connection:
            driver = connection.connection.cursor()
            driver.execute(f"INSERT INTO floor_batches VALUES ({', '.join('?' * len(self._batch))})", self._batch)
            driver.executemany("INSERT INTO floor_register_pages VALUES (?, ?, ?)", self._pages)
            driver.executemany("INSERT INTO floor_tiles VALUES (?, ?, ?, ?)", self._tiles)
            place = 'UPDATE floor_entries SET seq = ?, "index" = id - ? WHERE id BETWEEN ? AND ?'
            driver.execute(place, self._placed)


def _nodes_above(connection: Connection, changed: set[bytes]) -> int:
    """How many nodes of the register, leaves included, have a changed leaf below them or are one."""
    count = 0
    before: bytes | None = None  # the key before, changed or not
    last: bytes | None = None  # the changed key before
    keys = (key for (key,) in connection.execute(text("SELECT DISTINCT key FROM entries WHERE seq IS NOT NULL ORDER BY key")))
    pending: tuple[bytes, int] | None = None
    for key in keys:
        shared = 0 if before is None else shared_bits(before, key)
        if pending is not None:
            count += _new_nodes(*pending, shared, last)
            last = pending[0]
            pending = None
        if key in changed:
            pending = key, shared
        before = key
    if pending is not None:
        count += _new_nodes(*pending, 0, last)
    return count


def _new_nodes(key: bytes, with_left: int, with_right: int, last: bytes | None) -> int:
    """Nodes on the way of `key`, from the leaf up to where the way of the last changed key joins it."""
    depth = max(with_left, with_right) + 1
    joined = -1 if last is None else shared_bits(last, key)
    return depth - joined
