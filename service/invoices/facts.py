"""What decisions about one invoice need to know of others, and what is derived from content for that."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from sqlalchemy import CTE, Connection, Select, func, select

from service.db import Lookup, SelectIn
from service.errors import Finding, Refused
from service.invoices.rules import decimal_of
from service.invoices.tables import copies, invoices
from service.ledger.tables import entries
from verifier.entry import decode_entry, number_key
from verifier.errors import Malformed

Alike = tuple[str, str, int | None, str]
"""(seller_tax_id, issued_on, amount_fen, buyer_id): what two invoices have in common that are probably one."""

_MAX_FEN = 10**18


class Facts(NamedTuple):
    """An invoice as others see it. `relation` is what it says of its original."""

    number: str
    seller_tax_id: str
    amount_with_tax: Decimal | None
    relation: str | None


class Derived(NamedTuple):
    """The columns of `invoices` that are derived from content; reconciliation derives them again and compares."""

    number: str
    kind: str
    issued_on: str
    seller_tax_id: str
    buyer_id: str
    amount_fen: int | None
    original_key: bytes | None

    @property
    def alike(self) -> Alike:
        return self.seller_tax_id, self.issued_on, self.amount_fen, self.buyer_id


def to_decimal(text: object) -> Decimal | None:
    """An amount as it stands in content; None where the rules call it no number (1E999999999 is none)."""
    return decimal_of(text) if isinstance(text, str) else None


def of_content(sections: dict[str, Any]) -> Facts:
    """From sections that `rules.examine` lets through."""
    original = sections["provenance"].get("original") or {}
    amount = to_decimal(sections["totals"].get("amount_with_tax"))
    return Facts(sections["header"]["number"], sections["seller"].get("tax_id", ""), amount, original.get("relation"))


def derive(sections: dict[str, Any], facts: Facts) -> Derived:
    """The columns for one invoice. Raises Refused where it names an original that has no number's form: it would not verify."""
    header, buyer = sections["header"], sections["buyer"]
    buyer_id = buyer.get("tax_id") or unicodedata.normalize("NFKC", buyer.get("name", ""))
    amount = facts.amount_with_tax
    fen = int((amount * 100).to_integral_value()) if amount is not None and abs(amount) < _MAX_FEN // 100 else None
    return Derived(
        facts.number,
        header["kind"],
        header["issued_on"],
        facts.seller_tax_id[:64],
        buyer_id[:128],
        fen,
        _original_key(sections["provenance"].get("original")),
    )


def _original_key(original: Any) -> bytes | None:
    if original is None:
        return None
    try:
        return number_key(original["number"])
    except (Malformed, KeyError, TypeError):
        finding = Finding("number_format", "error", "/provenance/original/number")
        raise Refused("invoice_refused", findings=[finding]) from None


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
