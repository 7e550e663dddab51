"""Everything is deleted, and comes back from a mirror, the copies that people kept, and the chain."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.central.following import FeedRefused
from service.central.mirror import mirror
from service.db import Database
from service.diagnosis import rebuild as room
from service.diagnosis.rebuild import NotEmpty, OtherMirror, Rebuilt, rebuild
from service.diagnosis.recovery import recover
from service.invoices import issued, proofs, reading
from service.invoices.registration import Registered
from service.ledger import outbox, register
from service.migrations.schema import metadata
from tests.chain import Chain as Node
from tests.chain import RegistryContract
from tests.integration.test_recoveries import chain_of, check_matches, copy_of
from tests.stores import SIMPLE, Feed, Store, number_of, simple_invoices
from verifier.commitment import PUBLIC_SECTIONS
from verifier.verify import verify

pytest_plugins = ["tests.store_fixtures"]


class Kept:
    """What is left of a store: a mirror, and a folder of copies."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.mirror, self.copies = store, folder / "mirror", folder / "copies"
        self.copies.mkdir()

    def make_mirror(self) -> None:
        assert mirror(self.mirror, Feed(self.store.database, "entries"), self.store.reader, sections=False).behind == 0

    def keep(self, number: str, sections: Any = None, folder: str = "") -> None:
        (self.copies / folder).mkdir(exist_ok=True)
        data = copy_of(self.store, number, sections) if sections else copy_of(self.store, number)
        (self.copies / folder / f"{number}.proof.json").write_bytes(data)

    def keep_own(self, made: Registered, sections: dict[str, Any]) -> None:
        """As an issuer does: what it sent, and the answer that it got."""
        answer = orjson.loads(orjson.dumps(issued.of(made).to_members(chain_of(self.store))))
        answer |= {"findings": [], "links": {}}
        file = self.copies / f"{made.prepared.number}.json"
        file.write_bytes(orjson.dumps({"sections": sections, "acknowledgement": answer}))

    def rebuild(self, database: Database) -> Rebuilt:
        return rebuild(database, self.mirror, self.copies, self.store.reader, self.store.keys)


@pytest.fixture
def empty(chain: Node, built_contract: RegistryContract, tmp_path: Path) -> Iterator[Store]:
    """An empty database for the built contract."""
    yield from opened(f"sqlite:///{tmp_path / 'empty.db'}", chain, built_contract)


@pytest.fixture
def empty_of_each_kind(database_url: str, chain: Node, built_contract: RegistryContract) -> Iterator[Store]:
    yield from opened(database_url, chain, built_contract)


def opened(url: str, chain: Node, contract: RegistryContract) -> Iterator[Store]:
    store = Store(url, chain, contract)
    metadata.create_all(store.database.engine)
    yield store
    store.close()


@pytest.fixture
def kept(sqlite_store: Store, tmp_path: Path) -> Kept:
    return Kept(sqlite_store, tmp_path)


def root(store: Store) -> tuple[int, bytes]:
    """The newest batch, and what our pages make of the register there."""
    with store.database.read() as connection:
        newest = outbox.newest_final(connection)
        assert newest is not None
        return newest.seq, register.root_at(connection, newest.seq)


def test_a_deleted_store_comes_back(kept: Kept, empty_of_each_kind: Store) -> None:
    before, empty = kept.store, empty_of_each_kind
    kept.make_mirror()
    for n in SIMPLE[:30]:
        kept.keep(number_of(n))
    for n in SIMPLE[30:40]:
        kept.keep(number_of(n), PUBLIC_SECTIONS, "of recipients")
    (kept.copies / "nothing.json").write_bytes(b"{}")
    (kept.copies / "notes.txt").write_bytes(b"not a copy")
    forged = json.loads(copy_of(before, number_of(1200)))
    forged["sections"]["totals"]["value"]["amount_with_tax"] = "1.00"
    (kept.copies / "forged.proof.json").write_bytes(orjson.dumps(forged))
    expected = {n: copy_of(before, number_of(n)) for n in (1000, 1003, 1029)}
    made = kept.rebuild(empty.database)
    # The ledger is what it was, and what the contract holds.
    seq, ours = root(empty)
    anchor = empty.reader().anchor(seq)
    assert anchor is not None
    assert (made.standing.behind, ours) == (0, anchor.register_root)
    assert (seq, ours) == root(before)
    # Content is there as far as somebody had it; all else is known by its entries.
    assert (made.whole, made.in_part, made.known) == (30, 10, 0)
    assert [(one.file.name, one.code) for one in made.useless] == [
        ("forged.proof.json", "copy_proves_nothing"),
        ("nothing.json", "not_a_proof"),
    ]
    assert made.with_content == 40
    assert made.numbers == before.row("SELECT count(*) FROM invoices")[0]
    assert {n: copy_of(empty, number_of(n)) for n in expected} == expected
    assert verify(copy_of(empty, number_of(1035), PUBLIC_SECTIONS), [empty.reader()]).verdict == "valid"
    _, found = empty.reconcile(repairs=False)
    assert {(one.code, one.place) for one in found} == {
        ("missing", None),
        ("missing", "copies"),  # of a reprint the new copy was kept, and the one before it was not
        *(("missing", name) for name in ("buyer", "lines", "payment", "notes")),
    }
    with empty.database.read() as connection:
        unread = reading.get(connection, number_of(1100), None)
        assert unread.status == "valid"
        proof = proofs.of_number(connection, chain_of(empty), number_of(1100), unread)
    assert verify(proof.to_json(), [empty.reader()]).verdict == "registered"


