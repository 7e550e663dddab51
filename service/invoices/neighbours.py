"""What decisions about one invoice need to know of others that are registered: facts (facts.py), read by the hundred."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import CTE, Connection, Select, func, select

from service.db import Lookup, SelectIn
from service.invoices.facts import Alike, Derived, Facts, to_decimal
from service.invoices.tables import copies, invoices
from service.ledger.tables import entries
from verifier.entry import decode_entry


def _with_facts(*columns: Any) -> Select[Any]:
    """Those columns, then the four from which `_read` takes facts, of invoices with their issue's copy and entry."""
    return (
        select(*columns, invoices.c.number, invoices.c.seller, invoices.c.totals, copies.c.provenance)
        .join(copies, copies.c.entry_id == invoices.c.id)
        .join(entries, entries.c.id == invoices.c.id)
        .order_by(invoices.c.id)
    )


def _read(number: str, seller: bytes | None, totals: bytes | None, provenance: bytes | None) -> Facts:
    read_seller, read_totals, read_provenance = (orjson.loads(s) if s else {} for s in (seller, totals, provenance))
    relation = (read_provenance.get("original") or {}).get("relation")
    return Facts(number, read_seller.get("tax_id", ""), to_decimal(read_totals.get("amount_with_tax")), relation)


_of_numbers = SelectIn(_with_facts(entries.c.key), entries.c.key)
_waiting_for = SelectIn(_with_facts(invoices.c.original_key, entries.c.key), invoices.c.original_key)


def of_numbers(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, Facts]:
    """The newest invoice of each key; one that is not registered is left out."""
    return {key: _read(*facts) for key, *facts in _of_numbers(connection, keys)}


def waiting_for(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, dict[bytes, Facts]]:
    """By each of `keys`: the registered invoices that name it as their original, in order, by their own key."""
    found: dict[bytes, dict[bytes, Facts]] = {}
    for original_key, key, *facts in _waiting_for(connection, keys):
        found.setdefault(original_key, {})[key] = _read(*facts)
    return found


_ALIKE = (invoices.c.seller_tax_id, invoices.c.issued_on, invoices.c.amount_fen, invoices.c.buyer_id)


def _newest_alike(wanted: CTE) -> Select[Any]:
    """Not by comparing rows with a list of rows: for that SQLite reads the whole table."""
    other = invoices.alias()
    is_alike = [other.c[of.name] == wanted.c[of.name] for of in _ALIKE]
    newest = select(func.max(other.c.id)).where(*is_alike).scalar_subquery()
    return (
        select(*wanted.c, invoices.c.number, entries.c.entry)
        .select_from(wanted)
        .join(invoices, invoices.c.id == newest)
        .join(entries, entries.c.id == invoices.c.id)
    )


_alike = Lookup({of.name: of.type for of in _ALIKE}, _newest_alike)


def alike(connection: Connection, derived: Sequence[Derived]) -> dict[Alike, list[tuple[str, datetime]]]:
    """The newest invoice that is alike each of `derived`, where there is one: (number, when it was registered)."""
    found: dict[Alike, list[tuple[str, datetime]]] = {}
    for *key, number, entry in _alike(connection, list({one.alike for one in derived if one.amount_fen is not None})):
        at = datetime.fromtimestamp(decode_entry(entry).recorded_at / 1000, UTC)
        found[key[0], key[1], key[2], key[3]] = [(number, at)]
    return found
