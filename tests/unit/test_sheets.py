"""Tables as files: whole, exact, and no formula."""

import csv
import io
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from zipfile import ZipFile

import openpyxl
import pyarrow.parquet
import pytest

from service.formats import sheets
from service.formats.sheets import Column, Form, TooManyRows, zipped

COLUMNS = (Column("number"), Column("amount", "decimal"), Column("size", "integer"), Column("is_open", "boolean"))
ROWS: list[tuple[Any, ...]] = [
    ("26112999000000000010", "27232.82", 3, True),
    ("=HYPERLINK(1)", "-1060.00", -4, False),
    ("中文\n第二行", "12345678901234567890.12", None, None),
    ("+1", None, 0, True),
]


def made(form: Form, rows: Sequence[Sequence[Any]] = ROWS) -> tuple[bytes, dict[str, Any]]:
    """The file, and its manifest."""
    data = b"".join(zipped("list", COLUMNS, rows, form, {"what": "test"}))
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"list.{form}", "manifest.json"]
        return archive.read(f"list.{form}"), json.loads(archive.read("manifest.json"))


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson", "parquet"])
def test_the_manifest_vouches_for_the_file(form: Form) -> None:
    file, manifest = made(form)
    assert manifest["sha256"] == sha256(file).hexdigest()
    assert (manifest["bytes"], manifest["rows"], manifest["what"]) == (len(file), len(ROWS), "test")
    assert [column["name"] for column in manifest["columns"]] == [column.name for column in COLUMNS]
    assert made(form, [])[1]["rows"] == 0


def test_csv_is_for_excel_and_has_no_formula() -> None:
    file, _ = made("csv")
    rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
    assert rows[0] == ["number", "amount", "size", "is_open"]
    assert rows[1] == ["26112999000000000010", "27232.82", "3", "True"]
    assert rows[2][:2] == ["'=HYPERLINK(1)", "-1060.00"]
    assert rows[3][0] == "中文\n第二行"
    assert rows[4][0] == "+1", "a number is none"
    assert file.startswith(b"\xef\xbb\xbf")


def test_a_sheet_keeps_every_digit() -> None:
    file, _ = made("xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1] == ("26112999000000000010", 27232.82, 3, True)
    assert rows[2] == ("=HYPERLINK(1)", -1060, -4, False)
    assert sheet["A3"].data_type == "s", "a text, no formula"
    assert rows[3][1] == "12345678901234567890.12"


def test_ndjson_and_parquet_are_exact() -> None:
    names = [column.name for column in COLUMNS]
    expected = [dict(zip(names, row, strict=True)) for row in ROWS]
    assert [json.loads(line) for line in made("ndjson")[0].splitlines()] == expected
    assert pyarrow.parquet.read_table(io.BytesIO(made("parquet")[0])).to_pylist() == expected


def test_a_long_list_leaves_in_pieces() -> None:
    rows = (("26112999000000000010", "1.00", n, True) for n in range(60_000))
    pieces = list(zipped("list", COLUMNS, rows, "ndjson", {}))
    assert len(pieces) >= 3
    with ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert json.loads(archive.read("manifest.json"))["rows"] == 60_000


def test_a_sheet_that_is_too_long_is_refused_before_anything_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_XLSX_ROWS", 3)
    with pytest.raises(TooManyRows):
        next(zipped("list", COLUMNS, ROWS, "xlsx", {}))
    assert made("csv")[1]["rows"] == 4
