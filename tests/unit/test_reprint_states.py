"""The transition table of reprint cases by itself, and docs/reprint.md held to it."""

import itertools
import re
from pathlib import Path
from typing import get_args

import pytest

from service.errors import Refused
from service.reprints.transitions import (
    CLOSED,
    EVENTS,
    OPEN,
    STATES,
    STEPS,
    TRANSITIONS,
    Actor,
    Event,
    State,
    find,
    follow,
    owed_by,
)

DOCUMENT = (Path(__file__).parents[2] / "docs/reprint.md").read_text()
MOVES = {(one.source, one.target) for one in TRANSITIONS if one.source is not None}


def test_every_state_is_reachable_and_every_event_leads_somewhere() -> None:
    reached: set[State | None] = {None}
    while more := {one.target for one in TRANSITIONS if one.source in reached} - reached:
        reached |= more
    assert reached == {None, *STATES}
    assert {one.event for one in TRANSITIONS} == set(EVENTS)


def test_nothing_leaves_a_closed_state_and_every_open_one_can_end() -> None:
    assert set(OPEN) | set(CLOSED) == set(STATES)
    assert set(CLOSED) == {"completed", "rejected", "cancelled", "expired"}
    assert not [one for one in TRANSITIONS if one.source in CLOSED]
    for state in OPEN:
        assert find("cancel", state) is not None
        assert find("reject", state) is not None
        ends: set[State] = {state}
        while more := {one.target for one in TRANSITIONS if one.source in ends} - ends:
            ends |= more
        assert "completed" in ends, state


def test_an_event_leads_from_a_state_to_one_state() -> None:
    ways = {(one.event, one.source): one.target for one in TRANSITIONS}
    assert len(ways) == len(TRANSITIONS)
    for event in EVENTS:
        for source in (None, *STATES):
            if (event, source) in ways:
                assert follow(event, source) == ways[event, source]
            else:
                with pytest.raises(Refused, match="case_state"):
                    follow(event, source)


def test_nobody_is_approved_by_one_step_and_nothing_is_completed_unapproved() -> None:
    assert {one.source for one in TRANSITIONS if one.target == "completed"} == {"approved"}
    assert {(one.event, one.source) for one in TRANSITIONS if one.target == "approved"} == {("approve_second", "review_2")}
    into_second: set[tuple[Event, State | None]] = {("approve_first", "review_1"), ("pay_after_review", "fee_due")}
    assert {(one.event, one.source) for one in TRANSITIONS if one.target == "review_2"} == into_second


def test_only_what_the_applicant_owes_expires() -> None:
    expiring = {one.source for one in TRANSITIONS if one.event == "expire"}
    assert expiring == {state for state in STATES if owed_by(state) == "applicant"}
    assert {owed_by(state) for state in CLOSED} == {"nobody"}
    assert set(STEPS) == set(STATES)
    assert {one.by for one in TRANSITIONS} == set(get_args(Actor))


def section(heading: str) -> str:
    return DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_the_diagram_of_the_document_has_the_arrows_of_the_table() -> None:
    diagram = section("States").partition("```\n")[2].partition("```")[0]
    arrows: list[tuple[str, str]] = []
    for line in diagram.splitlines():
        stations = [re.split(r", ", station.strip()) for station in line.split("->")]
        for before, after in itertools.pairwise(stations):
            arrows += [(source, target) for source in before for target in after]
    assert set(arrows) == MOVES


def test_the_rows_of_the_document_are_the_table() -> None:
    cells = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\| `(\w+)` \| (\w+) \|$", section("States"), flags=re.MULTILINE)
    assert [(event, source or None, target, by) for event, source, target, by in cells] == [tuple(one) for one in TRANSITIONS]
