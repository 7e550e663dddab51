"""What the worker does for reconciliation: run what is queued, a unit at a time, and queue runs over store and nodes on a timer."""

import time
from collections.abc import Callable

from sqlalchemy import func, select

from service.central.remote import Remote, RemoteFailed
from service.config import Settings
from service.db import Database
from service.reconciliation import runs
from service.reconciliation.nodes import NODE, compare
from service.reconciliation.runs import StoreRun
from service.reconciliation.tables import runs as table
from verifier.chain import RpcReader
from verifier.fields import Chain
from verifier.transport import HttpClient
from verifier.trust import Trust


class ChainAccess:
    """Readers of the contract in the settings, over connections that stay open. `public_keys` are the service's, by key id."""

    def __init__(self, settings: Settings, public_keys: dict[str, bytes]) -> None:
        assert settings.contract is not None
        chain = Chain(settings.chain_id, bytes.fromhex(settings.contract[2:]))
        self._trust = Trust(
            chain,
            public_keys,
            settings.rpc_urls,
            settings.confirmations,
            heartbeat_s=settings.heartbeat_s,
            max_lag_s=settings.max_lag_s,
        )
        self._http = HttpClient(settings.rpc_timeout_s)

    @property
    def chain(self) -> Chain:
        return self._trust.chain

    def reader(self) -> RpcReader:
        """Of the chain as of now."""
        return RpcReader(self._trust, self._http)

    def close(self) -> None:
        self._http.close()


def nodes_of(settings: Settings) -> dict[str, str | None]:
    """The nodes of the settings with the API key for each; None where it has none."""
    written = settings.node_keys.get_secret_value() if settings.node_keys is not None else ""
    keys: list[str | None] = [key.strip() or None for key in written.split(",")]
    keys += [None] * len(settings.nodes)
    return dict(zip(settings.nodes, keys, strict=False))


class Reconciler:
    """One step at a time between the worker's others: anchoring never waits for more than a unit, part of a second."""

    def __init__(self, database: Database, access: ChainAccess, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._access = access
        self._every_s = settings.reconcile_s
        self._clock = clock
        self._current: StoreRun | None = None
        self._nodes = nodes_of(settings)
        self._grace_s = settings.grace_s
        self._next_node = 0.0
        self._started = clock()
        self._next_look = 0.0

    def step(self) -> bool:
        """True where something moved. Queues a run when the last one began `reconcile_s` ago (0: never)."""
        if self._current is None and not self._begin():
            return self._look_at_node()
        assert self._current is not None
        try:
            going_on = self._current.step()
        except BaseException:
            self._current = None  # the next step goes on from what was committed
            raise
        if not going_on:
            self._current = None
        return True

    def _look_at_node(self) -> bool:
        """The oldest run against a node: a few requests, unless much differs."""
        now = self._clock()
        if now < self._next_node:
            return False
        self._next_node = now + LOOK_S
        for url, key in self._nodes.items():
            with self._database.read() as connection:
                waiting = runs.open_ones(connection, NODE, url, "worker")
            if waiting:
                remote = Remote(url, key)
                try:
                    compare(self._database, waiting[0], self._access.reader(), remote, url, self._grace_s, (RemoteFailed,))
                finally:
                    remote.close()
                return True
        return False

    def _begin(self) -> bool:
        now = self._clock()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_S
        with self._database.read() as connection:
            waiting = runs.open_ones(connection, runs.STORE, "", "worker")
            last = connection.scalar(select(func.max(table.c.created_at)).where(table.c.kind == runs.STORE))
        if not waiting:
            if self._every_s == 0 or (now - max(self._started, (last or 0) / 1000)) < self._every_s:
                return False
            with self._database.write() as connection:
                runs.give_up(connection, int((now - ABANDONED_S) * 1000), int(now * 1000))
                waiting = [runs.create(connection, runs.STORE, "", {}, int(now * 1000))]
                for url in self._nodes:
                    if not runs.open_ones(connection, NODE, url, "worker"):
                        runs.create(connection, NODE, url, {}, int(now * 1000))
        self._current = StoreRun(self._database, waiting[0], self._access.reader)
        self._next_look = 0.0
        return True


LOOK_S = 1.0
"""Seconds between two looks whether a run was queued."""
ABANDONED_S = 86_400
"""A run of the command line that was not gone on with for so long is over."""
