"""One invoice as the ledger and the content store have it: its entries, which copy is current, and how far each entry has come."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from service.db import SelectIn
from service.errors import Refused
from service.invoices.registration import STATUS_NAMES
from service.invoices.tables import acts, copies, invoices, recoveries
from service.ledger.entries import History, Stored, stored_by_key
from service.ledger.tables import batches, outbox, transactions
from verifier.commitment import SECTIONS, commitment_of, section_leaf
from verifier.entry import NUMBER, Kind, number_key

PENDING = "pending"


class Copy(NamedTuple):
    """A copy with its content. `salts` and `canonical` are in the order of SECTIONS; None for a section that was lost.

    `withheld` has the leaves of sections that were lost, where a partial copy proved them: 256 bytes, zero for the others.
    """

    entry_id: int
    invoice_id: int
    salts: list[bytes]
    canonical: list[bytes | None]
    withheld: bytes | None = None

    def leaves(self) -> list[bytes]:
        """The eight section leaves. Raises Refused where content was lost."""
        return [self.leaf(index) for index in range(8)]

    def leaf(self, index: int) -> bytes:
        """That of one section."""
        canonical = self.canonical[index]
        return section_leaf(index, self.salts[index], canonical) if canonical is not None else self._withheld(index)

    def _withheld(self, index: int) -> bytes:
        leaf = (self.withheld or b"")[32 * index : 32 * (index + 1)]
        if not any(leaf):
            raise Refused("content_lost")
        return leaf

    def commitment(self) -> bytes:
        """Derived, never stored: who can read a backup alone must not be able to print QR codes from one column."""
        return commitment_of(self.leaves())

    def sections(self) -> dict[str, Any]:
        """The content as JSON."""
        pairs = zip(SECTIONS, self.canonical, strict=True)
        return {name: orjson.loads(section) for name, section in pairs if section is not None}


class Record(NamedTuple):
    """Everything of one number: its entries in order and, where it was registered, the row of its newest issue."""

    number: str
    stored: list[Stored]
    history: History
    invoice: Any

    @property
    def status(self) -> str:
        """Of all that was accepted; see `state_of` for how far that has come."""
        assert self.history.state is not None
        return STATUS_NAMES[self.history.state.status]

    def entry_of_copy(self, copy: bytes) -> Stored | None:
        """The issue or reprint that made this copy; None for a copy that was never one of this number."""
        made = (s for s in reversed(self.stored) if s.entry.kind in (Kind.ISSUE, Kind.REPRINT) and s.entry.copy == copy)
        return next(made, None)

    def current(self) -> Stored:
        """The entry that made the current copy."""
        assert self.history.state is not None
        found = self.entry_of_copy(self.history.state.copy)
        assert found is not None
        return found

    def newest(self) -> Stored:
        """The last thing that happened."""
        return self.stored[-1]


def find(connection: Connection, number: str) -> Record | None:
    """What was accepted for a number; None where nothing was, or where it has no number's form."""
    return of_key(connection, number_key(number), number) if NUMBER.fullmatch(number) else None


def of_key(connection: Connection, key: bytes, number: str) -> Record | None:
    """The same for who knows the key; `number` is what the record is called."""
    stored = stored_by_key(connection, [key]).get(key)
    if not stored:
        return None
    issues = [s.id for s in stored if s.entry.kind is Kind.ISSUE]
    row = connection.execute(select(invoices).where(invoices.c.id == issues[-1])).one_or_none()
    return Record(number, stored, History(stored), row)


def get(connection: Connection, number: str, sellers: frozenset[str] | None) -> Record:
    """The same for who may see only `sellers`' invoices (None: all). Raises Refused("not_found") alike for both reasons."""
    record = find(connection, number)
    if record is None or (sellers is not None and (record.invoice is None or record.invoice.seller_tax_id not in sellers)):
        raise Refused("not_found", {"number": number})
    return record


_copies = SelectIn(
    select(
        copies.c.entry_id,
        copies.c.invoice_id,
        copies.c.salts,
        copies.c.withheld,
        *(copies.c.provenance if name == "provenance" else invoices.c[name] for name in SECTIONS),
    ).join(invoices, invoices.c.id == copies.c.invoice_id),
    copies.c.entry_id,
)


def read_copy(connection: Connection, entry_id: int) -> Copy:
    """The copy that an issue or reprint made. Raises Refused("content_lost") where its row is gone."""
    found = read_copies(connection, [entry_id])
    if not found:
        raise Refused("content_lost")
    return found[0]


def read_copies(connection: Connection, entry_ids: Sequence[int]) -> list[Copy]:
    """The same of several; those whose rows are gone are left out."""
    return [_copy(*row) for row in _copies(connection, entry_ids)]


