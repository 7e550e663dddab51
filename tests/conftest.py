"""What every test may ask for: a chain, the contract on it, and a fresh database of either kind."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from service.db import Database
from service.migrations.schema import metadata
from tests.chain import Chain, RegistryContract, anvil
from tests.postgres import PostgresCluster, postgres_cluster

# The same examples in every run, and as long as a busy machine takes. `--hypothesis-profile=default` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    """One Anvil for all tests. A test that moves its time, or stops its mining, runs one of its own by `anvil()`."""
    with anvil() as running:
        yield running


@pytest.fixture
def contract(chain: Chain) -> RegistryContract:
    """A new contract that holds no anchor yet."""
    return RegistryContract.deploy(chain)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    with postgres_cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'zhengpiao.db'}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = cluster.create_database()
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and no row, to be copied."""
    file = tmp_path_factory.mktemp("schema") / "schema.db"
    _make(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_schema(postgres: PostgresCluster) -> str:
    """The same: the name of the database."""
    name = postgres.create_database()
    _make(postgres.url(name))
    return name


def _make(url: str) -> None:
    database = Database(url)
    metadata.create_all(database.engine)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def made_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database with every table, on each kind: a copy takes a tenth of the time that making it takes."""
    if request.param == "sqlite":
        file = tmp_path / "made.db"
        shutil.copyfile(request.getfixturevalue("sqlite_schema"), file)
        yield f"sqlite:///{file}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = cluster.create_database(template=request.getfixturevalue("postgresql_schema"))
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For commands: an empty folder, and none of the settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("ZHENGPIAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """For a test of what sets up the logging of a process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
