"""The API on a fresh database of each kind."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api import Api, running_api


@pytest.fixture(autouse=True)
def within_a_day() -> None:
    """No test begins in the last minute of a day: guesses, codes, figures and retentions are counted by it.

    Midnight in Beijing and that of UTC are both at a multiple of eight hours.
    """
    left = 28_800 - time.time() % 28_800
    if left < 60:
        time.sleep(left)


@pytest.fixture
def api(made_url: str) -> Iterator[Api]:
    with running_api(made_url) as running:
        yield running


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Api]:
    """The same on SQLite alone, for what the database has no part in."""
    with running_api(f"sqlite:///{tmp_path / 'x.db'}") as running:
        yield running
