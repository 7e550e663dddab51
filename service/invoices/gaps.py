"""Gaps in a seller's numbers: what was issued in a row and is not registered may have got lost on its way here.

A number's last digits count within its series: the code of a legacy invoice; year, region and channel of a fully digital one. Where
the next number is far away another range of numbers began, which is no gap.
"""

import re
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.errors import Refused
from service.invoices.tables import invoices

MAX_LOOKED_AT = 200_000
MAX_GAP = 1_000
"""So many missing numbers in a row are a gap; more are another range."""
MAX_SHOWN = 500

_DIGITAL = re.compile(r"([0-9]{5})([0-9]{15})")
_COUNTED = re.compile(r"(.*?)([0-9]{1,18})")


class Gap(NamedTuple):
    """Numbers that are not registered, from `first` to `last`, both included, between two that are."""

    first: str
    last: str
    missing: int
    before: str
    after: str


class Series(NamedTuple):
    """Numbers with one `prefix`; `ranges` is how many times they went on in a row, up to a gap."""

    prefix: str
    registered: int
    first: str
    last: str
    ranges: int
    missing: int
    gaps: list[Gap]


def find(connection: Connection, seller: str, issued_from: str, issued_to: str) -> list[Series]:
    """The series of a seller's invoices that were issued in these days, those with gaps first.

    Raises Refused("too_many_invoices") where they are more than can be looked at.
    """
    query = (
        select(invoices.c.number)
        .where(invoices.c.seller_tax_id == seller[:64], invoices.c.issued_on >= issued_from, invoices.c.issued_on <= issued_to)
        .limit(MAX_LOOKED_AT + 1)
    )
    numbers = set(connection.scalars(query))
    if len(numbers) > MAX_LOOKED_AT:
        raise Refused("too_many_invoices", {"limit": f"{MAX_LOOKED_AT:,}"})
    by_series: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number in numbers:
        found = _DIGITAL.fullmatch(number) or _COUNTED.fullmatch(number)
        if found is not None:
            by_series[found[1], len(found[2])].append(int(found[2]))
    series = [_series(prefix, width, sorted(places)) for (prefix, width), places in by_series.items()]
    return sorted(series, key=lambda one: (-one.missing, one.prefix))


def _series(prefix: str, width: int, places: list[int]) -> Series:
    def number(place: int) -> str:
        return f"{prefix}{place:0{width}}"

    gaps: list[Gap] = []
    ranges = 1
    for before, after in pairwise(places):
        missing = after - before - 1
        if missing > MAX_GAP:
            ranges += 1
        elif missing:
            gaps.append(Gap(number(before + 1), number(after - 1), missing, number(before), number(after)))
    total = sum(gap.missing for gap in gaps)
    return Series(prefix, len(places), number(places[0]), number(places[-1]), ranges, total, gaps[:MAX_SHOWN])
