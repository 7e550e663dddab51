"""By order of acceptance: content against the copies that the log holds, derived columns against content.

Entries, copies and invoices lie on disk in this order, so all of them are read once, from front to back. The stored bytes of the
eight sections are hashed as they are: where they lead to the copy in an anchored entry they *are* the bytes that were issued, and
need not be parsed and written again to be believed. The columns of facts.Derived are derived from them anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, text

from service.errors import Refused
from service.invoices.facts import Derived, derive, of_content
from service.reconciliation.findings import Found
from service.reconciliation.log import is_promised
from service.reconciliation.naming import is_number_of, number_of
from service.reconciliation.scope import Scope, Witness
from verifier.canonical import canonical_bytes
from verifier.commitment import SECTIONS, commitment_of, copy_of, section_leaf
from verifier.entry import ZERO, Entry, Kind, decode_entry
from verifier.errors import VerifierError

ROWS_AT_ONCE = 500

_RANGE = "> :low AND {0} <= :high ORDER BY {0}"
_ENTRIES = text(
    'SELECT id, key, entry, seq, "index", key_id, deadline, signature, ordinal FROM entries '
    "WHERE id > :low AND id <= :high ORDER BY id LIMIT :limit"
)
_COPIES = text(
    "SELECT entry_id, invoice_id, salts, provenance FROM copies WHERE entry_id > :low AND entry_id <= :high ORDER BY entry_id"
)
_INVOICE_COLUMNS = (
    "SELECT id, header, seller, totals, buyer, lines, payment, notes, "
    "number, kind, issued_on, seller_tax_id, buyer_id, amount_fen, original_key FROM invoices "
)
_INVOICES = text(_INVOICE_COLUMNS + "WHERE id > :low AND id <= :high ORDER BY id")
_INVOICE = text(_INVOICE_COLUMNS + "WHERE id = :id")
_ACTS = text("SELECT entry_id, other_number FROM acts WHERE entry_id > :low AND entry_id <= :high ORDER BY entry_id")
_SIBLINGS = text("SELECT entry_id, salts, provenance FROM copies WHERE invoice_id = :invoice AND entry_id <> :entry")
_ENTRY = text("SELECT entry FROM entries WHERE id = :id")
_ISSUED = text("SELECT max(id) FROM entries WHERE key = :key AND id < :reprint AND substr(entry, 10, 1) = :issue")
_BLOCK_TIME = text("SELECT block_time FROM outbox WHERE seq = :seq")

_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7 = (b"\x00zp1/section" + bytes([index]) for index in range(8))
_ISSUE = b"zp1/entry\x01"
_NODE, _COPY = b"\x01", b"zp1/copy\x00"
_UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, Refused)


def check(connection: Connection, scope: Scope, low: int, high: int, witness: Witness | None) -> tuple[int, list[Found]]:
    """Compare everything with an id in (low, high]; how many entries that were, and what was found."""
    found: list[Found] = []
    count = 0
    while True:
        page = {"low": low, "high": high}
        rows = connection.execute(_ENTRIES, page | {"limit": ROWS_AT_ONCE}).all()
        if len(rows) == ROWS_AT_ONCE:
            page["high"] = rows[-1][0]
        _Page(connection, scope, page, witness, found).check(rows)
        count += len(rows)
        if len(rows) < ROWS_AT_ONCE:
            return count, found
        low = page["high"]


class _Page:
    """Some hundred entries with all that belongs to them. What is left over in the end belongs to no entry."""

    def __init__(
        self, connection: Connection, scope: Scope, bounds: Mapping[str, int], witness: Witness | None, found: list[Found]
    ) -> None:
        self._connection, self._scope, self._witness, self._found = connection, scope, witness, found
        self._copies = {row[0]: row for row in connection.execute(_COPIES, bounds).all()}
        self._invoices = {row[0]: row for row in connection.execute(_INVOICES, bounds).all()}
        self._acts = {row[0]: row for row in connection.execute(_ACTS, bounds).all()}

    def check(self, rows: Sequence[Any]) -> None:
        head, copies, invoices, acts = self._scope.head, self._copies, self._invoices, self._acts
        for row in rows:
            id_, key, data, seq = row[0], row[1], row[2], row[3]
            copy, invoice = copies.get(id_), invoices.get(id_)
            # What nearly every row is: an anchored issue with its content. Its bytes are those of entry.py, taken apart by hand.
            if (
                type(seq) is int
                and seq <= head
                and copy is not None
                and invoice is not None
                and copy[1] == id_
                and id_ not in acts
                and type(data) is bytes
                and data[:10] == _ISSUE
                and data[18:50] == key
                and data[50:82] == copy_of_stored(copy, invoice)
                and (_stands_there(copy, invoice, key, data[82:114]) or _is_derived(copy, invoice, key, data[82:114]))
            ):
                del copies[id_], invoices[id_]
            else:
                self._check_one(row)
        self._left_over()

    def _check_one(self, row: Any) -> None:
        id_, key, data, seq = row[0], row[1], row[2], row[3]
        try:
            entry = decode_entry(data)
        except (VerifierError, *_UNREADABLE):
            self._unreadable(row)
            return
        if entry.key != key:
            self._found.append(Found("altered", "entries.key", number_of(self._connection, entry.key), entry.key, seq, row[4]))
        if type(seq) is not int or seq > self._scope.head:
            self._check_promise(row, entry)
        if entry.kind is Kind.ISSUE or entry.kind is Kind.REPRINT:
            self._check_copy(id_, entry, seq, row[4])
        act = self._acts.pop(id_, None)
        if act is not None and act[1] is not None and not is_number_of(act[1], entry.other):
            self._found.append(
                Found("altered", "acts.other_number", number_of(self._connection, entry.key), entry.key, seq, row[4])
            )

    def _unreadable(self, row: Any) -> None:
        """An entry that is none. Sealed ones are named by their place (log.py) as well."""
        id_, key, seq, index = row[0], row[1], row[3], row[4]
        key = key if type(key) is bytes else None
        for belonging in (self._copies, self._invoices, self._acts):
            belonging.pop(id_, None)
        self._found.append(Found("altered", "entries.entry", number_of(self._connection, key), key, seq, index, {"entry_id": id_}))

    def _check_promise(self, row: Any, entry: Entry) -> None:
        """Not on chain at that block: it is ours if its receipt is, and late if the promise has run out."""
        id_, _, data, seq, index, key_id, deadline, signature, _ = row
        number = number_of(self._connection, entry.key)
        seq = seq if type(seq) is int else None
        if not is_promised(self._scope, data, (key_id, deadline, signature)):
            detail = {"entry_id": id_, "promised": False}
            self._found.append(Found("unanchored", "entries", number, entry.key, seq, index, detail))
            return
        if -(-deadline // 1000) < self._scope.time:
            mined = self._connection.scalar(_BLOCK_TIME, {"seq": seq}) if seq is not None else None
            if type(mined) is not int or mined > -(-deadline // 1000):
                self._found.append(Found("overdue", None, number, entry.key, seq, index, {"deadline": deadline}))

    def _check_copy(self, id_: int, entry: Entry, seq: int | None, index: int | None) -> None:
        copy = self._copies.pop(id_, None)
        is_issue = entry.kind is Kind.ISSUE
        belongs_to = id_ if is_issue else self._issued_before(id_, entry.key)
        invoice = self._invoices.pop(id_, None) if is_issue else self._invoice(belongs_to)
        if copy is None or invoice is None:
            number = number_of(self._connection, entry.key)
            place = "invoices" if copy is not None else "copies" if invoice is not None else None
            self._found.append(Found("missing", place, number, entry.key, seq, index))
            return
        if copy_of_stored(copy, invoice) != entry.copy:
            self._found.extend(self._name(entry, copy, invoice, seq, index))
        if copy[1] != belongs_to:
            self._found.append(Found("altered", "copies.invoice_id", number_of(self._connection, entry.key), entry.key, seq, index))
        if is_issue:
            self._check_derived(entry, copy, invoice, seq, index)

    def _issued_before(self, reprint: int, key: bytes) -> int | None:
        """Which invoice a reprint is of: that of the number's last issue before it. None where that is gone."""
        found: int | None = self._connection.scalar(_ISSUED, {"key": key, "reprint": reprint, "issue": _ISSUE[9:]})
        return found

    def _invoice(self, id_: int | None) -> Any:
        return None if id_ is None else self._connection.execute(_INVOICE, {"id": id_}).one_or_none()

    def _check_derived(self, entry: Entry, copy: Any, invoice: Any, seq: int | None, index: int | None) -> None:
        """The search columns are what the content says, and the content is that of this number."""
        try:
            derived = _derive(copy, invoice)
        except _UNREADABLE:
            return  # no content: _name has said so
        if _is_derived(copy, invoice, entry.key, entry.other):
            return
        number = derived.number if is_number_of(derived.number, entry.key) else None
        if number is None:
            number = invoice[8] if is_number_of(invoice[8], entry.key) else number_of(self._connection, entry.key)
            self._found.append(Found("altered", "header", number, entry.key, seq, index))
        if entry.other != (derived.original_key or ZERO):
            self._found.append(Found("altered", "provenance", number, entry.key, seq, index))
        for column, stored, expected in zip(Derived._fields, invoice[8:], derived, strict=True):
            if stored != expected:
                self._found.append(Found("altered", f"invoices.{column}", number, entry.key, seq, index))

    def _name(self, entry: Entry, copy: Any, invoice: Any, seq: int | None, index: int | None) -> Iterator[Found]:
        """Content that does not lead to its copy: say which section, where that can still be told."""
        number = _number_in(invoice, entry.key) or number_of(self._connection, entry.key)
        leaves = _leaves(copy, invoice)
        sections, how = self._differing(entry, copy, invoice, leaves, seq, index)
        for section in sections:
            code = _stored_sections(copy, invoice)[SECTIONS.index(section)]
            yield Found("altered" if code is not None else "missing", section, number, entry.key, seq, index, {"told_by": how})
        if not sections:
            yield Found("altered", None, number, entry.key, seq, index)

    def _differing(
        self, entry: Entry, copy: Any, invoice: Any, leaves: list[bytes | None], seq: int | None, index: int | None
    ) -> tuple[list[str], str]:
        """The sections that are not what was issued, and what tells so."""
        if self._witness is not None and type(seq) is int and type(index) is int:
            known = self._witness.section_leaves(seq, index)
            if known is not None and copy_of(commitment_of(known)) == entry.copy:
                return [name for name, ours, theirs in zip(SECTIONS, leaves, known, strict=True) if ours != theirs], "mirror"
        lost = [name for name, leaf in zip(SECTIONS, leaves, strict=True) if leaf is None]
        if lost:
            return lost, "unreadable"
        told = [name for name, stored in zip(SECTIONS, _stored_sections(copy, invoice), strict=True) if not _is_canonical(stored)]
        if told:
            return told, "not_canonical"
        return self._by_siblings(copy, invoice), "other_copy"

    def _by_siblings(self, copy: Any, invoice: Any) -> list[str]:
        """A reprint shares value and salt of every section but provenance: where it is sound, so are the values."""
        siblings = self._connection.execute(_SIBLINGS, {"invoice": invoice[0], "entry": copy[0]}).all()
        for entry_id, salts, provenance in siblings:
            data = self._connection.scalar(_ENTRY, {"id": entry_id})
            try:
                expected = decode_entry(data).copy
            except (VerifierError, *_UNREADABLE):
                continue
            if copy_of_stored((entry_id, copy[1], salts, provenance), invoice) == expected:
                ours = copy[2]
                shared = [i for i, name in enumerate(SECTIONS) if name != "provenance"]
                differ = [SECTIONS[i] for i in shared if ours[16 * i : 16 * i + 16] != salts[16 * i : 16 * i + 16]]
                return differ or ["provenance"]
        return []

    def _left_over(self) -> None:
        """Rows that no entry accounts for: somebody put them there, or took the entry away."""
        for table, rows in (("invoices", self._invoices), ("copies", self._copies), ("acts", self._acts)):
            for id_, row in rows.items():
                number = row[8] if table == "invoices" and type(row[8]) is str else None
                code = "duplicate" if number is not None and self._is_registered(number, id_) else "unanchored"
                self._found.append(Found(code, table, number, detail={"id": id_}))  # type: ignore[arg-type]

    def _is_registered(self, number: str, id_: int) -> bool:
        others = text("SELECT 1 FROM invoices JOIN entries ON entries.id = invoices.id WHERE invoices.number = :number LIMIT 1")
        return self._connection.scalar(others, {"number": number}) is not None


