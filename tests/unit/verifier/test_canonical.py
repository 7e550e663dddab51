"""Canonical bytes: RFC 8785 on what is allowed, and a refusal of everything else."""

import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from verifier.canonical import canonical_bytes, canonical_each, check_assigned
from verifier.errors import NotCanonical

# The list of protocol.md section 1, written down a second time.
FORBIDDEN = [
    *range(0x0A),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),
    0xAD,
    0x61C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0x3164,
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
    *range(0xD800, 0xE000),
]


def is_allowed(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text) and not any(ord(character) in FORBIDDEN_SET for character in text)


FORBIDDEN_SET = frozenset(FORBIDDEN)
keys = st.from_regex(re.compile(r"[A-Za-z0-9_.-]{1,64}"), fullmatch=True).filter(lambda key: key != "__proto__")
texts = (
    st.text(st.characters(exclude_characters=[*map(chr, FORBIDDEN)]))
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(is_allowed)
)
values = st.recursive(texts | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(values)
def test_equals_rfc_8785(value: Any) -> None:
    written = canonical_bytes(value)
    assert written == rfc8785.dumps(value)
    assert canonical_bytes(orjson.loads(written)) == written


@given(st.lists(values))
def test_each_is_the_same_as_one_by_one(several: list[Any]) -> None:
    assert canonical_each(several) == [canonical_bytes(value) for value in several]


def refusal(canonical: Callable[[Any], object], value: object) -> tuple[str, str] | None:
    try:
        canonical(value)
    except NotCanonical as refused:
        return refused.reason, refused.pointer
    return None


@given(st.lists(st.text() | values, min_size=1))
def test_each_refuses_what_one_refuses(several: list[Any]) -> None:
    first = next(((index, why) for index, value in enumerate(several) if (why := refusal(canonical_bytes, value))), None)
    expected = first and (first[1][0], f"/{first[0]}{first[1][1]}")
    assert refusal(canonical_each, several) == expected


@given(st.text())
def test_text_is_allowed_by_the_list_and_the_normal_form_alone(text: str) -> None:
    try:
        canonical_bytes({"a": text})
    except NotCanonical:
        assert not is_allowed(text)
    else:
        assert is_allowed(text)


def test_every_character_alone_and_every_pair_that_composes() -> None:
    """Those that a quick look passes by, too."""
    decompositions = [unicodedata.decomposition(character) for character in map(chr, range(sys.maxunicode + 1))]
    pairs = ["".join(chr(int(point, 16)) for point in pair.split()) for pair in decompositions if pair and "<" not in pair]
    assert len(pairs) > 2000
    for text in (*map(chr, range(0x10000)), *pairs):
        assert (refusal(canonical_bytes, {"a": text}) is None) is is_allowed(text), ascii(text)


@pytest.mark.parametrize("point", [*FORBIDDEN[:-0x800], 0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=lambda point: f"U+{point:04X}")
def test_forbidden_character(point: int) -> None:
    for text in (chr(point), f"发票{chr(point)}x", f"\n{chr(point)}"):
        with pytest.raises(NotCanonical) as refused:
            canonical_bytes([{"a": text}])
        assert refused.value.reason in ("character", "surrogate")
        assert refused.value.pointer == "/0/a"


@pytest.mark.parametrize(
    "text", ["\n", '"', "\\", "\\u0000", "/", "\u3000", "\u2028", "\u00a0", "\ue000", "\U0001f600", "\n\u0303", "\u0338="]
)
def test_unusual_and_allowed(text: str) -> None:
    assert canonical_bytes({"a": text}) == rfc8785.dumps({"a": text})


def test_a_mark_after_an_escaped_line_feed_does_not_join_the_letter_of_the_escape() -> None:
    """In written JSON it stands after an n, with which it would make an ñ."""
    assert canonical_bytes(["\n\u0303"]) == b'["\\n\xcc\x83"]'
    with pytest.raises(NotCanonical):
        canonical_bytes(["n\u0303"])


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        1,
        1.5,
        None,
        {"a": None},
        {1: "a"},
        {"": "a"},
        {"a b": "c"},
        {"__proto__": "a"},
        {"a" * 65: "b"},
        {"é": "a"},
        ("a",),
        Text("a"),
        {Text("a"): "b"},
        b"a",
        {"a"},
    ],
    ids=repr,
)
def test_other_types_and_names(value: object) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical_bytes(value)
    assert refused.value.reason in ("type", "key")


def test_a_name_that_equals_one_that_is_known() -> None:
    canonical_bytes({"known": "a"})
    assert refusal(canonical_bytes, {"b": {Text("known"): "a"}}) == ("key", "/b/known")
    assert refusal(canonical_each, [{}, {Text("known"): "a"}]) == ("key", "/1/known")


def test_sixteen_levels() -> None:
    value: Any = "x"
    for _ in range(16):
        value = [value]
    assert canonical_bytes(value) == b"[" * 16 + b'"x"' + b"]" * 16
    inner: Any
    for inner in (["x"], [True], [], {}, {"a": {}}):
        deeper = inner
        for _ in range(16):
            deeper = [deeper]
        assert refusal(canonical_bytes, deeper) == ("depth", "/0" * 16)


def test_the_pointer_escapes_slash_and_tilde() -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical_bytes({"a": {"b/c~d": "e"}})
    assert refused.value.pointer == "/a/b~1c~0d"


@pytest.mark.parametrize("character", ["\u0378", "\U0001fffe", "\u2fe0"], ids=lambda character: f"U+{ord(character):04X}")
def test_unassigned_at_issue(character: str) -> None:
    with pytest.raises(NotCanonical, match="Unicode 14") as refused:
        check_assigned({"a": ["x", f"发{character}"]})
    assert (refused.value.reason, refused.value.pointer) == ("unassigned", "/a/1")


@pytest.mark.parametrize("text", ["北京", "\u9fff", "\U00030000", "\U000323af", "\U0002b739", "\u4dbf", "é€", "￥１", "\n"])
def test_assigned_and_cjk_extensions(text: str) -> None:
    check_assigned({"a": [text]})
