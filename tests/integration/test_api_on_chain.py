"""The whole way over a real server and a real chain, to the word of a verifier that knows nothing of the service."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn

from service.anchoring import Anchoring
from service.worker import build
from tests.chain import Chain, RegistryContract, anvil
from tests.integration.api import S01, S10, SELLER, Api, check_answer, proof_file
from tests.unit.samples import changed, sections_of
from verifier.chain import RpcReader
from verifier.question import Question, parse_question
from verifier.report import Report
from verifier.trust import parse_trust
from verifier.verify import verify

REGISTERED = ("S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "S09", "S10")


class Served:
    """A service on a port of its own, and the steps of its worker."""

    def __init__(self, api: Api, url: str, chain: Chain) -> None:
        self.api = api
        self.mine = chain.mine
        self.url = url
        self.client = httpx2.Client(base_url=url, timeout=60)
        self.worker: Anchoring = build(api.settings, api.database)
        self.worker.run_once()
        api.context._status = None

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        answer = self.client.request(method, path, **options)
        check_answer(self.api.app, method, answer)
        return answer

    def register(self, sections: dict[str, Any], **headers: str) -> httpx2.Response:
        key = self.api.key("issuer", sections["seller"]["tax_id"])
        body = {"profile": "as_issued", "sections": sections}
        return self.ask("POST", "/v1/invoices", json=body, headers={**key, **headers})

    def state(self, number: str) -> str | None:
        """None where it is not registered yet."""
        found: str | None = self.ask("GET", f"/v1/invoices/{number}", headers=self.api.auditor).json().get("state")
        return found

    def work_until(self, number: str, state: str, mine: Callable[[], None] | None = None) -> None:
        """And no further. `mine` adds a block, where the chain does not by itself."""
        deadline = time.monotonic() + 60
        while self.state(number) != state:
            assert time.monotonic() < deadline
            self.worker.run_once()
            if mine is not None:
                mine()
            time.sleep(0.05)

    def verify(self, data: bytes, question: Question | None = None) -> Report:
        """As anybody would: with the trust file alone."""
        return verify(data, [RpcReader(parse_trust(self.ask("GET", "/v1/trust").content))], question)


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """The application on a free port of this machine: its URL."""
    config = uvicorn.Config(api.app, port=0, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def running(database_url: str, contract: RegistryContract) -> Iterator[Served]:
    chain = contract.chain
    api = Api(
        database_url,
        contract=contract.address,
        chain_id=chain.chain_id,
        rpc_urls=(chain.url,),
        anchor_key=chain.accounts[2].private_key,
    )
    with serving(api) as url:
        made = Served(api, url, chain)
        yield made
        made.client.close()
    api.database.close()


@pytest.fixture
def served(database_url: str, contract: RegistryContract) -> Iterator[Served]:
    with running(database_url, contract) as made:
        yield made


def test_samples_end_as_the_verifier_says(served: Served) -> None:
    made = {name: served.register(sections_of(name)).json() for name in REGISTERED}
    number = made["S08"]["number"]
    voided = served.ask(
        "POST",
        f"/v1/invoices/{number}/void",
        json={"reason": "开票有误"},
        headers=served.api.key("issuer", "91310115MAXXXX031J"),
    )
    assert voided.json()["status"] == "void"
    served.work_until(number, "final")
    expected = dict.fromkeys(REGISTERED, "valid") | {"S01": "partly_reversed", "S08": "void"}
    for name, said in made.items():
        question = Question(said["number"], bytes.fromhex(said["commitment"]))
        proof = served.ask("GET", f"/v1/invoices/{said['number']}/proof", headers=served.api.auditor).content
        holders = served.ask("POST", "/v1/proofs", json={"number": said["number"], "commitment": said["commitment"]}).content
        for data in (proof, holders):
            report = served.verify(data, question)
            assert report.verdict == expected[name], report.checks
    hops = served.ask("GET", f"/v1/invoices/{S01}/timeline", headers=served.api.auditor).json()["entries"][0]["hops"]
    assert [hop["hop"] for hop in hops] == ["submitted", "accepted", "sealed", "broadcast", "mined", "final"]
    head = served.ask("GET", "/v1/anchors/head").json()
    assert head["transaction"] == head["transactions"][0]
    absent = served.ask("POST", "/v1/proofs", json={"number": "26112999000000000099"}).content
    assert served.verify(absent, Question("26112999000000000099", None)).verdict == "absent"
    unknown = Question(S10, bytes(32))
    shown = served.ask("POST", "/v1/proofs", json={"number": S10, "commitment": "00" * 32}).content
    assert served.verify(shown, unknown).verdict == "not_current"
    present = served.ask("POST", "/v1/proofs", json={"number": S10}).content
    assert served.verify(present, Question(S10, None)).verdict == "registered"


@pytest.fixture
def by_hand(database_url: str) -> Iterator[Served]:
    """On a chain that makes a block only when it is told to."""
    with anvil(no_mining=True) as node, running(database_url, RegistryContract.deploy(node)) as made:
        yield made


def test_what_was_answered_verifies_from_pending_to_mined(by_hand: Served) -> None:
    served, sections = by_hand, sections_of("S10")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(served.register, sections, Prefer="wait=60")
        served.work_until(S10, "mined", served.mine)
        answer = future.result(60)
    assert (answer.status_code, answer.json()["state"]) == (201, "mined")
    said = answer.json()
    question = parse_question(said["links"]["verify"])
    assert question == Question(S10, bytes.fromhex(said["commitment"]))
    assert served.verify(proof_file(sections, said), question).verdict == "pending"
    again = served.ask("POST", "/v1/proofs", json={"number": S10}).json()
    assert again["code"] == "not_yet_known"
    served.work_until(S10, "final", served.mine)
    proof = served.ask("POST", "/v1/proofs", json={"number": S10, "commitment": said["commitment"]}).content
    assert served.verify(proof, question).verdict == "valid"


def _lines(count: int, remark: str = "") -> list[bytes]:
    made = []
    for n in range(count):
        sections = changed("S10", "/header/number", f"261129990000004{n:05}")
        sections["notes"]["remark"] = remark or "batch"
        made.append(orjson.dumps({"profile": "as_issued", "sections": sections}) + b"\n")
    return made


def test_a_client_that_reads_only_when_all_is_sent_does_not_hang(served: Served) -> None:
    lines = _lines(3000, "长" * 4000)  # on both ways more than all the buffers between hold
    host, port = served.url.removeprefix("http://").split(":")
    head = f"POST /v1/invoices/batch HTTP/1.1\r\nHost: {host}\r\nContent-Length: {sum(map(len, lines))}\r\nConnection: close\r\n"
    head += f"Content-Type: application/x-ndjson\r\nAuthorization: {served.api.issuer['Authorization']}\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((host, int(port)))
        connection.sendall(head.encode())
        for line in lines:
            connection.sendall(line)
        received = bytearray()
        while data := connection.recv(65536):
            received += data
    assert received.count(b'"status":201') == 3000


def test_answers_come_while_lines_are_still_sent(served: Served) -> None:
    first, second = _lines(1000)[:500], _lines(1000)[500:]
    host, port = served.url.removeprefix("http://").split(":")
    key = served.api.key("issuer", SELLER)["Authorization"]
    head = f"POST /v1/invoices/batch HTTP/1.1\r\nHost: {host}\r\nAuthorization: {key}\r\n"
    head += "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

    def piece(lines: list[bytes]) -> bytes:
        data = b"".join(lines)
        return f"{len(data):x}\r\n".encode() + data + b"\r\n"

    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + piece(first) + piece(second[:1]))
        received = b""
        while received.count(b'"line":') < 500:
            data = connection.recv(65536)
            assert data, received[-500:]
            received += data
        assert b'"line":501' not in received
        connection.sendall(piece(second[1:]) + b"0\r\n\r\n")
        while data := connection.recv(65536):
            received += data
    assert received.count(b'"line":') == 1000


def test_a_batch_that_was_cut_off_goes_on_where_it_ended(served: Served) -> None:
    lines = _lines(1000)
    headers = {**served.api.issuer, "Content-Type": "application/x-ndjson", "Idempotency-Key": "b-1"}
    host, port = served.url.removeprefix("http://").split(":")
    head = f"POST /v1/invoices/batch HTTP/1.1\r\nHost: {host}\r\nContent-Length: {sum(map(len, lines))}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + b"".join(lines[:501]))
        connection.recv(100)  # the first chunk is registered
    deadline = time.monotonic() + 60
    while (answer := served.client.post("/v1/invoices/batch", content=b"".join(lines), headers=headers)).status_code == 409:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    said = [json.loads(line) for line in answer.content.splitlines()]
    assert [(line["line"], line["status"]) for line in said] == [(n, 201) for n in range(1, 1001)]
    assert len({line["result"]["commitment"] for line in said}) == 1000
