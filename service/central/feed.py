"""The feed: final batches in order with their entries, in pieces of bounded size, one a line.

What belongs to the entries depends on who follows: nothing for a mirror, the section leaves for an auditor (confidential: eight of
them make a commitment), the sections for a central record, sections and salts for a query node. A follower believes none of it:
entries lead to the anchored roots, and content to the copies in the entries (following.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, text

from service.db import Database
from service.ledger.receipts import Receipt
from verifier.commitment import SECTIONS, section_leaf
from verifier.entry import MAX_BATCH
from verifier.errors import Malformed
from verifier.fields import hex_bytes, integer, members

Kept = Literal["entries", "leaves", "content", "copies"]
"""What goes with the entries: nothing, section leaves, sections, sections with their salts."""

ENTRIES_A_PIECE = 256
MAX_LINE_BYTES = ENTRIES_A_PIECE * 4 * 1024 * 1024
"""An invoice's sections have 2 MiB at most; written, with escapes, they may have more. A usual line has half a megabyte."""

_BATCHES = text(
    'SELECT b.seq, b.log_root, b.size, b.register_root, b.sealed_at, b."foreign", '
    "o.block_number, o.block_time, r.key_id, r.signature "
    "FROM batches b JOIN outbox o ON o.seq = b.seq LEFT JOIN batch_receipts r ON r.seq = b.seq "
    "WHERE b.seq > :after AND o.state = 'final' ORDER BY b.seq LIMIT 1"
)
_ENTRIES = (
    "SELECT e.entry, e.key_id, e.deadline, e.signature{} FROM entries e {} "
    'WHERE e.seq = :seq AND e."index" >= :first AND e."index" < :end ORDER BY e."index"'
)
_CONTENT = (
    (
        ", c.salts, c.provenance, i.header, i.seller, i.totals, i.buyer, i.lines, i.payment, i.notes, "
        "i.profile, i.findings, a.reason, a.other_number"
    ),
    "LEFT JOIN copies c ON c.entry_id = e.id LEFT JOIN invoices i ON i.id = c.invoice_id LEFT JOIN acts a ON a.entry_id = e.id",
)
_PLAIN, _FULL = text(_ENTRIES.format("", "")), text(_ENTRIES.format(*_CONTENT))


class Act(NamedTuple):
    reason: str | None
    other_number: str | None


class Carried(NamedTuple):
    """An entry with what goes with it. `sections` are canonical bytes, None where one was lost; of a reprint all eight too."""

    entry: bytes
    receipt: Receipt
    leaves: list[bytes] | None = None
    salts: bytes | None = None
    sections: dict[str, bytes | None] | None = None
    profile: str | None = None
    findings: str | None = None
    act: Act | None = None


class Batch(NamedTuple):
    """The head of a batch; roots of 32 bytes, `sealed_at` in ms and `block_time` in s since 1970 UTC.

    Of a foreign one, `size` is 0 and nothing follows. `signed`: (key_id, signature) over its receipts.
    """

    seq: int
    log_root: bytes
    size: int
    register_root: bytes
    sealed_at: int
    foreign: bool
    block_number: int
    block_time: int
    signed: tuple[bytes, bytes] | None


class Piece(NamedTuple):
    """Entries of a batch from index `first` on; a batch is one piece or more, an empty one has one without entries."""

    batch: Batch
    first: int
    entries: list[Carried]

    @property
    def is_last(self) -> bool:
        return self.first + len(self.entries) >= self.batch.size


class FromDatabase(NamedTuple):
    """The feed of this machine's own database: a Source (following.py)."""

    database: Database
    kept: Kept

    def pieces(self, after: int) -> Iterator[Piece]:
        return pieces(self.database, after, self.kept)


def pieces(database: Database, after: int, kept: Kept) -> Iterator[Piece]:
    """Everything behind seq `after` that is final by now. Each piece is read by itself: a slow reader holds up nobody."""
    while True:
        with database.read() as connection:
            batch = _next_batch(connection, after)
        if batch is None:
            return
        first = 0
        while True:
            with database.read() as connection:
                piece = _piece(connection, batch, first, kept)
            yield piece
            first += ENTRIES_A_PIECE
            if first >= batch.size:
                break
        after = batch.seq


def _next_batch(connection: Connection, after: int) -> Batch | None:
    row = connection.execute(_BATCHES, {"after": after}).one_or_none()
    if row is None:
        return None
    seq, log_root, size, register_root, sealed_at, foreign, block_number, block_time, key_id, signature = row
    signed = None if key_id is None else (key_id, signature)
    return Batch(seq, log_root, size, register_root, sealed_at, bool(foreign), block_number or 0, block_time or 0, signed)


def _piece(connection: Connection, batch: Batch, first: int, kept: Kept) -> Piece:
    query = _PLAIN if kept == "entries" else _FULL
    bounds = {"seq": batch.seq, "first": first, "end": first + ENTRIES_A_PIECE}
    return Piece(batch, first, [_carried(row, kept) for row in connection.execute(query, bounds)])


