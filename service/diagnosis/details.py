"""What was typed, held against what is registered. Nothing here decides who may be told."""

from decimal import Decimal
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select

from service.diagnosis import typing_errors
from service.diagnosis.contents import Kept
from service.diagnosis.typing_errors import TypingError
from service.invoices.facts import to_decimal
from service.invoices.lookups import Asked, read_date
from service.invoices.tables import invoices
from service.ledger.entries import Stored, stored_by_key
from verifier.entry import NUMBER, Kind, number_key


class Asker(NamedTuple):
    """Who asks: the client's network, and whose invoices a key or a session lets them see (None: everybody's)."""

    network: str
    sellers: frozenset[str] | None = frozenset()
    buyers: frozenset[str] = frozenset()

    def may_see(self, seller: str | None, buyer: str | None) -> bool:
        return self.sellers is None or seller in self.sellers or (bool(buyer) and buyer in self.buyers)


def of_registered(asked: Asked, kept: Kept) -> list[TypingError]:
    """Date and amount against the content. Both are compared, whatever the first comes to."""
    header, totals = kept.value("header"), kept.value("totals")
    issued_on = header.get("issued_on")
    day = read_date(issued_on) if isinstance(issued_on, str) else None
    of_other = "amount" if asked.of == "amount_with_tax" else "amount_with_tax"
    amount, other = to_decimal(totals.get(asked.of)), to_decimal(totals.get(of_other))
    found = []
    if day != asked.issued_on:
        found.append(TypingError("issued_on", "other") if day is None else typing_errors.of_date(asked.issued_on, day))
    if amount != asked.amount:
        found.append(typing_errors.of_amount(asked.amount, asked.of, amount, other))
    return found


def of_copy(connection: Connection, number: str, copy: bytes, *, is_registered: bool) -> list[TypingError]:
    """`copy` was shown, and is none of this number: it is one of a number that is a slip away, or of none that we know."""
    near = _near(number)
    for key, stored in stored_by_key(connection, sorted(near)).items():
        if any(one.entry.copy == copy for one in stored if one.entry.kind in (Kind.ISSUE, Kind.REPRINT)):
            return [TypingError("number", typing_errors.slip_between(number, near[key]))]
    return [TypingError("commitment", "other")] if is_registered else []


def of_own(connection: Connection, asked: Asked, asker: Asker) -> list[TypingError]:
    """The number is not registered: one of the asker's own invoices, of that day and amount, has a number that is a slip away."""
    if asker.sellers is not None and not asker.sellers and not asker.buyers:
        return []
    near = _near(asked.number)
    ids = {issue.id: near[key] for key, some in stored_by_key(connection, sorted(near)).items() for issue in _issues(some)}
    columns = (invoices.c.id, invoices.c.totals, invoices.c.seller_tax_id, invoices.c.buyer_id)
    query = select(*columns).where(invoices.c.id.in_(list(ids)), invoices.c.issued_on == asked.issued_on.isoformat())
    for row in connection.execute(query):
        if asker.may_see(row.seller_tax_id, row.buyer_id) and _amount(row.totals, asked.of) == asked.amount:
            return [TypingError("number", typing_errors.slip_between(asked.number, ids[row.id]))]
    return []


def _near(number: str) -> dict[bytes, str]:
    return {number_key(one): one for one in typing_errors.near_numbers(number) if NUMBER.fullmatch(one)}


def _issues(stored: list[Stored]) -> list[Stored]:
    return [one for one in stored if one.entry.kind is Kind.ISSUE]


def _amount(totals: bytes | None, of: str) -> Decimal | None:
    return None if totals is None else to_decimal(orjson.loads(totals).get(of))


def region_of(number: str) -> str | None:
    """The region's two digits: of a digital number the third and fourth, of a legacy code the first (behind a 0 if it has 12)."""
    code, hyphen, rest = number.partition("-")
    if hyphen and code.isdecimal() and rest.isdecimal() and len(code) in (10, 12):
        return code[:2] if len(code) == 10 else code[1:3]
    return number[2:4] if number.isdecimal() and len(number) == 20 else None
