"""The service's own word about a copy, unproven: it names what proofs only show as a hash, and what is on its way."""

from typing import Any

from sqlalchemy import Connection

from service.invoices import reading
from service.invoices.registration import STATUS_NAMES, findings_from_json
from service.ledger.entries import History, Stored
from verifier.commitment import copy_of
from verifier.entry import Kind


def statement(connection: Connection, number: str, commitment: bytes) -> dict[str, Any] | None:
    """`status` and `since` as of what is final, `pending` for what is accepted and not final yet; None for no copy of this number.

    Pending is what is on its way about this copy: that a later one is voided is no matter to one that was replaced before.
    `current` tells whether this very copy is the current one, `findings` how many the rules had when it was registered.
    `other_number` is that of the invoice that replaced or reversed it.
    """
    record = reading.find(connection, number)
    copy = copy_of(commitment)
    made_by = record.entry_of_copy(copy) if record else None
    if record is None or made_by is None:
        return None
    states = [reading.state_of(connection, stored) for stored in record.stored]
    settled = [stored for stored, state in zip(record.stored, states, strict=True) if state == "final"]
    history = History(settled)
    # Before anything is final, what was accepted is all there is to say; the state beside it says how far that has come.
    told = history if history.state is not None else History(record.stored[:1])
    last = _maker(settled or record.stored[:1])
    assert told.state is not None
    said: dict[str, Any] = {
        "status": STATUS_NAMES[told.state.status],
        "state": states[record.stored.index(made_by)],
        "current": told.state.copy == copy or made_by not in settled,
        "since": reading.at(last.entry.recorded_at),
        "findings": len(findings_from_json(record.invoice.findings)) if record.invoice is not None else 0,
    }
    said |= _other(connection, last)
    open_ones = [stored for stored, state in zip(record.stored, states, strict=True) if state != "final"]
    waiting = [stored for stored in open_ones if stored.id > made_by.id and _copy_ended_by(stored) == copy]
    if waiting:
        said["pending"] = {"kind": waiting[-1].entry.kind.name.lower(), **_other(connection, waiting[-1])}
    return said


def _copy_ended_by(stored: Stored) -> bytes:
    """The copy that does not count as before once this entry does: a reprint's is the one that it replaces, not the new one."""
    return stored.entry.other if stored.entry.kind is Kind.REPRINT else stored.entry.copy


def _maker(stored: list[Stored]) -> Stored:
    """The entry that made the present status: a reprint keeps it."""
    return next((s for s in reversed(stored) if s.entry.kind is not Kind.REPRINT), stored[0])


def _other(connection: Connection, stored: Stored) -> dict[str, str]:
    act = reading.act_of(connection, stored.id)
    return {"other_number": act.other_number} if act is not None and act.other_number else {}
