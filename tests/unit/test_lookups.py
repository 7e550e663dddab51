"""What people type is read as they mean it, and nothing else is."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.invoices.lookups import read_amount, read_date, read_number


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("27232.82", "27232.82"),
        ("¥27,232.82", "27232.82"),
        ("￥２７，２３２．８２", "27232.82"),
        (" 27 232.82 元", "27232.82"),
        ("27232.820", "27232.82"),
        ("cny 100", "100"),
        ("-1060", "-1060"),
        ("¥-1,060.00", "-1060"),
        ("−1060.00", "-1060"),
        ("－１０６０", "-1060"),
        ("0", "0"),
        ("1,234,567.89", "1234567.89"),
    ],
)
def test_amounts(typed: str, meant: str) -> None:
    assert read_amount(typed) == Decimal(meant)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "x",
        "27232,82",
        "1,23",
        "1,2345",
        ",100",
        "1..2",
        ".5",
        "1.",
        "1e5",
        "NaN",
        "Infinity",
        "-¥-5",
        "--5",
        "+5",
        "0x10",
        "五",
        "9" * 17,
        "1" * 101,
    ],
)
def test_what_is_no_amount(typed: str) -> None:
    assert read_amount(typed) is None


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2, allow_nan=False))
def test_an_amount_however_it_is_written(value: Decimal) -> None:
    wide = {ord("0") + n: chr(0xFF10 + n) for n in range(10)}
    for written in (f"{value:f}", f"{value:,f}", f"¥{value:,f}", f"{value:f}".translate(wide), f"{value:f}0"):
        assert read_amount(written) == value


@pytest.mark.parametrize(
    "typed", ["2026-09-01", "2026/9/1", "2026.09.01", "2026年9月1日", "２０２６年０９月０１日", "20260901", " 2026 - 09 - 01 "]
)
def test_dates(typed: str) -> None:
    assert read_date(typed) == date(2026, 9, 1)


@pytest.mark.parametrize(
    "typed", ["", "2026-13-01", "2026-02-30", "01-09-2026", "26-09-01", "2026911", "2026-9", "0000-01-01", "2026-09-01T00:00"]
)
def test_what_is_no_date(typed: str) -> None:
    assert read_date(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2611 2999 0000 0000 0001", "26112999000000000001"),
        ("011002400111—99000007", "011002400111-99000007"),
        ("０１１００２４００１１１－９９００", "011002400111-9900"),
        ("5f0e8a1c:inv.7", "5F0E8A1C:INV.7"),
        ("", None),
        ("票", None),
        ("-1", None),
        ("1" * 65, None),
        ("1/2", None),
    ],
)
def test_numbers(typed: str, meant: str | None) -> None:
    assert read_number(typed) == meant


@given(st.text(max_size=120))
def test_whatever_is_typed_is_read_or_not(typed: str) -> None:
    for read in (read_amount, read_date, read_number):
        read(typed)
