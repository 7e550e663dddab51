"""A reprint: the new copy of a registered invoice, and the `reprint` entry that makes it the current one (protocol.md, kind 4).

Value and salt of every section but provenance stay as they are, so that whoever holds both copies sees that nothing else changed;
provenance gets its ordinal under a fresh salt.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, insert

from service.errors import Refused
from service.invoices import reading
from service.invoices.tables import acts, copies
from service.ledger.entries import Accepted, append
from service.ledger.receipts import ReceiptKeys
from verifier.canonical import canonical_bytes
from verifier.commitment import SALT_BYTES, SECTIONS, Commitment, Copy, commitment_of, copy_of, section_leaves
from verifier.entry import Entry, Kind, number_key
from verifier.errors import NotAllowed

_PROVENANCE = SECTIONS.index("provenance")
_SALT = slice(SALT_BYTES * _PROVENANCE, SALT_BYTES * (_PROVENANCE + 1))


class NewCopy(NamedTuple):
    """`canonical` in the order of SECTIONS, `salts` 16 bytes for each of them in that order."""

    canonical: list[bytes]
    salts: bytes
    commitment: Commitment
    copy: Copy

    @property
    def provenance(self) -> bytes:
        return self.canonical[_PROVENANCE]


def new_copy(canonical: Sequence[bytes], salts: bytes, ordinal: int, fresh: bytes) -> NewCopy:
    """The copy that the `ordinal`-th reprint makes of another one.

    `canonical` are the eight sections in the order of SECTIONS, `salts` their 128 bytes, `fresh` the 16 of provenance from now on.
    """
    if ordinal < 1 or len(fresh) != SALT_BYTES:
        raise ValueError("a reprint is the first or a later one, and its salt has 16 bytes")
    provenance: dict[str, Any] = orjson.loads(canonical[_PROVENANCE])
    changed = list(canonical)
    changed[_PROVENANCE] = canonical_bytes({**provenance, "reprint": {"ordinal": str(ordinal)}})
    salted = salts[: _SALT.start] + fresh + salts[_SALT.stop :]
    commitment = commitment_of(section_leaves(salted, changed))
    return NewCopy(changed, salted, commitment, copy_of(commitment))


def next_ordinal(record: reading.Record) -> int:
    """Which reprint of this invoice the next one is: what was issued under the number before a release does not count."""
    ordinal = 1
    for entry in record.history.entries:
        ordinal = 1 if entry.kind is Kind.ISSUE else ordinal + (entry.kind is Kind.REPRINT)
    return ordinal


def reprint(
    connection: Connection,
    record: reading.Record,
    auth: bytes,
    reason: str | None,
    actor: str,
    keys: ReceiptKeys,
    now_ms: int,
    deadline: int,
    fresh: bytes,
) -> Accepted:
    """Log the reprint of the current copy, in the caller's write transaction, and keep the new one.

    `auth` is H of the approvals behind it, `fresh` 16 random bytes. Raises Refused("content_lost") where a section is not here, and
    ("not_open") where the register's rules forbid it. A UNIQUE violation: something else happened to the number meanwhile.
    """
    state = record.history.state
    assert state is not None
    held = reading.read_copy(connection, record.current().id)
    canonical = [section for section in held.canonical if section is not None]
    if len(canonical) < len(SECTIONS):
        raise Refused("content_lost")
    if copy_of(held.commitment()) != state.copy:  # spoiled: what was anchored is not what would be copied
        raise Refused("content_lost")
    made = new_copy(canonical, b"".join(held.salts), next_ordinal(record), fresh)
    entry = Entry(Kind.REPRINT, now_ms, number_key(record.number), made.copy, state.copy, auth)
    try:
        record.history.add(entry)
    except NotAllowed:
        raise Refused("not_open", {"status": record.status}) from None
    accepted = append(connection, [(entry, record.history.ordinal)], keys, deadline)[0]
    row = {"entry_id": accepted.id, "invoice_id": held.invoice_id, "salts": made.salts, "provenance": made.provenance}
    connection.execute(insert(copies), row)
    connection.execute(insert(acts), {"entry_id": accepted.id, "reason": reason, "other_number": None, "actor": actor})
    return accepted
