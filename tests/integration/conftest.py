"""The API on a fresh database of each kind."""

from collections.abc import Iterator

import pytest

from tests.integration.api import Api, running_api


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with running_api(database_url) as running:
        yield running
