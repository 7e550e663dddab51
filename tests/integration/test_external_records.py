"""A city's database, and files, against our proven store: each kind of difference is named, and nothing is written there."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import create_engine, text

from service.reconciliation import findings, runs
from service.reconciliation.external import matching, sources
from service.reconciliation.external.mapping import BadMapping, read_mapping
from service.reconciliation.external.matching import RECORD, RecordRun
from service.reconciliation.findings import Filter, Found
from tests.stores import S01, SIMPLE, Store, number_of, to_found
from tests.unit.samples import INVOICE_IDS, sections_of

pytest_plugins = ["tests.store_fixtures"]

MAPPING = """
[source]
table = "T_FP_ZB"
sheet = "发票"
[fields]
number = "FPHM"
issued_on = "KPRQ"
seller_tax_id = "XF_NSRSBH"
buyer_name = "GF_MC"
amount_with_tax = "JSHJ"
status = "ZFBZ"
[status]
"0" = "valid"
"1" = "void"
"2" = "reversed"
"3" = "partly_reversed"
[formats]
issued_on = "%Y%m%d"
amounts = "fen"
"""
COLUMNS = ("FPHM", "KPRQ", "XF_NSRSBH", "GF_MC", "JSHJ", "ZFBZ")
CODES = {"valid": "0", "void": "1", "reversed": "2", "partly_reversed": "3"}
EXTRA = "26112999000077777777"


def their_rows(store: Store) -> list[dict[str, Any]]:
    """What they would have if all had gone well, in their own words and order."""
    with store.database.read() as connection:
        page, _ = [], b""
        after = b""
        while True:
            some, last = matching._page(connection, after, 4)
            page += some
            if last is None:
                break
            after = last
    rows = []
    for our in page:
        assert our.fields is not None
        yuan, _, cents = our.fields["amount_with_tax"].partition(".")
        rows.append(
            {
                "FPHM": our.number,
                "KPRQ": our.fields["issued_on"].replace("-", ""),
                "XF_NSRSBH": our.fields["seller_tax_id"].lower(),
                "GF_MC": our.fields["buyer_name"].replace("(", "（").replace(")", "）") + " ",
                "JSHJ": str(int(yuan + cents.ljust(2, "0"))),
                "ZFBZ": CODES[our.status or ""],
            }
        )
    return sorted(rows, key=lambda row: str(row["FPHM"]))


A, B, C, D = (number_of(n) for n in (1010, 1011, 1012, 1013))
VOIDED = number_of(1000)


def spoil(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every kind of trouble, once."""
    by_number = {row["FPHM"]: row for row in rows}
    by_number[A] |= {"JSHJ": "1", "GF_MC": "另一家公司"}
    by_number[VOIDED]["ZFBZ"] = "0"
    rows = [row for row in rows if row["FPHM"] != B]
    return [*rows, dict(by_number[C]), {**by_number[D], "FPHM": EXTRA}, {**by_number[D], "FPHM": "2.6112999E+19 "}]


EXPECTED = {
    ("differs", "amount_with_tax,buyer_name", A),
    ("status_conflict", "status", VOIDED),
    ("missing_there", None, B),
    ("duplicate", None, C),
    ("missing_here", None, EXTRA),
    ("missing_here", "number", None),
}


