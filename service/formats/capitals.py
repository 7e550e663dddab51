"""Amounts in Chinese capitals, as the face of an invoice has them: 贰万柒仟贰佰叁拾贰圆捌角贰分."""

import re
from decimal import Decimal

_DIGITS = {
    character: value
    for value, row in enumerate(("零〇", "壹", "贰貳弍", "叁叄參", "肆", "伍", "陆陸", "柒", "捌", "玖"))
    for character in row
}
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_YUAN = "圆元圓"
_WHOLE = "整正"
_CENTS = re.compile("(?:零?([{0}])角)?(?:零?([{0}])分)?零?".format("".join(_DIGITS)))
_NEGATIVE = ("（负数）", "(负数)", "负数", "负")
_MAX_CHARACTERS = 64
_MAX_YUAN = 10**16


def parse(text: str) -> Decimal | None:
    """The number that the capitals say, with two decimals; None where they say none.

    Producers differ: 圆 or 元, 整 or 正 or neither, 零 before 角 or not, a leading ⊗ or 人民币, （负数） for negatives.
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    text = "".join(text.split()).removeprefix("⊗").removeprefix("人民币")
    sign = 1
    for prefix in _NEGATIVE:
        if text.startswith(prefix):
            text, sign = text[len(prefix) :], -1
            break
    if text[-1:] and text[-1] in _WHOLE:
        text = text[:-1]
    yuan: int | None = 0
    rest = text
    for place, character in enumerate(text):
        if character in _YUAN:
            yuan, rest = _yuan(text[:place]), text[place + 1 :]
            break
    else:
        if not text or text[-1] not in "角分":
            return None
    cents = _cents(rest)
    if yuan is None or cents is None:
        return None
    return Decimal(sign * (100 * yuan + cents)).scaleb(-2)


def _yuan(text: str) -> int | None:
    """A number without a unit, e.g. 壹佰贰拾万零玖."""
    if not text:
        return None
    total = section = 0  # of what 万 or 亿 has closed, and of the up to four digits since
    digit: int | None = None
    ceiling = 10_000  # units within a section only fall
    for character in text:
        if character in _DIGITS:
            if digit:  # two digits without a unit between them
                return None
            digit = _DIGITS[character]
        elif character in _UNITS:
            unit = _UNITS[character]
            if unit >= ceiling or (digit is None and not (unit == 10 and section == 0)) or digit == 0:
                return None
            section += (1 if digit is None else digit) * unit
            digit, ceiling = None, unit
        elif character in _MYRIADS:
            myriad = _MYRIADS[character]
            section += digit or 0
            if section == 0 and (total == 0 or myriad == 10**4):
                return None
            if myriad == 10**8:
                total = (total + section) * myriad
            else:
                total += section * myriad
            section, digit, ceiling = 0, None, 10_000
            if total > _MAX_YUAN:
                return None
        else:
            return None
    return total + section + (digit or 0)


def _cents(text: str) -> int | None:
    """What follows 圆: nothing, 捌角, 捌角贰分, 零捌角, 零贰分, 零."""
    match = _CENTS.fullmatch(text)
    if match is None:
        return None
    return 10 * _DIGITS[match[1] or "零"] + _DIGITS[match[2] or "零"]
