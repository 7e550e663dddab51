"""The register on disk: pages of a radix-16 tree, copy-on-write by seq (protocol.md section 4, decision 6).

A page holds the subtree under a path of hex digits: the sorted leaves themselves while they are few, else the hashes of its 16
children. Numbers never leave the register, so which it is depends on the set of keys alone, and two registers with equal content
have equal pages. Sealing writes new versions of the touched pages under its seq; a reader at an older seq sees the older ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import compress, pairwise
from struct import Struct
from typing import Any, NamedTuple

from sqlalchemy import CTE, Connection, Select, and_, bindparam, delete, literal_column, select

from service.db import Lookup, Rows, SelectIn, chunks, insert_rows
from service.ledger.tables import register_pages
from verifier.merkle import EMPTY, tree_hash
from verifier.register import register_root

MAX_LEAVES = 8
"""Leaves that a page holds before it splits: small pages cost more rows, large ones more bytes and hashes a change."""

_MAX_LEAVES_BYTES = 1 + 64 * MAX_LEAVES

Leaf = tuple[bytes, bytes]
"""(key, H(state)), 32 bytes each."""

_LEAVES, _CHILDREN = b"\x00", b"\x01"
_DIGITS = "0123456789abcdef"
_VALUES = {digit: n for n, digit in enumerate(_DIGITS)}


class Child(NamedTuple):
    """A subtree as its parent sees it. One with a single leaf *is* that leaf, so it rises until it meets another."""

    hash: bytes
    is_leaf: bool


NO_CHILD = Child(EMPTY, False)


def encode_leaves(leaves: Sequence[Leaf]) -> bytes:
    """0x00 ‖ (key ‖ H(state)) in order of key."""
    return _LEAVES + b"".join(map(b"".join, leaves))


def encode_children(children: Sequence[Child]) -> bytes:
    """0x01 ‖ u16 (bit i: child i is a single leaf) ‖ 16 hashes; EMPTY for a child without leaves."""
    mask = sum(1 << i for i, child in enumerate(children) if child.is_leaf)
    return _CHILDREN + mask.to_bytes(2, "big") + b"".join([child.hash for child in children])


def is_inner(page: bytes) -> bool:
    """Whether the page holds children, not leaves."""
    return page[:1] == _CHILDREN


def leaves_of(page: bytes) -> list[Leaf]:
    """The leaves of a page that holds leaves, in order of key."""
    return [(page[i : i + 32], page[i + 32 : i + 64]) for i in range(1, len(page), 64)]


_KEYS_BEGIN = [Struct(">x" + "Q56x" * count).unpack for count in range(MAX_LEAVES + 1)]
"""Of a page with so many leaves: the first 8 bytes of each key, as integers."""


def _hash_leaves(page: bytes, depth: int) -> tuple[bytes, bool]:
    """The subtree, rooted at `depth`, of a page that holds leaves. Raises ValueError where their keys do not ascend."""
    count = len(page) >> 6
    if count == 1 and len(page) == 65:
        return sha256(b"\x00" + page[1:]).digest(), True
    if 1 < count <= MAX_LEAVES and len(page) & 63 == 1:
        try:
            return _hash_few(page, _KEYS_BEGIN[count](page), 0, count, depth), False
        except (IndexError, ValueError):
            pass  # more than the beginning of the keys is needed to tell them apart, or they do not ascend
    hashed = [(key, sha256(b"\x00" + key + state_hash).digest()) for key, state_hash in leaves_of(page)]
    return register_root(hashed, depth), len(hashed) == 1


def _hash_few(page: bytes, keys: Sequence[int], start: int, end: int, depth: int) -> bytes:
    """The subtree, rooted at `depth`, of two leaves of a page or more: split where they part, in half the time of register_root."""
    first = keys[start]
    shared = 64 - (first ^ keys[end - 1]).bit_length()
    parting = 1 << 63 - shared
    middle = start + 1
    while not keys[middle] & parting:
        middle += 1
    at = 64 * middle
    left = (
        sha256(b"\x00" + page[at - 63 : at + 1]).digest()
        if middle == start + 1
        else _hash_few(page, keys, start, middle, shared + 1)
    )
    right = (
        sha256(b"\x00" + page[at + 1 : at + 65]).digest() if middle == end - 1 else _hash_few(page, keys, middle, end, shared + 1)
    )
    node = sha256(b"\x01" + left + right).digest()
    for above in range(shared - 1, depth - 1, -1):
        node = sha256(b"\x01" + EMPTY + node if first >> 63 - above & 1 else b"\x01" + node + EMPTY).digest()
    return node


def hash_children(children: Sequence[tuple[bytes, bool]]) -> Child:
    """The levels above 16 children."""
    return Child(*_hash_level([hash_ for hash_, _ in children], [hash_ for hash_, is_leaf in children if is_leaf]))


def _hash_level(level: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[bytes, bool]:
    """The root above subtrees by hash. `leaves` are those that are a single leaf: no other subtree has the hash of a leaf."""
    rising = {EMPTY, *leaves}
    while EMPTY in level and len(level) > 1:
        pairs = iter(level)
        level = [
            left
            if right == EMPTY and left in rising
            else right
            if left == EMPTY and right in rising
            else sha256(b"\x01" + left + right).digest()
            for left, right in zip(pairs, pairs, strict=True)
        ]
    if len(level) == 1:
        return level[0], level[0] != EMPTY and level[0] in rising
    # Where nothing is empty nothing rises any more.
    if len(level) == 16:
        level = [_hash_eight(*level[:8]), _hash_eight(*level[8:])]
    return (_hash_eight(*level) if len(level) == 8 else tree_hash(level)), False


def _hash_eight(a: bytes, b: bytes, c: bytes, d: bytes, e: bytes, f: bytes, g: bytes, h: bytes) -> bytes:
    """The node above eight others; written out, in two thirds of the time that a loop takes."""
    ab, cd = sha256(b"\x01" + a + b).digest(), sha256(b"\x01" + c + d).digest()
    ef, gh = sha256(b"\x01" + e + f).digest(), sha256(b"\x01" + g + h).digest()
    left, right = sha256(b"\x01" + ab + cd).digest(), sha256(b"\x01" + ef + gh).digest()
    return sha256(b"\x01" + left + right).digest()


_BITS = [tuple(byte >> n & 1 for n in range(8)) for byte in range(256)]


def _hash_inner(level: Sequence[bytes], mask: int) -> tuple[bytes, bool]:
    """The subtree above the 16 children of a page; bit i of `mask`: child i is a single leaf."""
    return _hash_level(level, compress(level, _BITS[mask & 255] + _BITS[mask >> 8]) if mask else ())


def root_at(connection: Connection, seq: int) -> bytes:
    """The register root after batch `seq`; EMPTY before the first invoice."""
    page = read_pages(connection, [""], seq).get("")
    return EMPTY if page is None else hash_page(page, 0).hash


def hash_page(page: bytes, depth: int) -> Child:
    """The subtree of a page whose path has `depth` bits, from what stands on it."""
    return Child(*(_hash_inner(*_children_of(page)) if is_inner(page) else _hash_leaves(page, depth)))


def _children_of(page: bytes) -> tuple[list[bytes], int]:
    """The 16 hashes of a page that holds children, and which of them are leaves."""
    mask, *hashes = _unpack_inner(page)
    return hashes, mask


_unpack_inner = Struct(">xH" + "32s" * 16).unpack


def _newest(wanted: CTE) -> Select[Any]:
    # A scalar by descending seq, not a join with the maximum: SQLite takes a third of the time for it.
    pages = register_pages.c
    is_valid = pages.path == wanted.c.path, pages.seq <= bindparam("at")
    newest = select(pages.page).where(*is_valid).order_by(pages.seq.desc()).limit(literal_column("1")).offset(literal_column("0"))
    return select(wanted.c.path, newest.scalar_subquery())


_looked_for = Lookup({"path": register_pages.c.path.type}, _newest)


def _pages(connection: Connection, paths: Sequence[str], at: int) -> Iterator[tuple[str, bytes]]:
    return ((path, page) for path, page in _looked_for(connection, paths, at=at) if page is not None)


def read_pages(connection: Connection, paths: Sequence[str], seq: int) -> dict[str, bytes]:
    """The version of each page that is valid at `seq`; a path without one is left out."""
    return dict(_pages(connection, paths, seq))


class NotAsBefore(Exception):
    """The register holds other leaves of these keys than the records that are to change them say."""

    def __init__(self, keys: frozenset[bytes]) -> None:
        super().__init__(f"{len(keys)} keys")
        self.keys = keys


def update(connection: Connection, seq: int, changes: Mapping[bytes, bytes], before: Mapping[bytes, bytes] | None = None) -> bytes:
    """Write batch `seq`'s new versions of the touched pages, and return the new root.

    `changes` are new or changed leaves, H(state) by key. Work grows with the changes and the depth, not with the register.
    `before`: the H(state) that each of the keys should have had, none for a new one; raises NotAsBefore, with nothing written.
    """
    made = _Update(changes, before, seq)
    if not made.keys:
        return root_at(connection, seq)
    root = made.write(connection)
    if made.wrong:
        discard_from(connection, seq)
        raise NotAsBefore(frozenset(made.wrong))
    return root


_AT_ONCE = 4096
"""Keys of which pages are in memory: a batch has up to 65,536, and a page or two for each would be 100 MB."""


class _Update:
    """The touched pages, as they were and as they are to be, some subtrees below the root at a time."""

    def __init__(self, states: Mapping[bytes, bytes], before: Mapping[bytes, bytes] | None, seq: int) -> None:
        self.keys = sorted(states)
        self._states = states
        self._before = before
        self._seq = seq
        self._pages: dict[str, bytes] = {}
        self._parts: dict[str, dict[str, int]] = {}
        """Of a page that holds children: the path of each that is touched, and up to where in `keys` those below it stand."""
        self._made: dict[str, tuple[bytes, bool]] = {}
        """Of each subtree below the root that is written, what the root has of it."""
        self.wrong: set[bytes] = set()
        self._rows: list[tuple[str, int, bytes]] = []
        """(path, seq, page) in order of path."""

    def write(self, connection: Connection) -> bytes:
        """The new root."""
        there = self._read(connection, {"": (0, len(self.keys))})
        root, parts = self._pages, self._parts
        for some in _some(parts.get("", {})):
            self._pages, self._parts = {}, {}
            level = {part: there[part] for part in some if part in there}
            while level:
                level = self._read(connection, level)
            for part, (start, stop) in some.items():
                self._made[part] = self._renew(part, start, stop)
            self._insert(connection)
        self._pages, self._parts = root, parts
        hash_, _ = self._renew("", 0, len(self.keys))
        self._insert(connection)
        return hash_

    def _insert(self, connection: Connection) -> None:
        if not self.wrong:
            insert_rows(connection, Rows(register_pages, ("path", "seq", "page"), self._rows))
        self._rows = []

    def _read(self, connection: Connection, level: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """The pages of `level`, and the paths below them that are on the ways of the keys; but for those where there is nothing."""
        below: dict[str, tuple[int, int]] = {}
        for path, page in _pages(connection, list(level), self._seq - 1):
            self._pages[path] = page
            if is_inner(page):
                start, end = level[path]
                parts = self._parts[path] = self._split(path, start, end)
                for part, stop in parts.items():
                    at = 3 + 32 * _VALUES[part[-1]]
                    if page[at : at + 32] != EMPTY:
                        below[part] = start, stop
                    start = stop
        return below

    def _split(self, path: str, start: int, end: int) -> dict[str, int]:
        """The keys from `start` to `end`, all of which begin with `path`, by the digit that follows."""
        keys, (place, is_low) = self.keys, divmod(len(path), 2)
        shift = 0 if is_low else 4
        parts = {}
        while start < end:
            digit = keys[start][place] >> shift & 15
            start += 1
            while start < end and keys[start][place] >> shift & 15 == digit:
                start += 1
            parts[path + _DIGITS[digit]] = start
        return parts

    def _renew(self, path: str, start: int, end: int) -> tuple[bytes, bool]:
        """Make the page at `path` anew, with the changes of the keys from `start` to `end`: all that begin so. As Child."""
        parts = self._parts.get(path)
        if parts is None:
            return self._renew_leaves(path, start, end)
        place = len(self._rows)
        self._rows.append((path, self._seq, b""))
        level, mask = _children_of(self._pages[path])
        for part, stop in parts.items():
            child = _VALUES[part[-1]]
            level[child], is_leaf = self._made.get(part) or self._renew(part, start, stop)
            mask = mask | 1 << child if is_leaf else mask & ~(1 << child)
            start = stop
        self._rows[place] = path, self._seq, b"".join((_CHILDREN, mask.to_bytes(2, "big"), *level))
        return _hash_inner(level, mask)

    def _renew_leaves(self, path: str, start: int, end: int) -> tuple[bytes, bool]:
        page, states, before = self._pages.get(path, _LEAVES), self._states, self._before
        for key in self.keys[start:end]:
            page, was = (page + key + states[key], None) if page == _LEAVES else _with_leaf(page, key, states[key])
            if before is not None and was != before.get(key):
                self.wrong.add(key)
        if len(page) <= _MAX_LEAVES_BYTES:
            self._rows.append((path, self._seq, page))
            return _hash_leaves(page, 4 * len(path))
        below: dict[str, bytes] = {}
        child = build(path, leaves_of(page), below)
        self._rows += [(path, self._seq, page) for path, page in sorted(below.items())]
        return child


def _some(parts: Mapping[str, int]) -> Iterator[dict[str, tuple[int, int]]]:
    """Subtrees below the root, by path with the range of their keys: as many together as have _AT_ONCE keys or more."""
    some: dict[str, tuple[int, int]] = {}
    first = start = 0
    for part, stop in parts.items():
        some[part] = start, stop
        start = stop
        if stop - first >= _AT_ONCE:
            yield some
            some, first = {}, stop
    if some:
        yield some


def _with_leaf(page: bytes, key: bytes, state_hash: bytes) -> tuple[bytes, bytes | None]:
    """A page of leaves with one that is new or changed, and the H(state) that the key had on it."""
    for at in range(1, len(page), 64):
        there = page[at : at + 32]
        if there >= key:
            if there == key:
                return page[: at + 32] + state_hash + page[at + 64 :], page[at + 32 : at + 64]
            return page[:at] + key + state_hash + page[at:], None
    return page + key + state_hash, None


def _by_digit(leaves: Sequence[Leaf], depth: int) -> dict[int, list[Leaf]]:
    """Sorted leaves that share `depth` hex digits, by the next one."""
    groups: dict[int, list[Leaf]] = {}
    place, shift = depth >> 1, 0 if depth & 1 else 4
    for leaf in leaves:
        groups.setdefault(leaf[0][place] >> shift & 15, []).append(leaf)
    return groups


def build(path: str, leaves: Sequence[Leaf], written: dict[str, bytes]) -> Child:
    """The subtree under `path` that consists of `leaves` (sorted, not none); its pages go into `written`."""
    if len(leaves) <= MAX_LEAVES:
        written[path] = encode_leaves(leaves)
        return Child(*_hash_leaves(written[path], 4 * len(path)))
    children = [NO_CHILD] * 16
    for digit, some in _by_digit(leaves, len(path)).items():
        children[digit] = build(path + _DIGITS[digit], some, written)
    written[path] = encode_children(children)
    return hash_children(children)


_versions = SelectIn(
    select(register_pages.c.path, register_pages.c.seq)
    .where(register_pages.c.seq <= bindparam("upto"))
    .order_by(register_pages.c.path, register_pages.c.seq),
    register_pages.c.path,
)


def prune(connection: Connection, after: int, upto: int, kept: Sequence[int]) -> int:
    """Delete page versions that no seq in `kept` needs and that a newer version, of a batch in (after, upto], has replaced.

    Returns how many. Work grows with the pages that those batches wrote.
    """
    written = select(register_pages.c.path).where(register_pages.c.seq > after, register_pages.c.seq <= upto).distinct()
    paths = list(connection.scalars(written))
    deleted = 0
    for some in chunks(paths):
        obsolete = [
            {"old_path": path, "old_seq": seq}
            for (path, seq), (next_path, next_seq) in pairwise(_versions(connection, some, upto=upto))
            if path == next_path and not any(seq <= at < next_seq for at in kept)
        ]
        if obsolete:
            connection.execute(_delete_version, obsolete)
        deleted += len(obsolete)
    return deleted


_delete_version = delete(register_pages).where(
    and_(register_pages.c.path == bindparam("old_path"), register_pages.c.seq == bindparam("old_seq"))
)


def discard_from(connection: Connection, seq: int) -> None:
    """Forget the page versions of batch `seq` and later: those batches are sealed again."""
    connection.execute(delete(register_pages).where(register_pages.c.seq >= seq))
