"""Bringing back a record that is gone or altered, from a copy that proves itself (proving.py).

Each section is judged by itself, by the leaf that the copy proves: what is sound here stays as it is, what is not is replaced where
the copy opens it. A copy of some sections restores those, and proves the leaves of the others, so that the invoice can be proven
again. What was done stands in the timeline for good.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError

from service.db import Database, is_unique_violation
from service.diagnosis import contents, ledger_rows, proving
from service.diagnosis.contents import UNREADABLE, Kept
from service.diagnosis.proving import Proven
from service.errors import Refused
from service.invoices.facts import Derived, derive, of_content
from service.invoices.registration import findings_to_json
from service.invoices.rules import BEIJING, examine
from service.invoices.tables import acts, copies, invoices, recoveries
from service.ledger.entries import Stored, stored_by_key
from service.ledger.receipts import ReceiptKeys
from verifier.chain import ChainReader
from verifier.commitment import SALT_BYTES, SECTIONS
from verifier.entry import ZERO, Kind, number_key
from verifier.proof import Opened

Source = Literal["proof", "pdf", "sections"]
ACTOR = "recovery"
"""Who is said to have registered an invoice whose row had to be written anew."""

_PROVENANCE = SECTIONS.index("provenance")
_NO_SALT = bytes(SALT_BYTES)
_NO_LEAF = bytes(32)
_OF_SECTION = {
    "number": "header",
    "kind": "header",
    "issued_on": "header",
    "seller_tax_id": "seller",
    "buyer_id": "buyer",
    "amount_fen": "totals",
    "original_key": "provenance",
}
"""Which section a search column comes from."""


class Recovered(NamedTuple):
    """`restored` names sections, columns and tables, nothing where all was sound. `lost` are sections that are still not here,
    `altered` those that are here, wrong, and not opened by the copy.
    """

    number: str
    restored: Sequence[str]
    lost: Sequence[str]
    altered: Sequence[str]


class By(NamedTuple):
    """Who brings the copy, of what kind, its SHA-256, and when (ms since 1970 UTC)."""

    actor: str
    source: Source
    sha256: bytes
    at: int


def recover(connection: Connection, proven: Proven, reader: ChainReader, keys: ReceiptKeys, by: By) -> Recovered:
    """In the caller's write transaction. Twice the same copy restores nothing the second time.

    Raises Refused("record_in_conflict"), Refused("batch_missing"), Unavailable.
    """
    if proven.place is not None:
        entry_id, done = ledger_rows.restore(connection, proven, proven.place, keys)
    else:
        entry_id, done = ledger_rows.accept_again(connection, proven, reader)
    invoice_id = _invoice_of(connection, proven, entry_id)
    kept = contents.read(connection, entry_id, invoice_id)
    merged = _Merged(kept, proven)
    done += merged.restored
    done += _write_invoice(connection, proven, kept, merged, invoice_id)
    done += _write_copy(connection, kept, merged, entry_id, invoice_id)
    done += _write_acts(connection, proven, merged)
    restored = list(dict.fromkeys(done))
    if restored:
        _say(connection, proven, by, restored)
    return Recovered(proven.number, restored, merged.lost, merged.altered)


def recover_once(database: Database, file: bytes, reader: ChainReader, keys: ReceiptKeys, by: By) -> Recovered:
    """The same for a proof file, in a transaction of its own, and in none where all is sound: anybody may send any number.

    Raises as proving.parse, proving.prove and `recover`.
    """
    proof = proving.parse(file)
    with database.read() as connection:
        proven = proving.prove(connection, proof, reader)
        if _is_sound(connection, proven, keys):
            return Recovered(proven.number, [], [], [])
    try:
        with database.write() as connection:
            return recover(connection, proven, reader, keys, by)
    except DBAPIError as error:
        if not is_unique_violation(error):
            raise
    with database.write() as connection:  # somebody else brought the same back meanwhile
        return recover(connection, proven, reader, keys, by)


def _is_sound(connection: Connection, proven: Proven, keys: ReceiptKeys) -> bool:
    """Certainly, that is: where an original is named, more than this number has to be looked at."""
    place = proven.place
    names_original = proven.entry.kind is Kind.ISSUE and proven.entry.other != ZERO
    if place is None or names_original or not ledger_rows.is_sound(connection, proven, place, keys):
        return False
    stored = stored_by_key(connection, [proven.entry.key])[proven.entry.key]
    [id_] = [one.id for one in stored if (one.seq, one.index) == place[:2]]
    issues = [one.id for one in stored if one.entry.kind is Kind.ISSUE and one.id <= id_]
    return bool(issues) and contents.judge(contents.read(connection, id_, issues[-1]), proven.entry.copy).content == "whole"


def _say(connection: Connection, proven: Proven, by: By, restored: list[str]) -> None:
    row = {
        "key": proven.entry.key,
        "copy": proven.entry.copy,
        "at": by.at,
        "actor": by.actor,
        "source": by.source,
        "sha256": by.sha256,
        "restored": orjson.dumps(restored).decode(),
    }
    connection.execute(insert(recoveries), row)


def _invoice_of(connection: Connection, proven: Proven, entry_id: int) -> int:
    """The id of the invoice's row: that of the issue that the copy belongs to."""
    if proven.entry.kind is Kind.ISSUE:
        return entry_id
    stored = stored_by_key(connection, [proven.entry.key]).get(proven.entry.key, [])
    issues = [one.id for one in stored if one.entry.kind is Kind.ISSUE and one.id < entry_id]
    if not issues:
        raise Refused("record_in_conflict")
    return issues[-1]


