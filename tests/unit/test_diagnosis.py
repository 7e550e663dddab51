"""The rules of a diagnosis: what no case may ever come to, that every word is there, and that the documents have the same table."""

import string
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.diagnosis import rules, typing_errors, words
from service.diagnosis.case import HOP_STATES, HOPS, Breach, Case, Content, Material, NodeSaid, Reached
from service.diagnosis.details import Asker, region_of
from service.diagnosis.rules import ACTIONS, FEES, RESPONSIBLE, RULES, VERDICTS, decide
from service.diagnosis.typing_errors import TypingError, near_numbers, slip_between

DOCUMENT = (Path(__file__).parents[2] / "docs/diagnosis.md").read_text()

MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "material": st.sampled_from(get_args(Material)),
    "is_forged": st.booleans(),
    "is_foreign": st.booleans(),
    "is_proven": st.booleans(),
    "has_content": st.booleans(),
    "is_holder": st.booleans(),
    "typing_errors": st.sampled_from([(), (TypingError("number", "one_digit"),)]),
    "is_registered": st.booleans(),
    "in_register": st.sampled_from([True, False, None]),
    "reached": st.sampled_from(get_args(Reached)),
    "content": st.sampled_from([None, *get_args(Content)]),
    "is_entry_sound": st.booleans(),
    "is_register_sound": st.booleans(),
    "is_behind": st.booleans(),
    "status": st.sampled_from(["valid", "void", "reversed", "partly_reversed", "released", None]),
    "is_replaced": st.booleans(),
    "breach": st.sampled_from([None, Breach(1, None, None, "later_anchor"), Breach(1, (1, 1), (2, 2), "absence")]),
    "is_other_region": st.booleans(),
    "is_chain_known": st.booleans(),
    "is_delivered": st.sampled_from([True, False, None]),
    "nodes": st.lists(st.builds(NodeSaid, st.just("n"), st.sampled_from(["visible", "behind", "missing", "unknown"]))),
}
CASES = st.builds(Case, **MEMBERS)
NOT_ASKED = {"number", "tells_errors", "state", "wait_until", "hops"}
"""What no rule asks about."""


@given(CASES)
def test_what_no_case_may_come_to(case: Case) -> None:
    verdict = decide(case).verdict
    if verdict == "present":
        assert case.reached == "final"
        assert case.is_chain_known
        assert case.content in (None, "whole")
        assert case.status not in ("void", "reversed", "released")
        assert not case.is_replaced
        assert not case.typing_errors
    if verdict == "forged":
        assert case.is_forged, "nothing but what was shown is ever called forged"
    if verdict in ("never_submitted", "other_region"):
        assert not case.is_registered
        assert case.in_register is not True or case.is_behind
        assert case.is_chain_known, "absence rests on the chain"
    if verdict in ("lost_after_anchor", "altered"):
        assert decide(case).fee == "free"
        assert (decide(case).next_action == "restore_from_copy") == case.has_content
    if not case.is_chain_known and case.reached == "nowhere":
        assert verdict in ("undecided", "forged", "lost_after_anchor", "altered")


@given(CASES)
def test_an_unknown_node_changes_nothing(case: Case) -> None:
    before = decide(case)
    case.nodes = [*case.nodes, NodeSaid("other", "unknown")]
    assert decide(case) is before


def test_every_member_that_rules_may_ask_about_is_tried() -> None:
    assert MEMBERS.keys() == {field.name for field in fields(Case)} - NOT_ASKED


def test_every_verdict_has_a_rule() -> None:
    assert {rule.verdict for rule in RULES} == set(VERDICTS)


def test_the_document_has_the_same_table() -> None:
    table = DOCUMENT.partition("| | verdict |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    assert rows == [
        [str(n), f"`{r.verdict}`", r.condition, r.responsible, f"`{r.next_action}`", r.fee, r.rests_on]
        for n, r in enumerate(RULES, 1)
    ]


WORDS: list[tuple[str, dict[Any, tuple[str, str]], Any]] = [
    ("titles", words.TITLES, VERDICTS),
    ("details", words.DETAILS, VERDICTS),
    ("responsible", words.RESPONSIBLE, RESPONSIBLE),
    ("actions", words.ACTIONS, ACTIONS),
    ("fees", words.FEES, FEES),
    ("fields", words.FIELDS, get_args(typing_errors.Field)),
    ("slips", words.SLIPS, get_args(typing_errors.Slip)),
    ("hops", words.HOPS, HOPS),
    ("states", words.STATES, HOP_STATES),
]


