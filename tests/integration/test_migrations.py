"""`migrate` makes exactly what the tables say, on both databases, and whoever starts too early is told."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from service import migrations
from service.db import Database
from service.migrations.schema import metadata

VERSION_TABLE = "alembic_version"

POSTGRESQL_SCHEMA = """
    SELECT 'column', attrelid::regclass::text, concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        pg_get_expr(adbin, adrelid), collname, col_description(attrelid, attnum))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'S')
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'sequence', sequencename, concat_ws(' ', data_type, start_value, increment_by, cache_size, cycle)
        FROM pg_sequences WHERE schemaname = 'public'
"""
SQLITE_SCHEMA = "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty one."""
    opened = Database(database_url)
    yield opened
    opened.close()


def schema(connection: Connection) -> list[tuple[str, ...]]:
    """Everything that a database was told to be, as the database itself says it: columns, constraints, indexes, sequences."""
    query = SQLITE_SCHEMA if connection.dialect.name == "sqlite" else POSTGRESQL_SCHEMA
    rows = [tuple(re.sub(r"\s+", " ", value) for value in row) for row in connection.execute(text(query))]
    # SQLite gives the statement back, in which constraints stand in the order of the source.
    lines = [(kind, table, *sorted(said.removesuffix(" )").split(", "))) for kind, table, said in rows if table != VERSION_TABLE]
    return sorted(lines)


def drop_everything(connection: Connection) -> None:
    metadata.drop_all(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def test_migrating_makes_what_the_tables_say(database: Database) -> None:
    assert migrations.migrate(database) == (None, migrations.newest_revision())
    with database.read() as connection:
        # The index of texts is no table that both databases have: below it is compared as each has it.
        options = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("invoice_grams")}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        migrated = schema(connection)
    with database.write() as connection:
        drop_everything(connection)
        assert schema(connection) == []
        metadata.create_all(connection)
    with database.read() as connection:
        assert migrated == schema(connection)
    assert {row[0] for row in migrated} >= {"index"}


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrations.migrate(database)
    assert migrations.migrate(database) == (migrations.newest_revision(),) * 2


def test_several_may_migrate_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(databases)) as pool:
        made = list(pool.map(migrations.migrate, databases))
    newest = migrations.newest_revision()
    assert sorted(made, key=str) == [(newest, newest)] * 3 + [(None, newest)]
    for database in databases:
        database.close()


def test_a_new_file_that_another_is_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "zhengpiao.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # not WAL yet: SQLite itself would not wait for this one
    threading.Timer(0.2, other.execute, ("COMMIT",)).start()
    database = Database(f"sqlite:///{path}")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()
    other.close()


def test_a_step_that_fails_leaves_nothing_behind(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE outbox (seq INTEGER)"))
    with pytest.raises(Exception, match="outbox"):
        migrations.migrate(database)
    with database.read() as connection:
        assert {row[1] for row in schema(connection)} == {"outbox"}


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [(None, "is empty: run `zhengpiao migrate`"), ("9999", "newer than this program")],
)
def test_an_unmigrated_database_is_named(database: Database, revision: str | None, sentence: str) -> None:
    if revision:
        migrations.migrate(database)
        with database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :found"), {"found": revision})
    with pytest.raises(migrations.NotMigrated, match=sentence):
        migrations.check_migrated(database)


def test_a_migrated_database_is_served(database: Database) -> None:
    migrations.migrate(database)
    migrations.check_migrated(database)