def _copy(entry_id: int, invoice_id: int, salts: bytes, withheld: bytes | None, *canonical: bytes | None) -> Copy:
    return Copy(entry_id, invoice_id, [salts[at : at + 16] for at in range(0, 128, 16)], list(canonical), withheld)


def state_of(connection: Connection, stored: Stored) -> str:
    """pending, or the state of the batch: the outbox row is the only one that knows."""
    if stored.seq is None:
        return PENDING
    return str(connection.scalar(select(outbox.c.state).where(outbox.c.seq == stored.seq)))


def act_of(connection: Connection, entry_id: int) -> Any:
    """The row of `acts` (reason, other_number, actor) of an entry; None where there is none."""
    return connection.execute(select(acts).where(acts.c.entry_id == entry_id)).one_or_none()


def timeline(connection: Connection, record: Record) -> list[dict[str, Any]]:
    """The custody timeline: each entry with its hops in order, those that it has not come to left out.

    Every hop has `hop`, `at` and the evidence for it.
    """
    restored = _restored(connection, number_key(record.number))
    return [_entry(connection, record, stored, restored) for stored in record.stored]


def _entry(connection: Connection, record: Record, stored: Stored, restored: Mapping[bytes, Any]) -> dict[str, Any]:
    hops = hops_of(connection, record, stored)
    state = hops[-1]["hop"] if stored.seq is not None else PENDING
    if stored.entry.kind in (Kind.ISSUE, Kind.REPRINT):
        hops += restored.get(stored.entry.copy, ())
    act = act_of(connection, stored.id)
    said = {"reason": act.reason, "other_number": act.other_number} if act else {}
    return {"kind": stored.entry.kind.name.lower(), "state": state, **said, "hops": hops}


def hops_of(connection: Connection, record: Record, stored: Stored) -> list[dict[str, Any]]:
    """The hops that an entry has come to."""
    entry, receipt = stored.entry, stored.receipt
    hops: list[dict[str, Any]] = []
    if entry.kind is Kind.ISSUE and record.invoice is not None and record.invoice.id == stored.id:
        hops.append({"hop": "submitted", "at": at(entry.recorded_at), "external_id": record.invoice.external_id})
    signed = {"key_id": receipt.key_id.hex(), "deadline": receipt.deadline, "signature": receipt.signature.hex()}
    hops.append({"hop": "accepted", "at": at(entry.recorded_at), "entry": entry.encode().hex(), "receipt": signed})
    if stored.seq is not None:
        hops += _batch_hops(connection, stored.seq, stored.index)
    return hops


def _restored(connection: Connection, key: bytes) -> dict[bytes, list[dict[str, Any]]]:
    """By copy: what was lost and brought back (service/diagnosis/recovery.py)."""
    found: dict[bytes, list[dict[str, Any]]] = {}
    for row in connection.execute(select(recoveries).where(recoveries.c.key == key).order_by(recoveries.c.id)):
        hop = {"hop": "restored", "at": at(row.at), "source": row.source, "restored": orjson.loads(row.restored)}
        found.setdefault(row.copy, []).append(hop)
    return found


def _batch_hops(connection: Connection, seq: int, index: int | None) -> list[dict[str, Any]]:
    query = select(outbox, batches.c.sealed_at).join(batches, batches.c.seq == outbox.c.seq).where(outbox.c.seq == seq)
    row = connection.execute(query).one()
    hops: list[dict[str, Any]] = [{"hop": "sealed", "at": at(row.sealed_at), "seq": seq, "index": index}]
    if row.broadcast_at is not None:
        sent = connection.scalars(select(transactions.c.hash).where(transactions.c.seq == seq).order_by(transactions.c.signed_at))
        hops.append({"hop": "broadcast", "at": at(row.broadcast_at), "transactions": ["0x" + h.hex() for h in sent]})
    if row.block_number is not None:
        hops.append({"hop": "mined", "at": at(row.block_time * 1000), "block": row.block_number})
    if row.final_at is not None:
        hops.append({"hop": "final", "at": at(row.final_at), "block": row.block_number})
    return hops


def at(ms: int) -> str:
    """RFC 3339 in UTC from ms since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def at_or_none(ms: int | None) -> str | None:
    """The same of what may not have happened."""
    return None if ms is None else at(ms)


def number_of_key(connection: Connection, key: bytes) -> str | None:
    """The number of a registered invoice from its key; None where none is registered here."""
    from_entries: Sequence[Stored] = stored_by_key(connection, [key]).get(key, [])
    if not from_entries:
        return None
    number: str | None = connection.scalar(select(invoices.c.number).where(invoices.c.id == from_entries[0].id))
    return number
