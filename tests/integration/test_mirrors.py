"""The feed, those who follow it, and mirrors: what lies is refused, what was cut off goes on, and what is kept proves itself."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.central import feed, following
from service.central.feed import Batch, Carried, Piece
from service.central.following import FeedRefused, Follower
from service.central.mirror import Mirror, OtherMirror, mirror
from service.db import Database
from service.ledger.tables import batches, entries
from service.migrations.schema import metadata
from service.reconciliation import runs
from tests.chain import ROOT, Chain, RegistryContract
from tests.stores import S01, Feed, Store, number_of
from verifier.anchors import parse_anchors
from verifier.entry import Kind, decode_entry
from verifier.question import Question
from verifier.verify import verify_proof

pytest_plugins = ["tests.store_fixtures"]

AUDIT = ROOT / "scripts/audit_independently.py"


def audited(log: Path, anchors: Path, *options: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-I", "-S", str(AUDIT), str(log), str(anchors), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, object] = json.loads(done.stdout)
    return done.returncode, found


def test_an_independent_audit_of_a_mirror_reaches_the_same(built_mirror: Path) -> None:
    status, found = audited(built_mirror, built_mirror / "anchors.json", "--number", number_of(1000), "--number", number_of(7))
    assert status == 0, found
    assert (found["batches"], found["entries"]) == (4, 341)
    assert found["statuses"] == {number_of(1000): "void", number_of(7): "absent"}


def test_an_independent_audit_of_an_export_reaches_the_same(sqlite_store: Store, built_mirror: Path, tmp_path: Path) -> None:
    export = tmp_path / "feed.ndjson"
    export.write_bytes(b"".join(map(feed.to_line, feed.pieces(sqlite_store.database, 0, "copies"))))
    status, found = audited(export, built_mirror / "anchors.json", "--number", S01)
    assert status == 0, found
    assert found["statuses"] == {S01: "partly_reversed"}


def test_an_independent_audit_sees_a_mirror_that_was_changed(built_mirror: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(built_mirror, folder)
    database = Database(f"sqlite:///{folder / 'mirror.db'}")
    with database.write() as connection:
        row = connection.execute(select(entries.c.id, entries.c.entry).where(entries.c.seq == 3, entries.c.index == 0)).one()
        changed = decode_entry(row.entry)._replace(kind=Kind.REVERSE).encode()
        connection.execute(entries.update().where(entries.c.id == row.id).values(entry=changed))
    database.close()
    status, found = audited(folder, built_mirror / "anchors.json")
    assert status == 1
    assert found["wrong"] == [
        f"batch {seq}: the {root} root is not the anchored one" for seq, root in ((3, "log"), (3, "register"), (4, "register"))
    ]


@pytest.mark.parametrize("number", [S01, number_of(1000), number_of(999_999)])
def test_a_mirror_proves_presence_and_absence(built_mirror: Path, sqlite_store: Store, number: str) -> None:
    anchors = parse_anchors((built_mirror / "anchors.json").read_bytes())
    held = Mirror(built_mirror)
    report = verify_proof(held.proof(anchors.chain, number), [anchors], Question(number, None))
    held.close()
    assert report.verdict == ("absent" if number == number_of(999_999) else "registered")


def test_a_mirror_goes_on_where_it_was_cut_off(store: Store, tmp_path: Path) -> None:
    @dataclass
    class Broken:
        feed: Feed
        left: int

        def pieces(self, after: int) -> Iterator[Piece]:
            for piece in self.feed.pieces(after):
                if not self.left:
                    raise ConnectionError
                self.left -= 1
                yield piece

    source = Feed(store.database, "leaves")
    for left in (0, 1, 1):  # the second batch is two pieces
        with pytest.raises(ConnectionError):
            mirror(tmp_path, Broken(source, left), store.reader, sections=True)
    seen: list[Batch] = []
    assert mirror(tmp_path, source, store.reader, sections=True, on_batch=seen.append).behind == 0
    assert [batch.seq for batch in seen] == [2, 3, 4]
    assert mirror(tmp_path, source, store.reader, sections=True).seq == 4
    with pytest.raises(OtherMirror):
        mirror(tmp_path, source, store.reader, sections=False)


def _with_entries(piece: Piece, change: Callable[[list[Carried]], list[Carried]]) -> Piece:
    return piece._replace(entries=change(list(piece.entries)))


def _other_entry(one: Carried) -> Carried:
    return one._replace(entry=decode_entry(one.entry)._replace(recorded_at=1).encode())


LIES: dict[str, Callable[[Piece], Piece | None]] = {
    "an entry is changed": lambda p: _with_entries(p, lambda e: [_other_entry(e[0]), *e[1:]]),
    "an entry is left out": lambda p: _with_entries(p._replace(batch=p.batch._replace(size=p.batch.size - 1)), lambda e: e[1:]),
    "two entries change places": lambda p: _with_entries(p, lambda e: [e[1], e[0], *e[2:]]),
    "a number is issued twice": lambda p: _with_entries(p, lambda e: [e[0], e[0], *e[2:]]),
    "an entry is none": lambda p: _with_entries(p, lambda e: [e[0]._replace(entry=bytes(146)), *e[1:]]),
    "section leaves of another": lambda p: _with_entries(p, lambda e: [e[0]._replace(leaves=e[1].leaves), *e[1:]]),
    "a batch is left out": lambda p: None,
    "a piece is left out": lambda p: p._replace(first=p.first + 1),
    "a batch is said to be foreign": lambda p: p._replace(batch=p.batch._replace(foreign=True)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_feed_that_lies_is_refused_and_nothing_of_it_is_kept(sqlite_store: Store, tmp_path: Path, lie: str) -> None:
    @dataclass
    class Lying:
        feed: Feed

        def pieces(self, after: int) -> Iterator[Piece]:
            for piece in self.feed.pieces(after):
                told = LIES[lie](piece) if piece.batch.seq == 2 else piece
                if told is not None:
                    yield told

    source = Feed(sqlite_store.database, "leaves")
    with pytest.raises(FeedRefused):
        mirror(tmp_path, Lying(source), sqlite_store.reader, sections=True)
    database = Database(f"sqlite:///{tmp_path / 'mirror.db'}")
    with database.read() as connection:
        assert connection.scalar(select(func.max(batches.c.seq))) == 1
        assert connection.scalar(select(func.count()).where(entries.c.seq != 1)) == 0
    database.close()
    assert mirror(tmp_path, source, sqlite_store.reader, sections=True).behind == 0


def test_a_batch_that_is_hidden_as_foreign_is_missed_by_the_next_root(sqlite_store: Store, tmp_path: Path) -> None:
    class Hiding:
        def pieces(self, after: int) -> Iterator[Piece]:
            for piece in feed.pieces(sqlite_store.database, after, "entries"):
                hidden = piece.batch._replace(foreign=True, size=0, signed=None)
                yield Piece(hidden, 0, []) if piece.batch.seq == 3 else piece

    with pytest.raises(FeedRefused, match="batch 4: the states do not lead"):
        mirror(tmp_path, Hiding(), sqlite_store.reader, sections=False)
    database = Database(f"sqlite:///{tmp_path / 'mirror.db'}")
    with database.read() as connection:
        assert following.proven_seq(connection) == 2  # what nobody can prove is not stood on
    database.close()


@pytest.fixture
def node(store: Store, database_url: str, chain: Chain, built_contract: RegistryContract) -> Iterator[Store]:
    """A query node's own database, on the same kind as the store's or the other one."""
    made = Store(database_url, chain, built_contract)
    metadata.create_all(made.database.engine)
    yield made
    made.close()


def test_a_query_node_has_what_proves_itself(store: Store, node: Store) -> None:
    follower = Follower(node.database, node.reader, Feed(store.database, "copies"), "copies")
    assert follower.sync(limit=1).behind == 3
    assert follower.sync().behind == 0
    run, found = node.reconcile()
    assert found == []
    assert run.matches


def test_content_that_does_not_lead_to_its_copy_is_not_kept(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.sql("UPDATE invoices SET totals = :t WHERE number = :n", t=b'{"amount":"1.00"}', n=S01)
    node = Database(f"sqlite:///{tmp_path / 'node.db'}")
    metadata.create_all(node.engine)
    Follower(node, sqlite_store.reader, Feed(sqlite_store.database, "copies"), "copies").sync()
    with node.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 0)
    ended = runs.StoreRun(node, run, sqlite_store.reader).run()
    assert ended.counts == {"missing": 1}
    node.close()


def test_the_feed_gives_what_each_may_have(sqlite_store: Store) -> None:
    kept = {
        kind: next(feed.pieces(sqlite_store.database, 0, kind)).entries[0] for kind in ("entries", "leaves", "content", "copies")
    }
    assert {kind: [name for name, value in one._asdict().items() if value is not None] for kind, one in kept.items()} == {
        "entries": ["entry", "receipt"],
        "leaves": ["entry", "receipt", "leaves"],
        "content": ["entry", "receipt", "sections", "profile"],
        "copies": ["entry", "receipt", "salts", "sections", "profile"],
    }
