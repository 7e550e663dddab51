"""The text of official QR codes."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formats import FormatError
from service.formats.official_qr import OfficialQr, parse

S10 = OfficialQr(
    kind="digital_ordinary",
    kind_code="32",
    number="26112999000000000010",
    issued_on=date(2026, 10, 9),
    amount=None,
    amount_with_tax=Decimal("50000.00"),
    check_code="",
    crc="A1B2",
)
S07 = OfficialQr(
    kind="legacy_electronic_ordinary",
    kind_code="10",
    number="011002400111-99000007",
    issued_on=date(2024, 3, 18),
    amount=Decimal("943.40"),
    amount_with_tax=None,
    check_code="11058763070480854113",
    crc="0816",
)


@pytest.mark.parametrize(
    "text",
    [
        "01,32,,26112999000000000010,50000.00,20261009,,A1B2",
        "01,32,,26112999000000000010,50000.00,20261009,,A1B2,",
        "01,32,,26112999000000000010,50000,20261009,,A1B2",
        "01，32，，26112999000000000010，50000.00，20261009，，A1B2",
        " 01, 32, , 26112999000000000010 , 50000.00, 20261009, , A1B2\r\n",
        "０１,32,,２6112999000000000010,50000.00,20261009,,A1B2",
    ],
)
def test_a_digital_invoice_says_its_amount_with_tax(text: str) -> None:
    assert parse(text) == S10


@pytest.mark.parametrize(
    "text",
    [
        "01,10,011002400111,99000007,943.4,20240318,11058763070480854113,0816",
        "01,10,011002400111,99000007,943.40,20240318,11058763070480854113,0816,",
        "01，10，011002400111，99000007，943.40，20240318，11058763070480854113，0816，",
    ],
)
def test_a_legacy_invoice_says_its_amount_without_tax(text: str) -> None:
    assert parse(text) == S07


@pytest.mark.parametrize("tail", ["", ",", ",,"])
def test_the_crc_may_be_empty_or_missing(tail: str) -> None:
    assert parse("01,32,,26112999000000000010,50000.00,20261009," + tail).crc == ""


@pytest.mark.parametrize(
    ("kind_code", "kind"),
    [
        ("01", "legacy_special"),
        ("08", "legacy_electronic_special"),
        ("11", "roll"),
        ("14", "toll"),
        ("31", "digital_special"),
        ("15", None),
    ],
)
def test_kinds(kind_code: str, kind: str | None) -> None:
    number = ",26112999000000000010" if kind_code == "31" else "011002400111,99000007"
    assert parse(f"01,{kind_code},{number},1.00,20261009,,").kind == kind


def test_a_red_letter_invoice_is_negative() -> None:
    assert parse("01,31,,26112999000000000006,-1060.00,20260920,,").amount_with_tax == Decimal("-1060.00")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "qr_malformed"),
        ("https://example.org/v#26112999000000000010.ABC", "qr_malformed"),
        ("02,32,,26112999000000000010,50000.00,20261009,,", "qr_malformed"),
        ("01,x,,26112999000000000010,50000.00,20261009,,", "qr_malformed"),
        ("01,32,,26112999000000000010,50000.00", "qr_malformed"),
        ("01,32,,26112999000000000010,50000.00,20261009,,A1B2,more", "qr_malformed"),
        ("01,32,,26112999000000000010,50000.00,20261009,," + "A" * 300, "qr_malformed"),
        ("01,32,,2611299900000000001,50000.00,20261009,,", "qr_number"),
        ("01,32,011002400111,26112999000000000010,50000.00,20261009,,", "qr_number"),
        ("01,10,0110024001,9900007,50000.00,20261009,,", "qr_number"),
        ("01,32,,26112999000000000010,50000.001,20261009,,", "qr_amount"),
        ("01,32,,26112999000000000010,,20261009,,", "qr_amount"),
        ("01,32,,26112999000000000010,5e4,20261009,,", "qr_amount"),
        ("01,32,,26112999000000000010,50000.00,20261309,,", "qr_date"),
        ("01,32,,26112999000000000010,50000.00,2026-10-09,,", "qr_date"),
        ("01,32,,26112999000000000010,50000.00,00000000,,", "qr_date"),
    ],
)
def test_what_is_wrong_is_said(text: str, code: str) -> None:
    with pytest.raises(FormatError, match=code):
        parse(text)


@given(st.text() | st.text("01,，. 239-", max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(FormatError):
        parse(text)
