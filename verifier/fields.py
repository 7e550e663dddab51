"""Members of the project's JSON files, each checked as it is read. What is not as it should be is Malformed, with a pointer."""

from binascii import unhexlify
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from verifier.entry import NUMBER
from verifier.errors import Malformed
from verifier.strict_json import MAX_INTEGER, shortened


class Chain(NamedTuple):
    """Which contract on which chain: EIP-155 chain id, and the address as 20 bytes."""

    chain_id: int
    contract: bytes

    def to_members(self) -> dict[str, object]:
        return {"chain_id": self.chain_id, "contract": "0x" + self.contract.hex()}


def exactly(*names: str) -> Callable[[Any, str], tuple[Any, ...]]:
    """A function of (value, pointer) that takes an object with these members and no other, and gives their values in order."""
    required, count = frozenset(names), len(names)
    take: Callable[[Any], tuple[Any, ...]] = itemgetter(*names) if count > 1 else lambda value: (value[names[0]],)

    def taken(value: Any, pointer: str) -> tuple[Any, ...]:
        try:
            if len(value) == count:
                return take(value)
        except (KeyError, TypeError):
            pass
        members(value, required, pointer)
        raise AssertionError("what take refuses, members refuses")

    return taken


def members(value: Any, required: frozenset[str], pointer: str, optional: frozenset[str] = frozenset()) -> None:
    """An object with every member of `required`, any of `optional`, and no other."""
    if type(value) is not dict:
        raise Malformed("form.object", pointer)
    for name in sorted(required - value.keys()):
        raise Malformed("form.missing", pointer, name=name)
    for name in sorted(value.keys() - required - optional):
        raise Malformed("form.unknown", pointer, name=shortened(name))


_CHAIN = exactly("chain_id", "contract")


def chain(value: Any) -> Chain:
    chain_id, contract = _CHAIN(value, "/chain")
    if type(contract) is not str or contract[:2] != "0x":
        raise Malformed("form.address", "/chain/contract")
    return Chain(integer(chain_id, "/chain/chain_id"), hex_bytes(contract[2:], 20, "/chain/contract"))


def integer(value: Any, pointer: str, least: int = 0, most: int = MAX_INTEGER) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Malformed("form.range", pointer)
    return value


def hex_bytes(value: Any, length: int, pointer: str) -> bytes:
    """`length` bytes, written as lower-case hex."""
    try:
        raw = unhexlify(value)
    except (ValueError, TypeError):
        raise Malformed("form.hex", pointer, length=length) from None
    if len(raw) != length or raw.hex() != value:
        raise Malformed("form.hex", pointer, length=length)
    return raw


def hex_together(values: Sequence[Any], length: int) -> tuple[bytes, ...] | None:
    """The same of several, looked at together, which is quicker; None where one of them is wrong."""
    try:
        raw = tuple(map(unhexlify, values))
        # Written again in groups of `length`, which are counted from the right, they are the same: only the first could be shorter.
        if not raw or (len(raw[0]) == length and b"".join(raw).hex(",", length) == ",".join(values)):
            return raw
    except (ValueError, TypeError):
        pass
    return None


def hashes(value: Any, most: int, pointer: str) -> tuple[bytes, ...]:
    """A list of hashes, 32 bytes each, `most` at the most."""
    if type(value) is not list or len(value) > most:
        raise Malformed("form.list", pointer, most=most)
    raw = hex_together(value, 32)
    if raw is None:
        raise Malformed("form.hex", pointer, length=32)
    return raw


def number(value: Any, pointer: str) -> str:
    if type(value) is not str or not NUMBER.fullmatch(value):
        raise Malformed("form.number", pointer)
    return value