@pytest.mark.parametrize(("said", "keys"), [(said, keys) for _, said, keys in WORDS], ids=[name for name, _, _ in WORDS])
def test_everything_has_its_words_in_both_languages(said: dict[Any, tuple[str, str]], keys: Any) -> None:
    assert set(said) == set(keys)
    for chinese, english in said.values():
        assert english.isascii()
        assert not chinese.isascii()
        assert placeholders(chinese) == placeholders(english)
        assert chinese.endswith("。") == english.endswith(".")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_what_is_used_is_declared() -> None:
    for name in ("Verdict", "Responsible", "Action", "Fee"):
        assert get_origin(getattr(rules, name)) is Literal


NUMBERS = st.text("0123456789", min_size=20, max_size=20)


@given(NUMBERS, st.data())
def test_every_single_slip_is_near_and_named(number: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 18))
    digit = data.draw(st.sampled_from("0123456789"))
    for typed, slip in (
        (number[:at] + digit + number[at + 1 :], "one_digit"),
        (number[:at] + number[at + 1] + number[at] + number[at + 2 :], "transposed"),
        (number[:at] + number[at + 1 :], "length"),
        (number[:at] + digit + number[at:], "length"),
    ):
        if typed != number:
            assert slip_between(typed, number) == slip
            assert number in near_numbers(typed)


@given(NUMBERS, NUMBERS)
def test_what_takes_more_than_a_slip_is_not_near(typed: str, number: str) -> None:
    assert (number in near_numbers(typed)) == (typed != number and slip_between(typed, number) != "other")


def test_a_legacy_number_without_its_hyphen_is_near() -> None:
    assert "011002400111-99000007" in near_numbers("01100240011199000007")


@pytest.mark.parametrize(
    ("typed", "meant", "slip"),
    [
        ("2026-09-01", "2026-01-09", "day_and_month"),
        ("2026-09-01", "2026-09-02", "one_digit"),
        ("2026-09-12", "2026-09-21", "transposed"),
        ("2026-09-01", "2025-03-04", "other"),
    ],
)
def test_slips_in_a_date(typed: str, meant: str, slip: str) -> None:
    assert typing_errors.of_date(date.fromisoformat(typed), date.fromisoformat(meant)) == TypingError("issued_on", slip)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "meant", "other", "slip"),
    [
        ("100.00", "106.00", "100.00", "with_and_without_tax"),
        ("-106.00", "106.00", "100.00", "sign"),
        ("10.60", "106.00", "100.00", "decimal_point"),
        ("160.00", "106.00", "100.00", "transposed"),
        ("107.00", "106.00", None, "one_digit"),
        ("1.00", None, None, "other"),
        ("1.00", "9999.99", "1234.56", "other"),
    ],
)
def test_slips_in_an_amount(typed: str, meant: str | None, other: str | None, slip: str) -> None:
    numbers = [None if text is None else Decimal(text) for text in (meant, other)]
    found = typing_errors.of_amount(Decimal(typed), "amount_with_tax", *numbers)
    assert found == TypingError("amount_with_tax", slip)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "slip"),
    [
        ("2611299900000000000", "length"),
        ("261129990000000000011", "length"),
        ("26992999000000000001", "region"),
        ("25112999000000000001", "year"),
        ("26112999000000000001", None),
        ("011002400111-99000007", None),
        ("12345", None),
    ],
)
def test_what_is_wrong_in_itself(number: str, slip: str | None) -> None:
    found = typing_errors.in_itself(number, date(2026, 9, 1))
    assert (found and found.slip) == slip


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("26112999000000000001", "11"),
        ("044002400111-99000007", "44"),
        ("3100231130-99000008", "31"),
        ("E8F1A2B3:0001", None),
        ("123", None),
    ],
)
def test_the_region_in_a_number(number: str, region: str | None) -> None:
    assert region_of(number) == region


def test_who_may_see_an_invoice() -> None:
    assert Asker("n", None).may_see("S", "B")
    assert Asker("n", frozenset({"S"})).may_see("S", None)
    assert not Asker("n", frozenset({"S"})).may_see("T", "S")
    assert Asker("n", buyers=frozenset({"B"})).may_see(None, "B")
    assert not Asker("n", buyers=frozenset({""})).may_see(None, "")
    assert not Asker("n").may_see("S", "B")
