"""The worker: a plain loop over the steps of anchoring and of import jobs, in a process of its own.

It may be killed at any point and started again; two of them harm nothing, since the contract's sequence number lets one win.
"""

import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from types import FrameType

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from service import activity, interpreter
from service.anchoring import QUIET_MS, Anchoring, Policy
from service.auth import sessions
from service.chain import Chain
from service.config import Settings, secret_bytes
from service.db import Database, is_unique_violation
from service.deliveries import courier
from service.invoices import idempotency
from service.invoices.importing import Importer
from service.invoices.indexing import Indexer
from service.ledger import health, incidents, notes, pruning
from service.ledger.figures import Gatherer
from service.ledger.receipts import receipt_keys
from service.reconciliation import runs as reconciliations
from service.reconciliation.working import ChainAccess, Reconciler
from service.reprints import refunding
from service.reprints.chores import Chores
from service.vault import vault

log = structlog.get_logger()

_GWEI = 10**9
_FORGET_S = 3600.0
_FORGOTTEN_AT_ONCE = 1000
_EAGER_S = 0.01
"""Between two rounds that moved something: a mistake that moves for ever must not eat a processor."""
_OVERTAKEN = 10
"""So many times in a row a step may find that another worker was faster."""
_LETTERS_S = 10.0
"""So long the end waits for a letter that is being sent; after that it is sent again by whoever works next."""
_SITS_OUT = 20
"""The most rounds that a step which fails again and again sits out, five seconds if nothing else moves."""


def build(settings: Settings, database: Database, clock: Callable[[], float] = time.time) -> Anchoring:
    """The anchoring steps as the settings say. Raises ValueError where a key or the contract is missing."""
    chain = Chain(
        settings.rpc_urls,
        settings.contract or "",
        settings.chain_id,
        key=secret_bytes(settings.anchor_key, "ZHENGPIAO_ANCHOR_KEY"),
        confirmations=settings.confirmations,
        timeout_s=settings.rpc_timeout_s,
    )
    max_fee = int(settings.max_fee_gwei * _GWEI)
    policy = Policy(settings.heartbeat_s, settings.stuck_s, max_fee, settings.promise_s, settings.max_lag_s)
    return Anchoring(database, chain, receipt_keys(settings), policy, clock)


