"""What comes after the chain: the central record's acknowledgement, and query nodes that lag, lie, lose or do not answer."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from service.app import create_app
from service.auth import keys
from service.central.feed import FromDatabase
from service.central.node import Node
from service.config import Settings
from service.db import Database
from service.diagnosis.nodes import Nodes
from service.migrations.schema import metadata
from service.reconciliation.working import ChainAccess
from tests.integration.diagnosing import Lost, check, evidence, hops, lost
from tests.oracle import Kept


class RealNode:
    """A query node that follows a world's service, in its own process but for the process."""

    def __init__(self, followed: Lost, folder: Path) -> None:
        settings: dict[str, Any] = {
            **followed.world.given,
            "database_url": f"sqlite:///{folder / 'node.db'}",
            "receipt_key": "33" * 32,
            "follow": "http://service.invalid",
            "service_keys": tuple(key.hex() for key in followed.context.keys.public.values()),
        }
        settings.pop("nodes", None)
        self.settings = Settings(_env_file=None, **settings)  # type: ignore[call-arg]  # pydantic-settings takes it
        self.database = Database(self.settings.database_url.get_secret_value())
        metadata.create_all(self.database.engine)
        access = ChainAccess(self.settings, followed.context.keys.public)
        source = FromDatabase(followed.context.database, "copies")
        self._following = Node(self.database, access.reader, source, 3600, followed.world.clock)
        app = create_app(self.settings)
        app.state.context.clock = followed.world.clock
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, ws="none"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def follow(self) -> None:
        assert self._following.round()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def close(self) -> None:
        self.stop()
        self.database.close()


@contextmanager
def nodes_of(made: Lost, *urls: str, timeout_s: float = 30) -> Iterator[None]:
    """The service asks these nodes, and waits longer for them than it would: a test's machine may be slow."""
    before = made.context.diagnostics._nodes
    asked = Nodes(urls, timeout_s=timeout_s)
    made.context.diagnostics._nodes = asked
    yield
    made.context.diagnostics._nodes = before
    asked.close()


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lost, RealNode]]:
    folder = tmp_path_factory.mktemp("beyond")
    with lost(folder) as made:
        made.world.accept(4)
        made.world.rest()
        node = RealNode(made, folder)
        node.follow()
        yield made, node
        node.close()


@pytest.fixture
def one(followed: tuple[Lost, RealNode]) -> Kept:
    return followed[0].world.kept.pop()


def timeline(made: Lost, one: Kept, name: str) -> list[dict[str, Any]]:
    """The hops of that name in the custody timeline of an invoice that has one entry."""
    status, answer = made.world.ask("GET", f"/v1/invoices/{one.number}/timeline")
    assert status == 200, answer
    [entry] = json.loads(answer)["entries"]
    return [hop for hop in entry["hops"] if hop["hop"] == name]


def test_not_delivered_to_central(tmp_path: Path) -> None:
    with lost(tmp_path) as made:
        first, second = made.world.accept(2)
        made.world.rest()
        with made.context.database.write() as connection:
            _, central = keys.create_key(connection, "central", [], "test", label="the city's")
            _, node = keys.create_key(connection, "node", [], "test")

        def acknowledge(key: str) -> None:
            headers = {"Authorization": f"Bearer {key}"}
            cursor = made.world.contract.head()
            answer = made.world.client.post("/v1/central/acknowledgements", json={"cursor": cursor}, headers=headers)
            assert answer.status_code == 200, answer.text

        acknowledge(node)
        assert hops(made.of_facts(first))["delivered"] == "not_applicable", "a query node is no central record"
        acknowledge(central)
        found = check(made.of_facts(first), "present", "nobody", "nothing", "charged")
        assert evidence(found, "delivered")["cursor"] == 1
        [delivered] = timeline(made, first, "delivered")
        assert (delivered["cursor"], delivered["label"]) == (1, "the city's")
        assert delivered["at"] == next(hop["at"] for hop in found["evidence"] if hop["hop"] == "delivered")
        [third] = made.world.accept()
        made.world.rest()
        acknowledge(node)
        found = check(made.of_facts(third), "not_delivered_to_central", "system", "wait", "free")
        assert hops(found)["delivered"] == "missing"
        assert evidence(found, "delivered") == {"cursor": 1}
        assert timeline(made, third, "delivered") == []
        # A row that somebody puts in carries no signature of ours.
        made.sql("UPDATE acknowledgements SET cursor = 99 WHERE cursor = 1")
        check(made.of_facts(third), "not_delivered_to_central", "system", "wait", "free")
        assert timeline(made, third, "delivered") == []
        made.sql("UPDATE acknowledgements SET cursor = 1 WHERE cursor = 99")
        acknowledge(central)
        check(made.of_facts(third), "present", "nobody", "nothing", "charged")
        check(made.of_facts(second), "present", "nobody", "nothing", "charged")


