"""Amounts in Chinese capitals, as the face of an invoice has them: 贰万柒仟贰佰叁拾贰圆捌角贰分."""

import re
from decimal import Decimal
from functools import lru_cache

_DIGITS = {
    character: value
    for value, row in enumerate(("零〇", "壹", "贰貳弍", "叁叄參", "肆", "伍", "陆陸", "柒", "捌", "玖"))
    for character in row
}
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_DIGIT = f"[{''.join(_DIGITS)}]"
_AMOUNT = re.compile(
    r"⊗?(?:人民币)?(（负数）|\(负数\)|负数|负)?"
    f"(?:([^圆元圓]*)[圆元圓])?(?:零?({_DIGIT})角)?(?:零?({_DIGIT})分)?(零?)[整正]?"
)
_MAX_CHARACTERS = 64
_MAX_YUAN = 10**16


def parse(text: str) -> Decimal | None:
    """The number that the capitals say, with two decimals; None where they say none.

    Producers differ: 圆 or 元, 整 or 正 or neither, 零 before 角 or not, a leading ⊗ or 人民币, （负数） for negatives.
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    match = _AMOUNT.fullmatch("".join(text.split()))
    if match is None:
        return None
    minus, written, tenths, hundredths, trailing = match.groups()
    if written is None and (trailing or not (tenths or hundredths)):  # no 圆: then it must end in 角 or 分
        return None
    yuan = 0 if written is None else _yuan(written)
    if yuan is None:
        return None
    cents = 100 * yuan + 10 * _DIGITS[tenths or "零"] + _DIGITS[hundredths or "零"]
    return Decimal(-cents if minus else cents).scaleb(-2)


def _yuan(text: str) -> int | None:
    """A number without a unit. The parts around 万 are few, so they are remembered."""
    high, myriad, low = text.partition("万")
    if not myriad:
        return _number(high)
    above, below = _number(high), _number(low)
    if above is not None and below is not None and 0 < above < 10**4 and below < 10**4:
        return 10**4 * above + below
    return _number(text)


@lru_cache(maxsize=16384)
def _number(text: str) -> int | None:
    """E.g. 壹佰贰拾万零玖."""
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