class Worker:
    """Rounds over all steps. What one step meets keeps no other from its turn. `clock` gives seconds since 1970 UTC."""

    def __init__(self, settings: Settings, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._anchoring = build(settings, database, clock)
        self._keys = receipt_keys(settings)
        self._importer = Importer(database, self._keys, settings, clock)
        access = ChainAccess(settings, self._keys.public)
        self._reconciler = Reconciler(database, access, settings, clock)
        indexer, gatherer = Indexer(database), Gatherer(database, clock)
        self._steps = (
            self._note,
            self._anchoring.run_once,
            self._import,
            self._prune,
            self._reconciler.step,
            indexer.step,
            gatherer.step,
            self._forget,
            *self._of_reprints(),
        )
        self._forgot_at = 0.0
        self._failures: Counter[str] = Counter()
        self._sits_out: Counter[str] = Counter()

    def _of_reprints(self) -> tuple[Callable[[], bool], ...]:
        """Nobody can have applied where no key is given for what is encrypted."""
        if self._settings.data_keys is None:
            return ()
        return Chores(self._database, self._keys, vault(self._settings), self._settings, self._clock).steps()

    def round(self) -> float:
        """Every step once, but for those that failed; how many seconds to wait before the next round.

        A step that fails sits out one round, then three, then seven. It counts rounds, since no clock is to be trusted for that.
        """
        has_moved = False
        for step in self._steps:
            name = step.__qualname__
            if self._sits_out[name]:
                self._sits_out[name] -= 1
                continue
            moved = self._try(name, step)
            self._failures[name] = 0 if moved is not None else self._failures[name] + 1
            self._sits_out[name] = min(_SITS_OUT, 2 ** self._failures[name] - 1)
            has_moved = has_moved or bool(moved)
        return _EAGER_S if has_moved else self._settings.poll_s

    def _try(self, name: str, step: Callable[[], bool]) -> bool | None:
        """What the step says, None where it failed: nothing was half-done, and its next turn begins anew."""
        try:
            return step()
        except (OperationalError, InterfaceError) as error:  # locked, full or restarting; silence tells the others
            log.error("database_unavailable", step=name, kind=type(error.orig).__name__)
        except IntegrityError as error:
            # Of two workers that did the same step at once, the second finds it done. Again and again, it is something else.
            if not is_unique_violation(error) or self._failures[name] >= _OVERTAKEN:
                self._tell(name, error)
            log.info("overtaken", step=name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the steps after it have their turn, and people are told
            self._tell(name, error)
        return None

    def _tell(self, name: str, error: Exception) -> None:
        """Write down an error that nobody expected."""
        log.error("step_failed", step=name, exc_info=error)
        # Not its text: that may quote what was being stored.
        place = traceback.extract_tb(error.__traceback__)[-1]
        detail = f"{name}: {type(error).__name__} in {place.name}, line {place.lineno}"
        try:
            if name == Anchoring.run_once.__qualname__:
                self._anchoring.fail(detail)
                return
            now_ms = int(self._clock() * 1000)
            with self._database.write() as connection:
                incidents.record(connection, now_ms, "step_failed", None, detail, quiet_ms=QUIET_MS)
        except DBAPIError as unavailable:
            log.error("database_unavailable", step=name, kind=type(unavailable.orig).__name__)

    def _note(self) -> bool:
        """Bring the head of the activity log onto the chain."""
        now = self._clock()
        now_ms, every_ms = int(now * 1000), self._settings.note_s * 1000
        with self._database.read() as connection:
            if not notes.is_due(connection, activity.LOG_NAME, activity.head(connection)[1], now_ms, every_ms):
                return False
        with self._database.write() as connection:
            head = activity.head(connection)[1]
            if not notes.is_due(connection, activity.LOG_NAME, head, now_ms, every_ms):
                return False  # another worker was faster
            deadline = now_ms + 1000 * health.promise_s(health.read(connection), now, self._settings)
            notes.take_down(connection, activity.LOG_NAME, head, self._keys, now_ms, deadline)
        return True

    def _import(self) -> bool:
        """Register what was sent as files, unless nothing can be promised now."""
        with self._database.read() as connection:
            last = health.read(connection)
        if last is not None and last.trouble in health.NOTHING_PROVEN:
            return False
        return self._importer.step()

    def _forget(self) -> bool:
        """Sessions, devices and failures to sign in that are over, and writes that are asked for again no more, some at a time."""
        now = self._clock()
        if 0 <= now - self._forgot_at < _FORGET_S:
            return False
        now_ms = int(now * 1000)
        with self._database.write() as connection:
            sessions.forget_old(connection, now_ms)
            is_more = idempotency.forget(connection, now_ms - self._settings.idempotency_s * 1000, _FORGOTTEN_AT_ONCE)
        if not is_more:
            self._forgot_at = now
        return is_more

    def _prune(self) -> bool:
        with self._database.read() as connection:
            last = health.read(connection)
            if last is None or last.trouble is not None:
                return False
            if not pruning.is_due(connection, last.final_time, self._settings.max_lag_s):
                return False
        with self._database.write() as connection:
            pinned = reconciliations.pinned(connection)
            return pinned is not None and pruning.prune(connection, last.final_time, self._settings.max_lag_s, pinned)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    database = Database(settings.database_url.get_secret_value())
    worker = Worker(settings, database)
    # Threads of their own: e-mail, SMS, webhooks and the payment provider are slow, and sealing must not wait for them.
    couriers = courier.build(settings, database)
    rounds = courier.Rounds(couriers, stop) if couriers is not None else None
    interpreter.settle()
    if rounds is not None:
        rounds.start()
    refunds = refunding.start(settings, database, stop)
    log.info("worker_started", contract=settings.contract)
    while not stop.is_set():
        stop.wait(worker.round())
    if rounds is not None:
        rounds.join(_LETTERS_S)
    if refunds is not None:
        refunds.join(_LETTERS_S)
    database.close()
    log.info("worker_stopped")
