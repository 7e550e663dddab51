"""The insider: full access to the database and this very code, but neither the receipt key nor the anchoring key.

Whatever such a person does is detected. How exactly it is named depends on what is left: by record and section where a mirror of
the section leaves is outside the database, by record where its receipt or the batch's leaves are left, else by batch and place.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError

from service.ledger import register, sealing
from service.ledger.entries import histories
from service.migrations.schema import metadata
from service.reconciliation import content, findings, log, states
from service.reconciliation.findings import Filter, Found
from tests.chain import Chain, RegistryContract
from tests.integration.insider import (
    REPRINTED,
    STRATEGIES,
    VOIDED,
    A,
    B,
    alter_a_batch_root,
    alter_a_promise,
    alter_a_register_page,
    alter_a_tile,
    alter_an_entrys_time,
    alter_an_ordinal,
    alter_what_a_void_names,
    change_a_buyer,
    change_a_drawer,
    change_a_remark,
    change_a_search_column,
    change_an_amount_with_its_column,
    delete_a_record,
    duplicate_an_entry,
    forge_a_delivery,
    forge_a_void,
    forge_an_acknowledgement,
    has,
    id_of,
    insert_content_without_an_entry,
    insert_entry,
    place_of,
    re_salt,
    rewrite_a_whole_batch,
    roll_back_a_void,
    swap_places,
    truncate,
)
from tests.stores import Store, number_of
from tests.unit.samples import sections_of
from verifier.entry import number_key

pytest_plugins = ["tests.store_fixtures"]


ON_POSTGRESQL = (
    change_a_buyer,
    delete_a_record,
    swap_places,
    forge_an_acknowledgement,
    duplicate_an_entry,
    roll_back_a_void,
    alter_a_promise,
    alter_a_register_page,
    truncate,
    rewrite_a_whole_batch,
)
"""What asks for something else of the database each; the rest is the same code, and a copy of a database costs time."""


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_detected_always(sqlite_store: Store, strategy: Callable[[Store], None]) -> None:
    detect(sqlite_store, strategy)


@pytest.mark.parametrize("strategy", ON_POSTGRESQL, ids=lambda strategy: strategy.__name__)
def test_detected_on_postgresql_too(postgresql_store: Store, strategy: Callable[[Store], None]) -> None:
    detect(postgresql_store, strategy)


def detect(store: Store, strategy: Callable[[Store], None]) -> None:
    strategy(store)
    run, found = store.reconcile(repairs=False)
    assert has(found, *STRATEGIES[strategy]), found
    assert run.matches is False
    # Whoever reads is not led astray by what follows from it.
    others = {one.number for one in found if one.number} - {A, B, VOIDED, number_of(1001), REPRINTED, "26112999000088888888"}
    assert not others, found


def test_named_by_record_and_section_where_a_mirror_has_the_section_leaves(sqlite_store: Store, built_mirror: Path) -> None:
    changes: list[tuple[Callable[[Store], None], str]] = [
        (change_an_amount_with_its_column, "totals"),
        (change_a_drawer, "provenance"),
        (change_a_remark, "notes"),
        (change_a_buyer, "buyer"),
        (re_salt, "lines"),
    ]
    for strategy, _ in changes:
        strategy(sqlite_store)
    _, found = sqlite_store.reconcile(mirror=built_mirror)
    assert {(one.code, one.place, one.number) for one in found} == {("altered", section, A) for _, section in changes}
    assert {one.detail["told_by"] for one in found} == {"mirror"}


def test_the_mirror_names_the_key_of_what_is_gone(sqlite_store: Store, built_mirror: Path) -> None:
    delete_a_record(sqlite_store)
    alter_all_tiles(sqlite_store, 2)
    _, found = sqlite_store.reconcile(mirror=built_mirror)
    assert ("missing", "entries", number_key(A), 2) in {(one.code, one.place, one.key, one.seq) for one in found}


def test_the_mirrors_states_name_what_pages_and_entries_agree_to_hide(sqlite_store: Store, built_mirror: Path) -> None:
    """Entry, tiles and pages of a void are gone without a trace: our own records hold together, and not with the chain."""
    roll_back_a_void(sqlite_store)
    sqlite_store.sql("DELETE FROM tiles WHERE seq = 3")
    rebuild_pages(sqlite_store)
    _, found = sqlite_store.reconcile(mirror=built_mirror)
    assert has(found, "status_conflict", None, VOIDED)
    _, found = sqlite_store.reconcile()
    assert has(found, "anchor_mismatch", "register", None)
    assert not has(found, "status_conflict", None, VOIDED)


def test_named_by_record_where_the_batchs_leaves_are_left(sqlite_store: Store) -> None:
    """The receipt goes with the entry, but the stored leaves still lead to the anchored root."""
    alter_an_entrys_time(sqlite_store)
    sqlite_store.sql("UPDATE entries SET signature = :s", s=bytes(64))
    _, found = sqlite_store.reconcile()
    named = [one for one in found if one.place == "entries.entry"]
    assert [(one.number, one.seq, one.index) for one in named] == [(A, *place_of(sqlite_store, id_of(sqlite_store, A)))]


def test_named_by_record_where_its_receipt_is_left(sqlite_store: Store) -> None:
    """Nothing but the receipts is left of the batch as it was: the one that does not fit its entry names the record."""
    rewrite_a_whole_batch(sqlite_store)
    _, found = sqlite_store.reconcile()
    named = [one for one in found if one.place == "entries.entry"]
    assert [one.number for one in named] == [A]
    assert has(found, "anchor_mismatch", "entries", None)


def test_named_by_batch_and_place_otherwise(sqlite_store: Store) -> None:
    """The record, its receipt and the leaves are gone: what is left to say is where it stood."""
    seq, index = place_of(sqlite_store, id_of(sqlite_store, A))
    delete_a_record(sqlite_store)
    alter_all_tiles(sqlite_store, seq)
    rebuild_pages(sqlite_store)
    _, found = sqlite_store.reconcile()
    assert {(one.code, one.place, one.seq, one.index) for one in found} == {
        ("anchor_mismatch", "entries", 2, None),
        ("missing", "entries", seq, index),
        ("anchor_mismatch", "register", 4, None),
        *((one.code, one.place, one.seq, one.index) for one in found if one.place == "tiles"),
    }


def test_the_register_names_the_key_where_its_pages_are_left(sqlite_store: Store) -> None:
    delete_a_record(sqlite_store)
    _, found = sqlite_store.reconcile()
    assert ("missing", number_key(A)) in {(one.code, one.key) for one in found}


def test_a_later_run_resolves_what_it_no_longer_sees(store: Store) -> None:
    change_a_search_column(store)
    _, found = store.reconcile()
    assert [one.place for one in found] == ["invoices.amount_fen"]
    store.sql("UPDATE invoices SET amount_fen = amount_fen - 1 WHERE number = :n", n=A)
    run, found = store.reconcile()
    assert run.matches
    with store.database.read() as connection:
        everything = list(findings.iterate(connection, Filter()))
    assert [(one["state"], one["place"]) for one in everything] == [("resolved", "invoices.amount_fen")]


def alter_all_tiles(store: Store, seq: int) -> None:
    """The leaves are no longer there to tell."""
    store.sql("UPDATE tiles SET hashes = :h WHERE seq = :s", h=bytes(32), s=seq)


def rebuild_pages(store: Store) -> None:
    """The register that the entries that are left lead to."""
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM register_pages")
        keys = sorted({row[0] for row in connection.exec_driver_sql("SELECT key FROM entries")})
        changes = {key: history.state.hash() for key, history in histories(connection, keys).items() if history.state}
        register.update(connection, 4, changes)


CONTROLS: list[tuple[Callable[[Store], None], Any, str, Any]] = [
    (change_a_remark, content._Page, "_name", lambda *_: ()),
    (change_a_search_column, content._Page, "_check_derived", lambda *_: None),
    (forge_a_void, content, "is_promised", lambda *_: True),
    (insert_content_without_an_entry, content._Page, "_left_over", lambda *_: None),
    (alter_a_promise, log, "_is_batch_signed", lambda *_: True),
    (alter_a_tile, log, "_check_tiles", lambda *_: ()),
    (alter_a_batch_root, log, "_check_rows", lambda *_: ()),
    (forge_a_delivery, log, "_check_acknowledgements", lambda *_: ()),
    (alter_a_register_page, states, "differing_pages", lambda *_: ()),
    (alter_what_a_void_names, content, "is_number_of", lambda *_: True),
    (alter_an_ordinal, states, "_replay_one", None),
]


@pytest.mark.parametrize(("strategy", "room", "check", "nothing"), CONTROLS, ids=lambda value: getattr(value, "__name__", None))
def test_with_one_check_switched_off_it_goes_unseen(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, strategy: Callable[[Store], None], room: Any, check: str, nothing: Any
) -> None:
    """The control: what `test_detected_always` sees is seen by that check, and would not be without it."""
    strategy(sqlite_store)
    monkeypatch.setattr(room, check, nothing or _replay_without_ordinals)
    run, found = sqlite_store.reconcile()
    assert found == []
    assert run.matches


_replay_one = states._replay_one


def _replay_without_ordinals(connection: Any, scope: Any, key: bytes, history: Any, found: list[Found]) -> Any:
    return _replay_one(connection, scope, key, [(row[0], n, *row[2:]) for n, row in enumerate(history, 1)], found)


def test_what_is_not_promised_is_never_sealed(database_url: str, chain: Chain, contract: RegistryContract) -> None:
    store = Store(database_url, chain, contract)
    metadata.create_all(store.database.engine)
    [first] = store.register(sections_of("S02"))
    store.anchor()
    forge_an_acknowledgement(store)
    insert_entry(store, first.issued.entry, 2, None, store.keys, 100_001)  # promised once, and put there twice
    for _ in range(4):
        store.worker.run_once()
    unsealed = store.row("SELECT count(*) FROM entries WHERE seq IS NULL")[0]
    assert unsealed == 2
    store.close()


def test_what_fell_out_of_the_queue_is_queued_again(database_url: str, chain: Chain, contract: RegistryContract) -> None:
    store = Store(database_url, chain, contract)
    metadata.create_all(store.database.engine)
    store.register(sections_of("S02"))
    store.anchor()
    [made] = store.register(sections_of("S03"))
    # Accepted, and then made to look as if it had been in batch 1: the worker would never take it.
    store.sql('UPDATE entries SET seq = 1, "index" = 1 WHERE id = :i', i=made.issued.id)
    _, found = store.reconcile(repairs=False)
    assert [one.detail["promised"] for one in found if (one.code, one.place) == ("unanchored", "entries")] == [True]
    store.reconcile()
    store.anchor()
    run, found = store.reconcile()
    assert run.matches, found
    store.close()


def test_a_batch_whose_outbox_row_is_gone_is_sent_again(database_url: str, chain: Chain, contract: RegistryContract) -> None:
    store = Store(database_url, chain, contract)
    metadata.create_all(store.database.engine)
    store.register(sections_of("S02"))
    store.anchor()
    store.register(sections_of("S03"))
    with store.database.write() as connection:
        sealing.seal(connection, store.keys, int(time.time() * 1000), first_seq=1)
    store.sql("DELETE FROM outbox WHERE seq = 2")
    _, found = store.reconcile()
    assert has(found, "missing", "outbox", None)
    store.anchor()
    run, found = store.reconcile()
    assert run.matches, found
    store.close()


COVERED = {
    "entries": 'id, key, ordinal, entry, key_id, deadline, signature, seq, "index"',
    "copies": "entry_id, invoice_id, salts, provenance",
    "invoices": "id, header, seller, totals, buyer, lines, payment, notes, number, kind, issued_on, seller_tax_id, buyer_id, "
    "amount_fen, original_key",
    "acts": "entry_id, other_number",
    "batches": 'seq, log_root, size, register_root, "foreign"',
    "batch_receipts": "seq, key_id, signature",
    "tiles": "seq, level, tile, hashes",
    "outbox": "seq, state, block_time",
}


def what_is_covered(file: Path) -> Any:
    """Everything that the docstring of runs.py names, as SQLite reads it; None where it cannot."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            rows: Any = {
                table: connection.execute(f"SELECT {columns} FROM {table}").fetchall() for table, columns in COVERED.items()
            }
            rows["pages"] = connection.execute("SELECT path, page FROM register_pages ORDER BY path, seq").fetchall()
            rows["pages"] = dict(rows["pages"])  # the newest version of each
            return rows
    except sqlite3.Error:
        return None