def write_csv(path: Path, rows: list[dict[str, Any]], encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def write_xlsx(path: Path, rows: list[dict[str, Any]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("发票")
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([int(row[name]) if name == "JSHJ" else row[name] for name in COLUMNS])
    book.save(path)


def write_table(url: str, rows: list[dict[str, Any]]) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        columns = ", ".join(f'"{name}" VARCHAR(200)' for name in COLUMNS)
        connection.execute(text(f'CREATE TABLE "T_FP_BASE" (id INTEGER, {columns})'))
        connection.execute(text('CREATE VIEW "T_FP_ZB" AS SELECT * FROM "T_FP_BASE"'))
        values = ", ".join(f":{name}" for name in COLUMNS)
        connection.execute(text(f'INSERT INTO "T_FP_BASE" VALUES (0, {values})'), rows)
    engine.dispose()


@pytest.fixture(params=["csv", "gbk.csv", "xlsx", "parquet", "sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, sqlite_store: Store, tmp_path: Path) -> Iterator[str]:
    """The spoilt record in every form."""
    rows, form = spoil(their_rows(sqlite_store)), request.param
    path = tmp_path / f"theirs.{form}"
    if form in ("csv", "gbk.csv"):
        write_csv(path, rows, "gbk" if form == "gbk.csv" else "utf-8-sig")
    elif form == "xlsx":
        write_xlsx(path, rows)
    elif form == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif form == "sqlite":
        write_table(f"sqlite:///{path}", rows)
        yield f"sqlite:///{path}"
        return
    else:
        cluster = request.getfixturevalue("postgres")
        name = cluster.create_database()
        write_table(cluster.url(name), rows)
        yield cluster.url(name)
        cluster.drop_database(name)
        return
    yield str(path)


def mapping_in(folder: Path, written: str = MAPPING) -> Path:
    path = folder / "mapping.toml"
    path.write_text(written, encoding="utf-8")
    return path


def compare(store: Store, source: str, mapping: Path, folder: Path) -> tuple[runs.Run, list[Found]]:
    with store.database.write() as connection:
        run = runs.create(connection, RECORD, sources.shown(source), {}, 0, "cli")
    ended = RecordRun(store.database, run, store.reader, source, read_mapping(mapping), folder).run()
    with store.database.read() as connection:
        return ended, [to_found(item) for item in findings.iterate(connection, Filter(run=run))]


def test_every_kind_of_difference_is_found_in_every_form(sqlite_store: Store, source: str, tmp_path: Path) -> None:
    file = Path(source.removeprefix("sqlite:///"))
    before = hashlib.sha256(file.read_bytes()).digest() if file.is_file() else None
    run, found = compare(sqlite_store, source, mapping_in(tmp_path), tmp_path)
    assert {(one.code, one.place, one.number) for one in found} == EXPECTED
    assert len(found) == len(EXPECTED)
    assert run.matches is False
    differs = next(one for one in found if one.code == "differs")
    assert differs.detail["fields"]["amount_with_tax"]["theirs"] == "0.01"
    assert differs.detail["fields"]["buyer_name"]["theirs"] == "另一家公司"
    conflict = next(one for one in found if one.code == "status_conflict")
    assert (conflict.detail["ours"], conflict.detail["theirs"]) == ("void", "valid")
    if before:
        assert hashlib.sha256(file.read_bytes()).digest() == before
    assert not list(tmp_path.glob("reconciliation-*"))


def test_a_record_that_is_right_matches_on_both_databases(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    write_csv(path, their_rows(store), "utf-8")
    run, found = compare(store, str(path), mapping_in(tmp_path), tmp_path)
    assert found == []
    assert run.matches
    assert run.done == 2 * (len(SIMPLE) + len(INVOICE_IDS) + 5)


def test_only_what_they_are_expected_to_have_is_missed(sqlite_store: Store, tmp_path: Path) -> None:
    seller = sections_of("S01")["seller"]["tax_id"]
    path = tmp_path / "theirs.csv"
    write_csv(path, [row for row in their_rows(sqlite_store) if row["XF_NSRSBH"].upper() == seller and row["FPHM"] != S01], "utf-8")
    written = MAPPING + f'[only]\nsellers = ["{seller}"]\nissued_from = "2026-01-01"\n'
    _, found = compare(sqlite_store, str(path), mapping_in(tmp_path, written), tmp_path)
    assert [(one.code, one.number) for one in found] == [("missing_there", S01)]


def test_what_our_own_store_cannot_prove_is_compared_with_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    write_csv(path, their_rows(sqlite_store), "utf-8")
    changed = orjson.dumps({"amount_with_tax": "1.00"})
    sqlite_store.sql("UPDATE invoices SET totals = :t WHERE number = :n", t=changed, n=A)
    _, found = compare(sqlite_store, str(path), mapping_in(tmp_path), tmp_path)
    assert found == []


def test_a_killed_run_goes_on_where_it_was(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "ROWS_AT_ONCE", 30)
    monkeypatch.setattr(matching, "KEYS_AT_ONCE", 20)
    path = tmp_path / "theirs.csv"
    write_csv(path, spoil(their_rows(sqlite_store)), "utf-8")
    mapping = read_mapping(mapping_in(tmp_path))
    with sqlite_store.database.write() as connection:
        run = runs.create(connection, RECORD, path.name, {}, 0, "cli")
    while True:
        one = RecordRun(sqlite_store.database, run, sqlite_store.reader, str(path), mapping, tmp_path)
        alive = all(one.step() for _ in range(7))
        one.close()
        if not alive:
            break
    with sqlite_store.database.read() as connection:
        found = [to_found(item) for item in findings.iterate(connection, Filter(run=run))]
    assert {(one.code, one.place, one.number) for one in found} == EXPECTED


def test_legacy_numbers_are_put_together_from_two_columns(tmp_path: Path) -> None:
    mapping = read_mapping(mapping_in(tmp_path, '[fields]\nnumber = ["DM", "HM"]\n'))
    assert mapping.read({"DM": "011002400111", "HM": 99000007}).number == "011002400111-99000007"
    assert mapping.read({"DM": None, "HM": "２６112999000000000001"}).number == "26112999000000000001"
    assert mapping.read({"DM": None, "HM": 2.6e19}).number is not None
    assert mapping.read({"DM": None, "HM": "2.6E+19"}).number is None


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("[fields]\n", "number names no column"),
        ('[fields]\nnumber = "a"\ncolour = "b"\n', "knows no colour"),
        ('[fields]\nnumber = "a"\n[status]\n"1" = "cancelled"\n', "is no status of ours"),
        ('[fields]\nnumber = "a"\n[formats]\namounts = "jiao"\n', "yuan or fen"),
        ('[fields]\nnumber = "a"\n[more]\n', "no section"),
        ("[fields", "mapping.toml"),
    ],
)
def test_a_mapping_that_is_none_says_what_is_wrong(tmp_path: Path, written: str, sentence: str) -> None:
    with pytest.raises(BadMapping, match=sentence):
        read_mapping(mapping_in(tmp_path, written))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("theirs.csv", "has no column"),
        ("nothing.csv", "no such file"),
        ("theirs.ods", "only .csv, .xlsx and .parquet"),
        ("sqlite:///nothing.db", "no such file"),
        ("nonsense://x/y", "nonsense"),
    ],
)
def test_a_source_that_cannot_be_read_says_why(sqlite_store: Store, tmp_path: Path, source: str, sentence: str) -> None:
    (tmp_path / "theirs.csv").write_text("a,b\n1,2\n")
    where = source if "://" in source else str(tmp_path / source)
    with pytest.raises(BadMapping, match=sentence):
        compare(sqlite_store, where, mapping_in(tmp_path), tmp_path)


def test_a_password_is_never_shown() -> None:
    assert sources.shown("postgresql://user:secret@host/db?sslkey=x") == "postgresql://user:***@host/db"
