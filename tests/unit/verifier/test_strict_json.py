"""The strict reader: what orjson reads is what the exact reader reads, and nothing that a file may not have gets through."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from verifier.errors import Malformed
from verifier.strict_json import MAX_DEPTH, loads, loads_plain, read

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.booleans(), st.sampled_from([None, 0, 1]))
def test_reads_whatever_json_writes(value: Any, ascii_only: bool, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert read(data) == (value, None, frozenset())
    assert loads(data) == value
    assert loads_plain(data) in (value, None)


# Pieces of JSON, right and wrong, in any order: a grammar's worst reader.
pieces = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"a"',
            '"\\u0061"',
            '"b:"',
            '"\\u003a"',
            '"\\ud800"',
            '"\\ud83d\\ude00"',
            '"\\/"',
            '"\x01"',
            "0",
            "-0",
            "1",
            "17",
            "01",
            "1.0",
            "1e1",
            "-1",
            "18446744073709551616",
            "NaN",
            "true",
            "null",
            "nul",
            " ",
            "\n",
            "\ufeff",
            "发",
        ]
    ),
    max_size=12,
).map("".join)


def stdlib(text: str) -> Any:
    """What the standard library reads; an object as a list of pairs, so that nothing is dropped."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs), parse_constant=refuse, strict=True)


def flaws(value: Any) -> bool:
    """Whether something in it is not allowed: a name twice, half a surrogate pair."""
    if isinstance(value, tuple):
        names = [name for name, _ in value[1]]
        return len(set(names)) < len(names) or any(flaws(name) or flaws(child) for name, child in value[1])
    if isinstance(value, list):
        return any(map(flaws, value))
    return isinstance(value, str) and re.search("[\ud800-\udfff]", value) is not None


@given(pieces)
@example('{"a":-0}')
@example('{"a":1,"\\u0061":2}')
@example('{"a":":","a":1}')
@example('{"a":"\\u003a","a":1}')
@example('["\\ud800"]')
@example("[1,]")
@example('{"a":1.0}')
@example(" ")
def test_agrees_with_the_standard_library(text: str) -> None:
    data = text.encode()
    try:
        expected = stdlib(text)
    except (ValueError, RecursionError):
        with pytest.raises(Malformed):
            read(data)
        assert loads_plain(data) is None
        return
    value, flaw, _ = read(data)
    has_flaw = flaws(expected) or re.search(r"(?<![\w\"\\.])-|\d\.\d|\de\d|\d{17}", text) is not None
    assert (flaw is not None) == has_flaw, flaw
    plain = loads_plain(data)
    if plain is not None and flaw is not None:
        # orjson makes a float of a fraction, an exponent or what is too large, and keeps other negatives: no field takes those.
        assert not flaws(expected)
        assert "-0" not in text
    elif plain is not None:
        assert plain == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for reader in (loads, read):
        with suppress(Malformed):
            reader(data)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":1,"a":1}', "form.duplicate"),
        ('{"a":1,"\\u0061":1}', "form.duplicate"),
        ('{"b":{"a":1,"c":[{"d":1,"d":2}]}}', "form.duplicate"),
        ('{"a":"\\u003a\\u003a","a":"x"}', "form.duplicate"),
        ('{"a":-0}', "form.integer"),
        ('{"a":[ -0 ]}', "form.integer"),
        ('{"a":"\\ud800"}', "form.surrogate"),
        ('{"\\udfff":1}', "form.surrogate"),
        ('{"a":017}', "form.syntax"),
        ('{"a":+1}', "form.syntax"),
        ('{"a":NaN}', "form.syntax"),
        ('{"a":Infinity}', "form.syntax"),
        ('{"a":.5}', "form.syntax"),
        ('{"a":1.}', "form.syntax"),
        ("{'a':1}", "form.syntax"),
        ('{"a":1}x', "form.syntax"),
        ('{"a":1} {}', "form.syntax"),
        ('{"a":1', "form.syntax"),
        ('{"a"}', "form.syntax"),
        ('{"a":1,}', "form.syntax"),
        ("[1,]", "form.syntax"),
        ("[1 2]", "form.syntax"),
        ('["a\tb"]', "form.syntax"),
        ('["\\x"]', "form.syntax"),
        ('["\\u12g4"]', "form.syntax"),
        ("\ufeff{}", "form.syntax"),
        ("\u00a0{}", "form.syntax"),
        ("", "form.syntax"),
    ],
)
def test_refusals(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        loads(text.encode())
    assert refused.value.reason == code


@pytest.mark.parametrize(
    "data", [b"\xff", b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xf4\x90\x80\x80"}', "{}".encode("utf-16")]
)
def test_not_utf_8(data: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read(data)
    assert refused.value.reason == "form.utf8"


def test_levels() -> None:
    assert read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).flaw is None
    for depth in (MAX_DEPTH + 1, 1_000, 1_025, 100_000):
        _, flaw, _ = read(b"[" * depth + b"]" * depth)
        assert flaw is not None
        assert flaw.reason == "form.depth"
    with pytest.raises(Malformed) as refused:
        read(b'{"a":' * 100_000 + b"]")
    assert refused.value.reason == "form.syntax"


def test_what_stands_twice_in_the_outermost_object() -> None:
    assert read(b'{"a":1,"b":{"c":1,"c":2},"a":{"a":3}}').repeated == {"a"}


def test_escapes() -> None:
    text = '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u4E2D\\ud83d\\ude00\\uD83D\\uDE00"'
    assert read(text.encode()).value == json.loads(text)
