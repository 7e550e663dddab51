"""A record that was lost or altered comes back from a copy, whole or in part, and a copy that proves nothing changes nothing."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from service.diagnosis.recovery import By, Recovered, recover_once
from service.errors import Refused, Unavailable
from service.invoices import proofs, reading
from service.invoices.reading import timeline
from service.invoices.tables import acts, copies, invoices
from service.ledger.tables import batch_receipts, batches, entries, outbox, register_pages, tiles
from tests.integration.insider import (
    REPRINTED,
    A,
    B,
    alter_a_key,
    alter_a_promise,
    alter_a_tile,
    alter_an_entrys_time,
    alter_an_ordinal,
    change_a_buyer,
    change_a_drawer,
    change_a_number,
    change_a_remark,
    change_a_search_column,
    change_an_amount_with_its_column,
    delete_a_record,
    delete_a_salts_row,
    delete_content,
    id_of,
    lose_a_section,
    move_a_copy,
    move_to_another_batch,
    re_salt,
    re_salt_a_reprint,
    swap_contents,
    swap_places,
)
from tests.stores import Store, number_of
from verifier.chain import RpcReader
from verifier.commitment import PUBLIC_SECTIONS, SECTIONS
from verifier.fields import Chain
from verifier.proof import parse_proof
from verifier.trust import Trust
from verifier.verify import verify

pytest_plugins = ["tests.store_fixtures"]

S01, S06 = "26112999000000000001", "26112999000000000006"


def chain_of(store: Store) -> Chain:
    return Chain(store.node.chain_id, bytes.fromhex(store.contract.address[2:]))


def copy_of(store: Store, number: str, sections: Any = SECTIONS) -> bytes:
    """A proof file of the current copy that opens these sections, as somebody kept it."""
    with store.database.read() as connection:
        record = reading.get(connection, number, None)
        return proofs.of_copy(connection, chain_of(store), record, record.current(), sections).to_json()


def recover(store: Store, file: bytes) -> Recovered:
    by = By("anyone", "proof", sha256(file).digest(), 1_795_600_000_000)
    return recover_once(store.database, file, store.reader(), store.keys, by)


def check_matches(store: Store) -> None:
    run, found = store.reconcile(repairs=False)
    assert found == []
    assert run.matches


RECORDS = (entries, batches, batch_receipts, tiles, register_pages, outbox, invoices, copies, acts)


def rows(store: Store) -> dict[str, list[str]]:
    """Everything that is on record, but for which transaction an entry came with."""
    columns = {table: [column for column in table.c if column.name != "accepted_with"] for table in RECORDS}
    with store.database.read() as connection:
        return {table.name: sorted(repr(tuple(row)) for row in connection.execute(select(*columns[table]))) for table in RECORDS}


def delete_with_a_section(store: Store) -> None:
    """Of content that lost its entry, a part is left."""
    store.sql("UPDATE invoices SET lines = NULL WHERE number = :n", n=A)
    store.sql("DELETE FROM entries WHERE id = :i", i=id_of(store, A))


def unseal_it(store: Store) -> None:
    store.sql('UPDATE entries SET seq = NULL, "index" = NULL WHERE id = :i', i=id_of(store, A))


WAYS: dict[Callable[[Store], None], tuple[str, ...]] = {
    change_an_amount_with_its_column: (A,),
    change_a_buyer: (A,),
    change_a_remark: (A,),
    change_a_drawer: (A,),
    change_a_number: (A,),
    change_a_search_column: (A,),
    re_salt: (A,),
    re_salt_a_reprint: (REPRINTED,),
    lose_a_section: (A,),
    delete_a_record: (A,),
    delete_content: (A,),
    delete_a_salts_row: (A,),
    swap_contents: (A, B),
    move_to_another_batch: (A,),
    delete_with_a_section: (A,),
    alter_a_promise: (A,),
    alter_an_entrys_time: (A,),
    alter_a_key: (A,),
    alter_an_ordinal: (A,),
    alter_a_tile: (number_of(1257),),
    move_a_copy: (A,),
    unseal_it: (A,),
}


@pytest.mark.parametrize("spoil", list(WAYS), ids=lambda spoil: spoil.__name__)
def test_a_whole_copy_restores_everything(sqlite_store: Store, spoil: Callable[[Store], None]) -> None:
    check_restores(sqlite_store, spoil)


@pytest.mark.parametrize("spoil", [delete_a_record, alter_an_entrys_time, re_salt_a_reprint], ids=lambda spoil: spoil.__name__)
def test_so_it_does_on_postgresql(postgresql_store: Store, spoil: Callable[[Store], None]) -> None:
    check_restores(postgresql_store, spoil)


def check_restores(store: Store, spoil: Callable[[Store], None]) -> None:
    copies = [copy_of(store, number) for number in WAYS[spoil]]
    before = rows(store)
    spoil(store)
    assert rows(store) != before
    for file in copies:
        made = recover(store, file)
        assert made.restored
        assert (made.lost, made.altered) == ([], [])
    check_matches(store)
    after = rows(store)
    assert {name for name in before if before[name] != after[name]} <= {"invoices"}
    for file in copies:
        assert recover(store, file).restored == [], "a second time there is nothing to restore"
    assert rows(store) == after
    for number, file in zip(WAYS[spoil], copies, strict=True):
        assert parse_proof(copy_of(store, number)) == parse_proof(file)


def test_the_timeline_says_so(sqlite_store: Store) -> None:
    file = copy_of(sqlite_store, A)
    lose_a_section(sqlite_store)
    recover(sqlite_store, file)
    with sqlite_store.database.read() as connection:
        [entry] = timeline(connection, reading.get(connection, A, None))
    assert entry["state"] == "final"
    assert entry["hops"][-1] == {
        "hop": "restored",
        "at": "2026-11-25T09:46:40.000+00:00",
        "source": "proof",
        "restored": ["lines"],
    }


def test_a_recipients_copy_restores_what_it_opens(store: Store) -> None:
    """And the invoice can be looked up and proven again."""
    public, whole = copy_of(store, A, PUBLIC_SECTIONS), copy_of(store, A)
    delete_content(store)
    made = recover(store, public)
    assert made.restored == ["header", "seller", "totals", "provenance", "invoices", "copies"]
    assert made.lost == ["buyer", "lines", "payment", "notes"]
    again = copy_of(store, A, PUBLIC_SECTIONS)
    assert verify(again, [store.reader()]).verdict == "valid"
    assert parse_proof(again) == parse_proof(public)
    assert store.row("SELECT buyer_id, amount_fen FROM invoices WHERE number = :n", n=A) == ("", 120000900)
    _, found = store.reconcile(repairs=False)
    assert {(one.code, one.place) for one in found} == {("missing", name) for name in made.lost}
    assert recover(store, public).restored == []
    # The rest comes from somebody who has it, and nothing is written twice.
    assert set(recover(store, whole).restored) >= set(made.lost)
    check_matches(store)


def test_what_is_sound_is_never_overwritten(store: Store) -> None:
    """A copy with fewer sections takes none away; one that withholds what is wrong says so."""
    public = copy_of(store, A, ("header",))
    change_a_remark(store)
    before = rows(store)
    made = recover(store, public)
    assert (made.restored, made.lost, made.altered) == ([], [], ["notes"])
    assert rows(store) == before


def test_the_number_beside_an_act_comes_back(sqlite_store: Store) -> None:
    file = copy_of(sqlite_store, S06)
    acted = "entry_id IN (SELECT id FROM entries WHERE key = (SELECT key FROM entries WHERE id = :i))"
    id_ = id_of(sqlite_store, S01)
    assert sqlite_store.row(f"SELECT other_number FROM acts WHERE {acted}", i=id_)[0] == S06
    sqlite_store.sql(f"DELETE FROM acts WHERE {acted}", i=id_)
    assert recover(sqlite_store, file).restored == ["acts"]
    assert sqlite_store.row(f"SELECT other_number FROM acts WHERE {acted}", i=id_)[0] == S06


def test_a_receipt_that_the_copy_lacks_is_signed_anew(store: Store) -> None:
    file = json.loads(copy_of(store, A))
    del file["receipt"]
    delete_a_record(store)
    assert "entries" in recover(store, orjson.dumps(file)).restored
    check_matches(store)


def flawed(file: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(file)
    change(value)
    return orjson.dumps(value)


FLAWS: dict[str, Callable[[dict[str, Any]], None]] = {
    "content": lambda file: file["sections"]["totals"]["value"].update(amount_with_tax="1.00"),
    "inclusion": lambda file: file["inclusion"].update(path=["00" * 32, *file["inclusion"]["path"][1:]]),
    "trust": lambda file: file["chain"].update(contract="0x" + "11" * 20),
    "receipt": lambda file: file["receipt"].update(deadline=file["receipt"]["deadline"] + 1),
    "entry": lambda file: file["entry"].update(kind="void"),
}


@pytest.mark.parametrize("check", list(FLAWS))
def test_a_copy_that_proves_nothing_changes_nothing(sqlite_store: Store, check: str) -> None:
    file = flawed(copy_of(sqlite_store, A), FLAWS[check])
    delete_a_record(sqlite_store)
    before = rows(sqlite_store)
    with pytest.raises(Refused) as refused:
        recover(sqlite_store, file)
    assert (refused.value.code, refused.value.params) == ("copy_proves_nothing", {"check": check})
    assert rows(sqlite_store) == before


def test_a_copy_of_what_was_never_anchored_here(sqlite_store: Store) -> None:
    """A pending file without a receipt, of an entry that is in no batch."""

    def made_up(file: dict[str, Any]) -> None:
        del file["receipt"], file["inclusion"], file["register"]
        file["entry"]["recorded_at"] += 1

    file = flawed(copy_of(sqlite_store, A), made_up)
    before = rows(sqlite_store)
    with pytest.raises(Refused) as refused:
        recover(sqlite_store, file)
    assert refused.value.code == "copy_proves_nothing"
    assert rows(sqlite_store) == before


def test_nothing_is_done_while_the_chain_cannot_be_read(sqlite_store: Store) -> None:
    file = copy_of(sqlite_store, A)
    lose_a_section(sqlite_store)
    before = rows(sqlite_store)
    unread = RpcReader(Trust(chain_of(sqlite_store), {}, ("http://127.0.0.1:9",)), sqlite_store.http)
    by = By("anyone", "proof", bytes(32), 0)
    with pytest.raises(Unavailable) as refused:
        recover_once(sqlite_store.database, file, unread, sqlite_store.keys, by)
    assert refused.value.code == "chain_unread"
    assert rows(sqlite_store) == before


def test_entries_in_each_others_place_are_left_to_people(store: Store) -> None:
    files = copy_of(store, A), copy_of(store, B)
    swap_places(store)
    before = rows(store)
    for file in files:
        with pytest.raises(Refused) as refused:
            recover(store, file)
        assert refused.value.code == "record_in_conflict"
    assert rows(store) == before


def test_an_issuers_own_file_is_found_in_the_log_without_its_row(store: Store) -> None:
    """The pending file that every issuer can make: its entry is found among the leaves."""

    def as_kept(file: dict[str, Any]) -> None:
        del file["inclusion"], file["register"]

    files = [flawed(copy_of(store, number), as_kept) for number in (A, number_of(1319))]
    delete_a_record(store)
    last = id_of(store, number_of(1319))
    store.sql(
        "DELETE FROM copies WHERE entry_id = :i", "DELETE FROM invoices WHERE id = :i", "DELETE FROM entries WHERE id = :i", i=last
    )
    for file in files:
        assert "entries" in recover(store, file).restored
    check_matches(store)
