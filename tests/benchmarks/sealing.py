"""Sealing against registration, which it must stay ahead of, and against a floor that hashes and writes the same."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

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
        registering.append(timed(lambda some=some: ledger.register(some)))  # type: ignore[misc]
        with ledger.database.write() as connection:
            connection.execute(text("INSERT INTO floor_entries SELECT * FROM entries WHERE seq IS NULL ORDER BY id"))
        sealing.append(timed(ledger.seal))
        with ledger.database.read() as connection:
            floor = Floor(connection)
        bare.append(timed(lambda floor=floor: floor.run(ledger)))  # type: ignore[misc]
        ledger.finish()
    yield at_least(f"sealing at {size:,} / bulk registration", 1.5, sealing, registering, entries, "entry")
    yield at_most(f"sealing at {size:,}: time / floor", 3, sealing, bare, entries, "entry")


def _copy(connection: Connection) -> None:
    """A register and a log of the same size beside ours, with the same indexes, for the floor to write to."""
    for table in ("pages", "tiles", "entries"):
        connection.execute(text(f"DROP TABLE IF EXISTS floor_{table}"))
    for statement in _FLOOR_TABLES:
        connection.execute(text(statement))


_FLOOR_TABLES = (
    "CREATE TABLE floor_pages (path, seq, page, PRIMARY KEY (seq, path)) WITHOUT ROWID",
    "INSERT INTO floor_pages SELECT path, seq, page FROM register_pages ORDER BY seq, path",
    "CREATE INDEX floor_pages_path_idx ON floor_pages (path, seq)",
    "CREATE TABLE floor_tiles (seq, level, tile, hashes, PRIMARY KEY (seq, level, tile)) WITHOUT ROWID",
    'CREATE TABLE floor_entries (id INTEGER PRIMARY KEY, k, ordinal, entry, accepted_with, key_id, deadline, signed, seq, "index")',
    "INSERT INTO floor_entries SELECT * FROM entries ORDER BY id",
    'CREATE UNIQUE INDEX floor_entries_position ON floor_entries (seq, "index") WHERE seq IS NOT NULL',
    "CREATE INDEX floor_entries_pending ON floor_entries (accepted_with, id) WHERE seq IS NULL",
)


class Floor:
    """What the newest batch changed, done again: as many hashes, the same rows written, in one commit of the same database.

    Of the trees only nodes that changed are hashed: those above a changed leaf. Nothing is read, checked or replayed.
    """

    def __init__(self, connection: Connection) -> None:
        seq: int = connection.execute(text("SELECT max(seq) FROM batches")).scalar_one()
        where = {"seq": seq}
        self._pages = [
            tuple(row) for row in connection.execute(text("SELECT path, seq, page FROM register_pages WHERE seq = :seq"), where)
        ]
        self._tiles = [
            tuple(row) for row in connection.execute(text("SELECT seq, level, tile, hashes FROM tiles WHERE seq = :seq"), where)
        ]
        self._placed = connection.execute(text("SELECT min(id), max(id), :seq FROM entries WHERE seq = :seq"), where).one()
        changed = {key for (key,) in connection.execute(text("SELECT key FROM entries WHERE seq = :seq"), where)}
        in_register = _nodes_above(connection, changed)
        # In the log every leaf is new; each changed number's state is hashed, too.
        self.hashes = 2 * len(changed) - 1 + len(changed) + in_register

    def run(self, ledger: Ledger) -> None:
        message = bytes(65)
        for _ in range(self.hashes):
            sha256(message).digest()
        with ledger.database.write() as connection:
            driver = connection.connection.cursor()
            driver.executemany("INSERT INTO floor_pages VALUES (?, ?, ?)", self._pages)
            driver.executemany("INSERT INTO floor_tiles VALUES (?, ?, ?, ?)", self._tiles)
            first, last, seq = self._placed
            place = 'UPDATE floor_entries SET seq = ?, "index" = id - ? WHERE id BETWEEN ? AND ?'
            driver.execute(place, (seq, first, first, last))


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
