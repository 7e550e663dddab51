"""Tax ids: 统一社会信用代码, GB 32100-2015. Rules tax_id_check_digit and tax_id_format.

Written out here because python-stdnum asks more than the standard does (digits in the first eight places, which the codes of
village collectives, N2…, do not have) and repairs spaces and case, while content is taken as it is. A test holds the two to agree
elsewhere.
"""

import re
from functools import lru_cache
from typing import Literal

from service.invoices.findings import Findings

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

# Region, date of birth, sequence, check digit (GB 11643-1999, ISO 7064 MOD 11-2).
_IDENTITY_CARD = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]")
_IDENTITY_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))

Verdict = Literal["valid", "alphabet", "check_digit", "masked", "identity_card", "length"]


def judge(tax_id: str) -> Verdict:
    """What a tax id as printed is. Nothing is repaired: lower case and full width fail the alphabet."""
    if "*" in tax_id or "＊" in tax_id:
        return "masked"
    # The bound comes first, so that the cache never holds a long text.
    return _judge_18(tax_id) if len(tax_id) == 18 else "length"


@lru_cache(maxsize=16384)
def _judge_18(tax_id: str) -> Verdict:
    if is_credit_code(tax_id):
        return "valid"
    if _IDENTITY_CARD.fullmatch(tax_id) and _has_identity_check_digit(tax_id):
        return "identity_card"
    return "check_digit" if all(character in _VALUES for character in tax_id) else "alphabet"


def is_credit_code(tax_id: str) -> bool:
    """18 characters of the alphabet whose last makes Σ value · 3^i, i = 0 … 16, plus its own value divisible by 31."""
    values = [_VALUES.get(character) for character in tax_id]
    if len(values) != 18 or None in values:
        return False
    *body, check = (value for value in values if value is not None)
    return (sum(map(int.__mul__, body, _WEIGHTS)) + check) % 31 == 0


def _has_identity_check_digit(number: str) -> bool:
    weighted = sum(int(digit) * weight for digit, weight in zip(number, _IDENTITY_WEIGHTS, strict=False))
    return "10X98765432"[weighted % 11] == number[17]


def check_tax_id(tax_id: str, pointer: str, findings: Findings) -> None:
    """18 characters that fail alphabet or check digit are the error; other lengths, masked ids and identity cards the warning."""
    verdict = judge(tax_id)
    if verdict == "valid":
        return
    if verdict == "check_digit":
        findings.add("tax_id_check_digit", "error", pointer)
    elif verdict == "alphabet":
        findings.add("tax_id_check_digit", "error", pointer, case="alphabet")
    elif verdict == "length":
        findings.add("tax_id_format", "warning", pointer)
    else:
        findings.add("tax_id_format", "warning", pointer, case=verdict)
