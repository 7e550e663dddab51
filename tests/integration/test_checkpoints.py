"""SQLite's write-ahead log is brought to its place beside whoever writes, and nobody waits for that."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from service.db import Checkpoints, Database

PAGE = 4096
ROW = bytes(20 * PAGE)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(Checkpoints, "EVERY_S", 0.0)
    monkeypatch.setattr(Checkpoints, "LONG", 50)
    opened = Database(f"sqlite:///{tmp_path / 'log.db'}")
    with opened.write() as connection:
        connection.execute(text("CREATE TABLE rows (data BLOB)"))
    yield opened
    opened.close()


def write(database: Database, count: int) -> None:
    for _ in range(count):
        with database.write() as connection:
            connection.execute(text("INSERT INTO rows VALUES (:data)"), {"data": ROW})
        settle(database)


def settle(database: Database) -> None:
    """Until no checkpoint is under way."""
    assert database._checkpoints is not None
    while database._checkpoints._under_way.locked():
        time.sleep(0.001)


def log_pages(tmp_path: Path) -> int:
    return (tmp_path / "log.db-wal").stat().st_size // PAGE


def test_the_log_is_begun_anew(database: Database, tmp_path: Path) -> None:
    write(database, 30)
    assert log_pages(tmp_path) < 100
    assert (tmp_path / "log.db").stat().st_size > 29 * len(ROW)


def test_without_it_the_log_grows(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoints, "after_commit", lambda _: None)
    write(database, 30)
    assert log_pages(tmp_path) > 600


def test_who_reads_for_long_keeps_nobody_from_writing(database: Database, tmp_path: Path) -> None:
    write(database, 1)
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rows")) == 1
        before = time.monotonic()
        write(database, 10)
        assert time.monotonic() - before < 20  # SQLite would wait 30 seconds at each
        assert connection.scalar(text("SELECT count(*) FROM rows")) == 1
    assert log_pages(tmp_path) > 200
    write(database, 10)
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rows")) == 21
    assert log_pages(tmp_path) < 300


def test_a_file_that_is_gone_is_not_made_anew(database: Database, tmp_path: Path) -> None:
    write(database, 1)
    for file in tmp_path.iterdir():
        file.unlink()
    assert database._checkpoints is not None
    database._checkpoints._under_way.acquire()
    database._checkpoints._finish("PASSIVE")
    assert list(tmp_path.iterdir()) == []


def test_what_was_committed_stays_so_where_no_thread_can_be_started(database: Database) -> None:
    assert database._checkpoints is not None
    database._checkpoints._thread.shutdown()
    write(database, 2)
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rows")) == 2


def test_a_closed_database_can_be_written_to(database: Database) -> None:
    database.close()
    write(database, 2)
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rows")) == 2
