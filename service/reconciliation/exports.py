"""Findings as files: written while they are read, whatever their number."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import orjson

Form = Literal["json", "ndjson", "csv", "parquet"]
FORMS: tuple[Form, ...] = ("json", "ndjson", "csv", "parquet")
MEDIA_TYPES: dict[Form, str] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS = (
    "id",
    "code",
    "place",
    "number",
    "key",
    "seq",
    "index",
    "detail",
    "state",
    "repaired",
    "first_run",
    "last_run",
    "found_at",
    "resolved_at",
)
ROWS_AT_ONCE = 5_000


def export(items: Iterable[dict[str, Any]], form: Form) -> Iterator[bytes]:
    """`items` as findings.iterate gives them; pieces of the file."""
    return {"json": _json, "ndjson": _ndjson, "csv": _csv, "parquet": _parquet}[form](iter(items))


def _json(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    opening = b"["
    for item in items:
        yield opening + orjson.dumps(item)
        opening = b",\n"
    yield b"]" if opening != b"[" else b"[]"


def _ndjson(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for item in items:
        yield orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE)


def _csv(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """With a byte order mark, for Excel; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS)
    writer.writeheader()
    yield b"\xef\xbb\xbf" + written.getvalue().encode()
    for item in items:
        written.seek(0)
        written.truncate()
        writer.writerow({name: _cell(value) for name, value in item.items()})
        yield written.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


class _Taken(io.RawIOBase):
    """What is written can be taken away at once: a Parquet file grows at its end only."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _parquet(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    import pyarrow  # large, and for this form only
    import pyarrow.parquet

    types = {name: pyarrow.int64() for name in ("id", "seq", "index", "first_run", "last_run", "found_at", "resolved_at")}
    types["repaired"] = pyarrow.bool_()
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    target = _Taken()
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        while some := list(islice(items, ROWS_AT_ONCE)):
            rows = [{**item, "detail": orjson.dumps(item["detail"]).decode()} for item in some]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))
            yield target.take()
    yield target.take()
