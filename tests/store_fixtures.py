"""A store with anchored invoices on each kind of database, built once; a test spoils a copy of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.central.mirror import mirror
from tests.chain import Chain, RegistryContract
from tests.stores import Feed, Store, build, copied


@pytest.fixture(scope="session")
def built_contract(chain: Chain) -> RegistryContract:
    """The contract that the built stores are anchored in: nobody else may anchor to it."""
    return RegistryContract.deploy(chain)


@pytest.fixture(scope="session")
def built_sqlite(chain: Chain, built_contract: RegistryContract, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'built.db'}"
    store = Store(url, chain, built_contract)
    build(store)
    store.close()
    return url


@pytest.fixture(scope="session")
def built_mirror(
    built_sqlite: str, chain: Chain, built_contract: RegistryContract, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An auditor's mirror of the built store, with the section leaves."""
    folder = tmp_path_factory.mktemp("mirror")
    store = Store(built_sqlite, chain, built_contract)
    standing = mirror(folder, Feed(store.database, "leaves"), store.reader, sections=True)
    assert standing.behind == 0
    store.close()
    return folder


@pytest.fixture(scope="session")
def built_postgresql(built_sqlite: str, request: pytest.FixtureRequest, chain: Chain, built_contract: RegistryContract) -> str:
    """The same store, row by row, on PostgreSQL: the same anchors hold for it."""
    postgres: Any = request.getfixturevalue("postgres")
    url = str(postgres.url(postgres.create_database()))
    source, target = Store(built_sqlite, chain, built_contract), Store(url, chain, built_contract)
    source.copy_to(target)
    source.close()
    target.close()
    return url


@pytest.fixture
def sqlite_store(built_sqlite: str, chain: Chain, built_contract: RegistryContract, tmp_path: Path) -> Iterator[Store]:
    with copied(built_sqlite, tmp_path, None) as url:
        opened = Store(url, chain, built_contract)
        yield opened
        opened.close()


@pytest.fixture
def postgresql_store(
    built_postgresql: str, chain: Chain, built_contract: RegistryContract, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Store]:
    with copied(built_postgresql, tmp_path, request.getfixturevalue("postgres")) as url:
        opened = Store(url, chain, built_contract)
        yield opened
        opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, chain: Chain, built_contract: RegistryContract, tmp_path: Path) -> Iterator[Store]:
    """A copy of the built store on each kind of database."""
    postgres: Any = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with copied(request.getfixturevalue(f"built_{request.param}"), tmp_path, postgres) as url:
        opened = Store(url, chain, built_contract)
        yield opened
        opened.close()
