"""The log tree of RFC 9162 section 2.1 with SHA-256, on leaf hashes (protocol.md section 3)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = bytes(32)
"""The root of no leaves is 32 zero bytes here; RFC 9162 has H()."""


def leaf_hash(data: bytes) -> bytes:
    """H(0x00 ‖ data), 32 bytes. RFC 9162 section 2.1.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 ‖ left ‖ right), 32 bytes. RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """The root over `leaves` (32 bytes each, already hashed); EMPTY of none. RFC 9162 section 2.1.1.

    Level by level: pairing from the left and carrying an odd last node up unchanged is the recursion of the RFC, which splits
    at the largest power of two below n.
    """
    level: Sequence[bytes] = leaves
    while len(level) > 1:
        level = parents(level)
    return level[0] if level else EMPTY


def parents(level: Sequence[bytes]) -> list[bytes]:
    """The next level up; an odd last node is carried up unchanged."""
    pairs = iter(level)
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) % 2:
        above.append(level[-1])
    return above


def tree_levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Every node of the tree over `leaves`, level by level from the leaves up; of no leaves, one empty level."""
    levels: list[Sequence[bytes]] = [leaves]
    while len(levels[-1]) > 1:
        levels.append(parents(levels[-1]))
    return levels


def path_in(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The siblings of leaf `index`, from the leaf up. RFC 9162 section 2.1.3.1. Raises IndexError outside the tree."""
    if not 0 <= index < len(levels[0]):
        raise IndexError(f"leaf {index} of {len(levels[0])}")
    path, at = [], index
    for level in levels[:-1]:
        try:  # noqa: SIM105  entering `suppress` takes longer than all the rest
            path.append(level[at ^ 1])
        except IndexError:  # a last node without a sibling is carried up
            pass
        at >>= 1
    return path


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The same where the tree is asked once."""
    return path_in(tree_levels(leaves), index)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that `path` leads to from `leaf` at `index` of a tree of `size` leaves. RFC 9162 section 2.1.3.2.

    None where index, size and the path's length do not fit: a proof of the wrong length fails.
    """
    if not 0 <= index < size:
        return None
    # Below where its way and the last leaf's part, a node has a sibling at every level; above, only where it is a right one: the
    # last node of a level is carried up.
    inner = (index ^ size - 1).bit_length()
    if len(path) != inner + (index >> inner).bit_count():
        return None
    return climb(leaf, index | -1 << inner, path)


_NODE = sha256(b"\x01")


def climb(node: bytes, way: int, siblings: Iterable[bytes]) -> bytes:
    """The top that `siblings`, lowest first, lead to from `node`. Bit n of `way` is 1 where sibling n is a left one."""
    start = _NODE.copy  # the prefix is hashed once, which is quicker than putting it before each pair
    bit = 1
    for sibling in siblings:
        hashed = start()
        if way & bit:
            hashed.update(sibling)
            hashed.update(node)
        else:
            hashed.update(node)
            hashed.update(sibling)
        node = hashed.digest()  # H(0x01 ‖ left ‖ right)
        bit += bit
    return node
