"""Random changes to a JSON file: of bytes, of structure, of spelling. A seed makes the same change again."""

import copy
import json
import random
import re
from typing import Any

Place = tuple[Any, Any]
"""A list or object, and the index or name of something in it."""

_NUMBERS = re.compile(r"(?<=[:\[,])( *)(\d+)(?= *[,\]}\n])")
_STRINGS = re.compile(r'"[^"\\]+"')
_MEMBERS = re.compile(r'"[a-z_]+": ?(?:"[^"\\]*"|\d+)(?=[,}\n])')
_HEX = re.compile(r"(?:0x)?[0-9a-f]{16,}")
_NAMES = (
    "",
    "x",
    "state",
    "state_hash",
    "hash",
    "salt",
    "value",
    "receipt",
    "neighbour",
    "number",
    "original",
    "reprint",
    "__proto__",
)
_NUMBERS_TO_TRY = (0, 1, 2, 9, 10, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1, 2**53, -1, 1.5, 1e300)
_TEXTS_TO_TRY = ("", "0", "A", "0" * 64, "f" * 64, "issue", "reprint", "void", "valid", "released", "zp1")
_CONTAINERS_TO_TRY: tuple[Any, ...] = ([], {}, [[]], {"a": "b"}, {"number": "26112983965558933682"})
_VALUES: tuple[Any, ...] = (None, True, False, *_NUMBERS_TO_TRY, *_TEXTS_TO_TRY, *_CONTAINERS_TO_TRY)
_ENUMERATED = (
    ("issue", "void", "reverse", "reprint", "reverse_part", "note", "release"),
    ("valid", "void", "reversed", "partly_reversed", "released"),
)
# All of Unicode 14 or older, of which every implementation has the same normal form.
_TEXTS = (
    *("", " ", "\\", '"', "/", "x" * 70, *map(chr, (0x0, 0x9, 0xA, 0xD, 0x1F, 0x7F, 0x85))),
    *("\u00e9", "e\u0301", "e\u0323\u0301", "e\u0301\u0323", "\u00c5", "\u212b", "\u2126"),  # composed or not, singletons
    *("\uac00", "\u1100\u1161", "\u1100", "\u11a8", "\u304b\u3099", "\u304c", "\u3099", "\uff9e"),  # Hangul, kana
    *("\u0300", "\u0340", "\u0344", "\u0958", "\u2adc", "\ufb1d", "\u8c48", "\uf900", "\ufa30", "\U0002f800", "\U0001d15e"),
    *("\u200b", "\u200d", "\u2028", "\u202e", "\u2066", "\u061c", "\u00ad", "\u180e", "\u3164", "\u115f", "\uffa0", "\ufeff"),
    *("\ufffd", "\ufff9", "\ufdd0", "\uffff", "\ue000", "\U00020bb7", "\U0001f600", "\U000e0041", "\U000f0000", "\U0010ffff"),
)
_SPELLINGS = ("{}.0", "{}e0", "{}E+0", "0{}", "-{}", "+{}", '"{}"', "{}00", "{} ", "{}.", "\n\t{}", "-0", "NaN", "1e400", "9" * 30)
_LARGE = ("9007199254740991", "9007199254740992", "9007199254740993", "0.1e1")
_ESCAPES = (
    *(f"\\{rest}" for rest in ("ud800", "udc00\\ud800", "ud83d\\ude00", "u0000", "u0301", "n", "/", "x", "u00e", "U0041", "")),
    "\t",
)
_INSERTS = (*',:{}[]"\\0 ', "null", "/**/", "\n", "\x00", "\u00a0", "\ufeff", "\u2028")
_PROTOCOLS = (
    *('"zp2"', '""', '"ZP1"', '"zp\\u0031"', '"\\ud800"', "1", "null", '["zp1"]', '"zp9","a":-1,"a":1.5'),
    *('"zp1","protocol":"zp2"', '"zp2","protocol":"zp1"', '"zp2","\\u0070rotocol":"zp2"'),
)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """`data`, a JSON file, with one to three random changes."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        data = dice.choice((_edited, _edited, _edited, _edited, _respelt, _flipped))(data, dice)
        if len(data) < 20:
            break
    return data


def _flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _edited(data: bytes, dice: random.Random) -> bytes:
    """One place gets another value, is removed, copied, swapped or renamed."""
    try:
        value = json.loads(data)
    except ValueError:
        return _flipped(data, dice)
    places = _places(value)
    if not places:
        return data
    container, name = dice.choice(places)
    other, other_name = dice.choice(places)
    match dice.randrange(12):
        case 0:
            container[name] = copy.deepcopy(dice.choice(_VALUES))
        case 1:
            del container[name]
        case 2:
            container[name] = copy.deepcopy(other[other_name])
        case 3:
            container[name], other[other_name] = copy.deepcopy(other[other_name]), copy.deepcopy(container[name])
        case 4 if isinstance(container, dict):
            container[dice.choice((*_NAMES, f"{name} ", name.upper()))] = copy.deepcopy(
                dice.choice((container[name], other[other_name]))
            )
        case _:
            container[name] = _nudged(container[name], dice)
    return json.dumps(value, ensure_ascii=dice.random() < 0.2).encode("utf-8", "surrogatepass")


def _places(value: Any) -> list[Place]:
    found: list[Place] = []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        found += [(value, name), *_places(child)]
    return found


def _nudged(value: Any, dice: random.Random) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return dice.choice((value + 1, abs(value - 1), value + 2, abs(value - 2), value * 2, 0, 1, value + 1000, value / 2))
        case str() if _HEX.fullmatch(value):
            at = dice.randrange(2, len(value))
            digit = dice.choice("0123456789abcdef0123456789abcdefAg")
            return value[:at] + digit + value[at + (dice.random() < 0.9) :]
        case str() if names := [others for others in _ENUMERATED if value in others]:
            return dice.choice(names[0])
        case str():
            at = dice.randint(0, len(value))
            text = dice.choice(_TEXTS)
            return dice.choice((value[:at] + text + value[at:], value[:at] + value[at + 1 :], value.upper(), value + value, text))
        case list():
            return dice.choice((value[1:], value[:-1], value + value[:1], value[::-1], [], [*value, None], value * 20))
        case dict():
            return dict(list(value.items())[1:])
        case _:
            return {}


def _respelt(data: bytes, dice: random.Random) -> bytes:
    """The text: numbers, escapes and white space in other spellings, members twice, cut, with something between."""
    text = data.decode("utf-8", "surrogatepass" if _is_utf8(data) else "replace")
    at = dice.randrange(len(text))
    match dice.randrange(8):
        case 0 if numbers := list(_NUMBERS.finditer(text)):
            found = dice.choice(numbers)
            text = text[: found.start(2)] + dice.choice((*_SPELLINGS, *_LARGE)).format(found[2]) + text[found.end() :]
        case 1 if strings := list(_STRINGS.finditer(text)):
            found = dice.choice(strings)
            inside = dice.randrange(found.start() + 1, found.end() - 1)
            escaped = f"\\u{ord(text[inside]) & 0xFFFF:04{dice.choice('xX')}}"
            text = text[:inside] + dice.choice((escaped, escaped, escaped, *_ESCAPES)) + text[inside + dice.randrange(2) :]
        case 2 if members := list(_MEMBERS.finditer(text)):
            found = dice.choice(members)
            twice = found[0] if dice.random() < 0.5 else dice.choice(members)[0]
            text = text[: found.start()] + twice + "," + text[found.start() :]
        case 3:
            text = text[:at]
        case 4:
            text = text[:at] + dice.choice(_INSERTS) + text[at:]
        case 5:
            text = text[:at] + text[at + dice.randint(1, 4) :]
        case 6:
            text = dice.choice(("\ufeff", " ", "\n", "[", "\u00a0")) + text + dice.choice(("", " ", "x", "]", "{}", "\x00", "\x0c"))
        case _:
            text = text.replace('"zp1"', dice.choice(_PROTOCOLS), 1)
    return text.encode("utf-8", "surrogatepass")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
