"""Proofs from the register's pages: the way of a key through them, as of any seq that is kept (protocol.md section 4)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from service.ledger.register import Leaf, encode_leaves, hash_page, is_inner, leaves_of, read_pages
from verifier.merkle import EMPTY, path_in, tree_hash, tree_levels
from verifier.register import bit

_DEPTHS_AT_ONCE = 6
"""Pages on the way of a key that are read in one query; more of them where there are some ten million keys."""
_MAX_SHARED_DEPTH, _MAX_SHARED = 8, 600
"""The uppermost 273 pages, of two anchors: some 2 MB."""


class Proof(NamedTuple):
    """`siblings` from the root down; `end` is the leaf at the end of the way (of the key or a neighbour), or None."""

    siblings: list[bytes]
    end: Leaf | None


def prove(connection: Connection, seq: int, key: bytes) -> Proof:
    """The way of `key` through the register as of batch `seq`: presence where `end` is its own leaf, else absence.

    The caller knows that `seq` is kept; the proof is checked against the anchored root before it is handed out.
    """
    return prove_all(connection, seq, [key])[0]


def prove_all(connection: Connection, seq: int, keys: Sequence[bytes]) -> list[Proof]:
    """The same for many keys: what is on several ways is read once, and all of it in as few queries as one key needs."""
    digits = [key.hex() for key in keys]
    pages: dict[str, bytes | None] = {}
    wanted = {way[:depth] for way in digits for depth in range(_DEPTHS_AT_ONCE)}
    while True:
        pages.update(dict.fromkeys(wanted))
        pages.update(read_pages(connection, sorted(wanted), seq))
        found = [_prove_in(pages, key) for key in keys]
        wanted = {path for path in found if isinstance(path, str)}
        if not wanted:
            return [proof for proof in found if isinstance(proof, Proof)]


def _prove_in(pages: Mapping[str, bytes | None], key: bytes) -> Proof | str:
    """From pages that were read, None where there is none; a path that was not read and that the way leads to."""
    siblings: list[bytes] = []
    path = ""
    while path in pages:
        page = pages[path]
        if page is None:
            return Proof(siblings, None)
        if not is_inner(page):
            return _prove_in_leaves(key, leaves_of(page), 4 * len(path), siblings)
        child = _prove_in_children(key, page, 4 * len(path), siblings)
        if child is None:
            return Proof(siblings, None)
        path += f"{child:x}"
    return path


def _prove_in_leaves(key: bytes, leaves: list[Leaf], depth: int, siblings: list[bytes]) -> Proof:
    # A single leaf has risen to where it met another: what stands above it on this page is no part of the proof.
    while len(leaves) > 1:
        here = bit(key, depth)
        sides: tuple[list[Leaf], list[Leaf]] = ([], [])
        for leaf in leaves:
            sides[bit(leaf[0], depth)].append(leaf)
        depth += 1
        siblings.append(hash_page(encode_leaves(sides[1 - here]), depth).hash)
        leaves = sides[here]
    return Proof(siblings, leaves[0] if leaves else None)


@lru_cache(_MAX_SHARED)
def _levels(page: bytes) -> list[Sequence[bytes]]:
    """The nodes above sixteen subtrees, remembered for the pages that the ways of many keys share."""
    return tree_levels([page[at : at + 32] for at in range(3, 515, 32)])


def _hash_full(page: bytes, n: int, width: int) -> bytes:
    """The node above the n-th `width` of a page's sixteen subtrees."""
    at = 3 + 32 * n * width
    if width == 1:
        return page[at : at + 32]
    return tree_hash([sha256(b"\x01" + page[start : start + 64]).digest() for start in range(at, at + 32 * width, 64)])


def _above(level: Sequence[tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    """One level up, of subtrees as (hash, is_leaf)."""
    above = []
    pairs = iter(level)
    for left, right in zip(pairs, pairs, strict=True):
        if right[0] == EMPTY and (left[1] or left[0] == EMPTY):
            above.append(left)
        elif left[0] == EMPTY and right[1]:
            above.append(right)
        else:
            above.append((sha256(b"\x01" + left[0] + right[0]).digest(), False))
    return above


def _prove_in_children(key: bytes, page: bytes, depth: int, siblings: list[bytes]) -> int | None:
    """Add the siblings of this page's four levels; the child where the way goes on, or None where it ends in nothing.

    Where one leaf is all that is left, the way ends in it although its digit may be another than the key's: its page names it.
    """
    mask = int.from_bytes(page[1:3], "big")
    if not mask and EMPTY not in page:  # as the upper pages of any large register
        child = key[depth >> 3] >> (0 if depth & 4 else 4) & 15
        if depth <= _MAX_SHARED_DEPTH:
            siblings += reversed(path_in(_levels(page), child))
        else:
            siblings += [_hash_full(page, child // width ^ 1, width) for width in (8, 4, 2, 1)]
        return child
    hashes = [page[at : at + 32] for at in range(3, 515, 32)]
    children: Sequence[tuple[bytes, bool]] = [(hash_, mask >> n & 1 == 1) for n, hash_ in enumerate(hashes)]
    first = 0
    while len(children) > 1:
        full = [n for n, (hash_, _) in enumerate(children) if hash_ != EMPTY]
        if not full:
            return None
        if len(full) == 1 and children[full[0]][1]:
            return first + full[0]
        half = len(children) // 2
        here = bit(key, depth)
        other_half = children[half * (1 - here) :][:half]
        while len(other_half) > 1:
            other_half = _above(other_half)
        siblings.append(other_half[0][0])
        children = children[half * here :][:half]
        first += half * here
        depth += 1
    return first if children[0][0] != EMPTY else None
