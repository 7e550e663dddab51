"""Whether a case's fee is paid."""

from sqlalchemy import Connection

from service.reprints.cases import Case


def state_of(connection: Connection, case: Case) -> str:
    """none, due, paid, refund_due or refunded."""
    if case.fee != "charged":
        return "none"
    return "due" if case.paid_at is None else "paid"


def refund_due(connection: Connection, case: Case, now_ms: int) -> None:
    """In the transaction that ends a case without a reprint: what was paid is owed back."""