def _derive(copy: Any, invoice: Any) -> Derived:
    """The search columns that the content makes."""
    content = {
        "header": orjson.loads(invoice[1]),
        "seller": orjson.loads(invoice[2]),
        "totals": orjson.loads(invoice[3]),
        "buyer": orjson.loads(invoice[4]),
        "provenance": orjson.loads(copy[3]),
    }
    return derive(content, of_content(content))


def _is_derived(copy: Any, invoice: Any, key: bytes, other: bytes) -> bool:
    """Whether the search columns are what the content says, number and original included, and it is the content of this key."""
    try:
        derived = _derive(copy, invoice)
    except _UNREADABLE:
        return False
    return derived == invoice[8:] and other == (derived.original_key or ZERO) and is_number_of(derived.number, key)


def _stands_there(copy: Any, invoice: Any, key: bytes, other: bytes) -> bool:
    """Whether each column stands in its section, letter by letter: that of nearly every invoice does. False: parse and derive.

    For content that is proven, so that it is canonical and has no more fields than the content model. A quotation mark inside a
    text is written with a backslash, so what looks like a member is one.
    """
    _, header, seller, totals, buyer, _, _, _, number, kind, issued_on, seller_tax_id, buyer_id, fen, original_key = invoice
    if original_key is not None or other != ZERO or b'"original":' in copy[3]:
        return False
    try:
        written = number.encode()
        return (
            b'"number":"%b"' % written in header
            and sha256(b"zp1/number\x00" + written).digest() == key
            and b'"kind":"%b"' % kind.encode() in header
            and b'"issued_on":"%b"' % issued_on.encode() in header
            and b'"tax_id":"%b"' % seller_tax_id.encode() in seller
            and b'"tax_id":"%b"' % buyer_id.encode() in buyer
            and b'"amount_with_tax":"%d.%02d"' % divmod(fen, 100) in totals
            and fen >= 0
            and len(seller_tax_id) < 64
        )
    except (TypeError, AttributeError):
        return False


