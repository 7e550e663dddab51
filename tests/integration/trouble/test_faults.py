"""Worker and API of a real deployment killed at random under load; scripts/faults does it for as long as one likes."""

from pathlib import Path

import pytest

from tests.faults import play

SECONDS = 8


def test_nothing_is_lost(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    cluster = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    found = play(tmp_path, database_url, SECONDS, 3, cluster, least=21)
    assert found["invoices"] > 20
    assert found.get("worker killed", 0) + found.get("both killed", 0) > 0
    assert found.get("API killed", 0) + found.get("both killed", 0) > 0
