"""Rates and the days on which they were in force."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from service.invoices.rates import RATES, judge, judge_label
from service.invoices.rules import check
from tests.unit.samples import TODAY, sections_of


@pytest.mark.parametrize(
    ("rate", "first", "last"),
    [
        ("0.09", "2019-04-01", None),
        ("0.13", "2019-04-01", None),
        ("0.13", None, "2017-06-30"),
        ("0.17", None, "2018-04-30"),
        ("0.16", "2018-05-01", "2019-03-31"),
        ("0.11", "2012-01-01", "2018-04-30"),
        ("0.10", "2018-05-01", "2019-03-31"),
        ("0.04", None, "2014-06-30"),
        ("0.01", "2020-03-01", "2027-12-31"),
    ],
)
def test_a_rate_has_its_time(rate: str, first: str | None, last: str | None) -> None:
    for edge, step in ((first, -1), (last, 1)):
        if edge:
            inside = date.fromisoformat(edge)
            outside = date.fromordinal(inside.toordinal() + step)
            assert judge(rate, inside) == (Decimal(rate), None, "")
            assert judge(rate, outside) == (Decimal(rate), "error", "time")
            assert judge(rate, None) == (Decimal(rate), None, "")


@pytest.mark.parametrize("rate", ["0", "0.06", "0.03", "0.015"])
@pytest.mark.parametrize("day", [date(2010, 1, 1), date(2026, 11, 24), date(2030, 1, 1)])
def test_some_rates_are_always_allowed(rate: str, day: date) -> None:
    assert judge(rate, day) == (Decimal(rate), None, "")


def test_five_per_cent_is_a_warning_from_2026() -> None:
    assert judge("0.05", date(2025, 12, 31)).severity is None
    assert judge("0.05", date(2026, 1, 1)) == (Decimal("0.05"), "warning", "time")


@pytest.mark.parametrize("rate", ["0.060000", "0.0", "0.1300"])
def test_a_rate_is_compared_as_a_number(rate: str) -> None:
    assert judge(rate, TODAY) == (Decimal(rate), None, "")


@pytest.mark.parametrize("rate", ["0.07", "0.02", "1", "0.6", "6", "0.0600001"])
def test_other_rates_are_not_allowed(rate: str) -> None:
    assert judge(rate, TODAY) == (Decimal(rate), "error", "")


@pytest.mark.parametrize("rate", ["6%", "-0.06", "", "免税", "0.06 ", "1e-2", "０.06", ".06", "0." + "0" * 100])
def test_what_is_no_decimal_is_no_rate(rate: str) -> None:
    assert judge(rate, TODAY) == (None, "error", "number")


@pytest.mark.parametrize(
    ("label", "rate", "wrong"),
    [
        ("6%", "0.06", ""),
        ("6.00%", "0.06", ""),
        ("1.5%", "0.015", ""),
        ("0%", "0", ""),
        ("免税", "0", ""),
        ("不征税", "0.00", ""),
        ("免税", None, ""),
        ("6%", None, ""),
        ("免税", "0.06", "label_differs"),
        ("9%", "0.06", "label_differs"),
        ("0.06", "0.06", "label"),
        ("***", "0.06", "label"),
        ("9" * 50 + "%", "0.06", "label"),
    ],
)
def test_a_label_agrees_with_its_rate(label: str, rate: str | None, wrong: str) -> None:
    assert judge_label(label, None if rate is None else Decimal(rate)) == wrong


def line(**changes: Any) -> list[tuple[str, str, str, str | None]]:
    sections = sections_of("S04")
    sections["lines"][0].update(changes)
    findings = check(sections, "new", today=TODAY)
    return [(f.code, f.severity, f.pointer, f.params.get("case")) for f in findings if f.code == "rate_not_allowed"]


def test_the_rule_points_at_rate_or_label() -> None:
    assert line() == []
    assert line(rate="0.07") == [
        ("rate_not_allowed", "error", "/lines/0/rate", None),
        ("rate_not_allowed", "error", "/lines/0/rate_label", "label_differs"),
    ]
    assert line(rate="6%") == [("rate_not_allowed", "error", "/lines/0/rate", "number")]
    assert line(rate="0.05", rate_label="5%") == [("rate_not_allowed", "warning", "/lines/0/rate", "time")]
    assert line(rate_label="零税率") == [("rate_not_allowed", "error", "/lines/0/rate_label", "label")]


def test_the_table_has_no_rate_whose_times_overlap() -> None:
    for one in RATES:
        assert one.since <= one.until
        assert all(one is other or one.rate != other.rate or one.until < other.since or other.until < one.since for other in RATES)
