"""The field table, and what as_issued does with fields that it does not know."""

import copy
from typing import Any

import pytest

from service.errors import Finding
from service.invoices.content import normalise
from service.invoices.rules import check, examine, refuses
from tests.unit.samples import TODAY, changed, sections_of


def moved(pointer: str) -> Finding:
    return Finding("field_unknown", "warning", pointer, {"case": "moved"})


@pytest.mark.parametrize(
    ("pointer", "changed_sections", "extra"),
    [
        ("/seller/fax", ("seller", "notes"), {"seller": {"fax": "x"}}),
        ("/buyer/fax", ("buyer", "notes"), {"buyer": {"fax": "x"}}),
        ("/totals/discount", ("totals", "notes"), {"totals": {"discount": "x"}}),
        ("/provenance/office", ("provenance", "notes"), {"provenance": {"office": "x"}}),
        ("/lines/1/colour", ("lines", "notes"), {"lines": {"1": {"colour": "x"}}}),
        ("/payment/terms", ("payment", "notes"), {"payment": {"terms": "x"}}),
        ("/notes/internal", ("notes",), {"notes": {"internal": "x"}}),
    ],
)
def test_as_issued_moves_an_unknown_field_to_extra(pointer: str, changed_sections: tuple[str, ...], extra: Any) -> None:
    sections = changed("S01", pointer, "x")
    before = copy.deepcopy(sections)
    normalised = normalise(sections, "as_issued")
    assert sections == before
    assert normalised.findings == [moved(pointer)]
    assert set(normalised.changed) == set(changed_sections)
    expected = sections_of("S01")
    expected["notes"]["extra"] = extra
    assert normalised.sections == expected


def test_a_field_of_an_original_is_moved_too() -> None:
    normalised = normalise(changed("S06", "/provenance/original/reason", "退货"), "as_issued")
    assert normalised.sections["notes"]["extra"] == {"provenance": {"original": {"reason": "退货"}}}
    assert normalised.sections["provenance"] == sections_of("S06")["provenance"]


def test_unchanged_sections_stay_the_same_objects() -> None:
    sections = changed("S01", "/seller/fax", {"a": ["b"]})
    normalised = normalise(sections, "as_issued")
    assert all(normalised.sections[name] is sections[name] for name in ("header", "buyer", "lines", "totals"))


def test_nothing_to_move_is_nothing_changed() -> None:
    sections = sections_of("S02")
    assert normalise(sections, "as_issued") == (sections, (), [])
    assert normalise(sections, "as_issued").sections is sections


def test_new_refuses_an_unknown_field() -> None:
    sections = changed("S01", "/seller/fax", "x")
    examined = examine(sections, "new", today=TODAY)
    assert examined.findings == [Finding("field_unknown", "error", "/seller/fax")]
    assert examined.sections is sections
    assert refuses(examined.findings, "new")


def test_as_issued_registers_an_unknown_field() -> None:
    examined = examine(changed("S01", "/lines/0/colour", "red"), "as_issued", today=TODAY)
    assert examined.findings == [moved("/lines/0/colour")]
    assert examined.changed == ("lines", "notes")
    assert b'"extra":{"lines":{"0":{"colour":"red"}}}' in examined.canonical["notes"]


def test_what_the_issuer_put_in_extra_stays() -> None:
    sections = changed("S01", "/seller/fax", "moved")
    for extra, result in [
        ({"a": "b"}, {"a": "b", "seller": {"fax": "moved"}}),
        ({"seller": {"a": "b"}}, {"seller": {"a": "b", "fax": "moved"}}),
        ({"seller": {"fax": "own"}}, {"seller": {"fax": "own", "fax-2": "moved"}}),
        ({"seller": "own"}, {"seller": "own", "seller-2": {"fax": "moved"}}),
        ({"seller": "own", "seller-2": ["x"]}, {"seller": "own", "seller-2": ["x"], "seller-3": {"fax": "moved"}}),
    ]:
        sections["notes"]["extra"] = extra
        before = copy.deepcopy(sections)
        assert normalise(sections, "as_issued").sections["notes"]["extra"] == result
        assert sections == before


def test_a_reprint_is_the_registry_s_to_write() -> None:
    # An issue whose provenance has one would verify as forged (protocol.md section 8, check 4).
    sections = changed("S01", "/provenance/reprint", {"ordinal": "1"})
    assert check(sections, "new", today=TODAY) == [Finding("field_unknown", "error", "/provenance/reprint", {"case": "reprint"})]
    examined = examine(sections, "as_issued", today=TODAY)
    assert examined.findings == [Finding("field_unknown", "warning", "/provenance/reprint", {"case": "reprint_moved"})]
    assert "reprint" not in examined.sections["provenance"]
    assert examined.sections["notes"]["extra"] == {"provenance": {"reprint": {"ordinal": "1"}}}


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("税务局", "x"), ("fax", None), ("fax", 1), ("fax", "a\u200bb")])
def test_what_is_not_canonical_is_refused_at_the_place_where_it_was_sent(name: str, value: Any) -> None:
    findings = check(changed("S01", f"/seller/{name}", value), "as_issued", today=TODAY)
    assert refuses(findings, "as_issued")
    assert {finding.pointer for finding in findings} == {f"/seller/{name}"}


@pytest.mark.parametrize("notes", ["x", [], {"extra": "x"}])
def test_without_a_place_for_it_nothing_is_moved(notes: Any) -> None:
    sections = {**changed("S01", "/seller/fax", "x"), "notes": notes}
    assert normalise(sections, "as_issued") == (sections, (), [])
    assert refuses(check(sections, "as_issued", today=TODAY), "as_issued")


def test_a_field_name_is_escaped_in_its_pointer() -> None:
    assert ("field_unknown", "/seller/a~1b~0c") in [(f.code, f.pointer) for f in check(sections_with("a/b~c"), "new", today=TODAY)]


def sections_with(name: str) -> dict[str, Any]:
    sections = sections_of("S01")
    sections["seller"][name] = "x"
    return sections
