"""Their records in the order of ours: sorted by key in a file of their own, whatever their order and number."""

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import orjson

from service.reconciliation.external.mapping import TheirRecord

_KEY = b"zp1/number\x00"


class Spool:
    """A temporary SQLite file. Rows whose number is none are kept apart: they match nothing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",  # a killed run goes on with what was committed
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-16384",
            "CREATE TABLE IF NOT EXISTS theirs (key BLOB, row INTEGER, record BLOB)",
            "CREATE TABLE IF NOT EXISTS progress (done INTEGER, complete INTEGER)",
        ):
            self._connection.execute(statement)

    def close(self, *, remove: bool = False) -> None:
        self._connection.close()
        if remove:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def done(self) -> tuple[int, bool]:
        """How many rows are in, and whether these are all."""
        row = self._connection.execute("SELECT done, complete FROM progress").fetchone()
        return (row[0], bool(row[1])) if row else (0, False)

    def add(self, first: int, records: Iterable[TheirRecord]) -> int:
        """Keep the next rows, of which the first is number `first`; how many are in now."""
        rows = []
        for n, record in enumerate(records, first):
            key = None if record.number is None else sha256(_KEY + record.number.encode()).digest()
            rows.append((key, n, orjson.dumps(list(record))))
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO theirs VALUES (?, ?, ?)", rows)
        self._mark(first + len(rows), complete=False)
        self._connection.execute("COMMIT")
        return first + len(rows)

    def complete(self) -> None:
        """Everything is in: sort it."""
        self._connection.execute("CREATE INDEX IF NOT EXISTS theirs_key ON theirs (key, row)")
        self._mark(self.done()[0], complete=True)

    def _mark(self, done: int, *, complete: bool) -> None:
        self._connection.execute("DELETE FROM progress")
        self._connection.execute("INSERT INTO progress VALUES (?, ?)", (done, complete))

    def unreadable(self) -> Iterator[tuple[int, TheirRecord]]:
        """(row, record) of those without a number."""
        for row, record in self._connection.execute("SELECT row, record FROM theirs WHERE key IS NULL ORDER BY row"):
            yield row, TheirRecord(*orjson.loads(record))

    def sorted_after(self, key: bytes) -> Iterator[tuple[bytes, list[tuple[int, TheirRecord]]]]:
        """By key, behind `key`: its (row, record), more than one where they have the number twice."""
        rows = self._connection.execute("SELECT key, row, record FROM theirs WHERE key > ? ORDER BY key, row", (key,))
        for found, group in groupby(rows, itemgetter(0)):
            yield found, [(row, TheirRecord(*orjson.loads(record))) for _, row, record in group]
