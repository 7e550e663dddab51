"""Two registers compared page by page: where hashes are equal nothing below is looked at (decision 6).

Both have the same pages where they have the same leaves, so requests and bytes grow with the difference and its depth, not with the
registers. It shows in what two registers *say* they differ: that a store's pages fit its own records is step 1's to say.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from service.db import chunks
from service.ledger import register
from service.ledger.register import is_inner, leaves_of

Pages = Callable[[Sequence[str]], dict[str, bytes]]
"""The page under each path, as of one seq; a path without one is left out."""

PATHS_AT_ONCE = 256
_INNER_BYTES, _LEAF_BYTES = 515, 64
_DIGITS = "0123456789abcdef"


class BadPages(Exception):
    """What came is no register page, or does not belong where it was said to."""


class Differing(NamedTuple):
    """A key with the H(state) of either side; None where it has no leaf there."""

    key: bytes
    ours: bytes | None
    theirs: bytes | None


class Compared(NamedTuple):
    """`requests` were made of the other side, and `received` bytes of pages came from it."""

    differing: list[Differing]
    requests: int
    received: int


def of_database(connection: Connection, seq: int) -> Pages:
    """Our own pages as of `seq`."""
    return lambda paths: register.read_pages(connection, paths, seq)


def compare(ours: Pages, theirs: Pages) -> Compared:
    """Every key that the two sides do not say the same of. Raises BadPages."""
    counted = _Counted(theirs)
    differing: list[Differing] = []
    paths = [""]
    while paths:
        below: list[str] = []
        our_pages, their_pages = _checked(ours, paths), _checked(counted, paths)
        for path in paths:
            a, b = our_pages.get(path), their_pages.get(path)
            if a == b:
                continue
            if a is not None and b is not None and is_inner(a) and is_inner(b):
                below += [path + digit for n, digit in enumerate(_DIGITS) if _child(a, n) != _child(b, n)]
            else:
                differing += _differing(_leaves(ours, path, a), _leaves(counted, path, b))
        paths = below
    return Compared(differing, counted.requests, counted.received)


class _Counted:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.requests = self.received = 0

    def __call__(self, paths: Sequence[str]) -> dict[str, bytes]:
        found = self._pages(paths)
        self.requests += 1
        self.received += sum(len(path) + len(page) for path, page in found.items())
        return found


def _checked(pages: Pages, paths: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for some in chunks(paths, PATHS_AT_ONCE):
        found.update(pages(some))
    for path, page in found.items():
        if is_inner(page):
            if len(page) != _INNER_BYTES:
                raise BadPages(f"the page {path!r} has {len(page)} bytes")
        elif page[:1] != b"\x00" or len(page) % _LEAF_BYTES != 1:
            raise BadPages(f"the page {path!r} is none")
        elif any(not key.hex().startswith(path) for key, _ in leaves_of(page)):
            raise BadPages(f"the page {path!r} holds a key of another place")
    return found


def _child(page: bytes, n: int) -> tuple[bytes, int]:
    """Hash, and whether it is a single leaf."""
    return page[3 + 32 * n : 35 + 32 * n], int.from_bytes(page[1:3], "big") >> n & 1


def _leaves(pages: Pages, path: str, page: bytes | None) -> dict[bytes, bytes]:
    """Everything under a path. The other side has a page of few leaves there, or none: nearly all of it is difference."""
    found: dict[bytes, bytes] = {}
    waiting = {path: page} if page is not None else {}
    while waiting:
        inner = [path for path, page in waiting.items() if is_inner(page)]
        for page in waiting.values():
            if not is_inner(page):
                found.update(leaves_of(page))
        paths = [path + digit for path in inner for n, digit in enumerate(_DIGITS) if any(_child(waiting[path], n)[0])]
        waiting = _checked(pages, paths) if paths else {}
    return found


def _differing(ours: dict[bytes, bytes], theirs: dict[bytes, bytes]) -> Iterator[Differing]:
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            yield Differing(key, ours.get(key), theirs.get(key))
