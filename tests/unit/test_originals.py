"""Acting on an original: each rule that needs what is registered, on given facts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Finding
from service.invoices.originals import (
    Original,
    Reference,
    check_duplicate,
    check_number_free,
    check_original,
    reference_of,
)
from tests.unit.samples import NEGATIVE, sections_of

S01 = Original("valid", "91110108MAXXXX015B", Decimal("27232.82"), reverses=False)


def reverses(amount: str | None, seller: str = S01.seller_tax_id) -> Reference:
    return Reference("26112999000000000001", "reverses", seller, None if amount is None else Decimal(amount))


REISSUES = Reference("26112999000000000001", "reissues", S01.seller_tax_id, Decimal("27232.82"))


def original(**changes: Any) -> Original:
    facts = {"status": "valid", "seller_tax_id": S01.seller_tax_id, "amount_with_tax": S01.amount_with_tax, "reverses": False}
    return Original(**{**facts, **changes})


def code_of(judgement: Any) -> tuple[str, str | None]:
    (finding,) = judgement.findings
    assert judgement.act is None
    assert finding.severity == "error"
    return finding.code, finding.params.get("case") or finding.params.get("status") or finding.params.get("left")


def test_s06_reverses_part_of_s01() -> None:
    sections = sections_of("S06")
    reference = reference_of(sections, Decimal(sections["totals"]["amount_with_tax"]))
    assert reference == reverses("-1060.00")
    assert check_original(reference, S01) == ("reverse_part", [])


def test_n12_exceeds_s01() -> None:
    case = next(case for case in NEGATIVE if case["id"] == "N12")
    sections = sections_of(case["base"], *case["changes"])
    reference = reference_of(sections, Decimal(sections["totals"]["amount_with_tax"]))
    assert reference is not None
    assert check_original(reference, S01) == (
        None,
        [Finding(case["finding"], case["severity"], "/totals/amount_with_tax", {"left": "27232.82"})],
    )


def test_s11_reissues_s10_and_s01_names_nothing() -> None:
    sections = sections_of("S11")
    reference = reference_of(sections, Decimal(50000))
    assert reference is not None
    assert check_original(reference, original(amount_with_tax=Decimal(50000))) == ("void", [])
    assert reference_of(sections_of("S01"), Decimal(1)) is None


def test_the_last_reversal_reverses_all_of_it() -> None:
    partly = original(status="partly_reversed", reversed_so_far=Decimal("-27000.00"))
    assert check_original(reverses("-232.82"), partly) == ("reverse", [])
    assert check_original(reverses("-232.81"), partly) == ("reverse_part", [])
    assert code_of(check_original(reverses("-232.83"), partly)) == ("reversal_exceeds_original", "232.82")
    assert check_original(reverses("-27232.82"), S01) == ("reverse", [])


@given(st.lists(st.integers(1, 20_000_00), min_size=1, max_size=20))
def test_reversals_never_exceed_the_original_and_close_it_exactly(cents: list[int]) -> None:
    so_far, status = Decimal(0), "valid"
    for amount in cents:
        judged = check_original(reverses(str(-Decimal(amount) / 100)), original(status=status, reversed_so_far=so_far))
        if judged.act is None:
            assert status == "reversed" or -so_far + Decimal(amount) / 100 > Decimal("27232.82")
            continue
        so_far -= Decimal(amount) / 100
        status = "reversed" if judged.act == "reverse" else "partly_reversed"
    assert Decimal("-27232.82") <= so_far
    assert (status == "reversed") == (so_far == Decimal("-27232.82"))


@pytest.mark.parametrize("status", ["void", "reversed"])
def test_void_and_reversed_exclude_each_other(status: str) -> None:
    for reference in (reverses("-1.00"), REISSUES):
        assert code_of(check_original(reference, original(status=status))) == ("original_not_open", status)


def test_a_partly_reversed_invoice_is_not_reissued() -> None:
    assert code_of(check_original(REISSUES, original(status="partly_reversed"))) == ("original_not_open", "partly_reversed")


def test_a_red_letter_invoice_is_neither_reversed_nor_voided() -> None:
    red = original(reverses=True, amount_with_tax=Decimal(-5))
    assert code_of(check_original(reverses("-1.00"), red)) == ("reversal_of_reversal", None)
    assert code_of(check_original(REISSUES, red)) == ("original_not_open", "red_letter")


@pytest.mark.parametrize("reference", [reverses("-1.00", "91310115MAXXXX031J"), REISSUES], ids=["reverses", "reissues"])
def test_an_original_of_another_seller_is_not_open(reference: Reference) -> None:
    other = original(seller_tax_id="92110101MAXXXX04XG")
    assert code_of(check_original(reference, other)) == ("original_not_open", "seller")


@pytest.mark.parametrize("facts", [None, original(status="released"), original(status="awaiting_approval")])
def test_an_original_that_is_not_registered_yet_is_a_warning(facts: Original | None) -> None:
    warning = Finding("original_not_registered", "warning", "/provenance/original/number")
    assert check_original(reverses("-1.00"), facts) == (None, [warning])
    assert check_original(REISSUES, facts) == (None, [warning])


def test_a_reversal_is_negative_and_of_a_known_amount() -> None:
    assert code_of(check_original(reverses("0.00"), S01)) == ("reversal_exceeds_original", "not_negative")
    assert code_of(check_original(reverses(None), S01)) == ("reversal_exceeds_original", "unknown")
    assert code_of(check_original(reverses("-1.00"), original(amount_with_tax=None))) == ("reversal_exceeds_original", "unknown")


def test_an_unknown_relation_acts_on_nothing() -> None:
    assert check_original(Reference("X", "copies", S01.seller_tax_id, Decimal(1)), S01) == (None, [])


@pytest.mark.parametrize("status", ["awaiting_approval", "valid", "void", "reversed", "partly_reversed"])
def test_a_number_is_taken_for_ever(status: Any) -> None:
    assert check_number_free(status) == [Finding("number_taken", "error", "/header/number")]


def test_unless_released() -> None:
    assert check_number_free("released") == check_number_free(None) == []


def test_a_duplicate_is_possible_for_a_day() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    day = timedelta(hours=24)
    finding = Finding("possible_duplicate", "warning", "/header/number", {"number": "B"})
    assert check_duplicate([("A", now - day), ("B", now - day / 2)], now) == [finding]
    assert check_duplicate([("A", now - day - timedelta(seconds=1))], now) == []
    assert check_duplicate([], now) == []
