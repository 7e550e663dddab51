"""The text of an official invoice QR code -> the fields that a look-up takes (domain.md, "Carriers").

`01,kind,code,number,amount,yyyymmdd,check,CRC`, e.g. `01,32,,26112999000000000010,50000.00,20261009,,A1B2`. The CRC is opaque:
kept, never computed.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.formats import FormatError

_KINDS = {
    "01": "legacy_special",
    "04": "legacy_ordinary",
    "08": "legacy_electronic_special",
    "10": "legacy_electronic_ordinary",
    "11": "roll",
    "14": "toll",
    "31": "digital_special",
    "32": "digital_ordinary",
    "51": "railway",
    "61": "airline",
    "81": "digital_special",
    "82": "digital_ordinary",
}
"""The tax administration's codes of kinds that the registry tells apart."""

_MAX_CHARACTERS = 256
_AMOUNT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,2})?")
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DIGITAL = re.compile(r"[0-9]{20}")
_LEGACY_CODE = re.compile(r"[0-9]{10}|[0-9]{12}")
_LEGACY_NUMBER = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class OfficialQr:
    """What the code says. `kind` is None for a kind that the registry does not tell apart; `number` is in the registry's spelling.

    Exactly one of the amounts is there, with two decimals: with tax for a digital invoice, without for a legacy one.
    """

    kind: str | None
    kind_code: str
    number: str
    issued_on: date
    amount: Decimal | None
    amount_with_tax: Decimal | None
    check_code: str
    crc: str


def parse(text: str) -> OfficialQr:
    """Full-width commas and digits, blanks, an empty or missing CRC and a comma at the end occur. Raises FormatError."""
    if len(text) > _MAX_CHARACTERS:
        raise FormatError("qr_malformed")
    fields = ["".join(field.split()) for field in unicodedata.normalize("NFKC", text).split(",")]
    if not 7 <= len(fields) <= 9 or any(fields[8:]) or fields[0] != "01" or not re.fullmatch("[0-9]{2}", fields[1]):
        raise FormatError("qr_malformed")
    _, kind_code, code, number, amount, day, check_code, crc, *_ = [*fields, ""]
    if _DIGITAL.fullmatch(number) and not code:
        digital = True
    elif _LEGACY_CODE.fullmatch(code) and _LEGACY_NUMBER.fullmatch(number):
        digital, number = False, f"{code}-{number}"
    else:
        raise FormatError("qr_number")
    if not _AMOUNT.fullmatch(amount):
        raise FormatError("qr_amount")
    value = Decimal(amount).quantize(Decimal("0.01"))
    return OfficialQr(
        kind=_KINDS.get(kind_code),
        kind_code=kind_code,
        number=number,
        issued_on=_day(day),
        amount=None if digital else value,
        amount_with_tax=value if digital else None,
        check_code=check_code,
        crc=crc,
    )


def _day(written: str) -> date:
    match = _DATE.fullmatch(written)
    try:
        if match:
            return date(*map(int, match.groups()))
    except ValueError:
        pass
    raise FormatError("qr_date")
