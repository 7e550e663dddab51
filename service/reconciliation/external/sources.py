"""Their records, row by row: a table or view by SQLAlchemy URL, CSV, XLSX or Parquet. Nothing is ever written there."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, create_engine, event, select
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from service.reconciliation.external.mapping import BadMapping, MappingFile

ROWS_AT_ONCE = 2_000
Row = dict[str, Any]


def is_url(source: str) -> bool:
    return "://" in source


def shown(source: str) -> str:
    """The source as it may be kept and printed: without password and parameters."""
    if not is_url(source):
        return Path(source).name
    try:
        url = make_url(source)
    except ArgumentError:
        return "unreadable URL"
    return url.set(query={}).render_as_string(hide_password=True)


def rows(source: str, mapping: MappingFile, skip: int = 0) -> Iterator[Row]:
    """Every row by their column names, behind the first `skip`, in the source's own order. Raises BadMapping."""
    if is_url(source):
        yield from _table_rows(source, mapping, skip)
        return
    path = Path(source)
    readers = {".csv": _csv_rows, ".txt": _csv_rows, ".xlsx": _xlsx_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadMapping(f"{path.name}: only .csv, .xlsx and .parquet are read, and databases by URL")
    if not path.is_file():
        raise BadMapping(f"{path}: there is no such file")
    yield from islice(reader(path, mapping), skip, None)


def _check_columns(where: str, have: Any, mapping: MappingFile) -> None:
    if missing := [column for column in mapping.columns if column not in have]:
        raise BadMapping(f"{where} has no column {', '.join(missing)}; it has: {', '.join(map(str, have))}")


# databases


@contextmanager
def _reading(source: str) -> Iterator[Engine]:
    try:
        url = make_url(source)
        engine = create_engine(_plain(url), hide_parameters=True, **_read_only(url))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise BadMapping(f"{shown(source)}: {error}") from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    try:
        yield engine
    finally:
        engine.dispose()


def _plain(url: URL) -> URL:
    if url.get_backend_name() == "postgresql" and url.get_driver_name() != "psycopg":
        return url.set(drivername="postgresql+psycopg")
    return url


def _read_only(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        return {"execution_options": {"postgresql_readonly": True}}
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise BadMapping(f"{url.database}: there is no such file")
    return {}


def _table_rows(source: str, mapping: MappingFile, skip: int) -> Iterator[Row]:
    if mapping.table is None:
        raise BadMapping("the mapping names no table: [source] table = …")
    schema, _, name = mapping.table.rpartition(".")
    with _reading(source) as engine:
        try:
            table = Table(name, MetaData(), schema=schema or None, autoload_with=engine)
        except NoSuchTableError:
            raise BadMapping(f"{shown(source)} has no table or view {mapping.table}") from None
        except SQLAlchemyError as error:
            raise BadMapping(f"{shown(source)}: {type(error).__name__}") from None
        _check_columns(mapping.table, table.columns.keys(), mapping)
        columns = [table.c[name] for name in mapping.columns]
        # In the order of the number: the same rows stand behind `skip` when a killed run goes on.
        query = select(*columns).order_by(*(table.c[name] for name in mapping.number)).offset(skip or None)
        with engine.connect() as connection:
            for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).mappings():
                yield dict(row)


# files


def _csv_rows(path: Path, mapping: MappingFile) -> Iterator[Row]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(4096)
        file.seek(0)
        delimiter = max(",;\t", key=sample.partition("\n")[0].count)
        reader = csv.DictReader(file, delimiter=delimiter, restkey="")
        _check_columns(path.name, reader.fieldnames or [], mapping)
        try:
            for row in reader:
                yield {column: row[column] or None for column in mapping.columns}
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadMapping(f"{path.name}, line {reader.line_num}: {error}") from None


def _encoding(path: Path) -> str:
    """UTF-8 with or without BOM, else what Chinese Excel writes."""
    with path.open("rb") as file:
        start = file.read(1 << 20)
    for cut in range(4):  # the last character may be cut in two
        try:
            start[: len(start) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return "utf-8-sig"
    return "gb18030"


def _xlsx_rows(path: Path, mapping: MappingFile) -> Iterator[Row]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, OSError, KeyError, ValueError) as error:
        raise BadMapping(f"{path.name}: {type(error).__name__}") from None
    try:
        if mapping.sheet is not None and mapping.sheet not in book.sheetnames:
            raise BadMapping(f"{path.name} has no sheet {mapping.sheet}; it has: {', '.join(book.sheetnames)}")
        sheet = book[mapping.sheet or book.sheetnames[0]]
        lines = sheet.iter_rows(values_only=True)
        head = [str(name) if name is not None else "" for name in next(lines, ())]
        _check_columns(path.name, head, mapping)
        places = {column: head.index(column) for column in mapping.columns}
        for line in lines:
            if any(value is not None for value in line):
                yield {column: line[place] if place < len(line) else None for column, place in places.items()}
    finally:
        book.close()


def _parquet_rows(path: Path, mapping: MappingFile) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(path.name, file.schema_arrow.names, mapping)
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(mapping.columns)):
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise BadMapping(f"{path.name}: {type(error).__name__}") from None