def test_bit_flips_in_the_database_file_are_detected(
    built_sqlite: str, chain: Chain, built_contract: RegistryContract, tmp_path: Path
) -> None:
    """Random bits, one at a time. What SQLite still reads the same in every column that matters did no harm; all else is seen."""
    original = Path(built_sqlite.removeprefix("sqlite:///"))
    data = original.read_bytes()
    expected = what_is_covered(original)
    chance = random.Random(20261124)  # the same flips each time
    harmful = 0
    for n in range(FLIPS):
        at, bit = chance.randrange(100, len(data)), chance.randrange(8)
        file = tmp_path / f"{n}.db"
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        is_harmful = what_is_covered(file) != expected
        harmful += is_harmful
        store = Store(f"sqlite:///{file}", chain, built_contract)
        try:
            run, found = store.reconcile(repairs=False)
            assert bool(found) or not is_harmful, (n, at, bit)
            assert run.matches is not True or not is_harmful, (n, at, bit)
        except DatabaseError:
            pass  # not even the run can be kept: whoever started it is told so
        finally:
            store.close()
            file.unlink()
    assert harmful > FLIPS // 10


FLIPS = 120


def test_what_was_anchored_is_not_sealed_a_second_time(database_url: str, chain: Chain, contract: RegistryContract) -> None:
    """Entries that are put back to pending, or whose number lost its history, carry good receipts: the register knows better."""
    store = Store(database_url, chain, contract)
    metadata.create_all(store.database.engine)
    store.register(*(sections_of(name) for name in ("S02", "S03", "S05")))
    store.void(sections_of("S02")["header"]["number"])
    store.anchor()
    store.sql('UPDATE entries SET seq = NULL, "index" = NULL WHERE id IN (2, 4)')  # S03's issue, S02's void
    [made] = store.register(sections_of("S09"))
    store.worker.run_once()
    assert place_of(store, made.issued.id) == (2, 0)
    assert store.row("SELECT count(*) FROM entries WHERE seq IS NULL")[0] == 2
    _, found = store.reconcile(repairs=False)
    assert {("missing", one.index) for one in found if one.place == "entries" and one.code == "missing"} == {
        ("missing", 1),
        ("missing", 3),
    }
    store.close()
