"""Looking an invoice up by what stands on it: number, date and amount. The answer never tells which of them differs.

What people type is read as they type it: full-width digits, blanks, ¥ and thousands separators, a date in any usual order.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import orjson

from service.db import Database
from service.errors import Finding, Refused, Unavailable
from service.invoices import guessing, proofs, reading
from service.invoices.facts import to_decimal
from verifier.entry import NUMBER, number_key
from verifier.fields import Chain
from verifier.proof import AbsenceProof, PresenceProof
from verifier.register import State

Result = Literal["match", "mismatch", "not_registered", "not_yet_known"]

_AMOUNT = re.compile(r"(-?)(?:CNY|RMB|¥)?(-?)([0-9]{1,16}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(\.[0-9]{1,6})?元?")
_DATE = re.compile(r"([0-9]{4})(?:-|/|\.|年)?([0-9]{1,2})(?:-|/|\.|月)?([0-9]{1,2})日?")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_MAX_TYPED = 100


class Asked(NamedTuple):
    """`amount` is with tax or without, as `of` says: the name of the field in the totals."""

    number: str
    issued_on: date
    amount: Decimal
    of: Literal["amount", "amount_with_tax"]

    def guess(self) -> bytes:
        """Day and amount, as guessing.py takes a guess: the same bytes for the same values."""
        return f"{self.issued_on.isoformat()} {self.of} {self.amount.normalize():f}".encode()


class Found(NamedTuple):
    """`status` of the invoice where it matches, else None; the proof where something can be proven.

    `tries_left`: wrong guesses that the client's network has left today.
    """

    result: Result
    status: str | None
    proof: AbsenceProof | PresenceProof | None
    tries_left: int


def read_number(typed: str) -> str | None:
    """The number that was meant, as far as a number's form tells; None where there is none."""
    number = _plain(typed).upper()
    return number if NUMBER.fullmatch(number) else None


def read_date(typed: str) -> date | None:
    """2026-09-01, 2026/9/1, 2026年9月1日, 20260901."""
    found = _DATE.fullmatch(_plain(typed))
    if found is None or (found[0].isdigit() and len(found[0]) != 8):
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def read_amount(typed: str) -> Decimal | None:
    """27232.82, ¥27,232.82, ２７２３２．８２, -1060.00, ¥-1060.00."""
    found = _AMOUNT.fullmatch(_plain(typed).upper())
    if found is None or (found[1] and found[2]):
        return None
    value = Decimal(found[3].replace(",", "") + (found[4] or ""))
    return -value if found[1] or found[2] else value


def read(number: str, issued_on: str, amount_with_tax: str | None, amount: str | None) -> Asked:
    """What a form or a QR code of the tax platform gives. Raises Refused("invalid_request") with a pointer to each bad member."""
    of: Literal["amount", "amount_with_tax"] = "amount" if amount_with_tax is None else "amount_with_tax"
    if (amount is None) == (amount_with_tax is None):
        raise Refused("invalid_request", findings=[Finding("one_amount", "error", "")])
    typed = amount if amount_with_tax is None else amount_with_tax
    assert typed is not None
    meant = read_number(number), read_date(issued_on), read_amount(typed)
    findings = [
        Finding("member_invalid", "error", f"/{name}", {"case": case})
        for name, case, value in zip(("number", "issued_on", of), ("number", "date", "amount"), meant, strict=True)
        if value is None
    ]
    if findings:
        raise Refused("invalid_request", findings=findings)
    assert meant[0] is not None
    assert meant[1] is not None
    assert meant[2] is not None
    return Asked(meant[0], meant[1], meant[2], of)


def look_up(database: Database, chain: Chain, asked: Asked, network: str, now_ms: int) -> Found:
    """What the registry has of it. `network` is guessing.network_of the client.

    Raises Unavailable("too_many_guesses") where network or invoice have no try left, and as proofs do; Refused("content_lost").
    """
    key = number_key(asked.number)
    with database.read() as connection:
        left = guessing.check(connection, "facts", key, network, now_ms, asked.guess())
        record = reading.find(connection, asked.number)
        try:
            proof = proofs.of_number(connection, chain, asked.number, record)
        except Unavailable as refused:
            if refused.code != "not_yet_known":
                raise
            return Found("not_yet_known", None, None, left)  # nothing was compared, so it was no guess
    # The state of a released number is shown: it is free again.
    is_registered = isinstance(proof, PresenceProof) and not isinstance(proof.state, State)
    if is_registered and record is not None and _agrees(record, asked):
        return Found("match", record.status, proof, left)
    with database.write() as connection:
        left = guessing.count(connection, "facts", key, network, now_ms, asked.guess())
    return Found("mismatch" if is_registered else "not_registered", None, proof, left)


def _agrees(record: reading.Record, asked: Asked) -> bool:
    """By value. Both are compared whatever the first comes to, so that the time does not tell which one differs."""
    if record.invoice is None or record.invoice.header is None or record.invoice.totals is None:
        raise Refused("content_lost")
    header: dict[str, Any] = orjson.loads(record.invoice.header)
    totals: dict[str, Any] = orjson.loads(record.invoice.totals)
    issued_on = header.get("issued_on")
    is_date = isinstance(issued_on, str) and read_date(issued_on) == asked.issued_on
    is_amount = to_decimal(totals.get(asked.of)) == asked.amount
    return is_date & is_amount


def _plain(typed: str) -> str:
    """Half-width, without blanks, with the one dash; "" where it is too long to be meant."""
    if len(typed) > _MAX_TYPED:
        return ""
    return "".join(unicodedata.normalize("NFKC", typed).translate(_DASHES).split())
