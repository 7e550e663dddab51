"""The API on a fresh database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api import Api, running_api


@pytest.fixture
def api(made_url: str) -> Iterator[Api]:
    with running_api(made_url) as running:
        yield running


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Api]:
    """The same on SQLite alone, for what the database has no part in."""
    with running_api(f"sqlite:///{tmp_path / 'x.db'}") as running:
        yield running
