"""The schema as steps. `migrate` takes a database to the newest one; everything else refuses to start before that.

`service.db.metadata` is the schema as it should be: tests/integration/test_migrations.py holds the two together.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select
from sqlalchemy.sql import func

from service.db import Database

_FOLDER = Path(__file__).parent
_LOCK = 0x7A70_6D69  # "zpmi": any fixed number does, so long as nobody else takes it


class NotMigrated(Exception):
    """The database is not at the schema that this program knows."""


def migrate(database: Database) -> tuple[str | None, str]:
    """Take the schema to the newest revision, in one transaction; (revision before, revision after).

    Of two that run at once the second waits, and then finds nothing to do: SQLite's write lock sees to that, PostgreSQL's
    advisory lock.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        before = revision_of(connection)
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, newest_revision()


def check_migrated(database: Database) -> None:
    """Raises NotMigrated, with a sentence that says what to do."""
    with database.read() as connection:
        found = revision_of(connection)
    newest = newest_revision()
    if found == newest:
        return
    if found is None:
        raise NotMigrated("the database is empty: run `zhengpiao migrate` first")
    if found in {revision.revision for revision in ScriptDirectory.from_config(configuration()).walk_revisions()}:
        raise NotMigrated(f"the database is at revision {found}, this program needs {newest}: run `zhengpiao migrate` first")
    raise NotMigrated(f"the database is at revision {found}, which is newer than this program ({newest}): upgrade the program")


def revision_of(connection: Connection) -> str | None:
    """The revision that a database is at; None for one that was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that this program needs."""
    newest = ScriptDirectory.from_config(configuration()).get_current_head()
    assert newest is not None
    return newest


def configuration() -> Config:
    """Alembic's, without a file of its own: there is nothing to set."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
