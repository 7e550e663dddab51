"""Chinese amounts in capitals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formats.capitals import parse
from tests.unit.samples import CAPITALS, INVOICE_IDS, sections_of


@pytest.mark.parametrize("case", CAPITALS, ids=lambda case: case["amount"])
def test_a_sample(case: dict[str, str]) -> None:
    assert parse(case["capitals"]) == Decimal(case["amount"])


@pytest.mark.parametrize("invoice_id", INVOICE_IDS)
def test_the_capitals_of_an_invoice(invoice_id: str) -> None:
    totals = sections_of(invoice_id)["totals"]
    assert parse(totals["amount_in_capitals"]) == Decimal(totals["amount_with_tax"])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("壹佰元", "100"),
        ("壹佰元正", "100"),
        ("壹佰圆零角零分", "100"),
        ("壹佰圆捌角", "100.80"),
        ("壹佰圆捌角整", "100.80"),
        ("壹佰圆零捌角", "100.80"),
        ("壹佰圆伍分", "100.05"),
        ("壹佰圆零伍分", "100.05"),
        ("壹佰零捌圆零贰分", "108.02"),
        ("拾伍圆整", "15"),
        ("壹仟零壹拾万圆整", "10100000"),
        ("壹万亿圆整", "1000000000000"),
        ("壹万贰仟亿零伍圆整", "1200000000005"),
        ("壹萬貳仟參佰圓整", "12300"),
        ("⊗叁佰贰拾圆整", "320"),
        ("人民币叁佰贰拾圆整", "320"),
        ("(负数)伍佰圆整", "-500"),
        ("负伍佰圆整", "-500"),
        (" 叁佰 贰拾 圆整 ", "320"),
        ("零元整", "0"),
        ("伍角", "0.50"),
    ],
)
def test_producers_differ(text: str, amount: str) -> None:
    assert parse(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["", "整", "圆", "圆整", "壹", "壹贰圆整", "壹拾佰圆整", "零佰圆整", "佰圆整", "万圆整", "亿圆整",
     "320圆整", "叁佰圆贰", "叁佰圆贰分壹角", "壹圆贰圆整", "壹圆伍角伍角",
     "叁佰圆整整", "一百圆整", "（负数）", "角", "壹" + "亿" * 10 + "圆", "壹仟" * 40 + "圆整"],
)  # fmt: skip
def test_what_says_no_number_is_none(text: str) -> None:
    assert parse(text) is None


def write(amount: Decimal, yuan: str = "圆") -> str:
    """The textbook rule, from the other side: four digits at a time, one 零 for any gap."""
    digits, units = "零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟")
    cents = int(abs(amount) * 100)
    whole, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    text, gap = "", False
    for place in range(11, -1, -1):
        digit = whole // 10**place % 10
        if digit:
            text += ("零" if gap and text else "") + digits[digit] + units[place % 4]
        gap = digit == 0
        if place % 4 == 0 and place and whole // 10**place % 10**4:
            text += {8: "亿", 4: "万"}[place]
    text += yuan if text else ""
    text += f"{digits[jiao]}角" if jiao else "零" if fen and text else ""
    text += f"{digits[fen]}分" if fen else "整"
    return ("（负数）" if amount < 0 else "") + (text if cents else f"零{yuan}整")


@given(st.decimals(min_value="-999999999999.99", max_value="999999999999.99", places=2), st.sampled_from("圆元"))
def test_every_amount_is_read_back(amount: Decimal, yuan: str) -> None:
    assert parse(write(amount, yuan)) == amount


@given(st.text("零壹贰叁肆伍陆柒捌玖拾佰仟万亿圆元角分整（负数）", max_size=24) | st.text())
def test_no_text_raises(text: str) -> None:
    read = parse(text)
    assert read is None or read == read.quantize(Decimal("0.01"))
