"""Every kind of trouble, on both databases; see scenario.py."""

import pytest

from tests.integration.trouble import endpoints, house, seqs, transactions  # noqa: F401  they register their scenarios
from tests.integration.trouble.scenario import SCENARIOS
from tests.world import world

CASES = [(name, database) for name, scenario in SCENARIOS.items() for database in scenario.databases]


@pytest.mark.parametrize(("name", "database_url"), CASES, indirect=["database_url"])
def test_it_holds(name: str, database_url: str, request: pytest.FixtureRequest) -> None:
    scenario = SCENARIOS[name]
    cluster = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    with world(database_url, cluster=cluster, **scenario.setup) as made:
        scenario.run(made)
