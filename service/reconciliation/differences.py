"""A finding side by side: what was anchored, or what somebody else has, and what is here; as exactly as what is left allows."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, select

from service.invoices.facts import Derived, derive, of_content
from service.invoices.tables import copies, invoices
from service.ledger.entries import Stored, stored_by_key
from service.ledger.tables import batches, entries, outbox, tiles
from service.ledger.tiles import WIDTH
from service.reconciliation.content import copy_of_stored
from verifier.chain import Anchor
from verifier.commitment import SECTIONS
from verifier.entry import Kind, decode_entry
from verifier.errors import Malformed
from verifier.merkle import leaf_hash

Side = Literal["chain", "content", "theirs", "tiles"]
"""Where the left side is from: the contract, content that leads to its anchored copy, another record, the batch's stored leaves."""

_UNREADABLE = (Malformed, ValueError, TypeError, AttributeError, KeyError)


class Row(NamedTuple):
    """One thing on both sides; None where it is not known there."""

    name: str
    expected: str | None
    here: str | None


class Difference(NamedTuple):
    side: Side | None
    rows: list[Row]


def of(connection: Connection, item: dict[str, Any], anchor_of: Callable[[int], Anchor | None]) -> Difference:
    """`item` is a finding as findings.to_json has it; `anchor_of` reads the contract, and raises ChainUnavailable."""
    place, detail = item["place"] or "", item["detail"]
    if isinstance(detail.get("fields"), dict):
        rows = [Row(name, _text(pair.get("theirs")), _text(pair.get("ours"))) for name, pair in sorted(detail["fields"].items())]
        return Difference("theirs", rows)
    if "theirs" in detail and "ours" in detail:
        return Difference("theirs", [Row("status", _text(detail["theirs"]), _text(detail["ours"]))])
    stored = _entry_of(connection, item)
    if place.startswith("invoices.") and stored is not None:
        return _column(connection, stored, place.removeprefix("invoices."))
    if (place in SECTIONS or place in ("copies", "invoices", "")) and stored is not None and item["code"] in ("altered", "missing"):
        return _content(connection, stored, place)
    if item["seq"] is not None and item["index"] is not None and place.startswith("entries"):
        return _leaf(connection, item["seq"], item["index"])
    if item["seq"] is not None and item["code"] != "overdue":
        return _anchor(connection, item["seq"], anchor_of(item["seq"]))
    return Difference(None, [])


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _entry_of(connection: Connection, item: dict[str, Any]) -> Stored | None:
    """The issue or reprint that a finding is about."""
    if item["key"] is None:
        return None
    try:
        stored = stored_by_key(connection, [bytes.fromhex(item["key"])]).get(bytes.fromhex(item["key"]), [])
    except Malformed:
        return None
    made = [one for one in stored if one.entry.kind in (Kind.ISSUE, Kind.REPRINT)]
    exact = [one for one in made if (one.seq, one[4]) == (item["seq"], item["index"])]
    return next(reversed(exact or made), None)


def _rows_of(connection: Connection, stored: Stored) -> tuple[Any, Any]:
    """The copy and the invoice of an entry, in the order of columns in which content.py reads them; None for one that is lost."""
    copy = connection.execute(
        select(copies.c.entry_id, copies.c.invoice_id, copies.c.salts, copies.c.provenance).where(copies.c.entry_id == stored.id)
    ).one_or_none()
    columns = [invoices.c.id, *(invoices.c[name] for name in SECTIONS if name != "provenance")]
    columns += [invoices.c[name] for name in Derived._fields]
    id_ = stored.id if copy is None else copy.invoice_id
    return copy, connection.execute(select(*columns).where(invoices.c.id == id_)).one_or_none()


def _column(connection: Connection, stored: Stored, column: str) -> Difference:
    """The column is derived from content that leads to its copy: so both sides are known."""
    copy, invoice = _rows_of(connection, stored)
    if copy is None or invoice is None or column not in Derived._fields:
        return Difference(None, [])
    try:
        content = {name: orjson.loads(getattr(invoice, name)) for name in ("header", "seller", "totals", "buyer")}
        content["provenance"] = orjson.loads(copy.provenance)
        expected = derive(content, of_content(content))
    except _UNREADABLE:
        return Difference(None, [])
    return Difference("content", [Row(column, _shown(getattr(expected, column)), _shown(getattr(invoice, column)))])


def _shown(value: Any) -> str | None:
    return value.hex() if isinstance(value, bytes) else None if value is None else str(value)


def _content(connection: Connection, stored: Stored, place: str) -> Difference:
    """What was anchored of content is its copy alone: whoever holds the content can show the rest."""
    copy, invoice = _rows_of(connection, stored)
    here = copy_of_stored(copy, invoice) if copy is not None and invoice is not None else None
    rows = [Row("copy", stored.entry.copy.hex(), here.hex() if here is not None else None)]
    if place in SECTIONS:
        kept = getattr(copy if place == "provenance" else invoice, place, None)
        rows.append(Row(place, None, kept.decode(errors="replace") if isinstance(kept, bytes) else _text(kept)))
    return Difference("chain", rows)


def _leaf(connection: Connection, seq: int, index: int) -> Difference:
    """An entry against the leaf that its batch was sealed with."""
    tile, place = divmod(index, WIDTH)
    of_tile = select(tiles.c.hashes).where(tiles.c.seq == seq, tiles.c.level == 0, tiles.c.tile == tile)
    expected = (connection.scalar(of_tile) or b"")[32 * place : 32 * place + 32]
    data = connection.scalar(select(entries.c.entry).where(entries.c.seq == seq, entries.c.index == index))
    rows = [Row("leaf", expected.hex() or None, leaf_hash(data).hex() if isinstance(data, bytes) else None)]
    try:
        entry = decode_entry(data or b"")
        rows += [Row(name, None, value) for name, value in (("kind", entry.kind.name.lower()), ("copy", entry.copy.hex()))]
    except _UNREADABLE:
        pass
    return Difference("tiles", rows)


def _anchor(connection: Connection, seq: int, anchor: Anchor | None) -> Difference:
    query = select(batches.c.log_root, batches.c.size, batches.c.register_root, outbox.c.block_time)
    row = connection.execute(query.outerjoin(outbox, outbox.c.seq == batches.c.seq).where(batches.c.seq == seq)).one_or_none()
    ours = [None] * 4 if row is None else [_shown(value) for value in row]
    held = [None] * 4 if anchor is None else [_shown(v) for v in (anchor.log_root, anchor.size, anchor.register_root, anchor.time)]
    names = ("log_root", "size", "register_root", "time")
    return Difference("chain", [Row(*three) for three in zip(names, held, ours, strict=True)])
