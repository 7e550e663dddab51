"""A number with several copies is proven, compared with the chain, mirrored, followed, lost and brought back like any other."""

import json
import subprocess
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from service.central.following import Follower
from service.central.mirror import mirror
from service.diagnosis.rebuild import rebuild
from service.invoices import evidence, proofs, reading, search
from service.invoices.documents import gather
from service.invoices.search import Criteria
from service.invoices.statements import statement
from service.ledger import outbox
from service.migrations.schema import metadata
from service.reconciliation.external import matching
from tests.chain import Chain, RegistryContract
from tests.copies import (
    ANEW,
    NEW,
    ONCE,
    PARTLY,
    REISSUED,
    TWICE,
    VERDICTS,
    VOIDED,
    CopyOf,
    built,
    complete,
    copies_in,
    release,
    simple,
)
from tests.integration.test_javascript_agrees import NODE, ROOT, comparable
from tests.integration.test_mirrors import audited
from tests.integration.test_recoveries import chain_of, check_matches, recover
from tests.stores import Feed, Store, copied
from verifier.anchors import Anchors, parse_anchors
from verifier.commitment import PUBLIC_SECTIONS, SECTIONS
from verifier.question import Question
from verifier.verify import verify

URL, NOW = "https://registry.example", 1_795_600_000_000


@pytest.fixture(scope="module")
def on_sqlite(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, RegistryContract]]:
    with built(chain, tmp_path_factory.mktemp("copies")) as made:
        yield made


@pytest.fixture(scope="module")
def on_postgresql(
    on_sqlite: tuple[str, RegistryContract], request: pytest.FixtureRequest, chain: Chain
) -> tuple[str, RegistryContract]:
    """The same, row by row."""
    postgres: Any = request.getfixturevalue("postgres")
    url, contract = on_sqlite
    source, target = Store(url, chain, contract), Store(postgres.url(postgres.create_database()), chain, contract)
    source.copy_to(target)
    source.close()
    target.close()
    return target.url, contract


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, chain: Chain, tmp_path: Path) -> Iterator[Store]:
    """A copy of it on each kind of database."""
    url, contract = request.getfixturevalue(f"on_{request.param}")
    postgres: Any = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with copied(url, tmp_path, postgres) as copy:
        opened = Store(copy, chain, contract)
        yield opened
        opened.close()


@pytest.fixture
def lite(on_sqlite: tuple[str, RegistryContract], chain: Chain, tmp_path: Path) -> Iterator[Store]:
    url, contract = on_sqlite
    with copied(url, tmp_path, None) as copy:
        opened = Store(copy, chain, contract)
        yield opened
        opened.close()


def proof_of(store: Store, one: CopyOf, sections: Any = PUBLIC_SECTIONS) -> bytes:
    with store.database.read() as connection:
        record = reading.get(connection, one.number, None)
        return proofs.of_copy(connection, chain_of(store), record, one.made_by, sections).to_json()


def anchors_of(store: Store) -> Anchors:
    """As the chain has them."""
    reader = store.reader()
    with store.database.read() as connection:
        newest = outbox.newest_final(connection)
    assert newest is not None
    held = {seq: reader.anchor(seq) for seq in range(1, newest.seq + 1)}
    return Anchors(chain_of(store), store.keys.public, newest.seq, {seq: one for seq, one in held.items() if one is not None})


def test_old_files_are_replaced_and_the_new_one_counts_by_both_verifiers(store: Store) -> None:
    """What anybody gets for a copy's QR code, replaced ones included."""
    lines, expected = [], []
    anchors = anchors_of(store)
    for one in copies_in(store):
        with store.database.read() as connection:
            file = proofs.answer(connection, chain_of(store), one.number, one.commitment).to_json()
        question = Question(one.number, one.commitment)
        assert verify(file, [store.reader()], question).verdict == one.verdict, one
        expected.append(comparable(json.loads(json.dumps(verify(file, [anchors], question).to_dict("en")))))
        assert expected[-1]["verdict"] == one.verdict
        asked = {"number": one.number, "commitment": one.commitment.hex()}
        line = {"proof_b64": b64encode(file).decode(), "anchors": anchors.to_json().decode(), "question": asked}
        lines.append(json.dumps(line))
    assert NODE
    command = [NODE, str(ROOT / "tests" / "web" / "verify_lines.mjs")]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, check=True, text=True, timeout=60)
    assert [comparable(json.loads(line)) for line in done.stdout.splitlines()] == expected


