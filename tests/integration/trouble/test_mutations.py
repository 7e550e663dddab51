"""Each protection switched off: its scenario must notice."""

import pytest

from tests.integration.trouble import endpoints, house, mutations_inside, mutations_outside, seqs, transactions  # noqa: F401
from tests.integration.trouble.mutation import MUTATIONS, Mutation
from tests.integration.trouble.scenario import SCENARIOS
from tests.world import world

ABOUT_ERRORS = ("node_answers_anything", "the_worker_meets_an_unknown_error", "three_workers_work_at_once")
CASES = [pytest.param(one, one.database, id=f"{one.what}-{one.scenario}") for one in MUTATIONS]


@pytest.mark.parametrize(("mutation", "database_url"), CASES, indirect=["database_url"])
def test_its_scenario_fails(mutation: Mutation, database_url: str, request: pytest.FixtureRequest) -> None:
    scenario = SCENARIOS[mutation.scenario]
    cluster = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    with pytest.MonkeyPatch.context() as patch:
        mutation.patch(patch)
        with world(database_url, cluster=cluster, **scenario.setup) as made:
            with pytest.raises(AssertionError):
                scenario.run(made)
            if mutation.scenario not in ABOUT_ERRORS:
                assert not {"worker_failed", "step_failed"} & set(made.incidents()), "it fails by an error, not by what it does"


def test_every_kind_of_trouble_has_a_mutation() -> None:
    kinds = {name for name in SCENARIOS if not name.startswith("reorganised_")}
    assert kinds <= {one.scenario for one in MUTATIONS}
