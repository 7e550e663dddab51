"""A whole store compared with the chain: against a bare loop, by two processes, in what memory; and two registers page by page.

What the contract would hold is read from the store: the chain itself is a few requests a run.
"""

import itertools
import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import select, update
from sqlalchemy.engine import make_url

from service.db import Database
from service.invoices.preparing import Submission, fresh_salts, prepare
from service.invoices.registration import register
from service.ledger import register as pages_of_register
from service.ledger import sealing
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import batches, outbox
from service.migrations.schema import metadata
from service.reconciliation import pages, runs
from tests.benchmarks import data
from tests.benchmarks.measure import Figure, Scale, at_least, at_most
from tests.postgres import postgres_cluster
from verifier.anchors import Anchors
from verifier.canonical import canonical_bytes
from verifier.chain import Anchor
from verifier.commitment import SECTIONS, commitment_of, copy_of, section_leaf
from verifier.fields import Chain

AT_ONCE = 5_000
DIFFERING = 10
KEYS = ReceiptKeys(bytes(range(32)), 31337, bytes(20))
NOW_MS = 1_795_600_000_000


def build(url: str, invoices: int) -> None:
    """A store in which everything is final."""
    database = Database(url)
    metadata.create_all(database.engine)
    following = data.invoices(0, invoices)
    while some := list(itertools.islice(following, AT_ONCE)):
        salts = fresh_salts()
        prepared = [prepare(Submission(sections, "as_issued"), None, data.TODAY, salts) for sections in some]
        with database.write() as connection:
            register(connection, prepared, "issuer", KEYS, NOW_MS, NOW_MS + 10**12)
        with database.write() as connection:
            sealed = sealing.seal(connection, KEYS, NOW_MS, first_seq=1)
            assert sealed is not None
            facts = {"state": "final", "block_number": sealed.seq, "block_time": NOW_MS // 1000}
            connection.execute(update(outbox).where(outbox.c.seq == sealed.seq).values(facts))
    database.close()


def anchors_of(database: Database) -> Anchors:
    """What the contract would hold."""
    with database.read() as connection:
        rows = connection.execute(select(batches.c.seq, batches.c.log_root, batches.c.register_root, batches.c.size)).all()
    held = {row.seq: Anchor(row.log_root, row.register_root, row.size, NOW_MS // 1000, True) for row in rows}
    return Anchors(Chain(31337, bytes(20)), KEYS.public, max(held), held)


def reconcile(url: str, processes: int) -> float:
    """Seconds of a whole run that finds nothing."""
    database = Database(url, pool_size=2)
    reader = anchors_of(database)
    with database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 0, "cli")
    began = time.perf_counter()
    ended = runs.StoreRun(database, run, lambda: reader, url=url, processes=processes).run()
    seconds = time.perf_counter() - began
    database.close()
    assert ended.matches, ended
    return seconds


def bare_loop(url: str) -> float:
    """Seconds of the least that would do: parse, canonicalise, hash, compare, by the bare driver."""
    columns = ", ".join(f"c.{name}" if name == "provenance" else f"i.{name}" for name in SECTIONS)
    query = f"SELECT e.entry, c.salts, {columns} FROM invoices i JOIN copies c ON c.entry_id = i.id JOIN entries e ON e.id = i.id"
    began = time.perf_counter()
    with _rows(url, f"{query} ORDER BY i.id") as rows:
        for entry, salts, *sections in rows:
            leaves = [
                section_leaf(n, salts[16 * n : 16 * n + 16], canonical_bytes(orjson.loads(section)))
                for n, section in enumerate(sections)
            ]
            assert copy_of(commitment_of(leaves)) == entry[50:82]
    return time.perf_counter() - began


@contextmanager
def _rows(url: str, query: str) -> Iterator[Any]:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        lite = sqlite3.connect(parsed.database or "")
        yield lite.execute(query)
        lite.close()
        return
    connected = psycopg.connect(host=str(parsed.query["host"]), user="postgres", dbname=parsed.database)
    with connected as connection, connection.cursor("bare") as cursor:
        cursor.itersize = 2_000
        cursor.execute(query)
        yield cursor


def peak_mib(work: Callable[[str, int], object], *arguments: Any) -> float:
    """Of a process that does nothing else."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_after, (work, arguments))


def _peak_after(work: Callable[..., object], arguments: Any) -> float:
    work(*arguments)
    said = Path("/proc/self/status").read_text()  # not getrusage: that begins with what the parent had
    return int(said.partition("VmHWM:")[2].split()[0]) / 1024


def find_ten(url: str) -> tuple[float, int]:
    """Seconds, and bytes from the other side, until ten keys of two registers are named."""
    database = Database(url)
    with database.engine.connect() as connection:
        newest = connection.scalar(select(batches.c.seq).order_by(batches.c.seq.desc()).limit(1)) or 0
        keys = [row[0] for row in connection.exec_driver_sql(f"SELECT key FROM entries ORDER BY id LIMIT {DIFFERING}")]
        pages_of_register.update(connection, newest + 1, dict.fromkeys(keys, bytes(32)))
        ours, theirs = (pages.of_database(connection, seq) for seq in (newest, newest + 1))
        began = time.perf_counter()
        compared = pages.compare(ours, theirs)
        seconds = time.perf_counter() - began
        connection.rollback()
    database.close()
    assert {one.key for one in compared.differing} == set(keys)
    return seconds, compared.received


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    invoices = scale.registers[-1]
    url = f"sqlite:///{folder / 'reconciliation.db'}"
    build(url, invoices)
    yield from _of(url, f"SQLite, {invoices:,}", invoices, scale.rounds)
    with postgres_cluster() as cluster:
        elsewhere = cluster.url(cluster.create_database())
        build(elsewhere, invoices)
        yield from _of(elsewhere, f"PostgreSQL, {invoices:,}", invoices, scale.rounds)
    yield from _memory(scale, folder)


def _of(url: str, name: str, invoices: int, rounds: int) -> Iterator[Figure]:
    bare, one, two, ten = [], [], [], []
    received = 0
    for _ in range(rounds):
        bare.append(bare_loop(url))
        one.append(reconcile(url, 1))
        two.append(reconcile(url, 2))
        seconds, received = find_ten(url)
        ten.append(seconds)
    yield at_least(f"reconciling ({name}) / bare loop", 0.6, one, bare, invoices, "invoice")
    yield at_least(f"reconciling ({name}), two processes / one", 1.4, two, one, invoices, "invoice")
    found = at_most(f"ten differing keys ({name}) / full pass", 0.02, ten, one, 1, "run")
    yield found._replace(note=f"{received / 1024:.1f} KiB exchanged")


def _memory(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Peak of a process that does nothing else, at growing sizes: bounded, and the same."""
    peaks = []
    for invoices in scale.memory:
        url = f"sqlite:///{folder / f'reconciliation-{invoices}.db'}"
        build(url, invoices)
        peaks.append(peak_mib(reconcile, url, 1))
    said = ", ".join(f"{peak:.0f} MiB at {invoices:,}" for peak, invoices in zip(peaks, scale.memory, strict=True))
    yield Figure("reconciling, peak memory in MiB", said, "", max(peaks), 150, True, tuple(peaks))
    yield Figure("reconciling, peak memory, largest / smallest", said, "", peaks[-1] / peaks[0], 1.1, True, tuple(peaks))
