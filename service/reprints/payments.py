"""What is paid for reprints, and owed back: rows, and the states that each goes through.

    open -> paid -> refund_due -> refunded          the applicant chose a method; the money came; the case ended without a reprint
    open -> closed -> refund_due -> refunded        the case ended before the money came, or another payment was faster

That a case is paid once is a UNIQUE index, not a promise: what comes beside it is owed back at once. receiving.py takes money in,
refunding.py gives it back.
"""

import secrets
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    insert,
    select,
    tuple_,
    update,
)

from service.db import metadata
from service.errors import Refused
from service.reprints.cases import Case
from service.reprints.tables import CASE_ID
from service.reprints.transitions import OPEN

Method = Literal["bank_transfer", "provider"]
METHODS: tuple[Method, ...] = get_args(Method)
State = Literal["open", "paid", "refund_due", "refunded", "closed"]
STATES: tuple[State, ...] = get_args(State)
FeeState = Literal["none", "due", "paid", "refund_due", "refunded"]

REFERENCE = 12
"""Characters: P and 11 of Crockford's base 32, to be typed into a bank's form."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HAS_MONEY: tuple[State, ...] = ("paid", "refund_due", "refunded")

reprint_payments = Table(
    "reprint_payments",
    metadata,
    Column("reference", String(REFERENCE), primary_key=True, comment="what the payer names; the provider's idempotency key"),
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), nullable=False, index=True),
    Column("method", String(16), nullable=False),
    Column("fen", BigInteger, nullable=False, comment="CNY × 100"),
    Column("state", String(16), nullable=False, comment="see payments.py"),
    Column("opened_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("provider_id", String(64), unique=True, comment="of the payment at the provider"),
    Column("url", String(500), comment="where the applicant pays"),
    Column("paid_at", BigInteger),
    Column("confirmed_by", String(32), comment="id of a person; system for the provider's word"),
    Column("refund_due_at", BigInteger),
    Column("refund_next_at", BigInteger, comment="ms: then the provider is asked again"),
    Column("refund_tries", Integer, nullable=False, server_default="0"),
    Column("refunded_at", BigInteger),
    Column("refunded_by", String(32)),
    Column("refund_reference", String(64), comment="of the bank or the provider"),
)
Index(
    "reprint_payments_paid_key",
    reprint_payments.c.case_id,
    unique=True,
    sqlite_where=reprint_payments.c.state == "paid",
    postgresql_where=reprint_payments.c.state == "paid",
)
"""Never paid twice."""
Index(
    "reprint_payments_open_key",
    reprint_payments.c.case_id,
    reprint_payments.c.method,
    unique=True,
    sqlite_where=reprint_payments.c.state == "open",
    postgresql_where=reprint_payments.c.state == "open",
)
Index("reprint_payments_state_idx", reprint_payments.c.state, reprint_payments.c.opened_at, reprint_payments.c.reference)

payment_calls = Table(
    "payment_calls",
    metadata,
    Column("id", String(64), primary_key=True, comment="of a call-back: a second one with it has no effect"),
    Column("reference", String(REFERENCE), ForeignKey("reprint_payments.reference"), nullable=False),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)

Payment = Any
"""A row of `reprint_payments`: its columns by name."""


def amount(fen: int) -> str:
    """A decimal string."""
    return f"{fen // 100}.{fen % 100:02d}"


def of_case(connection: Connection, case_id: str) -> list[Payment]:
    """Oldest first."""
    query = select(reprint_payments).where(reprint_payments.c.case_id == case_id)
    return list(connection.execute(query.order_by(reprint_payments.c.opened_at, reprint_payments.c.reference)))


def find(connection: Connection, reference: str) -> Payment | None:
    return connection.execute(select(reprint_payments).where(reprint_payments.c.reference == reference)).one_or_none()


def get(connection: Connection, case_id: str, reference: str) -> Payment:
    """Raises Refused("payment_unknown"), also for one of another case."""
    payment = find(connection, reference)
    if payment is None or payment.case_id != case_id:
        raise Refused("payment_unknown")
    return payment


def state_of(connection: Connection, case: Case) -> FeeState:
    """How it stands with the case's fee: nothing to pay, or what became of it."""
    of_this = select(reprint_payments.c.state).where(reprint_payments.c.case_id == case.id)
    states = set(connection.scalars(of_this.where(reprint_payments.c.state.in_(_HAS_MONEY))))
    if "paid" in states:
        return "paid"
    if "refund_due" in states:
        return "refund_due"
    if "refunded" in states:
        return "refunded"
    is_due = case.fee == "charged" and case.fee_fen > 0 and case.paid_at is None and case.state in OPEN
    return "due" if is_due else "none"


