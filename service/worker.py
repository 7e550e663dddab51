"""The worker: a plain loop over the steps of anchoring and of import jobs, in a process of its own.

It may be killed at any point and started again; two of them harm nothing, since the contract's sequence number lets one win.
"""

import signal
import threading
from types import FrameType

import structlog
from sqlalchemy.exc import DBAPIError

from service.anchoring import Anchoring, Policy
from service.chain import Chain
from service.config import Settings, secret_bytes
from service.db import Database
from service.invoices.importing import Importer
from service.ledger import health, pruning
from service.ledger.receipts import receipt_keys

log = structlog.get_logger()

_GWEI = 10**9


def build(settings: Settings, database: Database) -> Anchoring:
    """The anchoring steps as the settings say. Raises ValueError where a key or the contract is missing."""
    chain = Chain(
        settings.rpc_urls,
        settings.contract or "",
        settings.chain_id,
        key=secret_bytes(settings.anchor_key, "ZHENGPIAO_ANCHOR_KEY"),
        confirmations=settings.confirmations,
        max_lag_s=settings.max_lag_s,
        timeout_s=settings.rpc_timeout_s,
    )
    policy = Policy(settings.heartbeat_s, settings.stuck_s, int(settings.max_fee_gwei * _GWEI))
    return Anchoring(database, chain, receipt_keys(settings), policy)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    database = Database(settings.database_url.get_secret_value())
    anchoring = build(settings, database)
    importer = Importer(database, receipt_keys(settings), settings)
    log.info("worker_started", contract=settings.contract)
    while not stop.is_set():
        moved = False
        try:
            moved = anchoring.run_once()
            moved = importer.step() or moved
            moved = _prune(database, settings.max_lag_s) or moved
        except DBAPIError as error:  # locked, full, or restarting: nothing was half-done, and the next round begins anew
            log.error("database_unavailable", kind=type(error.orig).__name__)
        stop.wait(0.0 if moved else settings.poll_s)
    database.close()
    log.info("worker_stopped")


def _prune(database: Database, max_lag_s: int) -> bool:
    with database.read() as connection:
        last = health.read(connection)
    if last is None or last.trouble is not None:
        return False
    with database.write() as connection:
        return pruning.prune(connection, last.final_time, max_lag_s)
