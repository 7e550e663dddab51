"""JSON read strictly (RFC 8259).

A lenient reader forgets what a verifier must see: a member that stands twice, how an integer was spelt, half a surrogate pair.
orjson reads nearly every file, and what it may have forgotten is counted; the rest is read again, slowly and exactly.
"""

import re
from typing import Any, NamedTuple, NoReturn

import orjson

from verifier.errors import Malformed

MAX_DEPTH = 19
"""A section's value stands at level 4 of a proof file and may be 16 levels deep; nothing else goes as far."""
MAX_INTEGER = 2**53 - 1

_SPACE = " \t\n\r"
_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:"
    r"(?P<mark>[][{},:])"
    r'|(?P<text>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<word>true|false|null))"
)
_ESCAPE = re.compile(r'\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_INTEGER = re.compile(r"0|[1-9][0-9]{0,15}")
_WORDS = {"true": True, "false": False, "null": None}
_DEEP_LIST: list[Any] = []
_DEEP_DICT: dict[str, Any] = {}
_MINUS_ZERO = re.compile(rb"-0(?![0-9.eE])")


class Reading(NamedTuple):
    """What stands in a JSON text that is well formed by RFC 8259.

    `flaw` is the first thing in it that the project's files may not have; `repeated` are the names that stand twice in the
    outermost object. Where there is a flaw, `value` is good for its `protocol` alone.
    """

    value: Any
    flaw: Malformed | None
    repeated: frozenset[str]


def loads(data: bytes) -> Any:
    """The value of a JSON text without any flaw; an integer is an int, any other number a float. Raises Malformed."""
    value = loads_plain(data)
    if value is None:
        value, flaw, _ = read(data)
        if flaw:
            raise flaw
    return value


def loads_plain(data: bytes) -> Any | None:
    """The same by orjson where it is certain that nothing was forgotten, which holds for nearly every file; else None."""
    try:
        value = orjson.loads(data)
        again = orjson.dumps(value)
    except (ValueError, TypeError):
        return None
    if again == data:
        return value
    # Each member costs a colon: as many in the file as in what was read of it, and no member was dropped for another of its name.
    # \\u00.. could stand for a colon inside a text, so that one more there would make up for one dropped.
    # A leading zero, NaN and a lone surrogate are errors to orjson; a fraction or an exponent makes a float, which no field takes.
    if data.count(b":") != again.count(b":") or (b"\\" in data and b"\\u00" in data) or _MINUS_ZERO.search(data):
        return None
    return value


def read(data: bytes) -> Reading:
    """Read exactly, at any depth. Raises Malformed where it is not JSON: not UTF-8, a byte order mark, syntax, trailing data."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("form.utf8") from None
    return _Reader(text).read()


class _Reader:
    """No recursion: depth costs a reference a level, and what lies deeper than MAX_DEPTH is checked, not kept."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.flaw: Malformed | None = None
        self.repeated: set[str] = set()

    def read(self) -> Reading:
        open_: list[Any] = []  # the containers around the next value, outermost first
        names: list[str] = []  # and the name that it has in each
        while True:
            kind, lexeme = self._token()
            if kind == "mark" and lexeme in "[{":
                value = self._container(lexeme, len(open_) + 1)
                if not self._next_is("]" if lexeme == "[" else "}"):
                    open_.append(value)
                    names.append("" if lexeme == "[" else self._name())
                    continue
            else:
                value = self._scalar(kind, lexeme)
            while open_:  # put the value where it belongs, and close what ends with it
                container = open_[-1]
                if len(open_) <= MAX_DEPTH:
                    self._put(container, names[-1], value, len(open_))
                kind, lexeme = self._token()
                if lexeme == "," and kind == "mark":
                    if type(container) is dict:
                        names[-1] = self._name()
                    break
                if kind != "mark" or lexeme != ("]" if type(container) is list else "}"):
                    self._fail()
                value = open_.pop()
                names.pop()
            else:
                if self.text[self.at :].strip(_SPACE):
                    self._fail()
                return Reading(value, self.flaw, frozenset(self.repeated))

    def _container(self, lexeme: str, depth: int) -> Any:
        if depth <= MAX_DEPTH:
            return [] if lexeme == "[" else {}
        self._spoil("form.depth")
        return _DEEP_LIST if lexeme == "[" else _DEEP_DICT

    def _token(self) -> tuple[str, str]:
        found = _TOKEN.match(self.text, self.at)
        if found is None or found.lastgroup is None:
            self._fail()
        self.at = found.end()
        return found.lastgroup, found[found.lastgroup]

    def _next_is(self, mark: str) -> bool:
        found = _TOKEN.match(self.text, self.at)
        if found is None or found["mark"] != mark:
            return False
        self.at = found.end()
        return True

    def _name(self) -> str:
        kind, lexeme = self._token()
        if kind != "text" or not self._next_is(":"):
            self._fail()
        return self._unescape(lexeme)

    def _scalar(self, kind: str, lexeme: str) -> object:
        if kind == "text":
            return self._unescape(lexeme)
        if kind == "word":
            return _WORDS[lexeme]
        if kind != "number":
            self._fail()
        if _INTEGER.fullmatch(lexeme):
            return int(lexeme)
        # Which number it is does not matter: no field takes a float, as no field takes what it is spelt like.
        self._spoil("form.integer", spelling=lexeme[:40])
        return 0.5

    def _unescape(self, lexeme: str) -> str:
        text = lexeme[1:-1]
        if "\\" in text:
            text = _ESCAPE.sub(_unescaped, text)
            if any("\ud800" <= character <= "\udfff" for character in text):
                self._spoil("form.surrogate")
        return text

    def _put(self, container: Any, name: str, value: object, depth: int) -> None:
        if type(container) is list:
            container.append(value)
            return
        if name in container:
            self._spoil("form.duplicate", name=shortened(name))
            if depth == 1:
                self.repeated.add(name)
        container[name] = value

    def _spoil(self, code: str, **details: str) -> None:
        self.flaw = self.flaw or Malformed(code, "", **details)

    def _fail(self) -> NoReturn:
        raise Malformed("form.syntax", at=self.at + 1)


def _unescaped(escape: re.Match[str]) -> str:
    high, low, single, letter = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10 | int(low, 16) & 0x3FF))
    return chr(int(single, 16)) if single else _ESCAPES[letter]


def shortened(name: str) -> str:
    """A name from a file, as it may be shown: a hostile one is cut, and what is not ASCII written as an escape."""
    return name[:64].encode("ascii", "backslashreplace").decode()