def _carried(row: Any, kept: Kept) -> Carried:
    entry, receipt = row[0], Receipt(row[1], row[2], row[3])
    if kept == "entries":
        return Carried(entry, receipt)
    salts, provenance, header, seller, totals, buyer, lines, payment, notes, profile, findings, reason, other = row[4:]
    act = None if reason is None and other is None else Act(reason, other)
    if salts is None:
        return Carried(entry, receipt, act=act if kept != "leaves" else None)
    values = (header, seller, totals, provenance, buyer, lines, payment, notes)
    if kept == "leaves":
        if None in values:
            return Carried(entry, receipt)
        return Carried(entry, receipt, [section_leaf(i, salts[16 * i : 16 * i + 16], value) for i, value in enumerate(values)])
    sections = dict(zip(SECTIONS, values, strict=True))
    return Carried(entry, receipt, None, salts if kept == "copies" else None, sections, profile, findings, act)


# A piece as a line.

_PIECE = frozenset(
    ("seq", "log_root", "size", "register_root", "sealed_at", "foreign", "block_number", "block_time", "first", "entries")
)
_CARRIED = frozenset(("entry", "key_id", "deadline", "signature"))
_WITH = frozenset(("leaves", "salts", "sections", "profile", "findings", "act"))


def to_line(piece: Piece) -> bytes:
    """One line of NDJSON, with its line feed."""
    batch = piece.batch
    value: dict[str, Any] = {
        "seq": batch.seq,
        "log_root": batch.log_root.hex(),
        "size": batch.size,
        "register_root": batch.register_root.hex(),
        "sealed_at": batch.sealed_at,
        "foreign": batch.foreign,
        "block_number": batch.block_number,
        "block_time": batch.block_time,
        "first": piece.first,
        "entries": [_carried_to_json(one) for one in piece.entries],
    }
    if batch.signed is not None:
        value["receipts"] = {"key_id": batch.signed[0].hex(), "signature": batch.signed[1].hex()}
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _carried_to_json(one: Carried) -> dict[str, Any]:
    key_id, deadline, signature = one.receipt
    value: dict[str, Any] = {"entry": one.entry.hex(), "key_id": key_id.hex(), "deadline": deadline, "signature": signature.hex()}
    if one.leaves is not None:
        value["leaves"] = b"".join(one.leaves).hex()
    if one.salts is not None:
        value["salts"] = one.salts.hex()
    if one.sections is not None:
        value["sections"] = {name: None if section is None else orjson.Fragment(section) for name, section in one.sections.items()}
    value |= {name: said for name, said in (("profile", one.profile), ("findings", one.findings)) if said is not None}
    if one.act is not None:
        value["act"] = one.act._asdict()
    return value


def from_line(line: bytes) -> Piece:
    """The reverse. Raises Malformed."""
    try:
        value = orjson.loads(line)  # leniently: what it says is proven or refused afterwards, however it was spelt
    except ValueError:
        raise Malformed("a line of the feed is no JSON") from None
    members(value, _PIECE, "", frozenset(("receipts",)))
    signed = None
    if "receipts" in value:
        members(value["receipts"], frozenset(("key_id", "signature")), "/receipts")
        signed = _hex(value["receipts"], "key_id", 8), _hex(value["receipts"], "signature", 64)
    if type(value["foreign"]) is not bool or type(value["entries"]) is not list:
        raise Malformed("a line of the feed has no entries")
    batch = Batch(
        integer(value["seq"], "/seq", 1),
        _hex(value, "log_root", 32),
        integer(value["size"], "/size", 0, MAX_BATCH),
        _hex(value, "register_root", 32),
        integer(value["sealed_at"], "/sealed_at"),
        value["foreign"],
        integer(value["block_number"], "/block_number"),
        integer(value["block_time"], "/block_time"),
        signed,
    )
    entries = [_carried_from_json(one, f"/entries/{n}") for n, one in enumerate(value["entries"])]
    return Piece(batch, integer(value["first"], "/first", 0, MAX_BATCH), entries)


def _carried_from_json(value: Any, pointer: str) -> Carried:
    members(value, _CARRIED, pointer, _WITH)
    entry = hex_bytes(value["entry"], 146, f"{pointer}/entry")
    receipt = Receipt(_hex(value, "key_id", 8), integer(value["deadline"], f"{pointer}/deadline"), _hex(value, "signature", 64))
    leaves = salts = sections = act = None
    if "leaves" in value:
        joined = _hex(value, "leaves", 256)
        leaves = [joined[start : start + 32] for start in range(0, 256, 32)]
    if "salts" in value:
        salts = _hex(value, "salts", 128)
    if "sections" in value:
        members(value["sections"], frozenset(SECTIONS), f"{pointer}/sections")
        sections = {name: None if section is None else _canonical(section) for name, section in value["sections"].items()}
    if "act" in value:
        members(value["act"], frozenset(Act._fields), f"{pointer}/act")
        act = Act(*(_text(value["act"], name, pointer) for name in Act._fields))
    kept = [_text(value, name, pointer) for name in ("profile", "findings")]
    return Carried(entry, receipt, leaves, salts, sections, kept[0], kept[1], act)


def _canonical(section: Any) -> bytes:
    # What is not canonical cannot lead to the copy: it need not be refused here.
    return orjson.dumps(section, option=orjson.OPT_SORT_KEYS)


def _text(value: Mapping[str, Any], name: str, pointer: str) -> str | None:
    written = value.get(name)
    if written is not None and type(written) is not str:
        raise Malformed(f"{pointer}/{name} is no text")
    return written


def _hex(value: Mapping[str, Any], name: str, length: int) -> bytes:
    return hex_bytes(value[name], length, f"/{name}")
