"""What is derived from an invoice's content: for decisions about others, and for searching."""

import unicodedata
from decimal import Decimal
from typing import Any, NamedTuple

from service.errors import Finding, Refused
from service.invoices.rules import decimal_of
from verifier.entry import number_key
from verifier.errors import Malformed

Alike = tuple[str, str, int | None, str]
"""(seller_tax_id, issued_on, amount_fen, buyer_id): what two invoices have in common that are probably one."""

_MAX_AMOUNT = Decimal(10**16)


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
    fen = int(amount.scaleb(2).to_integral_value()) if amount is not None and abs(amount) < _MAX_AMOUNT else None
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
