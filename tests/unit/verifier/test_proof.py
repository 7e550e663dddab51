"""Proof files: what is written is read again the same, and what stands in a file is checked to the last member."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.verifier.test_canonical import texts
from tests.vector_files import PROOFS, proof_cases, proof_file
from verifier.canonical import canonical_bytes
from verifier.entry import Entry, Kind
from verifier.errors import Malformed, OtherProtocol
from verifier.fields import Chain
from verifier.proof import (
    MAX_BYTES,
    AbsenceProof,
    AnchoredProof,
    Inclusion,
    Neighbour,
    Opened,
    PendingProof,
    PresenceProof,
    Proof,
    Receipt,
    RegisterPath,
    Withheld,
    open_section,
    parse_proof,
)
from verifier.register import State, Status
from verifier.strict_json import MAX_INTEGER

WELL_FORMED = sorted(
    {case.file for case in proof_cases() if case.verdict != "malformed" and not case.file.startswith("protocol_other")}
)


@pytest.mark.parametrize("file", WELL_FORMED)
def test_round_trip_of_vectors(file: str) -> None:
    data = (PROOFS / file).read_bytes()
    proof = parse_proof(data)
    assert parse_proof(proof.to_json()) == proof
    assert json.loads(proof.to_json()) == json.loads(data)


hashes = st.binary(min_size=32, max_size=32)
integers = st.integers(0, MAX_INTEGER)
seqs = st.integers(1, MAX_INTEGER)
numbers = st.from_regex(r"[0-9A-Z][0-9A-Z._:-]{0,63}", fullmatch=True)
sections = st.dictionaries(st.sampled_from(["a", "b.c", "D-_"]), texts)
salts = st.binary(min_size=16, max_size=16)


def opened(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Opened]:
    return st.builds(lambda salt, value: open_section(salt, canonical_bytes(value)), salts, value)


def any_sections() -> st.SearchStrategy[tuple[Opened | Withheld, ...]]:
    withheld = st.builds(Withheld, hashes)
    header = opened(st.builds(lambda rest, number: {**rest, "number": number}, sections, numbers))
    section = opened(sections) | withheld
    lines = opened(st.lists(sections, min_size=1, max_size=3)) | withheld
    return st.tuples(header, section, section, section, section, lines, section, section)


chains = st.builds(Chain, integers, st.binary(min_size=20, max_size=20))
entries = st.builds(Entry, st.sampled_from(Kind), integers, hashes, hashes, hashes, hashes)
receipts = st.none() | st.builds(
    Receipt, st.binary(min_size=8, max_size=8).map(bytes.hex), integers, st.binary(min_size=64, max_size=64)
)
states = st.builds(State, st.sampled_from(Status), st.integers(1, 2**32 - 1), seqs, st.integers(0, 65_535), hashes, hashes)
paths = st.builds(RegisterPath, seqs, st.lists(hashes, max_size=8).map(tuple))
inclusions = st.integers(1, 65_536).flatmap(
    lambda size: st.builds(Inclusion, seqs, st.integers(0, size - 1), st.just(size), st.lists(hashes, max_size=16).map(tuple))
)
proofs: st.SearchStrategy[Proof] = st.one_of(
    st.builds(PendingProof, chains, any_sections(), entries, receipts),
    st.builds(AnchoredProof, chains, any_sections(), entries, receipts, inclusions, paths, states),
    st.builds(AbsenceProof, chains, numbers, paths, st.none() | st.builds(Neighbour, hashes, hashes)),
    st.builds(PresenceProof, chains, numbers, paths, states | hashes),
)


@given(proofs, st.booleans(), st.sampled_from([None, 0, 2]))
def test_round_trip(proof: Proof, ascii_only: bool, indent: int | None) -> None:
    """However a file is spelt, it says the same."""
    data = proof.to_json()
    assert parse_proof(data) == proof
    assert parse_proof(json.dumps(json.loads(data), ensure_ascii=ascii_only, indent=indent).encode()) == proof
    assert parse_proof(json.dumps(json.loads(data), sort_keys=True).encode()) == proof


def changed(name: str, pointer: str, value: object) -> bytes:
    tree: Any = json.loads(proof_file(name))
    *way, last = pointer.split("/")[1:]
    place = tree
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if value is ...:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(tree).encode()


HASH = "0" * 64


@pytest.mark.parametrize(
    ("name", "pointer", "value", "where"),
    [
        ("valid", "/chain", None, "/chain"),
        ("valid", "/chain/chain_id", "31337", "/chain/chain_id"),
        ("valid", "/chain/chain_id", MAX_INTEGER + 1, "/chain/chain_id"),
        ("valid", "/chain/chain_id", -1, "/chain/chain_id"),
        ("valid", "/chain/contract", "5fbdb2315678afecb367f032d93f642f64180aa3", "/chain/contract"),
        ("valid", "/chain/contract", "0X5fbdb2315678afecb367f032d93f642f64180aa3", "/chain/contract"),
        ("valid", "/chain/contract", "0x5fbdb2315678afecb367f032d93f642f64180a", "/chain/contract"),
        ("valid", "/chain/contract", None, "/chain/contract"),
        ("valid", "/chain/more", 1, "/chain"),
        ("valid", "/sections", [], "/sections"),
        ("valid", "/sections/buyer", None, "/sections/buyer"),
        ("valid", "/sections/buyer/hash", HASH, "/sections/buyer"),
        ("valid", "/sections/buyer/salt", ..., "/sections/buyer"),
        ("valid", "/sections/buyer/salt", None, "/sections/buyer/salt"),
        ("valid", "/sections/buyer/salt", "0 " * 16, "/sections/buyer/salt"),
        ("valid", "/sections/buyer/salt", "é" * 32, "/sections/buyer/salt"),
        ("valid", "/sections/buyer/value", "x", "/sections/buyer/value"),
        ("valid", "/sections/buyer/value/name", None, "/sections/buyer/value/name"),
        ("valid", "/sections/lines/value", {}, "/sections/lines/value"),
        ("valid", "/sections/lines/value/0", "x", "/sections/lines/value"),
        ("valid", "/sections/lines/value/0", [], "/sections/lines/value"),
        ("valid", "/sections/lines/value/0/a b", "x", "/sections/lines/value/0/a b"),
        ("valid", "/sections/header/value/number", ..., "/sections/header/value/number"),
        ("valid", "/sections/header/value/number", ["1"], "/sections/header/value/number"),
        ("valid_first_half", "/sections/buyer/hash", None, "/sections/buyer/hash"),
        ("valid_first_half", "/sections/buyer/hash", HASH + "00", "/sections/buyer/hash"),
        ("valid_first_half", "/sections/buyer/salt", "0" * 32, "/sections/buyer"),
        ("valid", "/entry/kind", 1, "/entry/kind"),
        ("valid", "/entry/kind", "Issue", "/entry/kind"),
        ("valid", "/entry/kind", ["issue"], "/entry/kind"),
        ("valid", "/entry/recorded_at", True, "/entry/recorded_at"),
        ("valid", "/entry/recorded_at", 1.5, "/entry/recorded_at"),
        ("valid", "/entry/auth", ..., "/entry"),
        ("valid", "/receipt", None, "/receipt"),
        ("valid", "/receipt/key_id", "9f56a11abb21bd2", "/receipt/key_id"),
        ("valid", "/receipt/key_id", 1, "/receipt/key_id"),
        ("valid", "/receipt/deadline", None, "/receipt/deadline"),
        ("valid", "/receipt/signature", HASH, "/receipt/signature"),
        ("valid", "/inclusion", [], "/inclusion"),
        ("valid", "/inclusion/path", None, "/inclusion/path"),
        ("valid", "/inclusion/path", {}, "/inclusion/path"),
        ("valid", "/inclusion/path/0", HASH[1:], "/inclusion/path"),
        ("valid", "/inclusion/path/0", 0, "/inclusion/path"),
        ("valid", "/inclusion/path/0", "G" * 64, "/inclusion/path"),
        ("valid", "/inclusion/path", ["A" * 64], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH, "A" * 64], "/inclusion/path"),
        ("valid", "/inclusion/path", [""], "/inclusion/path"),
        ("valid", "/inclusion/path", ["", HASH], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH[2:], HASH], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH, HASH[2:]], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH + HASH], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH, HASH[2:], HASH + "00"], "/inclusion/path"),
        ("valid", "/inclusion/path", [HASH, [HASH]], "/inclusion/path"),
        ("valid", "/register/neighbour", None, "/register"),
        ("valid", "/register/state", None, "/register/state"),
        ("valid", "/register/state_hash", HASH, "/register"),
        ("valid", "/register/siblings", [HASH] * 257, "/register/siblings"),
        ("valid", "/register/state/status", "gone", "/register/state/status"),
        ("valid", "/register/state/seq", 0, "/register/state/seq"),
        ("valid", "/number", "A", ""),
        ("absent", "/register/state", ..., "/register"),
        ("absent", "/register/neighbour", ..., "/register"),
        ("absent", "/register/neighbour", {}, "/register/neighbour"),
        ("absent", "/register/neighbour", {"key": HASH, "state_hash": HASH[1:]}, "/register/neighbour/state_hash"),
        ("absent", "/register/state", {}, "/register"),
        ("absent", "/register", None, "/register"),
        ("absent", "/number", 1, "/number"),
        ("absent", "/entry", {}, ""),
        ("presence_void", "/register/neighbour", None, "/register"),
        ("presence_void", "/register/state_hash", HASH, "/register"),
        ("registered", "/register/state_hash", None, "/register/state_hash"),
        ("registered", "/register/state", {}, "/register"),
        ("pending", "/inclusion", None, ""),
        ("pending", "/entry", ..., ""),
        ("pending", "/protocol", ..., ""),
        ("pending", "/protocol", 1, ""),
        ("pending", "/protocol", None, ""),
    ],
)  # fmt: skip
def test_malformed(name: str, pointer: str, value: object, where: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_proof(changed(name, pointer, value))
    assert refused.value.pointer == where
    assert refused.value.sentence("zh") != refused.value.sentence("en")


def test_the_limits_are_allowed() -> None:
    for pointer, value in (
        ("/chain/chain_id", MAX_INTEGER),
        ("/entry/recorded_at", 0),
        ("/inclusion/path", [HASH] * 16),
        ("/inclusion/path", []),
        ("/register/siblings", [HASH] * 256),
        ("/register/state/version", 2**32 - 1),
        ("/register/state/index", 65_535),
        ("/sections/header/value/number", "A" * 64),
    ):
        parse_proof(changed("valid", pointer, value))


def test_size() -> None:
    data = proof_file("valid")
    assert parse_proof(data + b" " * (MAX_BYTES - len(data))) == parse_proof(data)
    with pytest.raises(Malformed, match="4 MiB"):
        parse_proof(data + b" " * (MAX_BYTES - len(data) + 1))


@pytest.mark.parametrize(
    "data",
    [
        b'{"protocol":"zp2"}',
        b'{"protocol":"","a":1,"a":2}',
        b'{"a":[1e999,-0],"protocol":"zp1 "}',
        b'{"protocol":"zp2","a":"\\ud800"}',
        b'{"protocol":"zp2","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(5),
)
def test_of_another_protocol_only_syntax_and_protocol_are_looked_at(data: bytes) -> None:
    with pytest.raises(OtherProtocol):
        parse_proof(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"protocol":"zp2"',
        b'{"protocol":"zp2"}}',
        b'\xef\xbb\xbf{"protocol":"zp2"}',
        b'{"protocol":"zp2","a":NaN}',
        b'{"protocol":"zp2","a":01}',
        b'{"protocol":"zp2\xff"}',
        b'{"protocol":"zp2","protocol":"zp2"}',
        b'{"protocol":"zp1","protocol":"zp2"}',
        b'{"protocol":["zp2"]}',
        b'["zp2"]',
        b'"zp2"',
        b"null",
        b"",
    ],
)
def test_which_protocol_cannot_be_told(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_proof(data)


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises((Malformed, OtherProtocol)):
        parse_proof(data)
