"""By number: entries replayed into states, states into register pages, pages into the register root (protocol.md section 4).

The register is cut by the first hex digits of the key, as its pages are. Which pages a set of leaves makes depends on the set
alone, so each part is built from the replayed entries and compared, byte for byte, with what is stored; the parts' hashes are
joined to the root. A part is a few thousand leaves, whatever the register's size.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from struct import Struct
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from service.ledger import register
from service.ledger.register import MAX_LEAVES, Child, Leaf
from service.reconciliation.findings import Found
from service.reconciliation.naming import number_of
from service.reconciliation.scope import Scope
from verifier.entry import Kind, decode_entry
from verifier.errors import Malformed, NotAllowed
from verifier.register import State, apply

_ENTRIES = text('SELECT key, ordinal, entry, seq, "index" FROM entries WHERE key >= :low AND key < :high ORDER BY key, ordinal')
_PAGES = text("SELECT path, page FROM register_pages WHERE path >= :low AND path < :high AND seq <= :seq ORDER BY path, seq")

ROWS_AT_ONCE = 2_000
_ISSUE = b"zp1/entry\x01"
_VALID_1 = b"zp1/state\x01" + (1).to_bytes(4, "big")
_PLACE = Struct(">QI")


class Part(NamedTuple):
    """What lies under a prefix, as replayed and as the stored pages have it.

    `leaves` are given where they are few: then they may lie on a page above. `has_pages`: pages are stored under the prefix itself.
    """

    prefix: str
    replayed: Child
    stored: Child
    leaves: tuple[Leaf, ...] | None
    is_equal: bool
    has_pages: bool

    @property
    def is_small(self) -> bool:
        return self.leaves is not None


def check(connection: Connection, scope: Scope, prefix: str) -> tuple[int, Part, list[Found]]:
    """Replay the keys under `prefix`; how many entries they have, what they lead to, and what no rule allows."""
    found: list[Found] = []
    count, leaves = replay(connection, scope, prefix, found)
    expected: dict[str, bytes] = {}
    replayed = register.build(prefix, leaves, expected) if leaves else register.NO_CHILD
    stored = _stored_pages(connection, prefix, scope.newest)
    is_small = len(leaves) <= MAX_LEAVES
    is_equal = stored == expected or (is_small and not stored)
    kept = replayed if is_equal else child_of(prefix, stored_leaves(connection, prefix, scope.newest))
    return count, Part(prefix, replayed, kept, tuple(leaves) if is_small else None, is_equal, bool(stored)), found


def replay(connection: Connection, scope: Scope, prefix: str, found: list[Found]) -> tuple[int, list[Leaf]]:
    """(key, H(state)) as of our newest batch, in order; what the rules do not allow is left out, and said."""
    count = 0
    leaves: list[Leaf] = []
    newest = scope.newest
    rows = connection.execute(_ENTRIES, _key_bounds(prefix), execution_options={"yield_per": ROWS_AT_ONCE})
    history: list[Any] = []
    for row in chain(chain.from_iterable(rows.partitions(ROWS_AT_ONCE)), (None,)):
        if row is not None and (not history or row[0] == history[0][0]):
            history.append(row)
            continue
        if not history:
            break
        count += len(history)
        key, ordinal, data, seq, index = history[0]
        # What nearly every number is: one issue. Its state is made of its entry's bytes by hand (register.State).
        if len(history) == 1 and ordinal == 1 and type(seq) is int and type(index) is int and seq <= newest and data[:10] == _ISSUE:
            leaves.append((key, sha256(_VALID_1 + _PLACE.pack(seq, index) + data[50:114]).digest()))
        else:
            state = _replay_one(connection, scope, key, history, found)
            if state is not None:
                leaves.append((key, state.hash()))
        history = [row]
    return count, leaves


def _replay_one(connection: Connection, scope: Scope, key: bytes, history: Sequence[Any], found: list[Found]) -> State | None:
    state: State | None = None
    anchored: State | None = None
    copies: set[bytes] = set()
    last = (0, -1)
    is_pending = False
    for expected, (_, ordinal, data, seq, index) in enumerate(history, 1):
        try:
            entry = decode_entry(data)
        except (Malformed, TypeError, AttributeError):
            continue  # content.py has said so
        is_sealed = type(seq) is int and type(index) is int and seq <= scope.newest
        if ordinal != expected:
            found.append(Found("altered", "entries.ordinal", number_of(connection, key), key, seq, index))
        if is_sealed and (is_pending or (seq, index) <= last):
            found.append(Found("status_conflict", "entries.seq", number_of(connection, key), key, seq, index))
        is_pending = not is_sealed
        if is_sealed:
            last = (seq, index)
        if entry.kind is Kind.NOTE:
            continue
        try:
            state = apply(state, entry, seq or 0, index or 0, copies)
        except (NotAllowed, TypeError) as error:
            code = "duplicate" if entry.kind is Kind.ISSUE else "status_conflict"
            detail = {"kind": entry.kind.name.lower(), "reason": str(error)}
            found.append(Found(code, "entries", number_of(connection, key), key, seq, index, detail))  # type: ignore[arg-type]
            continue
        copies.add(state.copy)
        if is_sealed:
            anchored = state
    return anchored


def stored_leaves(connection: Connection, prefix: str, seq: int) -> list[Leaf]:
    """The leaves under a prefix as the stored pages have them, on the prefix's own pages or on a leaf page above."""
    above = register.read_pages(connection, [prefix[:n] for n in range(len(prefix))], seq)
    for page in above.values():
        if not register.is_inner(page):
            return [leaf for leaf in register.leaves_of(page) if leaf[0].hex().startswith(prefix)]
    pages = _stored_pages(connection, prefix, seq)
    leaves = [
        leaf for page in pages.values() if type(page) is bytes and not register.is_inner(page) for leaf in register.leaves_of(page)
    ]
    return sorted(leaf for leaf in leaves if leaf[0].hex().startswith(prefix))


