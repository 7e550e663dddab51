"""Tables as files: CSV, XLSX, NDJSON, Parquet, written while they are read, with what proves that they are whole.

What leaves is a zip: the file, and manifest.json with its SHA-256, its rows, and what was asked for by whom.
"""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import IO, Any, Literal, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

Form = Literal["csv", "xlsx", "ndjson", "parquet"]
Kind = Literal["text", "integer", "decimal", "boolean"]

ROWS_AT_ONCE = 5_000
MAX_XLSX_ROWS = 1_048_575
"""What a sheet holds beside its head."""
_PIECE = 64 * 1024
_EXACT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
"""A double has fifteen digits."""


class Column(NamedTuple):
    """A decimal is a text as the invoice has it; in a sheet a number, where a spreadsheet can hold it exactly."""

    name: str
    kind: Kind = "text"


class TooManyRows(Exception):
    """More than an XLSX sheet can hold."""


def zipped(
    name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], form: Form, manifest: Mapping[str, Any]
) -> Iterator[bytes]:
    """Pieces of the zip; rows are in the order of `columns`. Raises TooManyRows."""
    target = _Taken()
    counted = _Counted(rows)
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        file, whole, size = f"{name}.{form}", sha256(), 0
        with archive.open(file, "w", force_zip64=True) as inside:
            for piece in _WRITERS[form](columns, counted):
                whole.update(piece)
                size += len(piece)
                inside.write(piece)
                if target.size >= _PIECE:
                    yield target.take()
        said = {
            **manifest,
            "file": file,
            "sha256": whole.hexdigest(),
            "bytes": size,
            "rows": counted.count,
            "columns": [column._asdict() for column in columns],
        }
        archive.writestr("manifest.json", orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    yield target.take()


class _Counted:
    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            self.count += 1
            yield row


class _Taken(io.RawIOBase):
    """What is written can be taken away at once: nothing ever goes back to change it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        self.size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        taken, self._pieces, self.size = b"".join(self._pieces), [], 0
        return taken


def _ndjson(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    names = [column.name for column in columns]
    for row in rows:
        yield orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)


def _csv(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """With a byte order mark, for Excel; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([column.name for column in columns])
    yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow(list(map(_cell, row)))
        if written.tell() >= _PIECE:
            yield _emptied(written)
    yield _emptied(written)


def _emptied(written: io.StringIO) -> bytes:
    taken = written.getvalue().encode()
    written.seek(0)
    written.truncate()
    return taken


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r", "-") and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()


def _xlsx(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Row by row into a file of its own: a sheet is compressed as a whole. Invoice numbers are texts: Excel would round them."""
    from openpyxl import Workbook  # large, and for this form only
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet("zhengpiao")
    sheet.freeze_panes = "A2"
    heads = []
    for column in columns:
        head = WriteOnlyCell(sheet, value=column.name)
        head.font = Font(bold=True)
        heads.append(head)
    sheet.append(heads)
    waiting = iter(rows)
    for row in islice(waiting, MAX_XLSX_ROWS):
        sheet.append([_xlsx_cell(sheet, WriteOnlyCell, column.kind, value) for column, value in zip(columns, row, strict=True)])
    with tempfile.TemporaryFile() as file:
        book.save(file)  # in any case: a sheet that was begun has to be ended
        if next(waiting, None) is not None:
            raise TooManyRows
        yield from _read(file)


def _xlsx_cell(sheet: Any, make: Any, kind: Kind, value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if kind == "decimal":
        return float(value) if _EXACT.fullmatch(value) else value
    cell = make(sheet, value=_without_controls(value))
    cell.data_type = "s"  # never a formula
    return cell


def _without_controls(text: str) -> str:
    return "".join(character for character in text if character >= " " or character in "\t\n")


def _read(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def _parquet(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    import pyarrow  # large, and for this form only
    import pyarrow.parquet

    types = {"text": pyarrow.string(), "integer": pyarrow.int64(), "boolean": pyarrow.bool_(), "decimal": pyarrow.string()}
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
    target = _Taken()
    waiting = iter(rows)
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        while some := list(islice(waiting, ROWS_AT_ONCE)):
            arrays = [pyarrow.array([row[n] for row in some], types[column.kind]) for n, column in enumerate(columns)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield target.take()
    yield target.take()


_WRITERS = {"csv": _csv, "xlsx": _xlsx, "ndjson": _ndjson, "parquet": _parquet}
