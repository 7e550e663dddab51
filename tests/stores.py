"""Stores with anchored invoices, for tests: built once on a real chain, then copied for whoever wants to spoil one."""

import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.engine import make_url

from service import migrations
from service.anchoring import Anchoring, Policy
from service.central import feed
from service.chain import Chain as Writer
from service.db import Database
from service.invoices import acting, reading, reprinting
from service.invoices.preparing import Submission, fresh_salts, prepare
from service.invoices.registration import Registered, register
from service.ledger import outbox
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries
from service.migrations.schema import metadata
from service.reconciliation import findings, runs
from service.reconciliation.findings import Filter, Found
from tests.chain import Chain, RegistryContract
from tests.unit.samples import INVOICE_IDS, sections_of
from verifier.chain import RpcReader
from verifier.entry import ZERO
from verifier.fields import Chain as ChainOf
from verifier.transport import HttpClient
from verifier.trust import Trust

POLICY = Policy(heartbeat_s=3600, stuck_s=30, max_fee=500 * 10**9)
TODAY = date(2026, 11, 24)
RECEIPT_KEY = bytes(range(32))


@dataclass
class Store:
    """A service's database on its way to a contract, with the worker's steps and a reader of the chain."""

    url: str
    node: Chain
    contract: RegistryContract

    def __post_init__(self) -> None:
        self.database = Database(self.url, pool_size=4)
        self.keys = ReceiptKeys(RECEIPT_KEY, self.node.chain_id, bytes.fromhex(self.contract.address[2:]))
        key = _key_of(self.node, self.contract)
        self.writer = Writer([self.node.url], self.contract.address, self.node.chain_id, key=key, timeout_s=30)
        self.http = HttpClient(timeout_s=30)
        self.worker = Anchoring(self.database, self.writer, self.keys, POLICY)

    def close(self) -> None:
        self.http.close()
        for endpoint in self.writer._endpoints:
            endpoint._post.close()
        self.database.close()

    def reader(self) -> RpcReader:
        """Of the chain as of now."""
        chain = ChainOf(self.node.chain_id, bytes.fromhex(self.contract.address[2:]))
        return RpcReader(Trust(chain, self.keys.public, (self.node.url,), heartbeat_s=86_400), self.http)

    def register(self, *sections: dict[str, Any]) -> list[Registered]:
        """As issued, in one transaction."""
        prepared = [prepare(Submission(one, "as_issued", external_id="x"), None, TODAY, fresh_salts()) for one in sections]
        now = int(time.time() * 1000)
        with self.database.write() as connection:
            results = register(connection, prepared, "issuer", self.keys, now, now + 60_000)
        assert all(isinstance(result, Registered) for result in results), results
        return [result for result in results if isinstance(result, Registered)]

    def void(self, number: str) -> None:
        now = int(time.time() * 1000)
        with self.database.write() as connection:
            record = reading.get(connection, number, None)
            acting.void(connection, record, "开票有误", None, "issuer", self.keys, now, now + 60_000)

    def reprint(self, number: str) -> None:
        reprint(self.database, self.keys, number)

    def anchor(self, timeout_s: float = 60) -> None:
        """Work until everything accepted is final."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            moved = self.worker.run_once()
            with self.database.read() as connection:
                is_open = bool(outbox.open_items(connection))
                is_pending = connection.scalar(select(entries.c.id).where(entries.c.seq.is_(None)).limit(1)) is not None
            if not (is_open or is_pending or outbox_is_empty(self.database)):
                return
            if not moved:
                self.node.mine()
        raise AssertionError(f"not final within {timeout_s} s")

    def copy_to(self, other: "Store") -> None:
        """Every row of every table into an empty database."""
        migrations.migrate(other.database)
        with self.database.read() as here, other.database.write() as there:
            for table in metadata.sorted_tables:
                rows = [dict(row) for row in here.execute(select(table)).mappings()]
                if rows:
                    there.execute(insert(table), rows)
            if not other.database.is_sqlite:
                there.execute(text("SELECT setval('entries_id_seq', (SELECT max(id) FROM entries))"))

    def sql(self, *statements: str, **values: Any) -> None:
        """What somebody with full access to the database does: no foreign key stops them."""
        if self.database.is_sqlite:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as free, free:
                for statement in statements:
                    free.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement})
            return
        with self.database.write() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})

    def row(self, query: str, **values: Any) -> Any:
        """The one row that a query gives."""
        with self.database.read() as connection:
            return connection.execute(text(query), values).one()

    def reconcile(self, **options: Any) -> tuple[runs.Run, list[Found]]:
        """A whole run over the store, and what it found that is open."""
        with self.database.write() as connection:
            run = runs.create(connection, runs.STORE, "", {}, int(time.time() * 1000), "cli")
        done = runs.StoreRun(self.database, run, self.reader, url=self.url, **options).run()
        assert done.state == "done", done
        with self.database.read() as connection:
            items = list(findings.iterate(connection, Filter(run=run)))
        return done, [to_found(item) for item in items]


@dataclass
class Feed:
    """The feed of a database, without a network."""

    database: Database
    kept: feed.Kept

    def pieces(self, after: int) -> Iterator[feed.Piece]:
        """Over the wire format: what is written is what is read."""
        return (feed.from_line(feed.to_line(piece)) for piece in feed.pieces(self.database, after, self.kept))


def reprint(database: Database, keys: ReceiptKeys, number: str) -> None:
    """A new copy, made and logged as the completion of a case does it."""
    now = int(time.time() * 1000)
    with database.write() as connection:
        record = reading.get(connection, number, None)
        reprinting.reprint(connection, record, ZERO, None, "system", keys, now, now + 60_000, secrets.token_bytes(16))


def outbox_is_empty(database: Database) -> bool:
    with database.read() as connection:
        return outbox.newest_final(connection) is None


def to_found(item: dict[str, Any]) -> Found:
    key = bytes.fromhex(item["key"]) if item["key"] else None
    return Found(item["code"], item["place"], item["number"], key, item["seq"], item["index"], item["detail"])


def _key_of(node: Chain, contract: RegistryContract) -> bytes:
    account = next(account for account in node.accounts if account.address == contract.anchorer)
    return bytes.fromhex(account.private_key[2:])


def number_of(n: int) -> str:
    """The number of the n-th simple invoice."""
    return f"26112999{n:012d}"


def simple_invoices(numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Invoices that name no other, of several kinds of content."""
    names = ("S02", "S03", "S05", "S09")
    for n in numbers:
        sections = sections_of(names[n % len(names)])
        sections["header"]["number"] = number_of(n)
        sections["provenance"].pop("original", None)
        yield sections


S01, S02, S03, S08 = ("26112999000000000001", "26112999000000000002", "26112999000000000003", "26112999000000000008")
SIMPLE = range(1000, 1320)


def build(store: Store) -> None:
    """Four batches: the samples with their reversals; 320 simple ones; voids, and a reprint; a few more."""
    migrations.migrate(store.database)
    store.register(*(sections_of(name) for name in INVOICE_IDS))
    store.anchor()
    store.register(*simple_invoices(SIMPLE))
    store.anchor()
    store.void(number_of(1000))
    store.void(number_of(1001))
    store.reprint(number_of(1002))
    store.anchor()
    store.register(*simple_invoices(range(1320, 1325)))
    store.anchor()


@contextmanager
def copied(url: str, folder: Path, postgres: Any) -> Iterator[str]:
    """The URL of a copy of a database to which nobody is connected; it is gone when the block ends."""
    if url.startswith("sqlite"):
        file = folder / "copy.db"
        shutil.copyfile(url.removeprefix("sqlite:///"), file)
        yield f"sqlite:///{file}"
        file.unlink()
        return
    name = postgres.create_database(template=make_url(url).database)
    yield postgres.url(name)
    postgres.drop_database(name)
