"""The text of an invoice as it is searched: what stands in it, and the grams by which it is found.

Chinese has no blanks between words: a run of its characters is taken apart into pairs, so that a word of two characters is found
like any other. Other words are taken as they are, and found by how they begin; of a long number also by its last digits. Grams lead
to candidates; whether the searched text really stands there is looked up in the text itself.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

MAX_WORD = 64
"""Of a longer word only that many characters are a gram."""
TAILS = (4, 6, 8)
"""So many last digits of a long number are a gram of their own."""

_WORD = re.compile(r"\w+")
_HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"([{_HAN}]+)|([^{_HAN}]+)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


class Gram(NamedTuple):
    """`is_prefix`: whatever begins with it will do. `tail`: or a number that ends with it."""

    text: str
    is_prefix: bool = False
    tail: bool = False


class Term(NamedTuple):
    """A part of what is searched for: the text that has to stand there, and grams that are there if it does."""

    text: str
    grams: tuple[Gram, ...]


def plain(text: str) -> str:
    """As texts are compared: compatibility forms, case and thousands separators do not matter."""
    return _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold())


def text_of(sections: Sequence[bytes | None], more: str | None = None) -> str:
    """All texts of an invoice, a line each, as `plain` has them; from the canonical bytes of its sections."""
    found = [text for section in sections if section is not None for text in _texts(orjson.loads(section))]
    return plain("\n".join([*found, more] if more else found))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def grams_of(text: str) -> set[str]:
    """The grams by which a `plain` text is found."""
    found: set[str] = set()
    for han, word in _runs(text):
        if han:
            found.update(han[n : n + 2] for n in range(len(han)))  # the last one alone: for who searches one character
        else:
            found.add(word[:MAX_WORD])
            if word.isdigit():
                found.update(tail_gram(word[-length:]) for length in TAILS if len(word) > length)
    return found


def tail_gram(digits: str) -> str:
    """The gram of a number's last digits, which is none of any word."""
    return f"_{digits}"


def terms_of(question: str) -> list[Term]:
    """What has to stand in an invoice, each term on its own. One of signs alone has no grams."""
    return [Term(part, tuple(_grams_wanted(part))) for part in plain(question).split()]


def _grams_wanted(part: str) -> Iterator[Gram]:
    for han, word in _runs(part):
        if len(han) == 1:
            yield Gram(han, is_prefix=True)
        elif han:
            yield from (Gram(han[n : n + 2]) for n in range(len(han) - 1))
        else:
            yield Gram(word[:MAX_WORD], is_prefix=True, tail=word.isdigit() and len(word) in TAILS)


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """(run of Chinese, "") or ("", other word), in order."""
    for word in _WORD.findall(text):
        yield from _RUNS.findall(word)
