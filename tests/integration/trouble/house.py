"""Trouble at home: the clock, the database, and the worker itself."""

import json
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select, update
from sqlalchemy.engine import make_url

from service.db import Database
from service.ledger import sealing
from service.ledger.tables import entries, register_pages
from service.worker import Worker
from tests.integration.trouble.scenario import scenario
from tests.integration.trouble.seqs import mined_now
from tests.integration.trouble.transactions import work_without_mining
from tests.oracle import Kept
from tests.world import World

HOUR_S = 3600
DAY_S = 86_400


# the clock


@scenario()
def the_clock_jumps_ahead(world: World) -> None:
    """Promises get longer, and anchoring goes on."""
    world.accept(2)
    world.rest()
    for jump in 2 * HOUR_S, 2 * DAY_S:
        world.jump = jump
        world.worker.round()
        assert world.trouble() == "no_blocks"
        world.accept(2)
        world.until(lambda: world.backlog() == 0 and not world.items(), "final")
        world.jump = 0
        world.round()
        assert world.trouble() is None
    world.check()


@scenario()
def the_clock_jumps_back(world: World) -> None:
    """Deadlines are never before the chain's time, and a stuck transaction does not wait for the clock to catch up."""
    world.accept(2)
    world.rest()
    for jump in -60, -2 * HOUR_S, -2 * DAY_S:
        world.accept()
        world.proxies[0].answer("eth_maxPriorityFeePerGas", "0x1")
        work_without_mining(world)
        world.jump = jump
        for _ in range(3):
            world.mine_full(20)
            world.worker.round()
        assert len(world.attempts(world.contract.head() + 1)) == 2
        assert world.trouble() == "stuck"
        world.accept(2)
        world.reach("mined")
        world.mine(30)
        world.round()
        assert world.trouble() == (None if jump == -60 else "clock_behind")
        world.accept()
        world.reach("mined")
        world.jump = 0
    world.check()


