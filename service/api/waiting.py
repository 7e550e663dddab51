"""`Prefer: wait=N` (RFC 7240): holding answers until an entry's anchor is mined, without a thread for each.

One poller a process asks the database, and only while somebody waits.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from service.db import Database, chunks
from service.ledger.status import mined_of, newest_mined

log = structlog.get_logger(__name__)

MAX_S = 60
MAX_WAITING = 1000
"""Further ones are answered at once, as if they had not asked to wait."""
POLL_S = 0.1

_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:;.*)?", re.IGNORECASE)


def preferred_wait(request: Request) -> int:
    """Seconds, MAX_S at most; 0 where none were asked for. A preference that cannot be read is ignored, as the RFC says."""
    for header in request.headers.getlist("prefer"):
        for preference in header[:500].split(","):
            if found := _WAIT.fullmatch(preference):
                return min(int(found[1]), MAX_S)
    return 0


class Waiting:
    """Who waits for which entry. Belongs to one event loop; `running()` is its poller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, set[asyncio.Event]] = defaultdict(set)
        self._count = 0
        self._somebody = asyncio.Event()
        self._thread = anyio.CapacityLimiter(1)  # of its own: the handlers' threads may all be busy
        self._head = 0
        self._new: set[int] = set()

    async def until_mined(self, entry_id: int, seconds: float) -> bool:
        """Whether the answer was held: until the entry was mined or the time was over. False: too many wait already."""
        if self._count >= MAX_WAITING:
            return False
        mined = asyncio.Event()
        self._count += 1
        self._waiting[entry_id].add(mined)
        self._new.add(entry_id)
        self._somebody.set()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(mined.wait(), seconds)
        finally:
            self._count -= 1
            others = self._waiting[entry_id]
            others.discard(mined)
            if not others:
                del self._waiting[entry_id]
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The poller runs inside the block; at its end whoever waits is answered."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._poll)
            yield
            tasks.cancel_scope.cancel()  # a look that is under way ends first: nobody closes the database beneath it
        self._wake(list(self._waiting))

    async def _poll(self) -> None:
        while True:
            await self._somebody.wait()
            new, self._new = self._new, set()
            try:
                self._wake(await anyio.to_thread.run_sync(self._look, list(self._waiting), list(new), limiter=self._thread))
            except SQLAlchemyError as error:  # the next look may succeed; whoever waits is answered in time anyway
                self._new |= new
                log.warning("database_unavailable", kind=type(error).__name__)
            if not self._waiting:
                self._somebody.clear()
            await asyncio.sleep(POLL_S)

    def _look(self, waiting: list[int], new: list[int]) -> list[int]:
        """Which of the entries are mined; while head stands still, only `new` ones are asked about."""
        with self._database.read() as connection:
            head = newest_mined(connection)
            ids = new if head == self._head else waiting
            self._head = head
            return [id_ for some in chunks(ids) for id_ in mined_of(connection, some, head)]

    def _wake(self, ids: list[int]) -> None:
        for id_ in ids:
            for mined in self._waiting.get(id_, ()):
                mined.set()
