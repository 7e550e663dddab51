"""What a scenario is: a function that brings a World into trouble and out again, and fails where the service does not hold."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.world import World

BOTH = ("sqlite", "postgresql")
ONE = ("sqlite",)
"""Enough for trouble that is all outside: nothing is stored that other scenarios do not store on both."""


class Scenario(NamedTuple):
    """`databases` are those on which it runs, `setup` is what `world` takes."""

    run: Callable[[World], None]
    databases: Sequence[str]
    setup: dict[str, Any]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str = "", *, databases: Sequence[str] = BOTH, **setup: Any
) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Registers a function under its own or another name."""

    def register(run: Callable[[World], None]) -> Callable[[World], None]:
        assert (name or run.__name__) not in SCENARIOS
        SCENARIOS[name or run.__name__] = Scenario(run, databases, setup)
        return run

    return register
