"""What registering does to the ledger, on both databases; no chain is needed for that."""

import json
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from service.config import Settings
from service.db import Database, metadata
from service.errors import Refused
from service.invoices import acting, importing, reading, search, statements
from service.invoices.content import Profile
from service.invoices.preparing import Prepared, Submission, fresh_salts, prepare
from service.invoices.registration import Registered, register
from service.ledger import sealing
from service.ledger.receipts import ReceiptKeys
from tests.unit.samples import INVOICE_IDS, sections_of
from verifier.entry import Kind
from verifier.register import Status

KEYS = ReceiptKeys(bytes(range(32)), 31337, bytes(20))
TODAY = date(2026, 11, 24)
NOW = 1_795_600_000_000
S01, S06 = "26112999000000000001", "26112999000000000006"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def sample(name: str, **header: str) -> dict[str, Any]:
    sections = sections_of(name)
    sections["header"].update(header)
    return sections


INVOICES = {name: sections_of(name) for name in INVOICE_IDS}


def submit(
    database: Database, *sections: dict[str, Any], profile: Profile = "as_issued", now: int = NOW
) -> list[Registered | Refused]:
    """Register in one transaction; what the rules alone refuse is refused in its place."""
    prepared: list[Prepared | Refused] = []
    for one in sections:
        try:
            prepared.append(prepare(Submission(one, profile), None, TODAY, fresh_salts()))
        except Refused as refused:
            prepared.append(refused)
    with database.write() as connection:
        good = [one for one in prepared if isinstance(one, Prepared)]
        results = iter(register(connection, good, "issuer", KEYS, now, now + 60_000))
        return [one if isinstance(one, Refused) else next(results) for one in prepared]


def registered(database: Database, *sections: dict[str, Any], profile: Profile = "as_issued") -> list[Registered]:
    results = submit(database, *sections, profile=profile)
    assert all(isinstance(result, Registered) for result in results), results
    return [result for result in results if isinstance(result, Registered)]


def record(database: Database, number: str) -> reading.Record:
    with database.read() as connection:
        found = reading.find(connection, number)
    assert found is not None
    return found


def kinds(database: Database, number: str) -> list[Kind]:
    return [stored.entry.kind for stored in record(database, number).stored]


def test_what_was_registered_is_read_back_and_commits_to_the_same(database: Database) -> None:
    results = registered(database, *(sample(name) for name in INVOICES))
    for result in results:
        found = record(database, result.prepared.number)
        with database.read() as connection:
            copy = reading.read_copy(connection, found.entry_of_copy(result.prepared.copy).id)  # type: ignore[union-attr]
        assert copy.sections() == result.prepared.sections
        assert copy.commitment() == result.prepared.commitment


def test_a_number_is_taken_for_ever(database: Database) -> None:
    registered(database, sample("S01"))
    [again] = submit(database, sample("S01"))
    assert isinstance(again, Refused)
    assert again.code == "number_taken"
    assert again.extra["registered_at"] == "2026-11-25T09:46:40.000+00:00"
    first, second = submit(database, sample("S02"), sample("S02"))
    assert isinstance(first, Registered)
    assert isinstance(second, Refused)


def test_a_red_letter_invoice_reverses_part_and_then_all(database: Database) -> None:
    registered(database, sample("S01"), sample("S06"))
    assert kinds(database, S01) == [Kind.ISSUE, Kind.REVERSE_PART]
    rest = sample("S06", number="26112999000000000016")
    rest["totals"].update(amount="-24691.34", tax="-1481.48", amount_with_tax="-26172.82")
    registered(database, rest)
    assert kinds(database, S01) == [Kind.ISSUE, Kind.REVERSE_PART, Kind.REVERSE]
    assert record(database, S01).status == "reversed"


def test_a_reversal_never_exceeds_its_original(database: Database) -> None:
    registered(database, sample("S01"), sample("S06"))
    more = sample("S06", number="26112999000000000016")
    amounts = {"amount": "-26000.00", "tax": "-1560.00", "amount_with_tax": "-27560.00"}
    more["totals"].update(amounts, amount_in_capitals="（负数）贰万柒仟伍佰陆拾圆整")
    more["lines"][0].update(amounts, quantity="-26")
    [refused] = submit(database, more, profile="new")
    assert isinstance(refused, Refused)
    assert "reversal_exceeds_original" in {finding.code for finding in refused.findings}
    [alone] = registered(database, more)
    assert not alone.acts
    assert "reversal_exceeds_original" in {finding.code for finding in alone.findings}
    assert kinds(database, S01) == [Kind.ISSUE, Kind.REVERSE_PART]


def test_what_waits_for_its_original_is_completed_when_that_arrives(database: Database) -> None:
    [waiting] = registered(database, sample("S06"))
    assert "original_not_registered" in {finding.code for finding in waiting.findings}
    [original] = registered(database, sample("S01"))
    assert [act.entry.kind for act in original.acts] == [Kind.REVERSE_PART]
    assert kinds(database, S01) == [Kind.ISSUE, Kind.REVERSE_PART]
    assert record(database, S01).stored[1].entry.other == record(database, S06).stored[0].entry.key


