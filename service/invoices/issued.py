"""What an issuer is handed for a registered invoice: with what was sent, it makes a complete pending proof file."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from service.errors import Finding, Refused
from service.invoices import reading
from service.invoices.registration import Registered, findings_from_json
from service.invoices.tables import copies, invoices
from service.ledger.entries import stored_columns, to_stored
from service.ledger.receipts import Receipt
from service.ledger.tables import entries, outbox
from verifier.commitment import SALT_BYTES, SECTIONS, Commitment, commitment_of, section_leaves
from verifier.entry import Entry
from verifier.fields import Chain


class Issued(NamedTuple):
    """A registered invoice. `salts` are 128 bytes, `changed` the canonical bytes of the sections that differ from what was sent."""

    id: int
    number: str
    commitment: Commitment
    salts: bytes
    entry: Entry
    receipt: Receipt
    state: str
    changed: Mapping[str, bytes]
    findings: Sequence[Finding]

    def kept(self) -> list[Any]:
        """What `read` builds it from again, as JSON."""
        return [self.id, list(self.changed)]

    def to_members(self, chain: Chain) -> dict[str, Any]:
        """All but the findings, whose sentences are the API's. What stands in a proof file stands here as it does there."""
        return {
            "number": self.number,
            "chain": chain.to_members(),
            "commitment": self.commitment.hex(),
            "state": self.state,
            "entry": entry_members(self.entry),
            "salts": {name: self.salts[SALT_BYTES * i : SALT_BYTES * (i + 1)].hex() for i, name in enumerate(SECTIONS)},
            "receipt": receipt_members(self.receipt),
            "sections": {name: orjson.Fragment(canonical) for name, canonical in self.changed.items()},
        }


def entry_members(entry: Entry) -> dict[str, Any]:
    """As in a proof file."""
    return {
        "kind": entry.kind.name.lower(),
        "recorded_at": entry.recorded_at,
        "key": entry.key.hex(),
        "copy": entry.copy.hex(),
        "other": entry.other.hex(),
        "auth": entry.auth.hex(),
    }


def receipt_members(receipt: Receipt) -> dict[str, Any]:
    """As in a proof file."""
    return {"key_id": receipt.key_id.hex(), "deadline": receipt.deadline, "signature": receipt.signature.hex()}


def of(registered: Registered) -> Issued:
    """Straight from registering."""
    one, findings, accepted, _ = registered
    changed = {name: one.canonical[SECTIONS.index(name)] for name in one.changed}
    return Issued(
        accepted.id,
        one.number,
        one.commitment,
        one.salts,
        accepted.entry,
        accepted.receipt,
        reading.PENDING,
        changed,
        findings,
    )


def read(connection: Connection, kept: Sequence[Sequence[Any]]) -> list[Issued]:
    """The same from the database, for each of `kept`; its state is that of now."""
    ids = [id_ for id_, _ in kept]
    query = (
        select(*_content, invoices.c.number, invoices.c.findings, copies.c.salts, outbox.c.state, *stored_columns)
        .join(invoices, invoices.c.id == copies.c.invoice_id)
        .join(entries, entries.c.id == copies.c.entry_id)
        .outerjoin(outbox, outbox.c.seq == entries.c.seq)
        .where(copies.c.entry_id.in_(ids))
    )
    rows = {row.id: row for row in connection.execute(query)}
    return [_issued(rows[id_], changed) for id_, changed in kept]


_content = [copies.c.provenance if name == "provenance" else invoices.c[name] for name in SECTIONS]


def _issued(row: Any, changed: Sequence[str]) -> Issued:
    stored = to_stored(row)
    canonical: dict[str, bytes] = {name: getattr(row, name) for name in SECTIONS}
    if None in canonical.values():
        raise Refused("content_lost")
    commitment = commitment_of(section_leaves(row.salts, list(canonical.values())))
    return Issued(
        stored.id,
        row.number,
        commitment,
        row.salts,
        stored.entry,
        stored.receipt,
        row.state or reading.PENDING,
        {name: canonical[name] for name in changed},
        findings_from_json(row.findings),
    )
