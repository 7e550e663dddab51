"""The database: SQLite as the embedded default, PostgreSQL by URL. SQL only, no objects with a life of their own.

A read sees one consistent snapshot. A write is one transaction that is durable when its block ends: SQLite in WAL mode with
synchronous=FULL, PostgreSQL as it is by default.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain, cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    MetaData,
    Select,
    Table,
    bindparam,
    column,
    create_engine,
    event,
    select,
    values,
)
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

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

_ROWS_AT_ONCE = 50
"""Rows that are fetched together: a row by itself takes as long as two."""

_BLOCKS = (1000, 500, 50)
"""Rows of one statement. SQLite takes 32,766 parameters."""

T = TypeVar("T")

_BUSY_TIMEOUT_MS = 30_000
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={_BUSY_TIMEOUT_MS}",
    # Small: another process's commit makes all of it stale, and above the system's own cache larger ones were no faster.
    f"cache_size=-{8 * 1024}",  # in KiB, for each connection
    f"soft_heap_limit={24 * 1024 * 1024}",  # for all of a process's connections: who is late keeps a small cache
    "temp_store=MEMORY",
    "wal_autocheckpoint=64000",  # 256 MB: should Checkpoints not come to it
)


class Database:
    """One engine. `read()` and `write()` are the only ways to a connection."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.get_driver_name() != "psycopg":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # An error's text must not show what was being stored: it ends in logs.
        # The connection that was used last has in memory what the next one wants, and the others need no memory at all.
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_use_lifo": True, "hide_parameters": True}
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            options["connect_args"] = {"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000}
        else:
            options |= {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}
        self.engine: Engine = create_engine(parsed, **options)
        self._checkpoints: Checkpoints | None = None
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            if parsed.database not in (None, "", ":memory:"):
                self._checkpoints = Checkpoints(Path(parsed.database))
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
        if self._checkpoints is not None:
            self._checkpoints.after_commit()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        if self._checkpoints is not None:
            self._checkpoints.close()


class Checkpoints:
    """Bring what is in SQLite's write-ahead log to its place, beside whoever writes.

    SQLite itself does it within the commit that makes the log too long, and that one takes half a second. And where several write
    all the time it never comes to the end of the log, which only grows: so once it is nearly there, the next one to commit waits
    for the rest, some hundredths of a second.
    """

    EVERY_S = 1.0
    LONG = 16_000
    """Pages of a log that is begun anew: 64 MB. A page that changes with every transaction goes to its place once in a while."""
    _PATIENCE_S = 0.2
    """To begin the log anew keeps others from writing while it waits for who still reads from it."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=rw"  # a file that somebody has removed is not made anew
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._under_way = threading.Lock()
        self._is_closed = self._is_long = False
        self._next = time.monotonic() + self.EVERY_S

    def after_commit(self) -> None:
        """One a second at most, and never two at once."""
        if self._is_closed or (not self._is_long and time.monotonic() < self._next) or not self._under_way.acquire(blocking=False):
            return
        if self._is_long:
            self._finish("RESTART")
        else:
            try:
                self._thread.submit(self._finish, "PASSIVE")
            except RuntimeError:  # no room for a thread, or closed meanwhile: what was committed stays so
                self._under_way.release()

    def close(self) -> None:
        """Wait for the one that is under way. From then on SQLite does it by itself."""
        self._is_closed = True
        self._thread.shutdown()

    def _finish(self, mode: str) -> None:
        length = 0
        try:
            with contextlib.closing(sqlite3.connect(self._uri, uri=True, timeout=self._PATIENCE_S)) as connection:
                [(_, length, _)] = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        except sqlite3.Error:
            pass  # busy, full, damaged: whoever writes or reads next learns of it, and the log only grows
        finally:
            self._is_long = mode == "PASSIVE" and length > self.LONG
            self._next = time.monotonic() + self.EVERY_S
            self._under_way.release()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    for pragma in SQLITE_PRAGMAS:
        _set_pragma(connection, pragma)


def _set_pragma(connection: Any, pragma: str) -> None:
    # Of several that open a new file at once one makes it WAL; SQLite refuses the others without the wait that it grants elsewhere.
    given_up_at = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > given_up_at:
                raise
            time.sleep(0.01)


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


class Lookup:
    """A query about many values at once, which it is given as the table `wanted`; its result is in order within each CHUNK.

    Its text is made once for each power of two, and filled up with NULL, which nothing is equal to: SQLAlchemy's own expansion of
    a list costs more than the database's search for it.
    """

    def __init__(self, columns: Mapping[str, TypeEngine[Any]], query: Callable[[CTE], Select[Any]]) -> None:
        self._columns = [column(name, type_) for name, type_ in columns.items()]
        self._query = query
        self._statements: dict[tuple[str, int], _Statement] = {}

    def __call__(self, connection: Connection, wanted: Sequence[Any], **parameters: Any) -> Iterator[Any]:
        """`wanted` are tuples where there is more than one column; `parameters` are those that the query has of its own."""
        width = len(self._columns)
        for some in chunks(wanted):
            length = 1 << (len(some) - 1).bit_length()
            statement = self._statements.get((connection.dialect.name, length)) or self._compile(connection.dialect, length)
            values = [*(chain.from_iterable(some) if width > 1 else some), *[None] * (width * (length - len(some)))]
            rest = [parameters[name] for name in statement.rest]
            bound = tuple(values + rest) if statement.is_positional else dict(zip(statement.names, values + rest, strict=True))
            for rows in connection.exec_driver_sql(statement.text, bound).partitions(_ROWS_AT_ONCE):
                yield from rows

    def _compile(self, dialect: Dialect, length: int) -> "_Statement":
        names = [f"value_{n}" for n in range(length * len(self._columns))]
        bind = (bindparam(name, type_=of.type) for name, of in zip(names, cycle(self._columns), strict=False))
        rows = list(zip(*[bind] * len(self._columns), strict=True))
        compiled = self._query(values(*self._columns, name="wanted").data(rows).cte("wanted")).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        rest = [name for name in compiled.positiontup or compiled.bind_names.values() if not name.startswith("value_")]
        # The values come first wherever there are positions: WITH wanted AS (VALUES …) begins the statement.
        made = _Statement(str(compiled), compiled.positional, names + rest, rest)
        self._statements[dialect.name, length] = made
        return made


class _Statement(NamedTuple):
    text: str
    is_positional: bool
    names: list[str]
    rest: list[str]
    """Names of the parameters behind the values."""


class SelectIn(Lookup):
    """`query` where `column` is one of many values."""

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        super().__init__({"value": column.type}, lambda wanted: query.where(column.in_(select(wanted.c.value))))


class Rows(NamedTuple):
    """Rows to insert: their values, in the order of `columns`, go to the driver as they are, and no default is applied."""

    table: Table
    columns: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]


def insert_rows(connection: Connection, rows: Rows) -> None:
    """For bulk: SQLAlchemy's own work on a row costs as much as SQLite's.

    SQLite gets many rows in one statement. Python's lock is given away once a statement, and taken back behind whoever computes.
    """
    dialect, values = connection.dialect, rows.values
    at = 0
    for block in _BLOCKS if dialect.name == "sqlite" else ():
        while len(values) - at >= block:
            statement = _insert_statement(dialect, rows.table, rows.columns, block)
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(values[at : at + block])))
            at += block
    if at < len(values):
        connection.exec_driver_sql(_insert_statement(dialect, rows.table, rows.columns, 1), list(values[at:]))


@lru_cache
def _insert_statement(dialect: Dialect, table: Table, columns: tuple[str, ...], count: int) -> str:
    quote = dialect.identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    marks = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(columns))
    all_marks = ", ".join([f"({marks})"] * count)
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES {all_marks}"  # noqa: S608  names from our own tables


def is_unique_violation(error: DBAPIError) -> bool:
    """Whether a UNIQUE constraint refused: two processes wanted the same place, and the other one has it."""
    return getattr(error.orig, "sqlstate", None) == "23505" or "UNIQUE constraint failed" in str(error.orig)
