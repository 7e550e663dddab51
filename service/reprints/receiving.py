"""Money that comes: by a bank, as staff confirm it, or by the provider's call-back. Either has its effect once.

What a call-back looks like stands in provider.py.
"""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from service import activity
from service.config import Settings
from service.db import Database, is_unique_violation
from service.errors import Refused
from service.reprints import cases, fees, payments
from service.reprints.cases import SYSTEM, Case
from service.reprints.payments import Payment, payment_calls
from service.reprints.provider import Call
from service.reprints.refunding import settle
from service.reprints.steps import advance
from service.reprints.tables import reprint_cases
from service.reprints.transitions import CLOSED, Event
from service.vault import Vault


def confirm_transfer(
    connection: Connection, case_id: str, reference: str, fen: int, by: str, vault: Vault, settings: Settings, now_ms: int
) -> Payment:
    """A bank transfer has come, as staff (`by`) see on the account. Again, nothing changes.

    Raises Refused: payment_unknown, payment_amount_differs, payment_by_reviewer.
    """
    case = cases.lock(connection, case_id)
    payment = payments.get(connection, case_id, reference)
    if payment.method != "bank_transfer":
        raise Refused("payment_unknown")
    if by in (case.first_reviewer, case.second_reviewer):
        raise Refused("payment_by_reviewer")
    return _receive(connection, case, payment, fen, by, vault, settings, now_ms)


def take_call(database: Database, call: Call, vault: Vault, settings: Settings, now_ms: int) -> bool:
    """What the provider says has its effect, once: whether this was the first time.

    Raises Refused: payment_unknown, payment_amount_differs.
    """
    try:
        with database.write() as connection:
            return _take_call(connection, call, vault, settings, now_ms)
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
        return False  # the same call-back at the same time: that one has the effect


def _take_call(connection: Connection, call: Call, vault: Vault, settings: Settings, now_ms: int) -> bool:
    payment = payments.find(connection, call.reference)
    if payment is None or payment.method != "provider":
        raise Refused("payment_unknown")
    case = cases.lock(connection, payment.case_id)
    payment = payments.get(connection, case.id, call.reference)
    if payment.provider_id not in (None, call.payment):
        raise Refused("payment_unknown")
    if connection.scalar(select(payment_calls.c.id).where(payment_calls.c.id == call.id)) is not None:
        return False
    connection.execute(insert(payment_calls), {"id": call.id, "reference": call.reference, "at": now_ms})
    if call.type == "payment.paid":
        payments.set_provider(connection, call.reference, call.payment, None)
        _receive(connection, case, payment, call.fen, SYSTEM, vault, settings, now_ms)
    elif call.type == "refund.done":
        settle(connection, case, payment, SYSTEM, call.refund or "", vault, settings, now_ms)
    return True


def _receive(
    connection: Connection, case: Case, payment: Payment, fen: int, by: str, vault: Vault, settings: Settings, now_ms: int
) -> Payment:
    if fen != payment.fen:
        raise Refused("payment_amount_differs", {"amount": payments.amount(payment.fen)})
    if payment.state not in ("open", "closed"):
        return payment
    came = {"paid_at": now_ms, "confirmed_by": by}
    said = {"reference": payment.reference, "method": payment.method, "amount": payments.amount(fen)}
    if case.state in CLOSED or not fees.is_due(case):  # too late, or another payment was faster
        payments.move(connection, payment, "refund_due", refund_due_at=now_ms, refund_next_at=now_ms, **came)
        activity.append(connection, now_ms, by, "received_payment_to_refund", case.id, said)
        return payments.get(connection, case.id, payment.reference)
    payments.move(connection, payment, "paid", **came)
    activity.append(connection, now_ms, by, "received_payment", case.id, said)
    if case.state == "fee_due":
        event: Event = "pay" if case.first_approval is None else "pay_after_review"
        advance(connection, case, event, by, now_ms, vault, settings, paid_at=now_ms)
    else:  # sent back for correction meanwhile: it is paid when it comes to that
        connection.execute(update(reprint_cases).where(reprint_cases.c.id == case.id).values(paid_at=now_ms))
    return payments.get(connection, case.id, payment.reference)
