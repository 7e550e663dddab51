"""Durable bulk registration in the API process, and over HTTP, against a floor that does the least that such a registry can do."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from struct import Struct

import orjson

from service.api.batch import CHUNK_LINES, MAX_LINES, NDJSON
from service.auth.keys import create_key
from service.db import SQLITE_PRAGMAS
from tests.benchmarks import data
from tests.benchmarks.ledger import Ledger, lines
from tests.benchmarks.measure import Figure, Scale, at_least, timed
from tests.benchmarks.serving import HOST, service
from verifier.commitment import SECTIONS


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    floor = Floor(folder / "floor.db")
    with Ledger(folder) as ledger:
        for size in scale.registers:
            ledger.grow(size)
            floor.grow(size)
            yield _compare(scale, ledger, floor, size)
        yield _over_http(scale, ledger, floor, folder)
    floor.close()


def _compare(scale: Scale, ledger: Ledger, floor: "Floor", size: int) -> Figure:
    ours, bare = [], []
    for _ in range(scale.rounds):
        some = lines(ledger.size, scale.invoices)
        ours.append(timed(lambda some=some: ledger.register(some)))  # type: ignore[misc]
        bare.append(timed(lambda some=some: floor.register(some)))  # type: ignore[misc]
        ledger.seal()
        ledger.finish()
    return at_least(f"bulk registration at {size:,} / floor", 0.40, ours, bare, scale.invoices, "invoice")


def _over_http(scale: Scale, ledger: Ledger, floor: "Floor", folder: Path) -> Figure:
    """Batches sent to a server of its own process, each answered line for line before the next is sent."""
    with ledger.database.write() as connection:
        _, key = create_key(connection, "issuer", data.sellers(), "live")
    headers = {"Authorization": f"Bearer {key}"}
    ours, bare = [], []
    with service(f"sqlite:///{ledger.path}", folder, None) as server:
        for turn in range(scale.rounds + 1):  # the first one warms
            some = lines(ledger.size, scale.invoices)
            ledger.size += scale.invoices
            mine = timed(lambda some=some: send_batch(server.port, headers, some))  # type: ignore[misc]
            theirs = timed(lambda some=some: floor.register(some))  # type: ignore[misc]
            ledger.seal()
            ledger.finish()
            if turn:
                ours.append(mine)
                bare.append(theirs)
    name = f"bulk registration over HTTP at {scale.registers[-1]:,} / floor"
    return at_least(name, 0.25, ours, bare, scale.invoices, "invoice")


def send_batch(port: int, headers: dict[str, str], some: Sequence[bytes]) -> None:
    """Invoices as lines; every one must be registered."""
    for start in range(0, len(some), MAX_LINES):
        batch = some[start : start + MAX_LINES]
        connection = HTTPConnection(HOST, port, timeout=120)
        connection.request("POST", "/v1/invoices/batch", b"\n".join(batch) + b"\n", {**headers, "Content-Type": NDJSON})
        answered = connection.getresponse().read().splitlines()
        connection.close()
        assert len(answered) == len(batch)
        assert all(b'"status":201' in answer for answer in answered), answered[0]


class Floor:
    """Parses, canonicalises, salts, hashes, builds the log tree, inserts: the same bytes are hashed, in equal batches, as durable.

    It applies no rule, checks no text, signs no receipt, keeps no index but that no number stands twice.
    """

    _ENTRY = Struct(">9sBQ32s32s32s32s").pack
    _PREFIXES = tuple(b"\x00zp1/section" + bytes([n]) for n in range(8))

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in SQLITE_PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        columns = ", ".join(f'"{name}" BLOB' for name in SECTIONS)
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS invoices"
            f" (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, salts BLOB, entry BLOB, {columns})"
        )
        self._insert = f"INSERT INTO invoices VALUES (NULL, {', '.join(['?'] * 11)})"

    def grow(self, size: int) -> None:
        """Up to `size` invoices."""
        held: int = self._connection.execute("SELECT count(*) FROM invoices").fetchone()[0]
        for first in range(held, size, CHUNK_LINES):
            self.register(lines(first, min(CHUNK_LINES, size - first)))

    def register(self, some: Sequence[bytes]) -> bytes:
        """The log root of the last transaction's entries."""
        root = b""
        for start in range(0, len(some), CHUNK_LINES):
            root = self._register(some[start : start + CHUNK_LINES])
        return root

    def _register(self, some: Sequence[bytes]) -> bytes:
        now_ms = int(time.time() * 1000)
        leaves, rows = [], []
        for line in some:
            sections = orjson.loads(line)["sections"]
            canonical = [orjson.dumps(sections[name], option=orjson.OPT_SORT_KEYS) for name in SECTIONS]
            salts = os.urandom(128)
            level = [
                sha256(self._PREFIXES[n] + salts[16 * n : 16 * n + 16] + section).digest() for n, section in enumerate(canonical)
            ]
            while len(level) > 1:
                level = [sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level), 2)]
            number = sections["header"]["number"]
            key = sha256(b"zp1/number\x00" + number.encode()).digest()
            copy = sha256(b"zp1/copy\x00" + level[0]).digest()
            entry = self._ENTRY(b"zp1/entry", 1, now_ms, key, copy, bytes(32), bytes(32))
            leaves.append(sha256(b"\x00" + entry).digest())
            rows.append((number, salts, entry, *canonical))
        while len(leaves) > 1:
            above = [sha256(b"\x01" + leaves[n] + leaves[n + 1]).digest() for n in range(0, len(leaves) - 1, 2)]
            leaves = above + leaves[len(leaves) & ~1 :]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self._insert, rows)
        self._connection.execute("COMMIT")
        return leaves[0]

    def close(self) -> None:
        self._connection.close()
