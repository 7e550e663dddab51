"""What the process that prepares says of a line: what the API would have made of it, or nothing."""

import json
import marshal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.api import batch
from service.errors import Refused
from service.invoices import preparer
from service.invoices.preparing import Prepared, Submission, fresh_salts, prepare
from tests.unit.samples import TODAY, sections_of
from verifier.commitment import commitment_of, copy_of, section_leaves

SECTIONS = sections_of("S01")
SELLER = SECTIONS["seller"]["tax_id"]


def line(**members: Any) -> bytes:
    return orjson.dumps({"profile": "new", "sections": SECTIONS} | members) + b"\n"


def asked(line: bytes, sellers: frozenset[str] | None = None) -> Prepared | None:
    (written,) = marshal.loads(preparer._answer(marshal.dumps(([line], sellers, TODAY.toordinal()))))  # noqa: S302  our own
    return None if written is None else preparer._read(written)


def agrees(line: bytes, made: Prepared) -> None:
    read = batch._read(line)
    assert isinstance(read, Submission)
    ours = prepare(read, None, TODAY, fresh_salts())
    assert made == ours._replace(salts=made.salts, commitment=made.commitment, copy=made.copy)
    assert made.commitment == commitment_of(section_leaves(made.salts, made.canonical))
    assert (made.copy, len(made.salts)) == (copy_of(made.commitment), 128)


_IDS = st.one_of(
    st.none(), st.text(max_size=5), st.text(st.sampled_from("a\t\n\x00\x1f\x7f\x80単"), max_size=140), st.integers(-9, 9)
)


@given(_IDS, st.sampled_from(["new", "as_issued", "", "NEW", None, 1, [], {}]))
@example("x" * 128, "new")
@example("x" * 129, "new")
@example("x\n", "new")
@example("", "as_issued")
def test_it_takes_what_the_api_takes(external_id: Any, profile: Any) -> None:
    written = line(external_id=external_id, profile=profile)
    made = asked(written)
    assert (made is not None) == isinstance(batch._read(written), Submission)
    if made is not None:
        agrees(written, made)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"profile":"new"}',
        line(more=1),
        line(sections=None),
        line(sections=[]),
        line(sections="S01"),
        line(sections=SECTIONS | {"notes": {"remark": 5}}),
        line(sections={name: value for name, value in SECTIONS.items() if name != "payment"}),
        line()[:-2] + b',"profile":"new"}',
        line()[:-2] + b',"sections":{}}',
        line().replace(b'"seller":{', b'"seller":{"name":"x",'),
        line().replace(b'"notes":{', b'"notes":{"remark":"a:b\\u003a","remark":"c",'),
        line().replace(b'"notes":{', b'"notes":{"remark":":"},"notes":{'),
        b"\xef\xbb\xbf" + line(),
        line() + b"{}",
        line().replace(b'"new"', b'"\\ud800"'),
    ],
)
def test_it_says_nothing_of_what_is_not_plain(written: bytes) -> None:
    assert asked(written) is None


def test_a_line_may_be_spelt_otherwise() -> None:
    spaced = json.dumps(orjson.loads(line(external_id="a:b")), ensure_ascii=False, indent=1).encode()
    made = asked(spaced.replace(b"\n", b" ") + b"\r\n")
    assert made is not None
    agrees(spaced, made)


def test_it_leaves_sellers_that_are_not_the_issuers_to_who_asks() -> None:
    assert asked(line(), frozenset([SELLER])) is not None
    assert asked(line(), frozenset(["91110108MA01KT8P9F"])) is None
    refused = batch._read(line(more=1))
    assert isinstance(refused, Refused)