class _Merged:
    """What is sound here and what the copy opens, section by section."""

    def __init__(self, kept: Kept, proven: Proven) -> None:
        self.canonical: list[bytes | None] = []
        self.salts: list[bytes] = []
        self.withheld: list[bytes] = []
        self.restored: list[str] = []
        self.lost: list[str] = []
        self.altered: list[str] = []
        for index, (name, section, leaf) in enumerate(zip(SECTIONS, proven.sections, proven.leaves, strict=True)):
            ours, salt = kept.section(index), kept.salt(index) or _NO_SALT
            if ours is not None and kept.leaf(index) == leaf:
                self._take(ours, salt, _NO_LEAF)
            elif isinstance(section, Opened):
                self.restored.append(name)
                self._take(section.canonical, section.salt, _NO_LEAF)
            else:
                (self.lost if ours is None else self.altered).append(name)
                self._take(ours, salt, leaf if ours is None else _NO_LEAF)

    def _take(self, canonical: bytes | None, salt: bytes, withheld: bytes) -> None:
        self.canonical.append(canonical)
        self.salts.append(salt)
        self.withheld.append(withheld)

    def value(self, name: str) -> Any:
        canonical = self.canonical[SECTIONS.index(name)]
        return None if canonical is None or name in self.altered else orjson.loads(canonical)

    def columns(self, proven: Proven) -> dict[str, Any]:
        """The search columns that are known now."""
        values = {name: self.value(name) for name in ("header", "seller", "totals", "buyer", "provenance")}
        content = {name: {} if value is None else value for name, value in values.items()}
        derived = derive(content, of_content(content))._asdict()
        known = {column: derived[column] for column, section in _OF_SECTION.items() if values[section] is not None}
        if proven.entry.kind is Kind.ISSUE:  # the entry says so, whatever is shown of provenance
            known["original_key"] = None if proven.entry.other == ZERO else proven.entry.other
        return known


def _write_invoice(connection: Connection, proven: Proven, kept: Kept, merged: _Merged, invoice_id: int) -> list[str]:
    """Sections other than provenance, and the columns that are derived; returns the columns that were wrong."""
    sections = {name: merged.canonical[i] for i, name in enumerate(SECTIONS) if i != _PROVENANCE}
    try:
        columns = merged.columns(proven)
    except UNREADABLE:
        raise Refused("record_in_conflict") from None
    if kept.invoice is None:
        unknown = dict.fromkeys(Derived._fields, "") | {"amount_fen": None, "original_key": None}
        row = {"id": invoice_id, "profile": "as_issued", "issuer": ACTOR, "findings": _findings(merged, proven)}
        connection.execute(insert(invoices), unknown | columns | sections | row)
        return ["invoices"]
    changed = {name: value for name, value in sections.items() if name in merged.restored}
    wrong = {column: value for column, value in columns.items() if getattr(kept.invoice, column) != value}
    if changed or wrong:
        connection.execute(update(invoices).where(invoices.c.id == invoice_id).values(changed | wrong))
    return [f"invoices.{column}" for column in wrong]


def _findings(merged: _Merged, proven: Proven) -> str | None:
    """What the rules say of the content by itself, where all of it is here."""
    if merged.lost or merged.altered:
        return None
    content = {name: orjson.loads(section or b"{}") for name, section in zip(SECTIONS, merged.canonical, strict=True)}
    today = datetime.fromtimestamp(proven.entry.recorded_at / 1000, BEIJING).date()
    return findings_to_json(examine(content, "as_issued", today=today).findings)


def _write_copy(connection: Connection, kept: Kept, merged: _Merged, entry_id: int, invoice_id: int) -> list[str]:
    values = {
        "invoice_id": invoice_id,
        "salts": b"".join(merged.salts),
        "provenance": merged.canonical[_PROVENANCE],
        "withheld": b"".join(merged.withheld) if merged.lost else None,
    }
    if kept.copy is None:
        connection.execute(insert(copies), {"entry_id": entry_id, **values})
        return ["copies"]
    wrong = {name: value for name, value in values.items() if getattr(kept.copy, name) != value}
    if wrong:
        connection.execute(update(copies).where(copies.c.entry_id == entry_id).values(wrong))
    return [f"copies.{name}" for name in wrong if name == "invoice_id"]


def _write_acts(connection: Connection, proven: Proven, merged: _Merged) -> list[str]:
    """An invoice that names its original acted on it: the number that stood beside that entry."""
    original = (merged.value("provenance") or {}).get("original")
    if proven.entry.kind is not Kind.ISSUE or not isinstance(original, dict) or proven.entry.other == ZERO:
        return []
    stored: list[Stored] = stored_by_key(connection, [proven.entry.other]).get(proven.entry.other, [])
    acted = [one.id for one in stored if one.entry.other == number_key(proven.number)]
    known = set(connection.scalars(select(acts.c.entry_id).where(acts.c.entry_id.in_(acted))))
    rows = [{"entry_id": id_, "other_number": proven.number, "actor": ACTOR} for id_ in acted if id_ not in known]
    if rows:
        connection.execute(insert(acts), rows)
    return ["acts"] if rows else []
