"""Recognising plain invoices: those about which rules.py has nothing to say, which nearly all are.

Canonical JSON of a known form is a regular language. So three expressions tell form, types and spelling at once and hand over
the values for what is left: days, check digits and sums. Only rules.py knows findings, and whatever is not recognised here goes
there; a test holds that it finds nothing in what is.
"""

import re
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any
from unicodedata import is_normalized

import orjson

from service.formats import capitals
from service.invoices import rates, tax_ids
from service.invoices.content import SCHEMA
from service.invoices.numbers import REGIONS
from service.invoices.rules import LINE_AMOUNT_TOLERANCE, LINE_TAX_TOLERANCE, TAX_TOLERANCE
from verifier.canonical import MAX_SECTIONS_BYTES
from verifier.commitment import SECTIONS

_of_sections = itemgetter(*SECTIONS)
_AROUND = len(SECTIONS) + 1
"""Brackets and commas of an array of them."""
_exact = Context(prec=120)
"""For quantity × price. Everything else here is exact in the 28 digits that decimal takes by itself."""


def _optional(*names: str) -> str:
    """Texts that may be there. The comma is lax: what is matched was written as JSON, so it is where it must be."""
    return "".join(f'(?:,?"{name}":"[^"]*")?' for name in names)


_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MONEY = r"(?:0|[1-9][0-9]{0,11})\.[0-9]{2}"
_NUMBER = r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?"
_PARTY = _optional("account", "address", "bank") + ',?"name":" *[^ "][^"]*"' + _optional("phone")
_TAX_ID = ',"tax_id":"([^"]{18})"'

# Members in the order of canonical JSON. Texts hold no quotation mark and no escape; see `recognise` for backslashes.
_HEADER = (
    rf'\{{(?:"issued_at":"({_DAY})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\+08:00",)?"issued_on":"({_DAY})"'
    rf',"kind":"digital_(?:special|ordinary)","number":"([0-9]{{20}})"(?:,"region":"([0-9]{{6}})")?,"schema":"{SCHEMA}"\}}'
)
_TOTALS = (
    rf'\{{"amount":"({_MONEY})"(?:,"amount_in_capitals":"([^"]+)")?,"amount_with_tax":"({_MONEY})"'
    rf',"currency":"[A-Z]{{3}}","tax":"({_MONEY})"\}}'
)
_PROVENANCE = rf"\{{{_optional('drawer', 'reviewer')}\}}"
_SELLER = rf"\{{{_PARTY}{_TAX_ID}\}}"
_BUYER = rf"\{{{_PARTY}(?:{_TAX_ID})?\}}"
_head = re.compile(rf"\[({_HEADER}),({_SELLER}),({_TOTALS}),({_PROVENANCE}),({_BUYER}),\[").match
_line = re.compile(
    rf'\{{"amount":"(-?{_MONEY})"(?:,"amount_with_tax":"(-?{_MONEY})")?(?:,"classification_code":"[0-9]{{19}}")?'
    r',"item":"\*[^*"]+\*[^"]*"(?:,"nature":"normal")?'
    rf'(?:,"quantity":"(-?{_NUMBER})")?,"rate":"([0-9.]{{1,16}})"(?:,"rate_label":"([^"]{{1,16}})")?{_optional("specification")}'
    rf',"tax":"(-?{_MONEY})"{_optional("unit")}(?:,"unit_price":"(-?{_NUMBER})")?\}}([],])'
).match
_rest = re.compile(rf',(\{{{_optional("method", "payee")}\}}),(\{{(?:"remark":"(?:[^"\\]|\\n)*")?\}})\]').fullmatch


def recognise(sections: Any, today: date) -> list[bytes] | None:
    """The canonical bytes of all sections, where `rules.examine` finds nothing in either profile; None where that is uncertain."""
    try:
        written = orjson.dumps(_of_sections(sections), option=orjson.OPT_SORT_KEYS)
    except (TypeError, LookupError, ValueError):
        return None
    text = written.decode()
    # What is printable is assigned and, but for U+3164, allowed (protocol.md section 1). Normal form C is closed under substrings.
    if not text.isprintable() or "\u3164" in text or not is_normalized("NFC", text):
        return None
    head = _head(text)
    if head is None or len(sections) != len(SECTIONS) or len(written) - _AROUND > MAX_SECTIONS_BYTES:
        return None
    header, issued_at, issued_on, number, region, seller, seller_id, *values, provenance, buyer, buyer_id = head.groups()
    totals, amount, in_capitals, with_tax, tax = values
    day = _day(issued_on, today)
    if (
        day is None
        or issued_at not in (None, issued_on)
        or number[:2] != issued_on[2:4]
        or not (number[2:4] in REGIONS and (region is None or region[:2] in REGIONS))
        or tax_ids.judge(seller_id) != "valid"
        or not (buyer_id is None or tax_ids.judge(buyer_id) == "valid")
    ):
        return None
    sums = Decimal(amount), Decimal(tax), Decimal(with_tax)
    if sums[0] + sums[1] != sums[2] or not (in_capitals is None or capitals.parse(in_capitals) == sums[2]):
        return None
    end = _lines(text, head.end(), day, *sums)
    if end == 0:
        return None
    rest = _rest(text, end)
    # The one escape in a text without quotation marks and control characters is that of a line feed, and remarks have those.
    if rest is None or "\\" in text[:end]:
        return None
    parts = (header, seller, totals, provenance, buyer, text[head.end() - 1 : end], *rest.groups())
    return [part.encode() for part in parts]


def _day(written: str, today: date) -> date | None:
    """None for what is no day, or after `today`."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if day <= today else None


@lru_cache(maxsize=4096)
def _rate(written: str, label: str | None, day: date) -> Decimal | None:
    """None for what is no rate of that day, or is labelled otherwise."""
    rate, severity, _ = rates.judge(written, day)
    if severity or (label and rates.judge_label(label, rate)):
        return None
    return rate


def _lines(text: str, at: int, day: date, amount: Decimal, tax: Decimal, with_tax: Decimal) -> int:
    """Where the lines that begin `at` end, if each is right and they add up to the totals; else 0."""
    left, left_tax, left_with_tax = amount, tax, with_tax
    all_have_with_tax = True
    due = Decimal(0)
    separator = ","
    while separator == ",":
        line = _line(text, at)
        if line is None:
            return 0
        at = line.end()
        written, written_with_tax, quantity, written_rate, label, written_tax, price, separator = line.groups()
        line_amount, line_tax = Decimal(written), Decimal(written_tax)
        rate = _rate(written_rate, label, day)
        if rate is None:
            return 0
        line_due = line_amount * rate
        if abs(line_due - line_tax) > LINE_TAX_TOLERANCE:
            return 0
        if quantity and price and abs(_exact.fma(Decimal(quantity), Decimal(price), -line_amount)) > LINE_AMOUNT_TOLERANCE:
            return 0
        if written_with_tax is None:
            all_have_with_tax = False
        else:
            line_with_tax = Decimal(written_with_tax)
            if line_amount + line_tax != line_with_tax:
                return 0
            left_with_tax -= line_with_tax
        left -= line_amount
        left_tax -= line_tax
        due += line_due
    adds_up = not left and not left_tax and not (all_have_with_tax and left_with_tax) and abs(due - tax) <= TAX_TOLERANCE
    return at if adds_up else 0