def test_a_node_shows_it(followed: tuple[Lost, RealNode], one: Kept) -> None:
    made, node = followed
    with nodes_of(made, node.url):
        found = check(made.of_facts(one), "present", "nobody", "nothing", "charged")
    assert hops(found)["visible"] == "done"
    [said] = evidence(found, "visible")["nodes"]
    assert said == {"node": node.url, "state": "visible", "seq": made.world.contract.head()}
    with nodes_of(made, node.url):
        [visible] = timeline(made, one, "visible")
    assert visible["nodes"] == [said]


def test_node_lagging(followed: tuple[Lost, RealNode]) -> None:
    made, node = followed
    [one] = made.world.accept()
    made.world.rest()
    with nodes_of(made, node.url):
        found = check(made.of_facts(one), "node_lagging", "system", "wait", "free")
        assert hops(found)["visible"] == "missing"
        assert [said["state"] for said in timeline(made, one, "visible")[0]["nodes"]] == ["behind"]
        node.follow()
        check(made.of_facts(one), "present", "nobody", "nothing", "charged")


def test_delivered_not_visible(followed: tuple[Lost, RealNode], one: Kept) -> None:
    made, node = followed
    with node.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE invoices SET lines = NULL WHERE id = (SELECT id FROM entries WHERE entry = ?)", (one.entry.encode(),)
        )
    with nodes_of(made, node.url):
        found = check(made.of_facts(one), "delivered_not_visible", "system", "apply_for_reprint", "free")
    assert found["next_action"]["link"] == "/reprint"
    assert [said["state"] for said in evidence(found, "visible")["nodes"]] == ["missing"]


def test_a_node_that_does_not_answer_is_unknown(followed: tuple[Lost, RealNode], one: Kept) -> None:
    """Neither down nor slow nor babbling is missing; and nobody waits for it for long."""
    made, node = followed
    babbling = made.world.proxies[0].url  # an endpoint of the chain: what it answers is no proof
    with nodes_of(made, node.url, "http://127.0.0.1:9", babbling):
        found = check(made.of_facts(one), "present", "nobody", "nothing", "charged")
    states = [said["state"] for said in evidence(found, "visible")["nodes"]]
    assert states == ["visible", "unknown", "unknown"]
    with nodes_of(made, "http://127.0.0.1:9"):
        assert hops(made.of_facts(one))["visible"] == "unknown"
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        nodes_of(made, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.5),
    ):
        began = time.monotonic()
        assert hops(made.of_facts(one))["visible"] == "unknown"
        assert time.monotonic() - began < 20


def test_a_node_diagnoses_what_it_followed(followed: tuple[Lost, RealNode]) -> None:
    """And denies nothing that it cannot know."""
    made, node = followed
    [one] = made.world.accept()
    made.world.rest()
    node._following._source = _Nothing()
    node._following.round()
    asked = {"number": one.number, "commitment": one.answer["commitment"]}
    said = requests.post(f"{node.url}/v1/diagnoses", json=asked, timeout=30).json()
    assert (said["verdict"], said["next_action"]["code"]) == ("undecided", "try_again")
    file = made.proof(one)
    headers = {"Content-Type": "application/vnd.zhengpiao.proof+json"}
    said = requests.post(f"{node.url}/v1/diagnoses", data=file, headers=headers, timeout=30).json()
    assert said["verdict"] == "undecided"
    assert (
        requests.post(f"{node.url}/v1/recoveries", data=file, headers=headers, timeout=30).json()["code"] == "node_takes_no_writes"
    )


class _Nothing:
    def pieces(self, after: int) -> Iterator[Any]:
        return iter(())