def test_a_reissues_original_names_it_and_it_names_the_original(store: Store) -> None:
    said = {one.number: _said(store, one) for one in copies_in(store)}
    assert (said[REISSUED]["status"], said[REISSUED]["other_number"]) == ("void", NEW)
    [first, second] = [one for one in copies_in(store) if one.number == NEW]
    for one in (first, second):
        provenance = json.loads(proof_of(store, one))["sections"]["provenance"]["value"]
        assert provenance["original"] == {"number": REISSUED, "relation": "reissues"}
    assert provenance["reprint"] == {"ordinal": "1"}
    assert _said(store, first)["current"] is False
    assert _said(store, second)["current"] is True


def _said(store: Store, one: CopyOf) -> dict[str, Any]:
    with store.database.read() as connection:
        said = statement(connection, one.number, one.commitment)
    assert said is not None
    return said


def test_the_statement_of_each_copy_is_that_of_its_number(store: Store) -> None:
    statuses = {PARTLY: "partly_reversed", VOIDED: "void", REISSUED: "void"}
    for one in copies_in(store):
        said = _said(store, one)
        assert said["status"] == statuses.get(one.number, "valid"), one
        assert said["current"] is (one.verdict != "replaced"), one
        assert (said["state"], "pending" in said) == ("final", False)


def test_the_records_match_the_chain(store: Store) -> None:
    check_matches(store)