def copy_of_stored(copy: Any, invoice: Any) -> bytes | None:
    """The copy that stored content and salts lead to; None where something is not even there.

    Written out: this runs once an invoice, and is what a run mostly does.
    """
    _, _, salts, provenance = copy
    try:
        _, header, seller, totals, buyer, lines, payment, notes, *_ = invoice
        if len(salts) != 128:
            return None
        a = sha256(_NODE + sha256(_P0 + salts[:16] + header).digest() + sha256(_P1 + salts[16:32] + seller).digest()).digest()
        b = sha256(_NODE + sha256(_P2 + salts[32:48] + totals).digest() + sha256(_P3 + salts[48:64] + provenance).digest()).digest()
        c = sha256(_NODE + sha256(_P4 + salts[64:80] + buyer).digest() + sha256(_P5 + salts[80:96] + lines).digest()).digest()
        d = sha256(_NODE + sha256(_P6 + salts[96:112] + payment).digest() + sha256(_P7 + salts[112:] + notes).digest()).digest()
    except TypeError:
        return None
    root = sha256(_NODE + sha256(_NODE + a + b).digest() + sha256(_NODE + c + d).digest()).digest()
    return sha256(_COPY + root).digest()


def _stored_sections(copy: Any, invoice: Any) -> list[Any]:
    """In the order of SECTIONS."""
    _, header, seller, totals, buyer, lines, payment, notes, *_ = invoice
    return [header, seller, totals, copy[3], buyer, lines, payment, notes]


def _leaves(copy: Any, invoice: Any) -> list[bytes | None]:
    salts = copy[2]
    if type(salts) is not bytes or len(salts) != 128:
        return [None] * 8
    stored = _stored_sections(copy, invoice)
    return [
        section_leaf(i, salts[16 * i : 16 * i + 16], section) if type(section) is bytes else None
        for i, section in enumerate(stored)
    ]


def _is_canonical(section: bytes) -> bool:
    try:
        return canonical_bytes(orjson.loads(section)) == section
    except (VerifierError, ValueError):
        return False


def _number_in(invoice: Any, key: bytes) -> str | None:
    """The number of an invoice row, from its column or its header, where it is the one of this key."""
    if is_number_of(invoice[8], key):
        return str(invoice[8])
    try:
        number = orjson.loads(invoice[1])["number"]
    except _UNREADABLE:
        return None
    return str(number) if is_number_of(number, key) else None