def test_order_within_one_transaction_does_not_matter_for_an_original(database: Database) -> None:
    registered(database, sample("S06"), sample("S01"))
    assert kinds(database, S01) == [Kind.ISSUE, Kind.REVERSE_PART]


def test_a_reissue_voids_its_original(database: Database) -> None:
    registered(database, sample("S10"), sample("S11"))
    number = INVOICES["S10"]["header"]["number"]
    assert record(database, number).status == "void"
    [refused] = submit(database, sample("S11", number="26112999000000000021"), profile="new")
    assert isinstance(refused, Refused)
    assert "original_not_open" in {finding.code for finding in refused.findings}


def _void(database: Database, number: str) -> None:
    with database.write() as connection:
        found = reading.get(connection, number, None)
        acting.void(connection, found, "开票有误", None, "issuer", KEYS, NOW, NOW + 60_000)


def test_void_once_and_never_a_red_letter_invoice(database: Database) -> None:
    registered(database, sample("S01"), sample("S02"), sample("S06"))
    number = INVOICES["S02"]["header"]["number"]
    _void(database, number)
    assert record(database, number).status == "void"
    for other in (number, S01, S06):  # void already, partly reversed, a red-letter invoice
        with pytest.raises(Refused, match="not_open"):
            _void(database, other)


def test_alike_invoices_of_one_day_are_noticed(database: Database) -> None:
    registered(database, sample("S01"))
    [alike] = registered(database, sample("S01", number="26112999000000000031"))
    assert "possible_duplicate" in {finding.code for finding in alike.findings}


def test_search_by_every_criterion(database: Database) -> None:
    registered(database, *(sample(name) for name in INVOICES))

    def numbers(limit: int = 50, **criteria: str) -> list[str]:
        with database.read() as connection:
            return [item["number"] for item in search.search(connection, search.Criteria(**criteria), None, limit, None)[0]]

    assert numbers(number=S01) == [S01]
    assert numbers(number="nothing like it") == []
    seller = INVOICES["S01"]["seller"]["tax_id"]
    assert set(numbers(seller=seller)) == {s["header"]["number"] for s in INVOICES.values() if s["seller"]["tax_id"] == seller}
    assert numbers(issued_from="2026-10-15", issued_to="2026-10-15") == [INVOICES["S02"]["header"]["number"]]
    assert numbers(amount_from="27232.82", amount_to="27232.82") == [S01]
    assert numbers(status="partly_reversed") == [S01]
    assert numbers(state="final") == []


def test_search_pages_through_everything_once(database: Database) -> None:
    registered(database, *(sample(name) for name in INVOICES))
    seen: list[str] = []
    cursor: int | None = None
    while True:
        with database.read() as connection:
            items, cursor = search.search(connection, search.Criteria(), None, 4, cursor)
        seen += [item["number"] for item in items]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == len(INVOICES)


def test_a_statement_is_given_to_holders_only(database: Database) -> None:
    [result] = registered(database, sample("S01"))
    with database.read() as connection:
        said = statements.statement(connection, S01, result.prepared.commitment)
        assert said is not None
        assert (said["status"], said["state"], said["current"]) == ("valid", "pending", True)
        assert statements.statement(connection, S01, bytes(32)) is None
        assert statements.statement(connection, S06, result.prepared.commitment) is None
    registered(database, sample("S06"))
    with database.read() as connection:
        said = statements.statement(connection, S01, result.prepared.commitment)
    assert said is not None
    assert said["pending"] == {"kind": "reverse_part", "other_number": S06}


def test_an_import_job_survives_being_killed_between_its_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(Path("tests/samples/tax-xml").glob("*.xml"))
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 3)
    archive = _zip(files)
    with database.write() as connection:
        id_ = importing.create(connection, archive, "all.zip", "issuer", _sellers(), "as_issued", False, NOW)
    for _ in range(len(files)):
        importing.Importer(database, KEYS, Settings(), lambda: NOW / 1000).step()  # a new process each time
    with database.read() as connection:
        job = importing.status(connection, id_, "issuer")
    assert job["state"] == "done"
    assert job["counts"] == {"rows": len(files), "accepted": len(files), "refused": 0}
    assert record(database, S01).history.state.status is Status.PARTLY_REVERSED  # type: ignore[union-attr]


def _zip(files: list[Path]) -> bytes:
    target = BytesIO()
    with ZipFile(target, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return target.getvalue()


def _sellers() -> frozenset[str]:
    expected = (json.loads(file.read_text()) for file in Path("tests/samples/tax-xml").glob("*.expected.json"))
    return frozenset(sections["seller"]["tax_id"] for sections in expected)


def test_sealing_keeps_the_entries_of_a_transaction_together(database: Database) -> None:
    registered(database, sample("S02"))
    registered(database, sample("S01"), sample("S06"))
    with database.write() as connection:
        first = sealing.seal(connection, KEYS, NOW, first_seq=1, limit=3)
        second = sealing.seal(connection, KEYS, NOW, first_seq=1, limit=3)
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (1, 3)
