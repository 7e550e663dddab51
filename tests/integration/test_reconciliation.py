"""Our own store against a real chain: sound stores, killed runs, several processes, and what a run says of itself."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet
import pytest

from service.config import Settings
from service.ledger import pruning
from service.migrations.schema import metadata
from service.reconciliation import exports, findings, runs
from service.reconciliation.findings import Filter
from service.reconciliation.working import Reconciler
from tests.chain import Chain as Node
from tests.chain import RegistryContract
from tests.integration.insider import (
    STRATEGIES,
    A,
    alter_a_register_page,
    change_a_search_column,
    delete_a_record,
    drop_a_register_page,
    has,
    roll_back_a_void,
)
from tests.stores import Store, simple_invoices
from verifier.chain import RpcReader
from verifier.entry import number_key
from verifier.fields import Chain
from verifier.trust import Trust

pytest_plugins = ["tests.store_fixtures"]


def test_a_sound_store_matches(store: Store) -> None:
    run, found = store.reconcile()
    assert found == []
    assert run.matches
    assert run.done == run.total > 0
    assert run.block_hash


def test_a_sound_store_matches_with_a_mirror_and_two_processes(store: Store, built_mirror: Path) -> None:
    run, found = store.reconcile(mirror=built_mirror, processes=2)
    assert found == []
    assert run.matches


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a large store is cut: many units, and a register in 256 parts that are joined twice."""
    monkeypatch.setattr(runs, "IDS_AT_ONCE", 40)
    monkeypatch.setattr(runs, "ENTRIES_AT_ONCE", 10)
    monkeypatch.setattr(runs, "BATCHES_AT_ONCE", 2)
    monkeypatch.setattr(runs, "KEYS_AT_ONCE", 2)
    monkeypatch.setattr(runs, "COMMIT_S", 0.0)


@pytest.mark.usefixtures("small_units")
def test_a_sound_store_matches_in_small_units(store: Store) -> None:
    run, found = store.reconcile()
    assert found == []
    assert run.matches


@pytest.mark.usefixtures("small_units")
@pytest.mark.parametrize("spoil", [alter_a_register_page, drop_a_register_page, delete_a_record, roll_back_a_void])
def test_the_register_in_parts_names_the_same(sqlite_store: Store, spoil: Callable[[Store], None]) -> None:
    spoil(sqlite_store)
    _, found = sqlite_store.reconcile(repairs=False)
    code, place, number = STRATEGIES[spoil]
    assert has(found, code, place, number), found


@pytest.mark.usefixtures("small_units")
def test_a_killed_run_goes_on_where_it_was(store: Store) -> None:
    change_a_search_column(store)
    with store.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 0)
    steps = 0
    while True:
        one = runs.StoreRun(store.database, run, store.reader)
        alive = all(one.step() for _ in range(23))
        steps += 23
        if not alive:
            break
    with store.database.read() as connection:
        done = runs.get(connection, run)
        assert done is not None
        assert done.state == "done"
        assert done.counts == {"altered": 1}
        assert done.done == done.total == 3 * store.row("SELECT count(*) FROM entries")[0]
    assert steps > 200


def test_nothing_is_said_where_the_chain_cannot_be_read(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 0)

    def unread() -> RpcReader:
        trust = Trust(Chain(1, bytes(20)), {}, ("http://127.0.0.1:9",))
        return RpcReader(trust, sqlite_store.http)

    ended = runs.StoreRun(sqlite_store.database, run, unread).run()
    assert ended.state == "failed"
    assert ended.matches is None
    assert ended.problem is not None
    assert ended.problem["code"] == "chain_unavailable"


def test_a_run_keeps_the_pages_that_it_reads(database_url: str, chain: Node, contract: RegistryContract) -> None:
    store = Store(database_url, chain, contract)
    metadata.create_all(store.database.engine)
    store.register(*simple_invoices(range(40)))
    store.anchor()
    with store.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 0)
        assert runs.pinned(connection) is None
    going_on = runs.StoreRun(store.database, run, store.reader)
    assert going_on.step()
    for first in range(40, 200, 40):
        store.register(*simple_invoices(range(first, first + 40)))
        store.anchor()
        with store.database.write() as connection:
            pinned = runs.pinned(connection)
            assert pinned == [1]
            while pruning.prune(connection, 1 << 40, 0, pinned):
                pass
    assert going_on.run().matches
    with store.database.read() as connection:
        assert runs.pinned(connection) == []
    store.close()


@pytest.mark.parametrize("form", exports.FORMS)
def test_findings_are_exported(sqlite_store: Store, form: exports.Form) -> None:
    delete_a_record(sqlite_store)
    run, found = sqlite_store.reconcile()
    with sqlite_store.database.read() as connection:
        data = b"".join(exports.export(findings.iterate(connection, Filter(run=run.id)), form))
    readers: dict[str, Callable[[], Any]] = {
        "json": lambda: orjson.loads(data),
        "ndjson": lambda: [orjson.loads(line) for line in data.splitlines()],
        "csv": lambda: list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")))),
        "parquet": lambda: pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist(),
    }
    items = readers[form]()
    assert [(item["code"], item["place"] or None) for item in items] == [(one.code, one.place) for one in found]
    assert {item["key"] for item in items} >= {number_key(A).hex()}


@dataclass
class Access:
    """The chain as ChainAccess gives it."""

    store: Store

    def reader(self) -> RpcReader:
        return self.store.reader()


def worked(store: Store, reconciler: Reconciler) -> list[tuple[str, str, bool | None]]:
    """Steps until nothing moves: the runs, oldest first."""
    while reconciler.step():
        pass
    with store.database.read() as connection:
        return [(run.kind, run.state, run.matches) for run in reversed(runs.listed(connection, 10))]


def test_the_worker_runs_what_is_queued_and_on_a_timer(sqlite_store: Store) -> None:
    now = time.time()
    settings = Settings(_env_file=None, reconcile_s=3600, nodes=("http://127.0.0.1:9",))  # type: ignore[call-arg]
    access: Any = Access(sqlite_store)
    reconciler = Reconciler(sqlite_store.database, access, settings, lambda: now)
    assert worked(sqlite_store, reconciler) == []
    with sqlite_store.database.write() as connection:
        runs.create(connection, runs.STORE, "", {}, int(now * 1000))
    now += 2
    assert worked(sqlite_store, reconciler) == [("store", "done", True)]
    now += 3600
    first = [("store", "done", True), ("store", "done", True)]
    assert worked(sqlite_store, reconciler)[:2] == first
    now += 2  # a look at the nodes is due again
    assert worked(sqlite_store, reconciler) == [*first, ("node", "failed", None)]
    now += 2
    assert len(worked(sqlite_store, reconciler)) == 3


def test_a_run_of_the_command_line_that_nobody_went_on_with_is_given_up(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 1, "cli")
        runs.give_up(connection, 1, 2)
        assert runs.pinned(connection) is None
        runs.give_up(connection, 2, 2)
        assert runs.pinned(connection) == []
        ended = runs.get(connection, run)
    assert ended is not None
    assert (ended.state, ended.problem) == ("failed", {"code": "abandoned"})