def test_a_mirror_and_an_audit_that_has_nothing_of_us(lite: Store, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    assert mirror(folder, Feed(lite.database, "leaves"), lite.reader, sections=True).behind == 0
    numbers = [argument for number in VERDICTS for argument in ("--number", number)]
    status, found = audited(folder, folder / "anchors.json", *numbers)
    assert status == 0, found
    assert found["statuses"] == {
        TWICE: "valid",
        PARTLY: "partly_reversed",
        REISSUED: "void",
        NEW: "valid",
        VOIDED: "void",
        ANEW: "valid",
        ONCE: "valid",
    }
    run, found_ = lite.reconcile(mirror=folder)
    assert (run.matches, found_) == (True, [])


def test_a_query_node_proves_every_copy(store: Store, tmp_path: Path) -> None:
    node = Store(f"sqlite:///{tmp_path / 'node.db'}", store.node, store.contract)
    metadata.create_all(node.database.engine)
    assert Follower(node.database, store.reader, Feed(store.database, "copies"), "copies").sync().behind == 0
    ours, theirs = copies_in(store), copies_in(node)
    assert [one.commitment for one in ours] == [one.commitment for one in theirs]
    for mine, its in zip(ours, theirs, strict=True):
        assert proof_of(node, its, SECTIONS) == proof_of(store, mine, SECTIONS)
    check_matches(node)
    node.close()


def test_a_store_comes_back_from_the_copies_that_people_kept(store: Store, database_url: str, tmp_path: Path) -> None:
    assert mirror(tmp_path / "mirror", Feed(store.database, "entries"), store.reader, sections=False).behind == 0
    folder = tmp_path / "kept"
    folder.mkdir()
    kept = copies_in(store)
    for n, one in enumerate(kept):
        # The old ones as their holders have them, the newest whole; in an order that has nothing to do with that of the log.
        (folder / f"{(n * 7) % 31:02}.proof.json").write_bytes(proof_of(store, one, SECTIONS))
    fresh = Store(database_url, store.node, store.contract)
    metadata.create_all(fresh.database.engine)
    made = rebuild(fresh.database, tmp_path / "mirror", folder, fresh.reader, fresh.keys)
    assert (made.whole, made.in_part, made.useless) == (len(kept), 0, [])
    assert [one.commitment for one in copies_in(fresh)] == [one.commitment for one in kept]
    for mine, its in zip(kept, copies_in(fresh), strict=True):
        assert proof_of(fresh, its, SECTIONS) == proof_of(store, mine, SECTIONS)
    _, found = fresh.reconcile(repairs=False)
    ours = {one.number for one in found if one.number is not None}
    assert not ours & VERDICTS.keys(), "what nobody kept a copy of is missing, and nothing else"
    fresh.close()


def test_evidence_has_every_copy_that_is_here(lite: Store) -> None:
    for number, verdicts in VERDICTS.items():
        with lite.database.read() as connection:
            record = reading.get(connection, number, None)
            made = evidence.make(
                connection, chain_of(lite), lite.keys.public, record, "https://registry.example", 1_795_600_000_000
            )
        with ZipFile(BytesIO(made.data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        anchors = [parse_anchors(files["anchors.json"])]
        found = Counter(verify(data, anchors).verdict for name, data in files.items() if name.endswith(".proof.json"))
        of_invoice = verdicts[2:] if number == ANEW else verdicts  # what was issued before a release is another invoice
        assert found == Counter(of_invoice), number


def test_evidence_leaves_out_an_older_copy_that_was_lost(lite: Store) -> None:
    with lite.database.read() as connection:
        record = reading.get(connection, TWICE, None)
    lite.sql("DELETE FROM copies WHERE entry_id = :i", i=record.stored[1].id)
    with lite.database.read() as connection:
        made = evidence.make(connection, chain_of(lite), lite.keys.public, record, URL, NOW)
    with ZipFile(BytesIO(made.data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".proof.json")]
    assert len(names) == 2


def test_documents_of_old_copies_are_stamped(lite: Store) -> None:
    for one in copies_in(lite):
        with lite.database.read() as connection:
            record = reading.get(connection, one.number, None)
            printable = gather(connection, chain_of(lite), URL, record, one.made_by)
        assert printable.registration is not None
        assert printable.registration.is_current is (one.verdict != "replaced")
        assert printable.registration.commitment == one.commitment


def test_a_search_lists_a_number_once_an_invoice(store: Store) -> None:
    with store.database.read() as connection:
        for number in VERDICTS:
            items, _ = search.search(connection, Criteria(number=number), None, 10, None)
            assert [item["status"] for item in items] == (["valid", "released"] if number == ANEW else [_status(number)])


def _status(number: str) -> str:
    last = VERDICTS[number][-1]
    return last if last != "replaced" else "valid"


def test_an_external_record_is_compared_with_the_current_copy(store: Store) -> None:
    with store.database.read() as connection:
        newest = outbox.newest_final(connection)
        assert newest is not None
        page, _ = matching._page(connection, b"", newest.seq)
    statuses = {one.number: one.status for one in page}
    assert {number: statuses[number] for number in VERDICTS} == {number: _status(number) for number in VERDICTS}


def test_the_timeline_has_every_entry(store: Store) -> None:
    with store.database.read() as connection:
        told = reading.timeline(connection, reading.get(connection, TWICE, None))
    assert [entry["kind"] for entry in told] == ["issue", "reprint", "reprint"]
    assert all(entry["hops"][-1]["hop"] == "final" for entry in told)
    assert [bool(entry.get("reason")) for entry in told] == [False, True, True]


# What an insider does to rows of a reprint.


def _entry(store: Store, number: str, n: int) -> int:
    with store.database.read() as connection:
        return reading.get(connection, number, None).stored[n].id


def alter_the_provenance_of_a_reprint(store: Store) -> None:
    provenance = '{"drawer":"王某","reprint":{"ordinal":"2"}}'.encode()
    store.sql("UPDATE copies SET provenance = :p WHERE entry_id = :i", p=provenance, i=_entry(store, TWICE, 2))


def deny_that_it_is_a_reprint(store: Store) -> None:
    """As if the new copy were the first one."""
    first, last = _entry(store, TWICE, 0), _entry(store, TWICE, 2)
    provenance = store.row("SELECT provenance FROM copies WHERE entry_id = :i", i=first)[0]
    store.sql("UPDATE copies SET provenance = :p WHERE entry_id = :i", p=provenance, i=last)


def give_the_reprint_the_salts_of_the_first(store: Store) -> None:
    salts = store.row("SELECT salts FROM copies WHERE entry_id = :i", i=_entry(store, TWICE, 0))[0]
    store.sql("UPDATE copies SET salts = :s WHERE entry_id = :i", s=salts, i=_entry(store, TWICE, 2))


def delete_the_newest_copy(store: Store) -> None:
    store.sql("DELETE FROM copies WHERE entry_id = :i", i=_entry(store, TWICE, 2))


def delete_an_older_copy(store: Store) -> None:
    store.sql("DELETE FROM copies WHERE entry_id = :i", i=_entry(store, TWICE, 1))


def delete_all_content(store: Store) -> None:
    first = _entry(store, TWICE, 0)
    store.sql("DELETE FROM copies WHERE invoice_id = :i", "DELETE FROM invoices WHERE id = :i", i=first)


def delete_the_invoice_alone(store: Store) -> None:
    store.sql("DELETE FROM invoices WHERE id = :i", i=_entry(store, TWICE, 0))


def alter_the_amount(store: Store) -> None:
    first = _entry(store, TWICE, 0)
    totals = json.loads(store.row("SELECT totals FROM invoices WHERE id = :i", i=first)[0])
    changed = json.dumps({**totals, "amount_with_tax": "1.00"}, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    store.sql("UPDATE invoices SET totals = :t, amount_fen = 100 WHERE id = :i", t=changed, i=first)


def move_the_copy_to_another_invoice(store: Store) -> None:
    store.sql("UPDATE copies SET invoice_id = :o WHERE entry_id = :i", o=_entry(store, ONCE, 0), i=_entry(store, TWICE, 2))


def roll_back_the_reprint(store: Store) -> None:
    id_ = _entry(store, TWICE, 2)
    store.sql(
        "UPDATE reprint_cases SET entry_id = NULL WHERE entry_id = :i",
        "DELETE FROM acts WHERE entry_id = :i",
        "DELETE FROM copies WHERE entry_id = :i",
        "DELETE FROM entries WHERE id = :i",
        i=id_,
    )


def name_another_by_the_reprint(store: Store) -> None:
    store.sql("UPDATE acts SET other_number = :n WHERE entry_id = :i", n=NEW, i=_entry(store, TWICE, 2))


def name_another_reissue(store: Store) -> None:
    store.sql("UPDATE acts SET other_number = :n WHERE entry_id = :i", n=ONCE, i=_entry(store, REISSUED, 1))


def swap_the_copies(store: Store) -> None:
    a, b = _entry(store, TWICE, 1), _entry(store, TWICE, 2)
    store.sql(
        "UPDATE copies SET entry_id = -1 WHERE entry_id = :a",
        "UPDATE copies SET entry_id = :a WHERE entry_id = :b",
        "UPDATE copies SET entry_id = :b WHERE entry_id = -1",
        a=a,
        b=b,
    )


SPOILED: dict[Callable[[Store], None], tuple[str, str | None, str | None]] = {
    alter_the_provenance_of_a_reprint: ("altered", "provenance", TWICE),
    deny_that_it_is_a_reprint: ("altered", "provenance", TWICE),
    give_the_reprint_the_salts_of_the_first: ("altered", "provenance", TWICE),
    delete_the_newest_copy: ("missing", "copies", TWICE),
    delete_an_older_copy: ("missing", "copies", TWICE),
    delete_all_content: ("missing", None, None),
    delete_the_invoice_alone: ("missing", "invoices", None),
    alter_the_amount: ("altered", None, TWICE),
    move_the_copy_to_another_invoice: ("altered", "copies.invoice_id", TWICE),
    roll_back_the_reprint: ("missing", "entries", None),
    name_another_by_the_reprint: ("altered", "acts.other_number", TWICE),
    name_another_reissue: ("altered", "acts.other_number", REISSUED),
    swap_the_copies: ("altered", "provenance", TWICE),
}


@pytest.mark.parametrize("spoil", list(SPOILED), ids=lambda spoil: spoil.__name__)
def test_what_an_insider_does_to_a_reprint_is_found_and_named(lite: Store, spoil: Callable[[Store], None]) -> None:
    spoil(lite)
    run, found = lite.reconcile(repairs=False)
    assert not run.matches
    code, place, number = SPOILED[spoil]
    told = {(one.code, one.place, one.number) for one in found}
    assert (code, place, number) in told, told
    assert {one.number for one in found} <= {number, None, TWICE}


RESTORED = [spoil for spoil in SPOILED if spoil not in (name_another_by_the_reprint, name_another_reissue)]


@pytest.mark.parametrize("spoil", RESTORED, ids=lambda spoil: spoil.__name__)
def test_the_copies_that_people_hold_bring_it_back(store: Store, spoil: Callable[[Store], None]) -> None:
    held = [proof_of(store, one, SECTIONS) for one in copies_in(store) if one.number == TWICE]
    before = [one.commitment for one in copies_in(store)]
    spoil(store)
    for file in reversed(held):  # the newest first, as most people hold that
        made = recover(store, file)
        assert (made.lost, made.altered) == ([], [])
    check_matches(store)
    assert [one.commitment for one in copies_in(store)] == before
    for file in held:
        assert recover(store, file).restored == [], "a second time there is nothing to restore"
    assert verify(proof_of(store, copies_in(store)[2]), [store.reader()]).verdict == "valid"


def test_the_newest_copy_alone_brings_back_what_can_be_read(lite: Store) -> None:
    """Content is shared by the copies: only what made an older one an older one stays lost."""
    newest = proof_of(lite, [one for one in copies_in(lite) if one.number == TWICE][-1], SECTIONS)
    delete_all_content(lite)
    assert recover(lite, newest).lost == []
    with lite.database.read() as connection:
        record = reading.get(connection, TWICE, None)
        assert reading.read_copy(connection, record.current().id).sections()["header"]["number"] == TWICE
    _, found = lite.reconcile(repairs=False)
    assert {(one.code, one.place, one.number) for one in found} == {("missing", "copies", TWICE)}


@pytest.fixture
def own(chain: Chain, contract: RegistryContract, tmp_path: Path) -> Iterator[Store]:
    """An empty one with a contract of its own, for what goes on to be anchored."""
    opened = Store(f"sqlite:///{tmp_path / 'own.db'}", chain, contract)
    metadata.create_all(opened.database.engine)
    yield opened
    opened.close()


def test_a_node_that_never_had_the_content_takes_it_from_a_reprint(own: Store, tmp_path: Path) -> None:
    """It was lost here when the node followed, and restored before it was reprinted."""
    [made, *_] = own.register(simple(ONCE), simple(ANEW))
    own.anchor()
    row = own.row("SELECT lines FROM invoices WHERE id = :i", i=made.issued.id)[0]
    own.sql("UPDATE invoices SET lines = NULL WHERE id = :i", i=made.issued.id)
    node = Store(f"sqlite:///{tmp_path / 'node.db'}", own.node, own.contract)
    metadata.create_all(node.database.engine)
    follower = Follower(node.database, own.reader, Feed(own.database, "copies"), "copies")
    assert follower.sync().behind == 0
    own.sql("UPDATE invoices SET lines = :l WHERE id = :i", l=row, i=made.issued.id)
    own.reprint(ONCE)
    own.reprint(ONCE)
    own.anchor()
    assert follower.sync().behind == 0
    with node.database.read() as connection:
        record = reading.get(connection, ONCE, None)
        file = proofs.of_copy(connection, chain_of(node), record, record.current(), SECTIONS).to_json()
    assert verify(file, [node.reader()]).verdict == "valid"
    node.close()


def test_released_after_a_reprint_it_may_be_issued_and_reprinted_again(own: Store) -> None:
    own.register(simple(ANEW))
    for n in range(3):
        complete(own, ANEW)
        if n % 2:
            own.anchor()
        release(own, ANEW)
        own.register(simple(ANEW))
    complete(own, ANEW)
    own.anchor()
    check_matches(own)
    with own.database.read() as connection:
        record = reading.get(connection, ANEW, None)
        assert record.history.state is not None
        assert (len(record.history.copies), record.history.state.version) == (8, 8)
        file = proofs.of_copy(connection, chain_of(own), record, record.current(), SECTIONS).to_json()
    provenance = json.loads(file)["sections"]["provenance"]["value"]
    assert provenance["reprint"] == {"ordinal": "1"}, "of the invoice that was issued last"
    assert verify(file, [own.reader()]).verdict == "valid"
