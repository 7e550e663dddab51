"""The register: one leaf per invoice number, holding which copy is current and its status (protocol.md section 4).

A binary Merkle map by the key's bits, most significant first, compressed: a subtree with one leaf *is* that leaf, a subtree with
none is EMPTY.
"""

from collections.abc import Container, Iterable, Sequence
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from verifier.entry import ZERO, Entry, Kind
from verifier.errors import Malformed, NotAllowed
from verifier.merkle import EMPTY, climb

MAX_SIBLINGS = 256

_LAYOUT = Struct(">9sBIQI32s32s")
_TAG = b"zp1/state"


class Status(IntEnum):
    VALID = 1
    VOID = 2
    REVERSED = 3
    PARTLY_REVERSED = 4
    RELEASED = 5


class State(NamedTuple):
    """What is true of a number now. `seq` and `index` name the entry that made it; copy and other are 32 bytes."""

    status: Status
    version: int
    seq: int
    index: int  # type: ignore[assignment]  # tuple.index is of no use here; this is the protocol's name
    copy: bytes
    other: bytes

    def encode(self) -> bytes:
        """90 bytes: "zp1/state" ‖ u8(status) ‖ u32(version) ‖ u64(seq) ‖ u32(index) ‖ copy ‖ other."""
        return _LAYOUT.pack(_TAG, *self)

    def hash(self) -> bytes:
        """H(state): all that a proof about another number, or for someone without a commitment, shows of it."""
        return sha256(_LAYOUT.pack(_TAG, *self)).digest()


def decode_state(data: bytes) -> State:
    """The reverse of `State.encode`. Raises Malformed."""
    if len(data) != _LAYOUT.size or not data.startswith(_TAG):
        raise Malformed("not a state")
    _, status, *rest = _LAYOUT.unpack(data)
    if status not in Status._value2member_map_:
        raise Malformed(f"unknown status {status}")
    return State(Status(status), *rest)


def register_leaf(key: bytes, state_hash: bytes) -> bytes:
    """H(0x00 ‖ key ‖ H(state))."""
    return sha256(b"\x00" + key + state_hash).digest()


def bit(key: bytes, depth: int) -> int:
    """Which way `key` goes at `depth`: 0 left, 1 right; the most significant bit is depth 0."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def shared_bits(a: bytes, b: bytes) -> int:
    """How many leading bits two keys of 32 bytes share; 256 if they are equal."""
    return 256 - (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_length()


def root_from_siblings(key: bytes, end: bytes, siblings: Sequence[bytes]) -> bytes:
    """The root that `siblings` (from the root down) lead to from the node `end` on the way of `key`."""
    return climb(end, int.from_bytes(key, "big") >> 256 - len(siblings), reversed(siblings))


def root_from_presence(key: bytes, state_hash: bytes, siblings: Sequence[bytes]) -> bytes:
    """The register root under which `key` has the state of this hash."""
    return root_from_siblings(key, register_leaf(key, state_hash), siblings)


def root_from_absence(key: bytes, neighbour: tuple[bytes, bytes] | None, siblings: Sequence[bytes]) -> bytes | None:
    """The register root under which `key` has no leaf: its way ends at nothing, or at `neighbour`, the (key, H(state)) of another.

    None where that is no absence: the neighbour is `key` itself, or would not stand on its way.
    """
    if neighbour is None:
        return root_from_siblings(key, EMPTY, siblings)
    if neighbour[0] == key or shared_bits(key, neighbour[0]) < len(siblings):
        return None
    return root_from_siblings(key, register_leaf(*neighbour), siblings)


def register_root(leaves: Iterable[tuple[bytes, bytes]], top: int = 0) -> bytes:
    """The root over (key, register leaf) pairs in ascending order of key, streamed: a stack of at most 256 hashes is held.

    With `top`, the keys share that many bits and the root is that of their subtree. Raises ValueError where keys do not ascend.
    """
    stack: list[tuple[int, bytes]] = []  # (depth, node) of finished left siblings on the way of the current key
    walk = iter(leaves)
    current = next(walk, None)
    if current is None:
        return EMPTY
    key, node = int.from_bytes(current[0], "big"), current[1]
    before = top - 1  # bits shared with the key before
    while True:
        following = next(walk, None)
        after = top - 1
        if following is not None:
            next_key = int.from_bytes(following[0], "big")
            if next_key <= key:
                raise ValueError("keys must ascend")
            after = 256 - (key ^ next_key).bit_length()
        for depth in range(max(before, after), after, -1):
            if not key >> 255 - depth & 1:
                node = sha256(b"\x01" + node + EMPTY).digest()
            elif stack and stack[-1][0] == depth:
                node = sha256(b"\x01" + stack.pop()[1] + node).digest()
            else:
                node = sha256(b"\x01" + EMPTY + node).digest()
        if following is None:
            return node
        stack.append((after, node))
        key, node, before = next_key, following[1], after


def apply(state: State | None, entry: Entry, seq: int, index: int, earlier_copies: Container[bytes]) -> State:
    """The state that `entry` makes of `state`: the replay table of protocol.md section 4.

    `earlier_copies` holds every copy that was ever one of this number. Raises NotAllowed where the table does not allow the entry,
    and for a note, which changes no state.
    """
    kind = entry.kind
    if kind is Kind.ISSUE:
        if state is not None and state.status is not Status.RELEASED:
            raise NotAllowed("the number is taken")
        if entry.copy in earlier_copies:
            raise NotAllowed("the copy was one of this number before")
        version = 1 if state is None else state.version + 1
        return State(Status.VALID, version, seq, index, entry.copy, entry.other)
    if state is None:
        raise NotAllowed("the number is not registered")
    open_to = _OPEN_TO.get(kind)
    if open_to is None or state.status not in open_to:
        raise NotAllowed(f"{kind.name.lower()} is not allowed while {state.status.name.lower()}")
    if kind is Kind.REPRINT:
        if entry.other != state.copy:
            raise NotAllowed("the copy to be replaced is not the current one")
        if entry.copy in earlier_copies:
            raise NotAllowed("the copy was one of this number before")
        return State(state.status, state.version + 1, seq, index, entry.copy, state.other)
    if entry.copy != state.copy:
        raise NotAllowed("the copy is not the current one")
    return State(_MAKES[kind], state.version, seq, index, state.copy, ZERO if kind is Kind.RELEASE else entry.other)


_STANDING = frozenset((Status.VALID, Status.PARTLY_REVERSED))
_OPEN_TO = {
    Kind.VOID: frozenset((Status.VALID,)),
    Kind.REVERSE: _STANDING,
    Kind.REVERSE_PART: _STANDING,
    Kind.REPRINT: _STANDING,
    Kind.RELEASE: frozenset((Status.VALID,)),
}
_MAKES = {
    Kind.VOID: Status.VOID,
    Kind.REVERSE: Status.REVERSED,
    Kind.REVERSE_PART: Status.PARTLY_REVERSED,
    Kind.RELEASE: Status.RELEASED,
}
