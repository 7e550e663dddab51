"""From where a run goes on, as it is kept between its commits."""

from typing import Any, NamedTuple

import orjson

from service.ledger.register import Child
from service.reconciliation import states
from service.reconciliation.units import Pass


class Progress(NamedTuple):
    """From where a run goes on. `digits`: how many hex digits of the key a part has; `levels`: parts that wait to be joined."""

    at: Pass | None
    cursor: int
    digits: int
    pages_kept: bool
    differing: list[str]
    levels: list[list[states.Part]]

    def to_json(self) -> str:
        levels = [[_part_to_json(part) for part in level] for level in self.levels]
        return orjson.dumps([*self[:5], levels]).decode()

    @classmethod
    def from_json(cls, written: str) -> "Progress":
        at, cursor, digits, pages_kept, differing, levels = orjson.loads(written)
        return cls(at, cursor, digits, pages_kept, differing, [[_part_from_json(part) for part in level] for level in levels])


def _part_to_json(part: states.Part) -> list[Any]:
    leaves = None if part.leaves is None else [[key.hex(), state.hex()] for key, state in part.leaves]
    children = [[child.hash.hex(), child.is_leaf] for child in (part.replayed, part.stored)]
    return [part.prefix, *children, leaves, part.is_equal, part.has_pages]


def _part_from_json(written: list[Any]) -> states.Part:
    prefix, replayed, stored, leaves, is_equal, has_pages = written
    children = [Child(bytes.fromhex(hash_), is_leaf) for hash_, is_leaf in (replayed, stored)]
    read = None if leaves is None else tuple((bytes.fromhex(key), bytes.fromhex(state)) for key, state in leaves)
    return states.Part(prefix, children[0], children[1], read, is_equal, has_pages)
