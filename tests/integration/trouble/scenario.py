"""What a scenario is: a function that brings a World into trouble and out again, and fails where the service does not hold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.world import World, world


class Scenario(NamedTuple):
    run: Callable[[World], None]
    setup: dict[str, Any]

    @contextmanager
    def world(self, url: str) -> Iterator[World]:
        with world(url, **self.setup) as made:
            yield made


SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str = "", **setup: Any) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Registers a function under its own or another name; `setup` is what `world` takes."""

    def register(run: Callable[[World], None]) -> Callable[[World], None]:
        assert (name or run.__name__) not in SCENARIOS
        SCENARIOS[name or run.__name__] = Scenario(run, setup)
        return run

    return register
