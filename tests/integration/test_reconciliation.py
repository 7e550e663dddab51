"""Our own store against a real chain: sound stores, killed runs, several processes, and what a run says of itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain import Chain, RegistryContract
from tests.stores import Store, build, copied


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def built(
    request: pytest.FixtureRequest, chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, RegistryContract]]:
    """A store that nobody is connected to, and the contract that its batches are anchored in."""
    contract = RegistryContract.deploy(chain)
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'built.db'}"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create_database())
    store = Store(url, chain, contract)
    build(store)
    store.close()
    yield url, contract


@pytest.fixture
def store(built: tuple[str, RegistryContract], chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    url, contract = built
    postgres: Any = None if url.startswith("sqlite") else request.getfixturevalue("postgres")
    with copied(url, tmp_path, postgres) as url:
        opened = Store(url, chain, contract)
        yield opened
        opened.close()


def test_a_sound_store_matches(store: Store) -> None:
    run, found = store.reconcile()
    assert found == []
    assert run.matches
    assert run.done == run.total > 0
    assert run.block_hash
