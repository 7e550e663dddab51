"""What is done to a registered invoice afterwards: void now; release, reprint and claims follow the same way."""

from sqlalchemy import Connection, insert

from service.db import Database
from service.errors import Finding, Refused
from service.invoices import reading
from service.invoices.facts import of_content
from service.invoices.idempotency import Attempt, done_before, write_once
from service.invoices.submitting import Issuer, Promise
from service.invoices.tables import acts
from service.ledger.entries import Accepted, Stored, append
from service.ledger.receipts import ReceiptKeys
from verifier.entry import NUMBER, ZERO, Entry, Kind, number_key
from verifier.errors import NotAllowed


def void_once(
    database: Database,
    number: str,
    issuer: Issuer,
    reason: str,
    replaced_by: str | None,
    keys: ReceiptKeys,
    attempt: Attempt | None,
    now_ms: int,
    promise: Promise,
) -> tuple[reading.Record, Stored, str]:
    """`void` in a transaction of its own: the invoice as it is then, the entry and how far that has come. Raises Refused."""

    made = done_before(database, attempt)
    if made is None:
        deadline = promise(now_ms)

        def work(connection: Connection) -> tuple[int, bool]:
            record = reading.get(connection, number, issuer.sellers)
            return void(connection, record, reason, replaced_by, issuer.id, keys, now_ms, deadline).id, True

        made, _ = write_once(database, attempt, now_ms, work)
    with database.read() as connection:
        record = reading.get(connection, number, issuer.sellers)
        stored = next(stored for stored in record.stored if stored.id == made)
        return record, stored, reading.state_of(connection, stored)


def void(
    connection: Connection,
    record: reading.Record,
    reason: str,
    replaced_by: str | None,
    actor: str,
    keys: ReceiptKeys,
    now_ms: int,
    deadline: int,
) -> Accepted:
    """Mark an invoice void in this registry. `replaced_by` is the number of the invoice that takes its place.

    Raises Refused where its status or kind forbids it: a red-letter invoice cannot be voided, nor what is void or reversed.
    """
    state = record.history.state
    assert state is not None
    content = of_content(reading.read_copy(connection, record.current().id).sections())
    if content.relation == "reverses":
        raise Refused("not_open", {"status": "red_letter"})
    if replaced_by is not None and (not NUMBER.fullmatch(replaced_by) or replaced_by == record.number):
        raise Refused("invalid_request", findings=[Finding("number_format", "error", "/replaced_by")])
    other = ZERO if replaced_by is None else number_key(replaced_by)
    entry = Entry(Kind.VOID, now_ms, number_key(record.number), state.copy, other, ZERO)
    try:
        record.history.add(entry)
    except NotAllowed:
        raise Refused("not_open", {"status": record.status}) from None
    accepted = append(connection, [(entry, record.history.ordinal)], keys, deadline)[0]
    row = {"entry_id": accepted.id, "reason": reason, "other_number": replaced_by, "actor": actor}
    connection.execute(insert(acts), row)
    return accepted
