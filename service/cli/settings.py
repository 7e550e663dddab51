"""The settings of this machine, with what is wrong in them said in words and never with their values."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service import migrations
from service.cli.outcome import Exit, Failed
from service.config import Settings
from service.db import Database


def load_settings() -> Settings:
    """Raises Failed, naming each variable."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(map(_said, error.errors(include_input=False, include_url=False)))
        raise Failed(Exit.CONFIGURATION, "settings", wrong) from None
    except OSError as error:
        raise Failed(Exit.CONFIGURATION, "settings", f"{error.filename}: {error.strerror}") from None


def _said(found: ErrorDetails) -> str:
    said = found["msg"].removeprefix("Value error, ")
    return f"ZHENGPIAO_{str(found['loc'][0]).upper()}: {said}" if found["loc"] else said


@contextmanager
def open_database(settings: Settings, *, migrated: bool = True) -> Iterator[Database]:
    """The database of the settings; refused, unless `migrated` is False, where its schema is not this program's."""
    database = Database(settings.database_url.get_secret_value())
    try:
        if migrated:
            try:
                migrations.check_migrated(database)
            except migrations.NotMigrated as error:
                raise Failed(Exit.CONFIGURATION, "not_migrated", str(error)) from None
        yield database
    finally:
        database.close()