def open_payment(connection: Connection, case: Case, method: Method, now_ms: int) -> Payment:
    """The payment that the applicant is to make by that method: the one that is open, else a new one. The case is locked.

    Raises Refused("payment_not_due").
    """
    if case.state != "fee_due":
        raise Refused("payment_not_due")
    is_open = (reprint_payments.c.method == method, reprint_payments.c.state == "open")
    known = connection.execute(select(reprint_payments).where(reprint_payments.c.case_id == case.id, *is_open)).one_or_none()
    if known is not None:
        return known
    reference = "P" + "".join(secrets.choice(_ALPHABET) for _ in range(REFERENCE - 1))
    row = {"reference": reference, "case_id": case.id, "method": method, "fen": case.fee_fen, "state": "open", "opened_at": now_ms}
    connection.execute(insert(reprint_payments), row)
    return get(connection, case.id, reference)


def set_provider(connection: Connection, reference: str, provider_id: str, url: str | None) -> None:
    """What the provider calls a payment, and where it is made. Repeated, nothing changes."""
    is_this = (reprint_payments.c.reference == reference, reprint_payments.c.provider_id.is_(None))
    connection.execute(update(reprint_payments).where(*is_this).values(provider_id=provider_id))
    if url is not None:
        connection.execute(update(reprint_payments).where(reprint_payments.c.reference == reference).values(url=url))


def move(connection: Connection, payment: Payment, target: State, **values: Any) -> None:
    """From the state that `payment` shows, with further columns. Raises Refused("case_moved") where somebody else was faster."""
    is_this = (reprint_payments.c.reference == payment.reference, reprint_payments.c.state == payment.state)
    if connection.execute(update(reprint_payments).where(*is_this).values(state=target, **values)).rowcount != 1:
        raise Refused("case_moved")


def refund_due(connection: Connection, case: Case, now_ms: int) -> None:
    """In the transaction that ends a case without a reprint: what was paid is owed back, and what is open waits no longer."""
    due = {"state": "refund_due", "refund_due_at": now_ms, "refund_next_at": now_ms}
    of_this = reprint_payments.c.case_id == case.id
    connection.execute(update(reprint_payments).where(of_this, reprint_payments.c.state == "paid").values(due))
    connection.execute(update(reprint_payments).where(of_this, reprint_payments.c.state == "open").values(state="closed"))


def listed(connection: Connection, state: State | None, limit: int, below: tuple[int, str] | None) -> list[Payment]:
    """Newest first, behind the (opened_at, reference) `below`."""
    query = select(reprint_payments).order_by(reprint_payments.c.opened_at.desc(), reprint_payments.c.reference.desc()).limit(limit)
    if state is not None:
        query = query.where(reprint_payments.c.state == state)
    if below is not None:
        query = query.where(tuple_(reprint_payments.c.opened_at, reprint_payments.c.reference) < below)
    return list(connection.execute(query))


def confirmers(connection: Connection, case_id: str) -> set[str]:
    """Ids of the people who confirmed a payment of the case: none of them reviews it."""
    query = select(reprint_payments.c.confirmed_by).where(
        reprint_payments.c.case_id == case_id, reprint_payments.c.confirmed_by.is_not(None)
    )
    return set(connection.scalars(query))