def _stored_pages(connection: Connection, prefix: str, seq: int) -> dict[str, bytes]:
    """The version of each page under a prefix that is valid at `seq`."""
    rows = connection.execute(_PAGES, {"low": prefix, "high": prefix + "g", "seq": seq})
    return {path: page for path, page in rows}  # noqa: C416  # of a path's rows in order, the last one stays


def child_of(prefix: str, leaves: Sequence[Leaf]) -> Child:
    """The subtree that leaves in any order make."""
    distinct = sorted(dict(leaves).items())
    return register.build(prefix, distinct, {}) if distinct else register.NO_CHILD


def descend(connection: Connection, scope: Scope, prefix: str, authentic: Sequence[Leaf]) -> Iterator[Found]:
    """Name the keys under `prefix` whose replayed state is not the one that was anchored."""
    _, leaves = replay(connection, scope, prefix, [])
    ours, anchored = dict(leaves), dict(authentic)
    for key in sorted(ours.keys() | anchored.keys()):
        if ours.get(key) == anchored.get(key):
            continue
        number = number_of(connection, key)
        if key not in ours:
            yield Found("missing", None, number, key)
        elif key not in anchored:
            yield Found("unanchored", None, number, key)
        else:
            yield Found("status_conflict", None, number, key)


def differing_pages(connection: Connection, scope: Scope, prefix: str) -> Iterator[Found]:
    """The replayed states are those that were anchored: then it is the stored pages that were changed. Which, and of which keys."""
    _, leaves = replay(connection, scope, prefix, [])
    expected: dict[str, bytes] = {}
    if leaves:
        register.build(prefix, leaves, expected)
    stored = _stored_pages(connection, prefix, scope.newest)
    for path in sorted(stored.keys() | expected.keys()):
        if stored.get(path) != expected.get(path):
            code = "missing" if path not in stored else "altered" if path in expected else "unanchored"
            yield Found(code, "register_pages", seq=scope.newest, detail={"path": path})  # type: ignore[arg-type]


class Joined(NamedTuple):
    """Sixteen parts as one, with the page that stands above them."""

    part: Part
    found: list[Found]


def join(connection: Connection, scope: Scope, parts: Sequence[Part]) -> Joined:
    """The part one hex digit above 16 parts in order; its page is compared with the stored one."""
    prefix = parts[0].prefix[:-1]
    found: list[Found] = []
    small = [leaf for part in parts for leaf in part.leaves or ()]
    is_inner = not all(part.is_small for part in parts) or len(small) > MAX_LEAVES
    page = register.read_pages(connection, [prefix], scope.newest).get(prefix)
    replayed = register.hash_children([part.replayed for part in parts])
    stored = register.hash_children([part.stored for part in parts])
    expected = register.encode_children([part.replayed for part in parts]) if is_inner else register.encode_leaves(small)
    is_equal = all(part.is_equal for part in parts)
    # Under an inner page every part that is not empty has pages of its own.
    gone = [part.prefix for part in parts if is_inner and part.replayed != register.NO_CHILD and not part.has_pages]
    found += [Found("missing", "register_pages", seq=scope.newest, detail={"path": path}) for path in gone]
    has_page = page is not None
    if page != expected and not (not is_inner and not has_page) and is_equal:
        found.append(Found("altered" if has_page else "missing", "register_pages", seq=scope.newest, detail={"path": prefix}))
    leaves = None if is_inner else tuple(small)
    return Joined(Part(prefix, replayed, stored, leaves, is_equal and not found, has_page), found)


def _key_bounds(prefix: str) -> dict[str, bytes]:
    low = bytes.fromhex(prefix.ljust(64, "0"))
    high = int(prefix or "0", 16) + 1
    if high == 16 ** len(prefix):
        return {"low": low, "high": b"\xff" * 33}
    return {"low": low, "high": bytes.fromhex(f"{high:0{len(prefix)}x}".ljust(64, "0"))}
