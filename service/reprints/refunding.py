"""Money that is owed back: the provider is asked to refund it, and staff say when they have sent a bank transfer.

Asking goes over HTTP, so it has a thread of its own in the worker. It may happen twice; the provider knows the second time by its
Idempotency-Key, and a payment is settled once.
"""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DBAPIError

from service import activity
from service.config import Settings
from service.db import Database
from service.errors import Refused
from service.reprints import cases, notices, payments
from service.reprints.cases import SYSTEM, Case
from service.reprints.payments import Payment, reprint_payments
from service.reprints.provider import Provider, ProviderFailed, provider
from service.vault import Vault, vault

log = structlog.get_logger()

POLL_S = 5.0
_FIRST_PAUSE_MS = 30_000
_LONGEST_PAUSE_MS = 6 * 3_600_000


def confirm_refund(
    connection: Connection,
    case_id: str,
    reference: str,
    bank_reference: str,
    by: str,
    vault: Vault,
    settings: Settings,
    now_ms: int,
) -> Payment:
    """Staff (`by`) have sent a bank transfer back. Again, nothing changes. Raises Refused: payment_unknown, refund_not_due."""
    case = cases.lock(connection, case_id)
    payment = payments.get(connection, case_id, reference)
    if payment.method != "bank_transfer":
        raise Refused("payment_unknown")
    if payment.state not in ("refund_due", "refunded"):
        raise Refused("refund_not_due")
    return settle(connection, case, payment, by, bank_reference, vault, settings, now_ms)


def settle(
    connection: Connection, case: Case, payment: Payment, by: str, reference: str, vault: Vault, settings: Settings, now_ms: int
) -> Payment:
    """It was paid back; the applicant is told. Nothing where it is not owed, or was settled before. The case is locked."""
    if payment.state == "refund_due":
        payments.move(connection, payment, "refunded", refunded_at=now_ms, refunded_by=by, refund_reference=reference[:64])
        said = {"reference": payment.reference, "method": payment.method, "amount": payments.amount(payment.fen)}
        activity.append(connection, now_ms, by, "refunded_payment", case.id, said)
        told = {"public_url": settings.public_url, "amount": payments.amount(payment.fen)}
        notices.announce(connection, case, "refunded", vault, now_ms, **told)
    return payments.get(connection, case.id, payment.reference)


class Refunder:
    """Asks the provider for what is owed back through it. `clock` gives seconds since 1970 UTC."""

    def __init__(
        self, database: Database, provider: Provider, vault: Vault, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._provider = provider
        self._vault = vault
        self._settings = settings
        self._clock = clock

    def step(self) -> bool:
        """One refund that is due. Whether there was any."""
        now_ms = int(self._clock() * 1000)
        with self._database.read() as connection:
            payment = _next(connection, now_ms)
        if payment is None:
            return False
        try:
            refund = self._provider.refund(payment)
        except ProviderFailed as failed:
            log.warning("refund_failed", reference=payment.reference, tries=payment.refund_tries + 1, reason=str(failed))
            with self._database.write() as connection:
                _later(connection, payment, now_ms)
            return True
        if refund.is_done:
            with self._database.write() as connection:
                case = cases.lock(connection, payment.case_id)
                payment = payments.get(connection, case.id, payment.reference)
                settle(connection, case, payment, SYSTEM, refund.id, self._vault, self._settings, now_ms)
        else:  # the provider's call-back will say so; until then it is asked again
            with self._database.write() as connection:
                _later(connection, payment, now_ms)
        return True

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what it meets does not end it."""
        while not stop.is_set():
            try:
                is_busy = self.step()
            except DBAPIError as error:
                log.error("database_unavailable", step="refunds", kind=type(error.orig).__name__)
                is_busy = False
            except Exception as error:
                log.error("step_failed", step="refunds", exc_info=error)
                is_busy = False
            stop.wait(0.0 if is_busy else POLL_S)


def start(settings: Settings, database: Database, stop: threading.Event) -> threading.Thread | None:
    """The refunder's thread, under way; None where no provider is set. Raises ValueError for a setting that is none.

    A daemon: a process that is to end does not wait for another machine. What was under way is asked for again.
    """
    asked = provider(settings)
    if asked is None or settings.data_keys is None:
        return None
    refunder = Refunder(database, asked, vault(settings), settings)
    thread = threading.Thread(target=refunder.run, args=(stop,), name="refunds", daemon=True)
    thread.start()
    return thread


def _next(connection: Connection, now_ms: int) -> Payment | None:
    table = reprint_payments
    due = (table.c.state == "refund_due", table.c.method == "provider", table.c.provider_id.is_not(None))
    query = select(table).where(*due, table.c.refund_next_at <= now_ms).order_by(table.c.refund_next_at)
    return connection.execute(query.limit(1)).one_or_none()


def _later(connection: Connection, payment: Payment, now_ms: int) -> None:
    """Ask again, each time after twice as long."""
    pause = min(_FIRST_PAUSE_MS * 2**payment.refund_tries, _LONGEST_PAUSE_MS)
    is_this = (reprint_payments.c.reference == payment.reference, reprint_payments.c.refund_tries == payment.refund_tries)
    values = {"refund_next_at": now_ms + pause, "refund_tries": payment.refund_tries + 1}
    connection.execute(update(reprint_payments).where(*is_this).values(values))
