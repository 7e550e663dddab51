"""The pauses between tries, and the hours in which people are left alone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliveries.timing import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    TRIES,
    Quiet,
    clock_time,
    not_in,
    parse_time,
    pause_ms,
)

_BEIJING = timezone(timedelta(hours=8))
_DAY_MS = 86_400_000
_MOMENTS = st.integers(0, 4_000_000_000_000)
_MINUTES = st.integers(0, 1439)
_CHANCES = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 1000), _CHANCES)
def test_a_pause_is_between_half_and_all_of_what_grows_threefold(tries: int, chance: float) -> None:
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 3 ** (tries - 1)) * 1000
    assert whole / 2 <= pause_ms(tries, chance) <= whole
    assert pause_ms(tries, 0.0) <= pause_ms(tries, chance) <= pause_ms(tries + 1, chance)


def test_the_last_try_is_more_than_two_days_and_less_than_four_after_the_first() -> None:
    for chance, least, most in ((0.0, 1.0, 2.0), (0.5, 1.5, 3.0), (0.999999, 2.0, 4.0)):
        assert least <= sum(pause_ms(tries, chance) for tries in range(1, TRIES)) / _DAY_MS <= most


@given(_MOMENTS, _MINUTES, _MINUTES)
def test_nothing_comes_in_quiet_hours_and_nothing_later_than_their_end(at: int, start: int, end: int) -> None:
    quiet = Quiet(start, end)
    then = not_in(quiet, at)
    assert then == not_in(quiet, then)
    assert at <= then < at + _DAY_MS
    if then == at:
        return
    # It was quiet from then till now, by a calendar's reckoning and not by the arithmetic under test.
    assert _minutes(then) == end
    assert then % 60_000 == 0
    length = (end - start) % 1440
    assert then - at <= length * 60_000


@given(_MOMENTS, _MINUTES, _MINUTES)
def test_what_is_not_held_was_not_in_them(at: int, start: int, end: int) -> None:
    now = _minutes(at)
    is_quiet = start <= now < end if start <= end else now >= start or now < end
    assert (not_in(Quiet(start, end), at) != at) == is_quiet


def test_the_night_as_people_know_it() -> None:
    night = Quiet(22 * 60, 8 * 60)
    evening = _at(2026, 11, 24, 22, 30)
    assert not_in(night, evening) == _at(2026, 11, 25, 8, 0)
    assert not_in(night, _at(2026, 11, 25, 7, 59)) == _at(2026, 11, 25, 8, 0)
    assert not_in(night, _at(2026, 11, 25, 8, 0)) == _at(2026, 11, 25, 8, 0)
    assert not_in(night, _at(2026, 11, 24, 21, 59)) == _at(2026, 11, 24, 21, 59)
    assert not_in(None, evening) == evening
    assert not_in(Quiet(0, 0), evening) == evening


@given(_MINUTES)
def test_a_time_of_day_is_read_as_it_is_written(minutes: int) -> None:
    assert parse_time(clock_time(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "8:00", "24:00", "08:60", "0800", "08:0", "٠٨:٠٠", "-1:00", "08:00:00"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


def _at(*when: int) -> int:
    return int(datetime(*when, tzinfo=_BEIJING).timestamp() * 1000)  # type: ignore[misc,arg-type]


def _minutes(at: int) -> int:
    there = datetime.fromtimestamp(at // 1000, UTC).astimezone(_BEIJING)
    return there.hour * 60 + there.minute
