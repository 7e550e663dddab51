"""The database: SQLite as the embedded default, PostgreSQL by URL. SQL only, no objects with a life of their own.

A read sees one consistent snapshot. A write is one transaction that is durable when its block ends: SQLite in WAL mode with
synchronous=FULL, PostgreSQL as it is by default.
"""

import contextlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    MetaData,
    Select,
    Table,
    bindparam,
    create_engine,
    event,
)
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)
"""Every room's tables; migrations/ has the same as steps, and a test compares the two."""

Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY is SQLite's own row id

CHUNK = 500
"""Values in one IN (…) list: well below any driver's limit of parameters."""

_NAMES = tuple(f"value_{n}" for n in range(512))

T = TypeVar("T")

_BUSY_TIMEOUT_MS = 30_000
_SQLITE_CACHE_KIB = 64 * 1024


class Database:
    """One engine. `read()` and `write()` are the only ways to a connection."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.get_driver_name() != "psycopg":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # An error's text must not show what was being stored: it ends in logs.
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "hide_parameters": True}
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            options["connect_args"] = {"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000}
        else:
            options |= {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}
        self.engine: Engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", _prepare_postgresql)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose reads see one snapshot; nothing that it writes is kept."""
        isolation = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**isolation) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: durable when the block ends, as if it had never been when the block raises."""
        with self.engine.connect().execution_options(zhengpiao_write=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        f"cache_size=-{_SQLITE_CACHE_KIB}",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    # As SQLite's: whoever waits for a lock gives up before all threads and the worker wait for it.
    connection.execute(f"SET lock_timeout = {_BUSY_TIMEOUT_MS}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A write takes its lock at once: a transaction that reads first and is then refused the lock could only be thrown away.
    is_write = connection.get_execution_options().get("zhengpiao_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """`values` in pieces of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class SelectIn:
    """`query` where `column` is one of many values: rows in the order of `query` within each CHUNK of values.

    Its text is made once for each power of two: SQLAlchemy's own expansion of a list costs more than SQLite's search for it.
    """

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        self._query = query
        self._column = column
        self._statements: dict[tuple[str, int], SQLCompiler] = {}

    def __call__(self, connection: Connection, values: Sequence[Any], **parameters: Any) -> Iterator[Any]:
        """`parameters` are those that `query` has of its own."""
        for some in chunks(values):
            length = 1 << (len(some) - 1).bit_length()
            statement = self._statement(connection.dialect, length)
            filled = [*some, *[some[-1]] * (length - len(some))]
            given = dict(zip(_NAMES, filled, strict=False), **parameters)
            names = statement.positiontup
            yield from connection.exec_driver_sql(str(statement), tuple(map(given.__getitem__, names)) if names else given)

    def _statement(self, dialect: Dialect, length: int) -> SQLCompiler:
        found = self._statements.get((dialect.name, length))
        if found is None:
            query = self._query.where(self._column.in_([bindparam(name) for name in _NAMES[:length]]))
            found = self._statements[dialect.name, length] = query.compile(dialect=dialect)
        return found


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows, each a tuple in the order of `columns`, whose values go to the driver as they are.

    For bulk only: SQLAlchemy's own work on a row costs as much as SQLite's. Defaults of `table` are not applied.
    """
    if rows:
        connection.exec_driver_sql(_insert_statement(connection.dialect, table, columns), rows)


@lru_cache
def _insert_statement(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> str:
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(map(quote, columns)), ", ".join([mark] * len(columns))
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608  names from our own tables


def is_unique_violation(error: DBAPIError) -> bool:
    """Whether a UNIQUE constraint refused: two processes wanted the same place, and the other one has it."""
    return getattr(error.orig, "sqlstate", None) == "23505" or "UNIQUE constraint failed" in str(error.orig)
