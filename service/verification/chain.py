"""The chain as many requests read it: one block for a while, and anchors that are final read once.

What the contract holds at a final block it holds for ever (protocol.md section 5). So a check adds no round trip to the chain: the
number of them goes with time, not with requests.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from verifier.chain import Anchor, Block, ChainReader, Origin, Reading, RpcReader
from verifier.errors import ChainUnavailable
from verifier.fields import Chain
from verifier.transport import Post
from verifier.trust import Trust

T = TypeVar("T")

FRESH_S = 2.0
"""So long a reading is used."""
AGAIN_S = 0.5
"""The same where it is behind an anchor that is known to be final."""
STALE_S = 30.0
"""So long it is used while another thread reads anew."""
PAGE = 100
"""Anchors that are read at once: one request."""
MAX_ABOVE = PAGE
"""Further above head no anchor is asked for: whoever names a seq must not cause a request for each."""
_MAX_KNOWN = 200_000


class ChainReadings:
    """For the threads of one process. `names` are how endpoints are called in reports, where their own names are nobody's business.

    `wall` gives seconds since 1970 UTC, `clock` seconds that only grow.
    """

    def __init__(
        self,
        trust: Trust,
        post: Post,
        names: Mapping[str, str],
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trust = trust
        self._post = post
        self._names = names
        self._wall = wall
        self._clock = clock
        self._known: dict[int, Anchor | None] = {}
        self._current: _SharedReader | None = None
        self._read_at = 0.0
        self._head = 0
        self._turn = threading.Condition()
        self._is_reading = False

    def reader(self, at_least: int = 0) -> ChainReader:
        """The contract as of a block of just now, whose head is `at_least` or newer where the chain has it.

        Where the chain could not be read, that is what the reader says, for as long: one thread waits for the chain, not all.
        Raises ChainUnavailable if no endpoint is set.
        """
        with self._turn:
            while True:
                age = self._clock() - self._read_at
                current = self._current
                is_enough = current is not None and (current.head is None or current.head >= at_least)
                if current is not None and (age < AGAIN_S or (age < FRESH_S and is_enough)):
                    return current
                if not self._is_reading:
                    break
                if current is not None and age < STALE_S and is_enough:
                    return current
                self._turn.wait()
            self._is_reading = True
        try:
            fresh = _SharedReader(RpcReader(self._trust, self._post, self._wall), self._known, self._names)
            fresh.begin(self._head)
            if fresh.head is not None:
                if fresh.head < self._head:
                    self._known.clear()  # what was final is not: nothing that was read is believed any more
                self._head = fresh.head
            self._current, self._read_at = fresh, self._clock()
        finally:
            with self._turn:
                self._is_reading = False
                self._turn.notify_all()
        return fresh


class _Unread:
    """Of which it is not known what the contract holds; None would say that it holds nothing."""


_UNREAD = _Unread()


class _SharedReader:
    """A ChainReader for several threads, as of one block; `known` are anchors that were final at an earlier one.

    `head` is None where the chain could not be read.
    """

    def __init__(self, inner: RpcReader, known: dict[int, Anchor | None], names: Mapping[str, str]) -> None:
        self._inner = inner
        self._known = known
        self._names = names
        self._lock = threading.Lock()
        self.head: int | None = None

    @property
    def chain(self) -> Chain:
        return self._inner.chain

    @property
    def service_keys(self) -> Mapping[str, bytes]:
        return self._inner.service_keys

    @property
    def origin(self) -> Origin:
        kind, endpoints = self._inner.origin
        return Origin(kind, tuple(self._names.get(endpoint, endpoint) for endpoint in endpoints))

    @property
    def grace_s(self) -> int:
        return self._inner.grace_s

    def begin(self, head: int) -> None:
        """Read block and head, with the anchors that came since `head`; what fails is told when it is asked for."""
        new = range(max(1, head), head + PAGE // 2)
        try:
            found = self._ask(lambda: self._inner.read(new)).head
            self._keep([seq for seq in new if seq <= found])
        except ChainUnavailable:
            return
        self.head = found

    def block(self) -> Block:
        return self._ask(self._inner.block)

    def read(self, seqs: Iterable[int]) -> Reading:
        reading = self._ask(lambda: self._inner.read(()))
        missing = {seq for seq in seqs if seq <= reading.head and seq not in self._known}
        if missing:
            pages = sorted({seq // PAGE for seq in missing})
            wanted = [seq for page in pages for seq in range(max(1, page * PAGE), min(reading.head, (page + 1) * PAGE - 1) + 1)]
            self._ask(lambda: self._inner.read(wanted))
            self._keep(wanted)
        return reading

    def anchor(self, seq: int) -> Anchor | None:
        reading = self.read((seq,))
        if seq <= reading.head:
            known = self._known.get(seq, _UNREAD)
            return self._ask(lambda: self._inner.anchor(seq)) if isinstance(known, _Unread) else known
        if seq > reading.head + MAX_ABOVE:
            raise ChainUnavailable("chain.unknown_seq", seq=seq)
        return self._ask(lambda: self._inner.anchor(seq))

    def _keep(self, seqs: Iterable[int]) -> None:
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        self._known.update(self._ask(lambda: {seq: self._inner.anchor(seq) for seq in seqs}))

    def _ask(self, question: Callable[[], T]) -> T:
        """One at a time; an endpoint is named as it is to be called."""
        with self._lock:
            try:
                return question()
            except ChainUnavailable as failure:
                endpoint = failure.details.get("endpoint")
                if endpoint in self._names:
                    raise ChainUnavailable(failure.reason, **{**failure.details, "endpoint": self._names[str(endpoint)]}) from None
                raise
