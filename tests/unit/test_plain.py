"""What is recognised as plain has no findings, and is hashed as rules.py would have it."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.invoices.plain import recognise
from service.invoices.rules import Examined, Profile, examine
from tests.benchmarks.data import invoices
from tests.unit.samples import INVOICE_IDS, NEGATIVE, TODAY, sections_of
from verifier.commitment import SECTIONS

_ORDINARY = list(invoices(0, 40)) + [sections_of(name) for name in ("S01", "S03", "S04", "S09", "S10")]
_WRITTEN = ["", " ", "0.00", "-0.00", "1.005", "0.13", "0.050", "13%", "免税", "discount", "2026-11-25", "2026-02-30", "USD"]
_TRICKY = ["\n", "a\n\u0303", "e\u0301", "\u3164", "\\", '"', "\u200b", "\U000e0041", "\U0002b73a", "\ud800", "*", "**x", "* *y"]
_TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(_WRITTEN), st.sampled_from(_TRICKY))
_VALUES = st.one_of(_TEXTS, st.none(), st.integers(), st.booleans(), st.just([]), st.just({}), st.lists(_TEXTS, max_size=2))
_EDITS = st.sampled_from(["replace", "remove", "add", "digit", "repeat"])


@pytest.mark.parametrize("sections", _ORDINARY, ids=lambda sections: sections["header"]["number"])
def test_ordinary_invoices_are_plain(sections: dict[str, Any]) -> None:
    assert recognise(sections, TODAY) is not None
    _agrees(sections)


def test_a_remark_may_have_several_lines() -> None:
    sections = sections_of("S01")
    sections["notes"]["remark"] = "合同\n编号"
    assert recognise(sections, TODAY) is not None
    _agrees(sections)


@pytest.mark.parametrize("name", INVOICE_IDS)
def test_samples_are_plain_or_left_to_the_rules(name: str) -> None:
    _agrees(sections_of(name))


@pytest.mark.parametrize("case", NEGATIVE, ids=lambda case: case["id"])
def test_what_has_a_finding_is_not_plain(case: dict[str, Any]) -> None:
    _agrees(sections_of(case["base"], *case["changes"]))


@given(st.data())
@settings(max_examples=1500, deadline=None)
def test_whatever_is_changed_no_finding_is_missed(data: st.DataObject) -> None:
    sections = copy.deepcopy(data.draw(st.sampled_from(_ORDINARY)))
    for _ in range(data.draw(st.integers(1, 3))):
        _edit(sections, data)
    _agrees(sections)


def _edit(sections: dict[str, Any], data: st.DataObject) -> None:
    """Change one thing at any place."""
    holder, key = data.draw(st.sampled_from(list(_places(sections))))
    edit = data.draw(_EDITS)
    value = holder[key]
    if edit == "replace":
        holder[key] = data.draw(_VALUES)
    elif edit == "remove":
        del holder[key]
    elif edit == "add" and isinstance(holder, dict):
        names = st.sampled_from(["nature", "original", "references", "check_code", "special", "x", "tax_id", "amount_with_tax"])
        holder[data.draw(names)] = data.draw(_VALUES)
    elif edit == "digit" and isinstance(value, str) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        holder[key] = value[:at] + data.draw(st.sampled_from("0159.-X \n")) + value[at + 1 :]
    elif edit == "repeat" and isinstance(holder, list):
        holder.append(copy.deepcopy(value))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(child, dict | list):
            found += _places(child)
    return found


def _agrees(sections: Any) -> None:
    """Recognised: then examining finds nothing and has the same bytes, in both profiles."""
    canonical = recognise(sections, TODAY)
    if canonical is not None:
        profiles: tuple[Profile, Profile] = ("new", "as_issued")
        for profile in profiles:
            expected = Examined(sections, (), dict(zip(SECTIONS, canonical, strict=True)), [])
            assert examine(sections, profile, today=TODAY) == expected
