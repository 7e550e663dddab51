"""Measuring two things in turn: what counts is their ratio in the same run, not the machine."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

ROUNDS = 7


class Scale(NamedTuple):
    """How much is measured. `registers` are the sizes at which sealing is measured, the last one also proofs."""

    rounds: int
    leaves: int
    proofs: int
    invoices: int
    registers: tuple[int, ...]
    memory: tuple[int, ...]
    requests: int


FULL = Scale(ROUNDS, 1_000_000, 2_000, 10_000, (100_000, 1_000_000), (50_000, 200_000), 4_000)
LONG = FULL._replace(memory=(100_000, 1_000_000, 3_000_000))
QUICK = Scale(3, 100_000, 500, 2_000, (10_000, 50_000), (10_000, 40_000), 1_000)
TINY = Scale(1, 100, 3, 20, (40, 80), (20, 60), 20)
"""For the test that keeps the benchmarks from rotting; its figures mean nothing."""


class Figure(NamedTuple):
    """One row of the table: `value`, the median of `rounds`, is bounded by `limit`, from above where it `is_ceiling`."""

    name: str
    ours: str
    other: str
    value: float
    limit: float
    is_ceiling: bool
    rounds: tuple[float, ...]
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.limit if self.is_ceiling else self.value >= self.limit


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def at_least(name: str, limit: float, ours: Sequence[float], other: Sequence[float], items: int, what: str) -> Figure:
    """Speeds, from the seconds that rounds of `items` took: ours must be at least `limit` times the other."""
    rounds = tuple(theirs / mine for mine, theirs in zip(ours, other, strict=True))
    return Figure(name, rate(ours, items, what), rate(other, items, what), statistics.median(rounds), limit, False, rounds)


def at_most(name: str, limit: float, ours: Sequence[float], other: Sequence[float], items: int, what: str) -> Figure:
    """Times of rounds of `items`: ours must be at most `limit` times the other."""
    rounds = tuple(mine / theirs for mine, theirs in zip(ours, other, strict=True))
    return Figure(name, rate(ours, items, what), rate(other, items, what), statistics.median(rounds), limit, True, rounds)


def rate(seconds: Sequence[float], items: int, what: str) -> str:
    """The median as text, e.g. `12.3 µs a proof`."""
    each = statistics.median(seconds) / items
    return f"{each * 1e6:.1f} µs a {what}" if each < 1e-3 else f"{each * 1e3:.1f} ms a {what}"
