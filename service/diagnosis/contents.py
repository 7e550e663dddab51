"""What is stored of a copy: sections and salts, judged by the entry that made it; search columns, judged by the sections."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from service.diagnosis.case import Content
from service.errors import Refused
from service.invoices.facts import Derived, derive, of_content
from service.invoices.tables import copies, invoices
from verifier.commitment import SALT_BYTES, SECTIONS, commitment_of, copy_of, section_leaf
from verifier.errors import VerifierError

UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, Refused, VerifierError)
"""What stored content raises that is not what it should be."""

_COPY = select(copies.c.invoice_id, copies.c.salts, copies.c.provenance, copies.c.withheld)
_INVOICE = select(*(invoices.c[name] for name in (*(n for n in SECTIONS if n != "provenance"), *Derived._fields)))


class Kept(NamedTuple):
    """The rows of a copy; None where one is gone. `invoice_id` is whose copy it is, by the log."""

    copy: Any
    invoice: Any
    invoice_id: int | None = None

    def section(self, index: int) -> bytes | None:
        """Canonical bytes, as they are stored; no bytes for a value of another type."""
        name = SECTIONS[index]
        row = self.copy if name == "provenance" else self.invoice
        value = None if row is None else getattr(row, name)
        return value if value is None or type(value) is bytes else b""

    def salt(self, index: int) -> bytes | None:
        salts = None if self.copy is None else self.copy.salts
        if type(salts) is not bytes or len(salts) != SALT_BYTES * len(SECTIONS):
            return None
        return salts[SALT_BYTES * index : SALT_BYTES * (index + 1)]

    def leaf(self, index: int) -> bytes | None:
        """What section and salt lead to; of a section that a partial copy withheld, the leaf that it proved."""
        section, salt = self.section(index), self.salt(index)
        if section is not None and salt is not None:
            return section_leaf(index, salt, section)
        withheld = None if self.copy is None else self.copy.withheld
        if section is None and type(withheld) is bytes and len(withheld) == 32 * len(SECTIONS):
            leaf = withheld[32 * index : 32 * (index + 1)]
            return leaf if any(leaf) else None
        return None

    def leaves(self) -> list[bytes | None]:
        return [self.leaf(index) for index in range(len(SECTIONS))]

    def commitment(self) -> bytes | None:
        leaves = [leaf for leaf in self.leaves() if leaf is not None]
        return commitment_of(leaves) if len(leaves) == len(SECTIONS) else None

    def value(self, name: str) -> Any:
        """A section as JSON. Raises one of UNREADABLE."""
        section = self.section(SECTIONS.index(name))
        if section is None:
            raise KeyError(name)
        return orjson.loads(section)

    def derived(self) -> Derived:
        """The search columns that the content makes. Raises one of UNREADABLE."""
        content = {name: self.value(name) for name in ("header", "seller", "totals", "buyer", "provenance")}
        return derive(content, of_content(content))


class Judged(NamedTuple):
    """`lost` are sections that are not there, `columns` the search columns that are not what the content says.

    Sections that were altered cannot be told apart without a copy to compare with: then both are empty.
    """

    content: Content
    lost: Sequence[str] = ()
    columns: Sequence[str] = ()


def read(connection: Connection, entry_id: int, invoice_id: int) -> Kept:
    """What is stored for the entry that made a copy of the invoice whose issue is `invoice_id`."""
    copy = connection.execute(_COPY.where(copies.c.entry_id == entry_id)).one_or_none()
    return Kept(copy, connection.execute(_INVOICE.where(invoices.c.id == invoice_id)).one_or_none(), invoice_id)


def judge(kept: Kept, copy: bytes) -> Judged:
    """Whether it is what the entry's copy (32 bytes) stands for."""
    lost = [name for index, name in enumerate(SECTIONS) if kept.section(index) is None]
    commitment = kept.commitment()
    if commitment is None:
        return Judged("lost", lost or ["salts"])
    if kept.copy.invoice_id != kept.invoice_id:
        return Judged("altered", (), ["copies.invoice_id"])
    if copy_of(commitment) != copy:
        return Judged("altered")
    if lost:
        return Judged("lost", lost)
    try:
        derived = kept.derived()
    except UNREADABLE:
        return Judged("altered")
    columns = [name for name, expected in zip(Derived._fields, derived, strict=True) if getattr(kept.invoice, name) != expected]
    return Judged("altered", (), columns) if columns else Judged("whole")
