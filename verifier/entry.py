"""Log entries: what happened, in order (protocol.md section 3)."""

import re
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import NamedTuple, NewType

from verifier.errors import Malformed

ZERO = bytes(32)
MAX_BATCH = 65_536
NUMBER = re.compile(r"[0-9A-Z][0-9A-Z._:-]{0,63}")
"""The form of every invoice number; fullmatch it. The domain fixes one spelling per kind."""

Key = NewType("Key", bytes)
"""32 bytes: an invoice number's place in the register, or the name of another log."""

_LAYOUT = Struct(">9sBQ32s32s32s32s")
_TAG = b"zp1/entry"


class Kind(IntEnum):
    ISSUE = 1
    VOID = 2
    REVERSE = 3
    REPRINT = 4
    REVERSE_PART = 5
    NOTE = 6
    RELEASE = 7


_KINDS = {kind.value: kind for kind in Kind}


class Entry(NamedTuple):
    """`recorded_at` in milliseconds since 1970 UTC, the service's statement; the other four are 32 bytes each."""

    kind: Kind
    recorded_at: int
    key: bytes
    copy: bytes
    other: bytes
    auth: bytes

    def encode(self) -> bytes:
        """146 bytes: "zp1/entry" ‖ u8(kind) ‖ u64(recorded_at) ‖ key ‖ copy ‖ other ‖ auth."""
        return _LAYOUT.pack(_TAG, *self)


def decode_entry(data: bytes) -> Entry:
    """The reverse of `Entry.encode`. Raises Malformed."""
    if len(data) != _LAYOUT.size or not data.startswith(_TAG):
        raise Malformed("not a log entry")
    _, kind, *rest = _LAYOUT.unpack(data)
    known = _KINDS.get(kind)
    if known is None:
        raise Malformed(f"unknown kind of entry {kind}")
    return Entry(known, *rest)


def number_key(number: str) -> Key:
    """H("zp1/number" ‖ 0x00 ‖ number as ASCII). Raises Malformed where the number's form is wrong."""
    if not NUMBER.fullmatch(number):
        raise Malformed("form.number")
    return Key(sha256(b"zp1/number\x00" + number.encode("ascii")).digest())


def log_key(name: str) -> Key:
    """The key of a note about the log called `name`: H("zp1/log" ‖ 0x00 ‖ name)."""
    return Key(sha256(b"zp1/log\x00" + name.encode()).digest())
