"""A ledger as it grows: invoices registered and sealed by the service's own code, in a database that is kept between benchmarks.

No chain is asked: batches are declared final as soon as they are sealed, so that proofs can be had and old pages are pruned.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import orjson
from sqlalchemy import func, select, update

from service.api.batch import CHUNK_LINES
from service.db import Database
from service.invoices import submitting
from service.invoices.issued import Issued
from service.invoices.preparing import Submission
from service.invoices.submitting import Issuer, Result
from service.ledger import health, pruning, sealing
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries, outbox
from service.migrations import migrate
from tests.benchmarks import data

RECEIPT_KEY = bytes(range(32))
CONTRACT = "0x" + "42" * 20
KEYS = ReceiptKeys(RECEIPT_KEY, 31337, bytes.fromhex(CONTRACT[2:]))
ISSUER = Issuer("bench", None)
BATCH = 16_000
"""Entries that gather in about a block's time at the speed of bulk registration."""


def lines(first: int, count: int) -> list[bytes]:
    """Invoices `first` to `first + count - 1` as lines of a batch."""
    return [orjson.dumps({"profile": "new", "sections": sections}) for sections in data.invoices(first, count)]


class Ledger:
    """`size` invoices in a database of `folder`, one batch after another; all sealed unless registered by `register`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.database = Database(f"sqlite:///{self.path}")
        migrate(self.database)
        self._signing, self._writing = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        with self.database.read() as connection:
            self.size: int = connection.scalar(select(func.count()).select_from(entries)) or 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._signing.shutdown()
        self._writing.shutdown()
        self.database.close()

    def grow(self, size: int) -> None:
        """Up to `size` invoices, sealed."""
        while self.size < size:
            upto = min(size, self.size + BATCH)
            while self.size < upto:
                self.register(lines(self.size, min(CHUNK_LINES, upto - self.size)))
            self.seal()
            self.finish()

    def register(self, some: Sequence[bytes]) -> None:
        """As the API does with the lines of a batch: CHUNK_LINES a transaction, and each step beside the others."""
        under_way: deque[Future[list[Result]]] = deque()
        for chunk in _chunks(some):
            signed = self._signing.submit(self._sign, submitting.ask(chunk, ISSUER, int(time.time() * 1000)))
            under_way.append(self._writing.submit(self._submit, signed))
            if len(under_way) > 2:
                _check(under_way.popleft())
        for writing in under_way:
            _check(writing)
        self.size += len(some)

    def _sign(self, asked: submitting.Asked) -> submitting.Signed:
        prepared = submitting.prepare_lines(asked, _parse, ISSUER)
        return submitting.sign_ahead(self.database, KEYS, prepared, None, asked.now_ms, _promise)

    def _submit(self, signed: Future[submitting.Signed]) -> list[Result]:
        return submitting.submit(self.database, KEYS, signed.result(), ISSUER)

    def seal(self) -> sealing.Sealed:
        """Everything that is pending, as the worker does."""
        with self.database.write() as connection:
            sealed = sealing.seal(connection, KEYS, int(time.time() * 1000), first_seq=1)
        assert sealed is not None
        return sealed

    def finish(self) -> None:
        """Let every batch be final, and forget the pages that nobody can ask for any more."""
        now = int(time.time())
        final = {"state": "final", "block_number": 1, "block_time": now, "final_at": now * 1000}
        with self.database.write() as connection:
            connection.execute(update(outbox).where(outbox.c.state != "final").values(**final))
            newest = sealing.newest_seq(connection) or 0
            health.write(connection, health.Health(now + 10**6, None, None, None, newest, newest, 1, now, 10**9, ""))
        is_left = True
        while is_left:
            with self.database.write() as connection:
                is_left = pruning.prune(connection, now, 3600)


def _chunks(some: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (some[at : at + CHUNK_LINES] for at in range(0, len(some), CHUNK_LINES))


def _check(writing: "Future[list[Result]]") -> None:
    results = writing.result()
    assert all(isinstance(result, Issued) for result in results), results


def _promise(now_ms: int) -> int:
    return now_ms + 60_000


def _parse(line: bytes) -> Submission:
    sent = orjson.loads(line)
    return Submission(sent["sections"], sent["profile"])
