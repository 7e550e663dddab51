"""Typing errors: told from what was typed and what is registered. Pure; who may be told is decided elsewhere."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from service.invoices.numbers import REGIONS

Field = Literal["number", "issued_on", "amount", "amount_with_tax", "commitment"]
Slip = Literal[
    "one_digit", "transposed", "length", "year", "region", "day_and_month", "with_and_without_tax", "sign", "decimal_point", "other"
]


class TypingError(NamedTuple):
    """What is wrong with a field: "other" where it differs and no usual slip explains that."""

    field: Field
    slip: Slip


_DIGITS = "0123456789"
_DIGITAL_LENGTH = 20
_NEARLY_DIGITAL = (18, 19, 21, 22)


def near_numbers(number: str) -> list[str]:
    """Every number that is one slip away: a digit that is another, missing or too much, two that changed places, a hyphen.

    Some 430 for 20 digits.
    """
    return list(dict.fromkeys(one for one in _slips(number) if one and one != number))


def _slips(number: str) -> Iterator[str]:
    for i, typed in enumerate(number):
        before, after = number[:i], number[i + 1 :]
        if typed in _DIGITS:
            yield from (before + digit + after for digit in _DIGITS)
        yield before + after
        if after:
            yield before + after[0] + typed + after[1:]
    for i in range(len(number) + 1):
        yield from (number[:i] + digit + number[i:] for digit in _DIGITS)
    if len(number) > 8:
        yield f"{number[:-8]}-{number[-8:]}"  # legacy: code, hyphen, number


def slip_between(typed: str, meant: str) -> Slip:
    """How `typed` came of `meant`; "other" where it took more than one slip."""
    if len(typed) != len(meant):
        longer, shorter = (typed, meant) if len(typed) > len(meant) else (meant, typed)
        is_near = any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
        return "length" if is_near else "other"
    differing = [i for i, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
    if len(differing) == 1:
        return "one_digit"
    if len(differing) == 2 and differing[1] == differing[0] + 1 and typed[differing[0]] == meant[differing[1]]:
        return "transposed" if typed[differing[1]] == meant[differing[0]] else "other"
    return "other"


def of_date(typed: date, meant: date) -> TypingError:
    """`typed` differs from `meant`."""
    if (typed.year, typed.month, typed.day) == (meant.year, meant.day, meant.month):
        return TypingError("issued_on", "day_and_month")
    return TypingError("issued_on", slip_between(f"{typed:%Y%m%d}", f"{meant:%Y%m%d}"))


def of_amount(
    typed: Decimal, field: Literal["amount", "amount_with_tax"], meant: Decimal | None, other: Decimal | None
) -> TypingError:
    """`typed` differs from `meant`; `other` is the amount with tax for one without, and the reverse."""
    if typed == other:
        return TypingError(field, "with_and_without_tax")
    if meant is None:
        return TypingError(field, "other")
    if typed == -meant:
        return TypingError(field, "sign")
    digits, meant_digits = _significant(typed), _significant(meant)
    if digits == meant_digits:
        return TypingError(field, "decimal_point")
    return TypingError(field, slip_between(f"{typed:.2f}", f"{meant:.2f}"))


def _significant(amount: Decimal) -> str:
    return f"{amount:f}".replace(".", "").strip("0")


def in_itself(number: str, issued_on: date | None) -> TypingError | None:
    """What is wrong with a number that nobody registered, told from what was typed alone: it discloses nothing.

    A number of digits alone is that of a fully digital invoice: 20 of them, year and region in front.
    """
    if not number.isdecimal():
        return None
    if len(number) in _NEARLY_DIGITAL:
        return TypingError("number", "length")
    if len(number) != _DIGITAL_LENGTH:
        return None
    if number[2:4] not in REGIONS:
        return TypingError("number", "region")
    if issued_on is not None and number[:2] != f"{issued_on:%y}":
        return TypingError("number", "year")
    return None
