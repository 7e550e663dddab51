"""Every kind of trouble with the chain, on both databases; see scenario.py."""

import pytest

from tests.integration.trouble import endpoints, seqs, transactions  # noqa: F401
from tests.integration.trouble.scenario import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_holds(name: str, database_url: str) -> None:
    scenario = SCENARIOS[name]
    with scenario.world(database_url) as world:
        scenario.run(world)
