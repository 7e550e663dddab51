"""How many requests a visitor may make in a minute."""

import pytest

from service.api import limiting
from service.api.limiting import Limit


def test_a_window_begins_with_the_first_request_and_holds_so_many() -> None:
    limit = Limit(2)
    assert [limit.hit("a", now) for now in (100.0, 130.0, 131.5, 159.9)] == [0, 0, 29, 1]
    assert limit.hit("b", 159.9) == 0
    assert [limit.hit("a", now) for now in (160.0, 160.0, 160.0)] == [0, 0, 60]


def test_a_clock_that_is_put_back_begins_a_new_window() -> None:
    limit = Limit(1)
    assert [limit.hit("a", now) for now in (100.0, 50.0, 50.0)] == [0, 0, 60]


def test_so_many_visitors_are_known_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "_MOST_KNOWN", 3)
    limit = Limit(1)
    for n in range(3):
        limit.hit(f"old {n}", 0.0)
    assert [limit.hit(who, 61.0) for who in ("a", "a", "b", "c")] == [0, 60, 0, 0]
    assert len(limit._known) == 3
    assert limit.hit("d", 62.0) == 0  # all of them are busy: better that all begin again than that memory grows
    assert len(limit._known) == 1
