"""One spelling of a number per kind."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.invoices.content import KINDS
from service.invoices.numbers import REGIONS, WELL_FORMED, other_prefix
from service.invoices.rules import check, refuses
from tests.unit.samples import TODAY, changed, sections_of

SELLER = "91110108MAXXXX015B"
PREFIX = sha256(f"{SELLER}:".encode()).hexdigest()[:8].upper() + ":"


def findings(kind: str, number: str, **header: str) -> list[tuple[str, str, str]]:
    sections = sections_of("S01")
    sections["header"].update(kind=kind, number=number, **header)
    return [(f.code, f.severity, f.pointer) for f in check(sections, "as_issued", today=TODAY)]


FORMAT = ("number_format", "error", "/header/number")


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("digital_special", "26112999000000000001"),
        ("digital_ordinary", "26956999000000000001"),
        ("legacy_special", "3100231130-99000008"),
        ("legacy_ordinary", "011002400111-99000007"),
        ("legacy_electronic_special", "011002400113-99000007"),
        ("roll", "011002400107-99000007"),
        ("toll", "X"),
        ("railway", "E1234:A.B_C-D"),
        ("airline", "7841234567890"),
        ("other", PREFIX + "INV-2026.001"),
    ],
)
def test_the_spelling_of_its_kind(kind: str, number: str) -> None:
    assert findings(kind, number) == []


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("digital_special", "2611299900000000001"),
        ("digital_special", "261129990000000000010"),
        ("digital_special", "2611299900000000000A"),
        ("digital_special", "２6112999000000000001"),
        ("digital_special", "26112999000000000001\n"),
        ("digital_ordinary", "011002400111-99000007"),
        ("legacy_special", "310023113099000008"),
        ("legacy_special", "31002311300-99000008"),
        ("legacy_ordinary", "3100231130-9900008"),
        ("legacy_electronic_ordinary", "26112999000000000001"),
        ("roll", "a1"),
        ("toll", "-1"),
        ("railway", "E 1234"),
        ("airline", "7" * 65),
        ("other", "INV-2026.001"),
        ("other", PREFIX),
        ("other", PREFIX.lower() + "INV"),
        ("other", PREFIX + "inv"),
        ("other", PREFIX + "发票"),
    ],
)
def test_no_other_spelling_is_registered(kind: str, number: str) -> None:
    assert FORMAT in findings(kind, number)
    sections = changed("S01", "/header/number", number)
    sections["header"]["kind"] = kind
    assert refuses(check(sections, "as_issued", today=TODAY), "as_issued")


def test_the_channel_of_a_digital_number_is_never_judged() -> None:
    assert all(findings("digital_special", f"2611{channel}999000000000001") == [] for channel in range(10))


def test_the_year_is_that_of_issue() -> None:
    assert findings("digital_special", "25112999000000000001") == [("number_year", "warning", "/header/number")]
    # The code of a paper invoice has the year of printing, which says nothing.
    assert findings("legacy_special", "3100211130-99000008") == []


def test_regions() -> None:
    assert len(REGIONS) == 39
    assert {"11", "46", "54", "65", "71", "81", "82", "91", "95"} <= REGIONS
    assert findings("digital_special", "26992999000000000001") == [("region_unknown", "warning", "/header/number")]
    assert findings("digital_special", "26952999000000000001", region="950000") == []
    for region in ("990000", "11", "1100001", "北京"):
        assert findings("digital_special", "26112999000000000001", region=region) == [
            ("region_unknown", "warning", "/header/region")
        ]


def test_an_other_number_is_its_seller_s_own() -> None:
    assert other_prefix(SELLER) == PREFIX
    sections: dict[str, Any] = sections_of("S02")  # another seller
    sections["header"].update(kind="other", number=PREFIX + "1")
    assert [f.code for f in check(sections, "new", today=TODAY)] == ["number_format"]


@given(st.sampled_from(sorted(KINDS)), st.text(max_size=70) | st.from_regex(WELL_FORMED, fullmatch=True))
def test_what_is_registered_is_always_what_the_protocol_calls_a_number(kind: str, number: str) -> None:
    sections = changed("S01", "/header/number", number)
    sections["header"]["kind"] = kind
    if not refuses(check(sections, "as_issued", today=TODAY), "as_issued"):
        assert WELL_FORMED.fullmatch(number)
