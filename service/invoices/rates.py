"""VAT rates and levy rates with the days on which they were in force. Rule rate_not_allowed."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from service.errors import Severity


class Rate(NamedTuple):
    """A rate, or one of its times. `after` is what an invoice dated outside all of them gets."""

    rate: Decimal
    since: date = date.min
    until: date = date.max
    after: Severity = "error"


RATES = (
    # Rates of the general method.
    Rate(Decimal("0.13"), until=date(2017, 6, 30)),
    Rate(Decimal("0.13"), since=date(2019, 4, 1)),
    Rate(Decimal("0.09"), since=date(2019, 4, 1)),
    Rate(Decimal("0.06")),
    Rate(Decimal(0)),
    Rate(Decimal("0.17"), until=date(2018, 4, 30)),
    Rate(Decimal("0.16"), since=date(2018, 5, 1), until=date(2019, 3, 31)),
    Rate(Decimal("0.11"), since=date(2012, 1, 1), until=date(2018, 4, 30)),
    Rate(Decimal("0.10"), since=date(2018, 5, 1), until=date(2019, 3, 31)),
    # Levy rates of small-scale taxpayers and of the simple method. 5 % fell away with the VAT law of 2026, yet contracts
    # from before run on: a warning.
    Rate(Decimal("0.03")),
    Rate(Decimal("0.01"), since=date(2020, 3, 1), until=date(2027, 12, 31)),
    Rate(Decimal("0.015")),
    Rate(Decimal("0.05"), until=date(2025, 12, 31), after="warning"),
    Rate(Decimal("0.04"), until=date(2014, 6, 30)),
)

_RATE = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,10})?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,8})?)%")
_ZERO_LABELS = frozenset({"免税", "不征税"})
_MAX_TEXT = 16


class Judged(NamedTuple):
    """A rate as written: its value, None where it is no number; and what is wrong with it."""

    value: Decimal | None
    severity: Severity | None
    case: Literal["", "number", "time"] = ""


def judge(text: str, issued_on: date | None) -> Judged:
    """Is this a rate that was in force on that day? None: on any day (a reversal or reissue keeps its original's rate)."""
    # The bound comes first, so that the cache never holds a long text.
    return _judge(text, issued_on) if len(text) <= _MAX_TEXT else Judged(None, "error", "number")


@lru_cache(maxsize=4096)
def _judge(text: str, issued_on: date | None) -> Judged:
    if not _RATE.fullmatch(text):
        return Judged(None, "error", "number")
    value = Decimal(text)
    times = [rate for rate in RATES if rate.rate == value]
    if not times:
        return Judged(value, "error")
    if issued_on is None or any(rate.since <= issued_on <= rate.until for rate in times):
        return Judged(value, None)
    return Judged(value, times[0].after, "time")


def judge_label(label: str, rate: Decimal | None) -> Literal["", "label", "label_differs"]:
    """A label is a percentage equal to the rate, or 免税 or 不征税 with a rate of 0. A rate of None differs from nothing."""
    if label in _ZERO_LABELS:
        return "label_differs" if rate else ""
    value = _percentage(label) if len(label) <= _MAX_TEXT else None
    if value is None:
        return "label"
    return "" if rate is None or value == rate else "label_differs"


@lru_cache(maxsize=1024)
def _percentage(label: str) -> Decimal | None:
    match = _PERCENT.fullmatch(label)
    return Decimal(match[1]).scaleb(-2) if match else None
