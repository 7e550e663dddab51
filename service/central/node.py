"""A query node: its own database, filled from a service's feed, and never trusting it.

Every batch is rebuilt and compared with the contract before it is kept (following.py). How far the node is and how far the contract
is stands in the row that a worker would write, so everything that is proven or said here is as of the node's own newest batch, and
what it cannot know yet is `not_yet_known`.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from service.central.following import FeedRefused, Follower, Source, Standing, proven_seq
from service.central.remote import RemoteFailed
from service.db import Database
from service.ledger import health, incidents, pruning
from service.ledger.tables import batches
from service.trouble import Trouble
from verifier.chain import ChainReader
from verifier.errors import ChainUnavailable

log = structlog.get_logger(__name__)

QUIET_MS = 3_600_000
"""An incident that goes on is written down once in so long."""
UNACKNOWLEDGED_S = 60.0
"""An acknowledgement that the service did not take is tried again after so long."""


class NodeStanding(NamedTuple):
    """`seq` is the node's newest proven batch, `head` the contract's newest final one as of `at` (s since 1970 UTC)."""

    seq: int
    head: int
    at: float

    @property
    def behind(self) -> int:
        return max(0, self.head - self.seq)


def standing(connection: Connection) -> NodeStanding:
    """How far the node is; head 0 before the chain was first read."""
    last = health.read(connection)
    return NodeStanding(proven_seq(connection), last.final_head if last else 0, last.seen_at if last else 0.0)


class Node:
    """Follows, one round at a time. `open_reader` gives a reader of the chain as of now.

    `acknowledge` tells the service how far it has come, so that people there see who lags; it raises RemoteFailed.
    """

    def __init__(
        self,
        database: Database,
        open_reader: Callable[[], ChainReader],
        source: Source,
        max_lag_s: int,
        clock: Callable[[], float] = time.time,
        acknowledge: Callable[[int], None] | None = None,
    ) -> None:
        self._database = database
        self._open_reader = open_reader
        self._source = source
        self._max_lag_s = max_lag_s
        self._clock = clock
        self._acknowledge = acknowledge
        self._acknowledged = 0
        self._next_try = 0.0

    def round(self) -> bool:
        """Take what there is; False where something keeps the node from going on. Told to everybody either way."""
        reader = self._open_reader()
        try:
            self._check_still_there(reader)
            block, head, _ = reader.read(())
            self._report(None, None, Standing(0, head, block.number, block.time))
            reached = Follower(self._database, lambda: reader, self._source, "copies", self._clock).sync()
            with self._database.write() as connection:
                pruning.prune(connection, block.time, self._max_lag_s)
        except _Vanished as vanished:
            self._report(Trouble.FINAL_VANISHED, f"batch {vanished.args[0]} is not on the chain any more")
        except ChainUnavailable as error:
            self._report(_TROUBLES.get(error.reason, Trouble.UNREACHABLE), error.reason)
        except RemoteFailed as error:
            log.error("feed_unavailable", detail=str(error))
        except FeedRefused as error:
            log.error("feed_refused", seq=error.seq, reason=error.reason)
            with self._database.write() as connection:
                detail = f"batch {error.seq}: {error.reason}"[:1000]
                incidents.record(connection, int(self._clock() * 1000), "feed_refused", error.seq, detail, quiet_ms=QUIET_MS)
        else:
            self._tell(reached.seq)
            return reached.behind == 0
        return False

    def _tell(self, seq: int) -> None:
        """Not again and again where the service does not take it: a node serves all the same."""
        now = time.monotonic()
        if self._acknowledge is None or seq == self._acknowledged or now < self._next_try:
            return
        try:
            self._acknowledge(seq)
            self._acknowledged = seq
        except RemoteFailed as error:
            self._next_try = now + UNACKNOWLEDGED_S
            log.warning("not_acknowledged", seq=seq, detail=str(error))

    def _check_still_there(self, reader: ChainReader) -> None:
        """What was final is final: a chain that holds another anchor now, or none, is not the one that was followed."""
        with self._database.read() as connection:
            newest = proven_seq(connection)
            row = connection.execute(
                select(batches.c.log_root, batches.c.register_root).where(batches.c.seq == newest)
            ).one_or_none()
        if row is None:
            return
        _, head, _ = reader.read([newest])
        anchor = reader.anchor(newest) if newest <= head else None
        if anchor is None or (anchor.log_root, anchor.register_root) != (row.log_root, row.register_root):
            raise _Vanished(newest)

    def _report(self, trouble: Trouble | None, detail: str | None, reached: Standing | None = None) -> None:
        now = self._clock()
        with self._database.write() as connection:
            last = health.read(connection)
            values: dict[str, Any] = dict.fromkeys(health.Health._fields, 0) if last is None else last._asdict()
            values |= {"seen_at": now, "trouble": trouble, "since": now if trouble else None, "detail": detail and detail[:500]}
            if last is None:
                values["left_out"] = ""
            if reached is not None:
                values |= {"head": reached.head, "final_head": reached.head}
                values |= {"final_block": reached.block_number or 0, "final_time": reached.time}
            health.write(connection, health.Health(**values))


class _Vanished(Exception):
    pass


_TROUBLES = {
    "chain.other_chain": Trouble.WRONG_CHAIN,
    "chain.no_code": Trouble.NO_CONTRACT,
    "chain.disagree": Trouble.ENDPOINTS_DISAGREE,
    "chain.lag": Trouble.NO_FINALITY,
    "chain.heartbeat": Trouble.NO_BLOCKS,
    "chain.bad_answer": Trouble.BAD_ANSWER,
}


def follow_in_background(node: Node, poll_s: float) -> Callable[[], None]:
    """Rounds in a thread of its own; the function that ends it."""
    stop = threading.Event()

    def rounds() -> None:
        while not stop.is_set():
            try:
                node.round()
            except DBAPIError as error:
                log.error("database_unavailable", step="follow", kind=type(error.orig).__name__)
            except Exception:
                log.exception("step_failed", step="follow")
            stop.wait(poll_s)

    thread = threading.Thread(target=rounds, name="follow", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(timeout=30)

    return end
