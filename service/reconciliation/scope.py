"""What a run compares with: one contract as of one finalised block, read by the verifier's own reader."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from verifier.anchors import Anchors
from verifier.chain import Anchor, ChainReader
from verifier.fields import Chain


class Scope(NamedTuple):
    """`time` is that of block F in seconds since 1970 UTC, `head` the newest seq that the contract holds there, `first` its first.

    `newest` is our newest batch that is not above head and not foreign: the register is compared at its anchor. 0: there is none.
    """

    chain: Chain
    service_keys: Mapping[str, bytes]
    time: int
    first: int
    head: int
    newest: int = 0


class Witness(Protocol):
    """A copy outside the database that names what the database no longer can. What it says is believed only where it proves it."""

    def leaves(self, seq: int) -> list[bytes]:
        """The entry leaves of a batch in order; none where it has not got it."""

    def entry_at(self, seq: int, index: int) -> bytes | None:
        """The bytes of the entry at a place."""

    def section_leaves(self, seq: int, index: int) -> list[bytes] | None:
        """The eight section leaves of the copy that the entry at a place made."""

    def states(self, prefix: str, seq: int) -> list[tuple[bytes, bytes]]:
        """(key, H(state)) as of anchor `seq`, of the keys that begin with these hex digits, in order."""


def open_scope(reader: ChainReader) -> Scope:
    """Raises ChainUnavailable: then nothing can be concluded."""
    block, head, _ = reader.read(())
    return Scope(reader.chain, dict(reader.service_keys), block.time, _first_seq(reader, head), head)


def _first_seq(reader: ChainReader, head: int) -> int:
    """The contract's first seq: it holds all from there to head, without a gap."""
    if isinstance(reader, Anchors):
        return min(reader.anchors)
    if reader.anchor(1) is not None:
        return 1
    low, high = 1, head
    while high - low > 1:
        middle = (low + high) // 2
        if reader.anchor(middle) is None:
            low = middle
        else:
            high = middle
    return high


def anchors_of(reader: ChainReader, seqs: Iterable[int]) -> dict[int, Anchor]:
    """What the contract holds for each of `seqs`, in as few requests as can be. Raises ChainUnavailable."""
    wanted = list(seqs)
    reader.read(wanted)
    held = {seq: reader.anchor(seq) for seq in wanted}
    return {seq: anchor for seq, anchor in held.items() if anchor is not None}
