"""When: the pauses between tries, and the hours in which people are left alone. Pure arithmetic, in ms since 1970 UTC."""

from typing import NamedTuple

TRIES = 16
"""After so many a delivery is given up: more than two days after the first."""
FIRST_PAUSE_S = 10
LONGEST_PAUSE_S = 8 * 3600
_GROWTH = 3

_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000
"""China has one time zone and no summer time."""


class Quiet(NamedTuple):
    """Minutes after midnight in Beijing, 0 to 1439: from the first, until before the second. Equal ones: no hour is quiet."""

    start: int
    end: int


def pause_ms(tries: int, chance: float) -> int:
    """Between try number `tries` (1 …) and the next: 10 s, three times as long each time, up to 8 h; of that between half and all.

    `chance` in [0, 1) decides: what failed together is not to come back together (AWS Architecture Blog, "Exponential Backoff And
    Jitter", its "equal jitter").
    """
    grown: int = FIRST_PAUSE_S * _GROWTH ** min(tries - 1, 10)
    whole = min(LONGEST_PAUSE_S, grown) * 1000
    return whole // 2 + int(whole // 2 * chance)


def not_in(quiet: Quiet | None, at: int) -> int:
    """`at`, or the end of the quiet hours that it is in."""
    if quiet is None or quiet.start == quiet.end:
        return at
    start, end = quiet.start * 60_000, quiet.end * 60_000
    since_start = (at + _BEIJING_MS - start) % _DAY_MS
    lasts = (end - start) % _DAY_MS
    return at + lasts - since_start if since_start < lasts else at


def parse_quiet(text: str) -> Quiet | None:
    """`22:00-08:00`; empty: none. Raises ValueError."""
    if not text:
        return None
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError("quiet hours are written as 22:00-08:00")
    return Quiet(parse_time(start), parse_time(end))


def parse_time(text: str) -> int:
    """Minutes after midnight of `08:30`. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and text.isascii() and (hours + minutes).isdigit()):
        raise ValueError("a time of day is written as 08:30")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("a day has 24 hours")
    return int(hours) * 60 + int(minutes)


def clock_time(minutes: int) -> str:
    """The reverse."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
