"""Query nodes: they deny nothing that they cannot know, take no writes, and are compared with us page by page."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.central.feed import FromDatabase
from service.central.following import Follower
from service.central.node import Node
from service.central.remote import RemoteFailed
from service.db import Database
from service.ledger import outbox, register
from service.ledger.entries import histories
from service.migrations.schema import metadata
from service.reconciliation import findings, nodes, pages, runs
from service.reconciliation.findings import Filter, Found
from service.reconciliation.nodes import NODE
from tests.chain import Chain, RegistryContract
from tests.integration.api import S01, S10, Api, running_api
from tests.stores import Store, number_of, to_found
from tests.unit.samples import sections_of
from verifier.entry import number_key

pytest_plugins = ["tests.store_fixtures"]


@dataclass
class Pair:
    """A service, and a query node that follows it. There is no chain: what the contract would hold is read from the service."""

    service: Api
    node: Api

    def __post_init__(self) -> None:
        source = FromDatabase(self.service.database, "copies")
        self.following = Node(self.node.database, self.service.anchors_file, source, 3600)

    def register(self, *names: str) -> None:
        self.service.register(*names)
        self.service.anchor()

    def follow(self) -> bool:
        self.node.context._status = None
        return self.following.round()

    def look_at_chain(self) -> None:
        """The node learns how far the contract is, and the feed gives it nothing."""

        class Silent:
            def pieces(self, after: int) -> Iterator[Any]:
                raise RemoteFailed("no answer")

        Node(self.node.database, self.service.anchors_file, Silent(), 3600).round()


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[Pair]:
    with running_api(database_url) as service:
        public = [key.hex() for key in service.context.keys.public.values()]
        url = f"sqlite:///{tmp_path / 'node.db'}"
        with running_api(url, receipt_key="33" * 32, follow="http://service", service_keys=tuple(public)) as node:
            yield Pair(service, node)


def test_a_node_proves_what_it_followed(pair: Pair) -> None:
    pair.register("S01", "S06")
    assert pair.follow()
    [made] = pair.service.register("S02")
    pair.service.anchor()
    assert pair.follow()
    answer = pair.node.ask(made["number"], made["commitment"])
    assert pair.service.verdict(answer.content, made["number"], made["commitment"]).verdict == "valid"
    assert answer.headers["zhengpiao-seq"] == "2"
    assert answer.headers["zhengpiao-behind"] == "0"
    assert pair.node.client.get("/status").json()["node"] == {"follows": "http://service", "seq": 2, "behind": 0}
    assert pair.node.client.get("/v1/trust").json()["service_keys"] == pair.service.client.get("/v1/trust").json()["service_keys"]


def test_a_node_that_is_behind_denies_nothing(pair: Pair) -> None:
    pair.register("S01")
    assert pair.follow()
    assert pair.node.ask(S10).status_code == 200  # absent, and nothing newer is known
    pair.register("S10")
    pair.look_at_chain()
    pair.node.context.clock = lambda: time.time() + 2  # the standing is believed for a second
    answer = pair.node.ask(S10)
    assert answer.headers["zhengpiao-behind"] == "1"
    assert answer.status_code == 409
    assert answer.json()["code"] == "not_yet_known"
    assert pair.node.client.get(f"/v1/invoices/{S10}", headers=pair.node.auditor).json()["code"] == "not_yet_known"
    said = pair.node.client.post("/v1/statements", json={"number": S10, "commitment": "00" * 32})
    assert said.json()["code"] == "not_yet_known"
    assert pair.follow()
    pair.node.context.clock = lambda: time.time() + 4
    assert pair.node.ask(S10).status_code == 200


def test_a_node_takes_no_writes(pair: Pair) -> None:
    answer = pair.node.submit(sections_of("S01"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "node_takes_no_writes"
    assert pair.node.client.post(f"/v1/invoices/{S01}/void", json={"reason": "x"}, headers=pair.node.issuer).status_code == 409


def test_a_node_stops_where_what_was_final_is_gone(pair: Pair) -> None:
    pair.register("S01")
    assert pair.follow()
    held = pair.service.anchors_file()
    changed = {1: held.anchors[1]._replace(log_root=bytes(32))}
    other = Node(pair.node.database, lambda: type(held)(held.chain, held.service_keys, 1, changed), pair.following._source, 3600)
    assert not other.round()
    assert pair.node.ask(S01).json()["code"] == "chain_in_doubt"


def test_a_node_refuses_a_feed_that_is_not_what_was_anchored(pair: Pair) -> None:
    pair.register("S01", "S06")
    with pair.service.database.write() as connection:
        connection.exec_driver_sql("UPDATE entries SET entry = (SELECT entry FROM entries WHERE id = 2) WHERE id = 1")
    assert not pair.follow()
    assert pair.node.client.get("/status").json()["incidents"] == {"feed_refused": 1}
    assert pair.node.client.get("/livez").headers["zhengpiao-seq"] == "0"


@dataclass
class DatabaseNode:
    """What a node would say, without a network."""

    database: Database
    received: int = 0

    def head(self) -> int:
        with self.database.read() as connection:
            newest = outbox.newest_final(connection)
        return newest.seq if newest else 0

    def pages(self, seq: int, paths: Sequence[str]) -> dict[str, bytes]:
        with self.database.read() as connection:
            found = register.read_pages(connection, paths, seq)
        self.received += sum(map(len, found.values()))
        return found


@pytest.fixture
def node(store: Store, tmp_path: Path, chain: Chain, built_contract: RegistryContract) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'node.db'}", chain, built_contract)
    metadata.create_all(made.database.engine)
    yield made
    made.close()


def followed(store: Store, node: Store, limit: int | None = None) -> None:
    Follower(node.database, node.reader, FromDatabase(store.database, "copies"), "copies").sync(limit=limit)


def compared(store: Store, node: Store, grace_s: int = 300) -> tuple[runs.Run, list[Found]]:
    with store.database.write() as connection:
        run = runs.create(connection, NODE, "node", {}, 0)
    remote = DatabaseNode(node.database)
    ended = nodes.compare(store.database, run, store.reader(), remote, "node", grace_s, (RemoteFailed,))
    with store.database.read() as connection:
        return ended, [to_found(item) for item in findings.iterate(connection, Filter(run=run))]


def rebuild(node: Store, seq: int, *, without: str | None = None, also: str | None = None) -> None:
    """A register that leads to another root: one number less, or one more."""
    with node.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM register_pages")
        keys = sorted({row[0] for row in connection.exec_driver_sql("SELECT key FROM entries")})
        changes = {key: history.state.hash() for key, history in histories(connection, keys).items() if history.state}
        if without is not None:
            del changes[number_key(without)]
        if also is not None:
            changes[number_key(also)] = bytes(range(32))
        register.update(connection, seq, changes)


def test_a_node_that_is_right_matches_in_one_request(store: Store, node: Store) -> None:
    followed(store, node)
    run, found = compared(store, node)
    assert found == []
    assert run.matches


def test_the_keys_that_a_node_has_otherwise_are_named(store: Store, node: Store) -> None:
    followed(store, node)
    unknown = number_of(999_999)
    rebuild(node, 4, without=number_of(1010), also=unknown)
    run, found = compared(store, node)
    assert {(one.code, one.number, one.key) for one in found} == {
        ("anchor_mismatch", None, None),
        ("missing_there", number_of(1010), number_key(number_of(1010))),
        ("missing_here", None, number_key(unknown)),
    }
    assert run.matches is False


def test_a_node_that_lags_is_said_so_and_nothing_else(store: Store, node: Store) -> None:
    followed(store, node, limit=2)
    _, found = compared(store, node, grace_s=-1)  # the chain may have mined all of it within one second
    assert [(one.code, one.detail["behind"]) for one in found] == [("lagging", 2)]
    _, found = compared(store, node, grace_s=10**9)
    assert found == []


def test_what_a_lagging_node_cannot_know_is_no_difference(store: Store, node: Store) -> None:
    followed(store, node, limit=2)
    rebuild(node, 2, without=number_of(1010))
    _, found = compared(store, node, grace_s=10**9)
    assert {(one.code, one.number) for one in found} == {("anchor_mismatch", None), ("missing_there", number_of(1010))}


def test_a_node_that_does_not_answer_makes_the_run_fail(store: Store) -> None:
    class Gone(DatabaseNode):
        def head(self) -> int:
            raise RemoteFailed("no answer")

    with store.database.write() as connection:
        run = runs.create(connection, NODE, "node", {}, 0)
    ended = nodes.compare(store.database, run, store.reader(), Gone(store.database), "node", 300, (RemoteFailed,))
    assert ended.matches is None
    assert ended.problem == {"code": "node_unavailable", "reason": "no answer"}


@pytest.mark.parametrize("page", [b"", b"\x02", b"\x01" + bytes(10), b"\x00" + bytes(63), b"\x00" + bytes(64)])
def test_pages_that_are_none_are_said_so(sqlite_store: Store, page: bytes) -> None:
    with sqlite_store.database.read() as connection:
        ours = pages.of_database(connection, 4)
        wrong = dict.fromkeys(["f"], page)
        with pytest.raises(pages.BadPages):
            pages.compare(
                ours, lambda paths: {path: wrong.get(path, ours([path]).get(path, b"")[:-32] + bytes(32)) for path in paths}
            )


def test_steps_grow_with_the_difference(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection:
        keys = [number_key(number_of(n)) for n in range(1010, 1020)]
        for seq, changed in ((5, keys[:1]), (6, keys)):
            register.update(connection, seq, dict.fromkeys(changed, bytes(32)))
    with sqlite_store.database.read() as connection:
        at = {seq: pages.of_database(connection, seq) for seq in (4, 5, 6)}
        same, one, ten = (pages.compare(at[4], at[seq]) for seq in (4, 5, 6))
    assert (same.differing, same.requests) == ([], 1)
    assert [differing.key for differing in one.differing] == keys[:1]
    assert {differing.key for differing in ten.differing} == set(keys)
    assert one.requests == ten.requests <= 4
    assert one.received < ten.received < 10 * one.received
