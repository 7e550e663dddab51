"""A protection of the product, switched off: the scenario beside it has to fail then, or it would prove nothing."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutation(NamedTuple):
    what: str
    scenario: str
    patch: Patch
    database: str = "sqlite"


MUTATIONS: list[Mutation] = []


def mutation(scenario: str, *others: str, database: str = "sqlite") -> Callable[[Patch], Patch]:
    """Registers a way to switch one protection off, for each of these scenarios."""

    def register_it(patch: Patch) -> Patch:
        MUTATIONS.extend(Mutation(patch.__name__, name, patch, database) for name in (scenario, *others))
        return patch

    return register_it