def test_everything_comes_back_where_everybody_kept_a_copy(
    database_url: str, chain: Node, contract: RegistryContract, tmp_path: Path
) -> None:
    """And what was accepted and not anchored yet: it is promised."""
    folder = tmp_path / "kept"
    folder.mkdir()
    old = Store(f"sqlite:///{tmp_path / 'old.db'}", chain, contract)
    metadata.create_all(old.database.engine)
    kept = Kept(old, folder)
    sections = list(simple_invoices(range(6)))
    made = old.register(*sections)
    old.anchor()
    old.void(number_of(0))
    old.reprint(number_of(1))
    old.anchor()
    for one, sent in zip(made, sections, strict=True):
        kept.keep_own(one, sent)
    kept.keep(number_of(1))
    [last] = old.register(*simple_invoices([6]))
    kept.keep_own(last, next(simple_invoices([6])))
    kept.make_mirror()
    statuses = {n: status_of(old, number_of(n)) for n in range(7)}
    old.close()
    Path(old.url.removeprefix("sqlite:///")).unlink()

    fresh = Store(database_url, chain, contract)
    metadata.create_all(fresh.database.engine)
    kept.store = fresh
    rebuilt = kept.rebuild(fresh.database)
    assert (rebuilt.whole, rebuilt.in_part, rebuilt.useless, rebuilt.numbers, rebuilt.with_content) == (8, 0, [], 7, 7)
    check_matches(fresh)
    fresh.anchor()
    check_matches(fresh)
    assert {n: status_of(fresh, number_of(n)) for n in range(7)} == statuses
    assert verify(copy_of(fresh, number_of(6)), [fresh.reader()]).verdict == "valid"
    with fresh.database.read() as connection:
        record = reading.get(connection, number_of(6), None)
        assert record.stored[0].entry == last.issued.entry
        assert record.stored[0].receipt == last.issued.receipt
    # The worker goes on where the old one stopped.
    fresh.register(*simple_invoices([7]))
    fresh.anchor()
    assert verify(copy_of(fresh, number_of(7)), [fresh.reader()]).verdict == "valid"
    check_matches(fresh)
    fresh.close()


def status_of(store: Store, number: str) -> str:
    with store.database.read() as connection:
        return reading.get(connection, number, None).status


def test_a_killed_rebuild_goes_on(kept: Kept, empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.make_mirror()
    for n in SIMPLE[:6]:
        kept.keep(number_of(n))
    monkeypatch.setattr(room, "COPIES_AT_ONCE", 2)
    calls = iter(range(100))

    def dies(*arguments: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return recover(*arguments)

    monkeypatch.setattr(room, "recover", dies)
    with pytest.raises(KeyboardInterrupt):
        kept.rebuild(empty.database)
    made = kept.rebuild(empty.database)
    assert (made.known, made.whole, made.with_content) == (2, 4, 6)


def test_a_mirror_that_is_behind_is_said_to_be(chain: Node, contract: RegistryContract, empty: Store, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'old.db'}", chain, contract)
    metadata.create_all(store.database.engine)
    (tmp_path / "kept").mkdir()
    kept = Kept(store, tmp_path / "kept")
    store.register(*simple_invoices([0]))
    store.anchor()
    kept.make_mirror()
    store.register(*simple_invoices([1]))
    store.anchor()
    made = kept.rebuild(empty.database)
    assert (made.standing.seq, made.standing.behind) == (1, 1)
    store.close()


def test_nothing_is_mixed_with_other_records(kept: Kept, empty: Store) -> None:
    kept.make_mirror()
    empty.register(*simple_invoices([3000]))
    with pytest.raises(NotEmpty):
        kept.rebuild(empty.database)


def test_a_mirror_of_something_else(kept: Kept, empty: Store) -> None:
    with pytest.raises(OtherMirror, match="holds no mirror"):
        kept.rebuild(empty.database)
    kept.make_mirror()
    described = kept.mirror / "mirror.json"
    described.write_bytes(described.read_bytes().replace(b'"chain_id":31337', b'"chain_id":1'))
    with pytest.raises(OtherMirror, match="another contract"):
        kept.rebuild(empty.database)


def test_a_mirror_that_was_changed_is_refused(kept: Kept, empty: Store) -> None:
    kept.make_mirror()
    changed = Database(f"sqlite:///{kept.mirror / 'mirror.db'}")
    with changed.write() as connection:
        connection.exec_driver_sql("UPDATE entries SET entry = (SELECT entry FROM entries WHERE id = 5) WHERE id = 6")
    changed.close()
    with pytest.raises(FeedRefused):
        kept.rebuild(empty.database)
    assert empty.row("SELECT count(*) FROM entries")[0] == 0
