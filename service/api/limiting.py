"""How many requests a visitor may make in a minute: fixed windows, each from the visitor's first request in it.

In the memory of one process, on its event loop. A library for it took a tenth of a proof request's time, and a thread of its own.
"""

import math

WINDOW_S = 60
_MOST_KNOWN = 10_000
"""Visitors; beyond that, those whose window is over are forgotten, and at worst all are."""


class Limit:
    """`most` requests a window."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, tuple[float, int]] = {}

    def hit(self, visitor: str, now: float) -> int:
        """Count a request at `now` (in seconds): 0, or where it is one too many, seconds until the window ends."""
        began, count = self._known.get(visitor, (now, 0))
        if not 0 <= now - began < WINDOW_S:
            began, count = now, 0
        if count >= self._most:
            return max(1, math.ceil(began + WINDOW_S - now))
        if count == 0 and len(self._known) >= _MOST_KNOWN:
            known = {who: window for who, window in self._known.items() if 0 <= now - window[0] < WINDOW_S}
            self._known = known if len(known) < _MOST_KNOWN else {}
        self._known[visitor] = began, count + 1
        return 0
