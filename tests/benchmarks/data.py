"""Invoices as issuers send them, as many as asked for: the same seed, the same invoices."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from service.invoices.tax_ids import is_credit_code

SEED = 20261124
TODAY = date(2026, 11, 24)

_ISSUERS = 200
_SELLERS = 3
_CUSTOMERS = 200
_UPLOAD = 1_000
_A_DAY = 10_000
_FIRST_DAY = date(2026, 1, 1)
_REGIONS = ("11", "12", "31", "32", "33", "37", "44", "50", "51", "61")
_CITIES = {
    "11": "北京市",
    "12": "天津市",
    "31": "上海市",
    "32": "江苏省苏州市",
    "33": "浙江省杭州市",
    "37": "山东省济南市",
    "44": "广东省广州市",
    "50": "重庆市",
    "51": "四川省成都市",
    "61": "陕西省西安市",
}
_TRADES = ("软件", "电子商贸", "物流", "建筑工程", "餐饮管理", "信息咨询", "医疗器械", "广告传媒")
_ITEMS = (
    ("*信息技术服务*软件维护服务费", "3040201030000000000", "项", "0.06", "6%"),
    ("*电子计算机*便携式计算机", "1090511030000000000", "台", "0.13", "13%"),
    ("*计算机外部设备*扩展坞", "1090512990000000000", "件", "0.13", "13%"),
    ("*餐饮服务*餐费", "3070401000000000000", "次", "0.06", "6%"),
    ("*运输服务*国内货物运输", "3010101020000000000", "吨", "0.09", "9%"),
    ("*建筑服务*工程款", "3050000000000000000", "项", "0.09", "9%"),
    ("*纸制品*复印纸", "1060105040000000000", "箱", "0.13", "13%"),
    ("*广告服务*设计费", "3040301000000000000", "次", "0.06", "6%"),
)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIGITS = "零壹贰叁肆伍陆柒捌玖"


class _Issuer(NamedTuple):
    sellers: list[dict[str, str]]
    customers: list[dict[str, str]]


def invoices(first: int, count: int) -> Iterator[dict[str, Any]]:
    """The sections of invoices `first` to `first + count - 1`. Every number stands once.

    They arrive as they do in a registry: in uploads of 1,000 by one of 200 issuers, who has three sellers and 200 customers,
    10,000 a day; one to five lines each.
    """
    issuers = _issuers()
    for n in range(first, first + count):
        yield _invoice(random.Random(SEED * 1_000_003 + n), n, issuers[n // _UPLOAD * 7 % _ISSUERS])


def sellers() -> list[str]:
    """The tax ids of all of them."""
    return sorted({seller["tax_id"] for issuer in _issuers() for seller in issuer.sellers})


@cache
def _issuers() -> list[_Issuer]:
    rng = random.Random(SEED)
    return [_Issuer(_parties(rng, _SELLERS), _parties(rng, _CUSTOMERS)) for _ in range(_ISSUERS)]


def _parties(rng: random.Random, count: int) -> list[dict[str, str]]:
    return [_party(rng) for _ in range(count)]


def _party(rng: random.Random) -> dict[str, str]:
    region = rng.choice(_REGIONS)
    city = _CITIES[region]
    body = f"91{region}0108MA" + "".join(rng.choices(_ALPHABET, k=7))
    tax_id = next(code for code in (body + check for check in _ALPHABET) if is_credit_code(code))
    return {
        "name": f"{city}示例{rng.choice(_TRADES)}第{rng.randrange(10_000)}有限公司",
        "tax_id": tax_id,
        "address": f"{city}示例路{rng.randrange(1, 999)}号",
        "phone": f"0{rng.randrange(10, 999)}-{rng.randrange(10**7, 10**8)}",
        "bank": f"示例银行{city}支行",
        "account": f"{rng.randrange(10**18):019d}",
    }


def _invoice(rng: random.Random, n: int, issuer: _Issuer) -> dict[str, Any]:
    seller, buyer = rng.choice(issuer.sellers), rng.choice(issuer.customers)
    day = _FIRST_DAY + timedelta(days=n // _A_DAY % 320)
    region = seller["tax_id"][2:4]
    lines, amount, tax = [], 0, 0
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        item, code, unit, rate, label = rng.choice(_ITEMS)
        quantity, price = rng.randrange(1, 40), rng.randrange(100, 900_000)
        line_amount = quantity * price
        line_tax = (line_amount * int(label[:-1]) + 50) // 100
        amount += line_amount
        tax += line_tax
        lines.append(
            {
                "nature": "normal",
                "item": item,
                "classification_code": code,
                "specification": f"V{quantity}-{price % 89}",
                "unit": unit,
                "quantity": str(quantity),
                "unit_price": _money(price),
                "amount": _money(line_amount),
                "rate": rate,
                "rate_label": label,
                "tax": _money(line_tax),
                "amount_with_tax": _money(line_amount + line_tax),
            }
        )
    return {
        "header": {
            "schema": "zhengpiao/invoice/1",
            "kind": "digital_special" if n % 3 else "digital_ordinary",
            "number": f"26{region}2{n:015d}",
            "issued_on": day.isoformat(),
            "issued_at": f"{day.isoformat()}T{8 + n % 10:02d}:{n % 60:02d}:{n // 60 % 60:02d}+08:00",
            "region": f"{region}0000",
        },
        "seller": seller,
        "totals": {
            "currency": "CNY",
            "amount": _money(amount),
            "tax": _money(tax),
            "amount_with_tax": _money(amount + tax),
            "amount_in_capitals": _capitals(amount + tax),
        },
        "provenance": {"drawer": "王开票", "reviewer": "李复核"},
        "buyer": buyer,
        "lines": lines,
        "payment": {},
        "notes": {"remark": f"合同编号：HT-2026-{n:07d}"},
    }


def _money(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _capitals(fen: int) -> str:
    """An amount below 10^8 yuan in capitals."""
    yuan, cents = divmod(fen, 100)
    myriads, rest = divmod(yuan, 10_000)
    text = (_four_digits(myriads) + "万" if myriads else "") + ("零" if myriads and 0 < rest < 1000 else "") + _four_digits(rest)
    ending = "整"
    if cents:
        jiao, fen = divmod(cents, 10)
        ending = (f"{_DIGITS[jiao]}角" if jiao else "零") + (f"{_DIGITS[fen]}分" if fen else "")
    return f"{text}圆{ending}"


def _four_digits(value: int) -> str:
    text, skipped = "", False
    for digit, unit in zip(f"{value:04d}", "仟佰拾 ", strict=True):
        if digit == "0":
            skipped = bool(text)
        else:
            text += ("零" if skipped else "") + _DIGITS[int(digit)] + unit.strip()
            skipped = False
    return text
