"""The new copy of a reprint: provenance alone differs, and the salts of all else are equal (protocol.md section 2)."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.invoices.reading import Record
from service.invoices.reprinting import new_copy, next_ordinal
from service.ledger.entries import History
from tests.unit.samples import INVOICE_IDS, sections_of
from verifier.canonical import canonical_bytes
from verifier.commitment import SECTIONS, commitment_of, copy_of, section_leaf
from verifier.entry import ZERO, Entry, Kind

PROVENANCE = SECTIONS.index("provenance")
salts = st.binary(min_size=16, max_size=16)


@st.composite
def copies(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """A sample's sections as they are kept, with any salts."""
    sections: dict[str, Any] = sections_of(draw(st.sampled_from(INVOICE_IDS)))
    sections["provenance"] |= draw(st.dictionaries(st.sampled_from(["drawer", "reviewer"]), st.sampled_from(["张三", "李四"])))
    return [canonical_bytes(sections[name]) for name in SECTIONS], draw(st.binary(min_size=128, max_size=128))


def by_the_protocol(canonical: list[bytes], salted: bytes) -> bytes:
    """The commitment by section 2, one leaf after the other."""
    return commitment_of([section_leaf(i, salted[16 * i : 16 * i + 16], canonical[i]) for i in range(8)])


@given(copies(), st.lists(salts, min_size=1, max_size=4, unique=True))
def test_only_provenance_differs_however_often_it_is_reprinted(first: tuple[list[bytes], bytes], fresh: list[bytes]) -> None:
    canonical, salted = first
    was = json.loads(canonical[PROVENANCE])
    seen = {copy_of(by_the_protocol(canonical, salted))}
    for ordinal, salt in enumerate(fresh, 1):
        made = new_copy(canonical, salted, ordinal, salt)
        for index in range(8):
            if index != PROVENANCE:
                assert made.canonical[index] == canonical[index]
                assert made.salts[16 * index : 16 * index + 16] == salted[16 * index : 16 * index + 16]
        assert made.salts[16 * PROVENANCE : 16 * PROVENANCE + 16] == salt
        assert len(made.salts) == 128
        assert json.loads(made.provenance) == {**was, "reprint": {"ordinal": str(ordinal)}}
        assert made.provenance == made.canonical[PROVENANCE] == canonical_bytes(json.loads(made.provenance))
        assert made.commitment == by_the_protocol(made.canonical, made.salts)
        assert made.copy == sha256(b"zp1/copy\x00" + made.commitment).digest()
        assert made.copy not in seen
        seen.add(made.copy)
        canonical, salted = made.canonical, made.salts


@pytest.mark.parametrize(("ordinal", "fresh"), [(0, bytes(16)), (1, bytes(15)), (1, b"")])
def test_what_is_no_reprint_is_not_made(ordinal: int, fresh: bytes) -> None:
    canonical = [canonical_bytes(sections_of("S01")[name]) for name in SECTIONS]
    with pytest.raises(ValueError, match="reprint"):
        new_copy(canonical, bytes(128), ordinal, fresh)


def _history(*kinds: Kind) -> Record:
    history = History()
    copy = ZERO
    for n, kind in enumerate(kinds, 1):
        new = bytes([n]) * 32
        other = {Kind.REPRINT: copy, Kind.REVERSE_PART: b"\x77" * 32}.get(kind, ZERO)
        copy = new if kind in (Kind.ISSUE, Kind.REPRINT) else copy
        history.add(Entry(kind, 1, b"\x01" * 32, copy, other, ZERO))
    return Record("26112999000000000001", [], history, None)


@pytest.mark.parametrize(
    ("before", "ordinal"),
    [
        ((Kind.ISSUE,), 1),
        ((Kind.ISSUE, Kind.REPRINT), 2),
        ((Kind.ISSUE, Kind.REPRINT, Kind.REVERSE_PART, Kind.REPRINT), 3),
        ((Kind.ISSUE, Kind.REPRINT, Kind.RELEASE, Kind.ISSUE), 1),
    ],
)
def test_a_reprint_is_counted_since_the_issue(before: tuple[Kind, ...], ordinal: int) -> None:
    assert next_ordinal(_history(*before)) == ordinal
