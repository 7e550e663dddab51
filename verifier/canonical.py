"""Canonical bytes of a section: RFC 8785 (JCS) on a restricted kind of JSON (protocol.md section 1).

Text, booleans, lists and objects only. With ASCII names and neither numbers nor null, RFC 8785 is what orjson writes with sorted
keys: byte order equals UTF-16 order, and of the characters that either escapes only `"`, `\\` and line feed are allowed at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from verifier.errors import NotCanonical

MAX_DEPTH = 16
MAX_SECTIONS_BYTES = 2 * 1024 * 1024
_MAX_KNOWN_KEYS = 1024

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FORBIDDEN = (
    "\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
_FORBIDDEN_TEXT = re.compile(f"[{_FORBIDDEN}]")
# In written JSON a control character hides behind an escape; `\\`, `\"` and `\n` are the only escapes of allowed text.
_SUSPICIOUS_JSON = re.compile(f'[{_FORBIDDEN}]|\\\\[^"\\\\n]')
# What nearly every invoice consists of beside ASCII: assigned, allowed, and the same in normal form C whatever stands around it.
_COMMON = "\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e\u3001-\u301f\u4e00-\u9fff\uff01-\uff5e\uffe5"
_UNCOMMON = re.compile(f"[^{_COMMON}]")
_UNCOMMON_TEXT = re.compile(f"[^\n -~{_COMMON}]")
_PLAIN_ASCII = bytes(range(0x20, 0x7F)).replace(b"\\", b"")
_CJK_EXTENSIONS = (
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2CEB0, 0x2EBEF),
    (0x2EBF0, 0x2EE5F),
    (0x30000, 0x3134F),
    (0x31350, 0x323AF),
    (0x323B0, 0x3347F),
)


def canonical_bytes(value: object) -> bytes:
    """The bytes of `value` that are hashed: UTF-8, RFC 8785.

    Raises NotCanonical, whose pointer leads to the place, for anything that protocol.md section 1 does not allow.
    """
    if not _are_shaped((value,)):
        _refuse_shape(value, MAX_DEPTH, "")
    try:
        written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):  # a name that only looks like one, or a lone surrogate: the walks below name the place
        _refuse_shape(value, MAX_DEPTH, "")
        _check_texts(value, "")
        raise NotCanonical("surrogate", "") from None
    if not _is_clean(written):
        _check_texts(value, "")
    return written


def canonical_each(values: Sequence[object]) -> list[bytes]:
    """The same of each value, looked through together, which is quicker. A NotCanonical's pointer starts with the index."""
    if _are_shaped(values):
        try:
            written = [orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in values]
        except (TypeError, ValueError):
            pass
        else:
            if _is_clean(b"".join(written)):
                return written
    written = []
    for index, value in enumerate(values):
        try:
            written.append(canonical_bytes(value))
        except NotCanonical as error:
            raise NotCanonical(error.reason, f"/{index}{error.pointer}") from None
    return written


def _is_clean(written: bytes) -> bool:
    """Whether every text in written JSON is certainly allowed: normal form C, and no forbidden character.

    Nearly always all that is left without plain ASCII is common characters. If not, the text is looked through as a whole:
    Normal form C is closed under taking substrings, and no mark composes with the characters around a text. Where an escaped line
    feed stands before a mark the answer is no, and each text is asked for itself. Of the forbidden characters U+3164 alone is
    printable, and what is escaped has a backslash.
    """
    if not _UNCOMMON.search(written.translate(None, _PLAIN_ASCII).decode()):
        return True
    text = written.decode()
    printable = text.isprintable() and "\\" not in text and "\u3164" not in text
    return (printable or not _SUSPICIOUS_JSON.search(text)) and (text.isascii() or unicodedata.is_normalized("NFC", text))


def check_assigned(value: object, pointer: str = "") -> None:
    """Refuse code points that Unicode 14 does not assign, except in the CJK extension blocks; asked at issue only.

    Implementations may differ on their normal form. Raises NotCanonical("unassigned").
    """
    for where, text in _texts(value, pointer):
        if not text.isascii() and _UNCOMMON_TEXT.search(text) and any(map(_is_unassigned, text)):
            raise NotCanonical("unassigned", where)


def _is_unassigned(character: str) -> bool:
    point = ord(character)
    return unicodedata.category(character) == "Cn" and not any(a <= point <= b for a, b in _CJK_EXTENSIONS)


_KNOWN_KEYS: set[str] = set()


def _is_key(key: object) -> bool:
    """Asked for a name that is not known yet; invoices have the same few all the time."""
    if type(key) is not str or _KEY.fullmatch(key) is None or key == "__proto__":
        return False
    if len(_KNOWN_KEYS) < _MAX_KNOWN_KEYS:
        _KNOWN_KEYS.add(key)
    return True


def _are_shaped(values: Iterable[Any]) -> bool:
    """Only allowed types and names, at most MAX_DEPTH levels deep. Exact types: a subclass of str may say one thing and be another.

    Level by level, all values together, without their texts. (A name of a subclass that equals a known one is left to orjson.)
    """
    level, is_known = values, _KNOWN_KEYS.issuperset
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                if not is_known(value) and not all(map(_is_key, value)):
                    return False
                for child in value.values():
                    if type(child) is not str:
                        below.append(child)  # noqa: PERF401  a list for each object would take longer
            elif kind is list:
                below += value
            elif kind is not str and kind is not bool:
                return False
        if not below:
            return True
        level = below
    return {*map(type, level)} <= {str, bool}


def _refuse_shape(value: object, levels: int, pointer: str) -> None:
    """Walk again, slowly, to the place that `_is_shaped` refused."""
    kind = type(value)
    if kind is str or kind is bool:
        return
    if kind is not dict and kind is not list:
        raise NotCanonical("type", pointer)
    if levels == 0:
        raise NotCanonical("depth", pointer)
    for name, child in _children(value):
        if kind is dict and not _is_key(name):
            raise NotCanonical("key", pointer + _segment(name))
        _refuse_shape(child, levels - 1, pointer + _segment(name))


def _check_texts(value: object, pointer: str) -> None:
    for where, text in _texts(value, pointer):
        found = _FORBIDDEN_TEXT.search(text)
        if found:
            raise NotCanonical("surrogate" if "\ud800" <= found[0] <= "\udfff" else "character", where)
        if not unicodedata.is_normalized("NFC", text):
            raise NotCanonical("normal_form", where)


def _texts(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    else:
        for name, child in _children(value):
            yield from _texts(child, pointer + _segment(name))


def _children(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _segment(name: object) -> str:
    """One step of an RFC 6901 pointer."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")
