"""kill -9 after every single step: nothing acknowledged is lost, no seq is anchored twice, everything verifies."""

import random

import pytest

from tests.integration.trouble.dying import Grain, work
from tests.world import World, world

LINES = 15
"""How many of the lines, drawn by a seed, the worker dies at; scripts/faults takes as many as one wants."""


def _die_and_recover(made: World, grain: Grain, kill_at: int) -> None:
    before = len(made.kept)
    made.accept(2)
    made.void(made.kept[before])
    assert work(made.given | {"rpc_urls": (made.node.url,)}, made.now, grain, kill_at) is None, "it passed the point"
    made.catch_up()
    made.worker = made.new_worker()
    made.round()
    made.rest()


@pytest.mark.parametrize("grain", ["coarse", "fine"])
def test_the_worker_is_killed(grain: Grain, database_url: str) -> None:
    with world(database_url) as made:
        made.accept(2)
        made.rest()
        made.accept(2)
        count = work(made.given | {"rpc_urls": (made.node.url,)}, made.now, grain, 0)
        assert count is not None
        made.catch_up()
        points = list(range(1, count - 3))
        if grain == "fine":
            points = random.Random(7).sample(points, LINES)
        for kill_at in points:
            _die_and_recover(made, grain, kill_at)
        made.check()
        assert not made.incidents()
