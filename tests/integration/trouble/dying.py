"""A worker in a process of its own that is killed by SIGKILL at a point that the test names.

The points are counted here, in the test's process: nothing in the product knows of them. Coarse ones stand before and after every
commit and every transaction that is sent, fine ones at every line of the code that seals and anchors.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

import structlog
from sqlalchemy import Connection

from service.chain import Chain
from service.config import Settings
from service.db import Database
from service.worker import Worker
from tests.chain import Chain as Node

ROUNDS = 7
"""Enough for an entry to become final."""
_FILES = ("anchoring.py", "worker.py", "sealing.py", "outbox.py", "health.py", "pruning.py", "register.py", "tiles.py")

Grain = Literal["coarse", "fine"]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


class _Points:
    """Counts, and kills at the one that was asked for."""

    def __init__(self, kill_at: int) -> None:
        self.passed = 0
        self._kill_at = kill_at

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "call" and not frame.f_code.co_filename.endswith(_FILES):
            return None
        if event == "line":
            self()
        return self.trace


def work(settings: dict[str, Any], now: float, grain: Grain, kill_at: int) -> int | None:
    """Rounds of a new worker, each followed by a block; how many points it passed, None where it was killed at one of them."""
    mine, theirs = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_work, args=(settings, now, grain, kill_at, theirs))
    process.start()
    theirs.close()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), f"the worker ended with {process.exitcode}"
    return int(mine.recv()) if process.exitcode == 0 else None


def _work(given: dict[str, Any], now: float, grain: Grain, kill_at: int, result: Any) -> None:
    structlog.configure(processors=[lambda *_: ""], logger_factory=structlog.ReturnLoggerFactory())
    settings = Settings(_env_file=None, **given)  # type: ignore[call-arg]  # pydantic-settings takes it
    node = Node(given["rpc_urls"][0])
    time = [now]
    points = _Points(kill_at)
    worker = Worker(settings, Database(settings.database_url.get_secret_value()), lambda: time[0])
    if grain == "coarse":
        _watch_commits_and_sends(points)
    else:
        sys.settrace(points.trace)
    for _ in range(ROUNDS):
        worker.round()
        time[0] += 1
        node.rpc("evm_setNextBlockTimestamp", int(time[0]))
        node.rpc("evm_mine")
    sys.settrace(None)
    result.send(points.passed)


def _watch_commits_and_sends(point: Callable[[], None]) -> None:
    write, send = Database.write, Chain.send

    @contextmanager
    def watched_write(self: Database) -> Iterator[Connection]:
        with write(self) as connection:
            yield connection
            point()
        point()

    def watched_send(self: Chain, raw: bytes) -> None:
        point()
        send(self, raw)
        point()

    Database.write = watched_write  # type: ignore[method-assign]
    Chain.send = watched_send  # type: ignore[method-assign]