@scenario()
def nothing_happens_for_a_day(world: World) -> None:
    """Heartbeats keep proofs current and absence provable."""
    world.accept(2)
    world.rest()
    for _ in range(DAY_S // 1200):
        world.mine(seconds=1200)
        world.round()
        world.round()
    assert 22 <= world.contract.head() <= 26
    world.check()


# the database


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Somebody holds the database's lock, an administrator say."""
    if world.cluster is None:
        with closing(sqlite3.connect(make_url(world.url).database or "", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(world.url.replace("+psycopg", "")) as connection:
        connection.execute("LOCK TABLE entries, outbox, anchoring_health IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def full(world: World) -> Iterator[None]:
    """There is no room for another page."""
    if world.cluster is None:
        limit = _pragma(world, "PRAGMA page_count")
        world.database.engine.dispose()

        def keep_small(connection: Any, _record: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={limit}")

        event.listen(world.database.engine, "connect", keep_small)
        yield
        event.remove(world.database.engine, "connect", keep_small)
        world.database.engine.dispose()
        return
    with psycopg.connect(world.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        tables = ("outbox", "batches", "transactions", "register_pages", "anchoring_health")
        for table in tables:
            connection.execute(
                f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
            )
        connection.execute(  # at the commit, when everything seems done
            "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT OR UPDATE ON entries DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
        yield
        connection.execute("DROP FUNCTION full_disk CASCADE")


def _pragma(world: World, statement: str) -> int:
    with world.database.read() as connection:
        return int(connection.exec_driver_sql(statement).scalar_one())


def _accept_until_refused(world: World) -> None:
    """A database that is full has room for a few."""
    for _ in range(300):
        sections, status, answer = world.submit()
        if status == 503:
            return
        assert status == 201, answer
        world.kept.append(Kept(sections, json.loads(answer)))
    raise AssertionError("never refused")


def _through(world: World, harmed: Callable[[World], Any]) -> None:
    """Before a batch is sealed, while it is mined, and before it is final."""
    world.accept(2)
    world.rest()
    for rounds in range(3):
        world.accept()
        for _ in range(rounds):
            world.round()
        with harmed(world):
            _accept_until_refused(world)
            for _ in range(2):
                world.round()
            world.now += world.settings.worker_silent_s
        # The worker's silence tells that it cannot write.
        assert world.promise_s() >= world.settings.troubled_promise_s
        world.until(lambda: world.promise_s() == world.settings.promise_s, "heard of again")
    assert not world.incidents()


@scenario()
def the_database_is_locked(world: World) -> None:
    _through(world, locked)
    world.check()


@scenario()
def the_database_is_full(world: World) -> None:
    _through(world, full)
    world.check()


def _restart(world: World, how: signal.Signals) -> None:
    assert world.cluster is not None
    with psycopg.connect(world.url.replace("+psycopg", ""), autocommit=True) as connection:
        # The cluster of the tests forgets on a crash what it acknowledged just before; this database must not.
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = on")
    world.database.engine.dispose()
    world.accept(2)
    world.rest()
    for rounds in range(3):
        world.accept()
        for _ in range(rounds):
            world.round()
        world.cluster.stop(how)
        try:
            assert world.is_refused()
            world.worker.round()
        finally:
            world.cluster.start()
        world.accept()
        world.round()
        world.cluster.stop(how)
        world.cluster.start()
        world.accept()  # nobody saw it go
    world.check()


@scenario(databases=["postgresql"])
def the_database_is_restarted(world: World) -> None:
    _restart(world, signal.SIGINT)


@scenario(databases=["postgresql"])
def the_database_crashes(world: World) -> None:
    _restart(world, signal.SIGQUIT)


@scenario()
def a_pending_entry_is_tampered_with(world: World) -> None:
    """It is never sealed, and keeps nobody else from being sealed; once it is repaired it is."""
    world.accept()
    world.rest()
    [spoilt, _] = world.accept(2)
    key = spoilt.entry.key
    with world.database.write() as connection:
        signature = connection.scalar(select(entries.c.signature).where(entries.c.key == key))
        connection.execute(update(entries).where(entries.c.key == key).values(signature=bytes(64)))
    for _ in range(5):
        world.round()
        world.accept()
    assert world.backlog() > 0
    assert world.incidents() == ["not_promised"]
    with world.database.write() as connection:
        connection.execute(update(entries).where(entries.c.key == key).values(signature=signature))
    world.check()


@scenario(slots_in_an_epoch=4)
def old_pages_are_pruned_before_batches_are_sealed_again(world: World) -> None:
    """What is not final may be taken back: the pages that it replaced are still there."""
    first = world.accept(20)
    world.rest()
    for one in first[:4]:
        world.void(one)
        world.rest()
    assert world.rival
    for one in first[4:7]:
        world.void(one)
        mined_now(world)
    oldest = world.items()[0]
    for _ in range(4):
        world.worker.round()
    with world.database.read() as connection:
        versions = connection.scalars(select(register_pages.c.seq).where(register_pages.c.path == "")).all()
    assert len(versions) < world.contract.head()
    world.reorganise(world.height() - (oldest.block_number or 0) + 1)
    world.anchor_as_another(oldest.seq)
    world.mine()
    world.check(foreign={oldest.seq}, notes=1)


# the worker


@scenario()
def the_worker_meets_an_unknown_error(world: World) -> None:
    """It is told and counted, everything else goes on, and nothing turns hot."""
    world.accept(2)
    world.rest()
    tries = []

    def fail(*_: Any, **__: Any) -> Any:
        tries.append(world.now)
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "seal", fail)
        world.accept()
        world.meet("worker_failed", rounds=2)
        for _ in range(100):
            assert world.worker.round() > 0
            world.now += 0.25
    assert 8 <= len(tries) <= 12
    assert world.incidents() == ["worker_failed"]
    world.until(lambda: world.trouble() is None, "out of trouble", rounds=25)
    world.check()


@scenario()
def a_second_worker_is_faster(world: World) -> None:
    """At every point where one of them has looked at the chain, the other does all that is to be done, and a block is mined."""
    rival = world.new_worker()
    chain = world.worker._anchoring._chain
    look = chain.view
    states: dict[int, int] = {}

    def remember() -> None:
        for item in world.items():
            order = ["sealed", "broadcast", "mined", "final"].index(item.state)
            assert states.get(item.seq, 0) <= order, "what one saw long ago undid what the other knows"
            states[item.seq] = order

    def look_and_sleep(*asked: Any) -> Any:
        seen = look(*asked)
        rival.round()
        world.mine()
        rival.round()
        remember()
        return seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "view", look_and_sleep)
        for _ in range(4):
            world.accept(2)
            for _ in range(3):
                world.worker.round()
                remember()
    assert not world.incidents()
    world.round()
    world.check()


@scenario(lock_ms=30_000)  # as long as the service waits: here locks are held by others all the time
def three_workers_work_at_once(world: World) -> None:
    """Each in a thread and on connections of its own; whoever comes second finds it done."""
    stop = threading.Event()
    databases = [Database(world.url) for _ in range(3)]

    def work(worker: Worker) -> None:
        while not stop.is_set():
            worker.round()

    threads = [
        threading.Thread(target=work, args=[Worker(world.settings, database, world.clock)], daemon=True) for database in databases
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(25):
            world.accept(2)
            time.sleep(0.03)
            world.mine()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for database in databases:
            database.close()
    world.check()
    assert not world.incidents()


class Killed(BaseException):
    """Like SIGKILL: nothing catches it."""


@scenario()
def the_worker_dies_after_sending(world: World) -> None:
    """Its transaction is mined before it is back, and must be one that it knows."""
    world.accept()
    chain = world.worker._anchoring._chain
    send = chain.send

    def send_and_die(raw: bytes) -> None:
        send(raw)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "send", send_and_die)
        with suppress(Killed):
            world.worker.round()
    world.mine()
    world.worker = world.new_worker()
    world.check()


@scenario()
def the_worker_dies_before_sending(world: World) -> None:
    world.accept()

    def die(_raw: bytes) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.worker._anchoring._chain, "send", die)
        with suppress(Killed):
            world.worker.round()
    assert [item.state for item in world.items()] == ["sealed"]
    world.worker = world.new_worker()
    world.check()
    assert len(world.attempts(1)) == 1
