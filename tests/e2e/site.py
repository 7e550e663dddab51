"""The pages on a server that can be switched off, beside a chain with the vectors' anchors; the API says what a test wants."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from service.api import bodies
from service.web import pages
from tests.chain import Chain, RegistryContract, anvil
from tests.ports import hold
from tests.vector_files import PROOFS
from verifier.commitment import commitment_of, commitment_to_text, section_leaf
from verifier.proof import AnchoredProof, Opened, PendingProof, parse_proof

ANCHORS: dict[str, Any] = json.loads((PROOFS / "anchors.json").read_text())
FIRST_TIME = 1_795_600_000
"""Just before the vectors' first anchor: the chain lives in their time."""


@contextmanager
def vector_chain() -> Iterator[tuple[Chain, RegistryContract]]:
    """The vectors' anchors at the vectors' address, which is where the first contract of a new chain comes to stand."""
    with anvil(no_mining=True, timestamp=FIRST_TIME) as chain:
        contract = RegistryContract.deploy(chain)
        assert contract.address == ANCHORS["chain"]["contract"]
        for seq, anchor in ANCHORS["anchors"].items():
            contract.anchor(int(seq), bytes.fromhex(anchor["log_root"]), anchor["size"], bytes.fromhex(anchor["register_root"]))
        chain.mine(5)
        yield chain, contract


def trust_file(*rpc_urls: str) -> dict[str, Any]:
    """Without grace, as with an anchors file; the tests' own clock is no matter."""
    members = {name: ANCHORS[name] for name in ("protocol", "chain", "service_keys")}
    return {**members, "rpc_urls": list(rpc_urls), "grace_s": 0, "max_lag_s": 10**9}


@dataclass
class Served:
    """An application on a free port, until it is stopped."""

    app: ASGIApp
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        self._held = hold(self.host, self.port)
        self.port = self._held.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Again, after a pause."""
        listening = socket.create_server((self.host, self.port))
        config = uvicorn.Config(self.app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def pause(self) -> None:
        """Nobody answers; the port stays its own."""
        self.server.should_exit = True
        self.thread.join()

    def stop(self) -> None:
        self.pause()
        self._held.close()


@dataclass
class Answers:
    """What the API says; `asked` is what it was asked, by path."""

    proofs: dict[tuple[str, str | None], bytes] = field(default_factory=dict)
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    lookups: dict[str, dict[str, Any]] = field(default_factory=dict)
    diagnoses: list[dict[str, Any]] = field(default_factory=list)
    """What is found one time after the other; the last again and again."""
    recovery: dict[str, Any] | None = None
    report: dict[str, Any] | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]  # the same object, as new

    def hold(self, file: str, **statement: Any) -> str:
        """Give out this vector for its number and commitment, with what is stated of it: the text of its QR code behind the #."""
        data = (PROOFS / file).read_bytes()
        number, commitment = copy_of(data)
        self.proofs[number, commitment] = data
        if statement:
            self.statements[number] = statement
        return f"{number}.{commitment_to_text(bytes.fromhex(commitment))}"

    def routes(self) -> list[Route]:
        async def proofs(request: Request) -> Response:
            asked = orjson.loads(await bodies.read_bytes(request, bodies.MAX_SMALL))
            self.asked.append(("/v1/proofs", asked))
            found = self.proofs.get((asked["number"], asked.get("commitment")))
            return Response(found) if found else problem(404, "no_such_copy")

        async def statements(request: Request) -> Response:
            asked = orjson.loads(await request.body())
            self.asked.append(("/v1/statements", asked))
            found = self.statements.get(asked["number"])
            return JSONResponse(found) if found else problem(404, "no_such_copy")

        async def lookups(request: Request) -> Response:
            asked = orjson.loads(await request.body())
            self.asked.append(("/v1/lookups", asked))
            found = self.lookups.get(asked["number"])
            return JSONResponse(found) if found else problem(429, "too_many_guesses", "今天对这张发票的查询次数已用完。")

        async def verifications(request: Request) -> Response:
            self.asked.append(("/v1/verifications", len(await request.body())))
            return JSONResponse(self.report) if self.report else problem(422, "unreadable", "没有读出二维码。")

        async def diagnoses(request: Request) -> Response:
            self.asked.append(("/v1/diagnoses", await _shown(request)))
            if not self.diagnoses:
                return problem(503, "chain_unread", "现在读不到区块链。")
            return JSONResponse(self.diagnoses.pop(0) if len(self.diagnoses) > 1 else self.diagnoses[0])

        async def recoveries(request: Request) -> Response:
            self.asked.append(("/v1/recoveries", await _shown(request)))
            return JSONResponse(self.recovery) if self.recovery else problem(422, "copy_proves_nothing", "这一份证明不了什么。")

        handlers = (proofs, statements, lookups, verifications, diagnoses, recoveries)
        return [Route(f"/v1/{handler.__name__}", handler, methods=["POST"]) for handler in handlers]


async def _shown(request: Request) -> Any:
    """JSON, or a file as its media type and bytes."""
    body, sent = await request.body(), request.headers["content-type"]
    return orjson.loads(body) if sent == "application/json" else (sent, body)


def problem(status: int, code: str, detail: str = "") -> Response:
    return JSONResponse({"code": code, "detail": detail, "status": status}, status, media_type="application/problem+json")


def copy_of(data: bytes) -> tuple[str, str]:
    """Number, and commitment in hex, of an invoice's proof file."""
    proof = parse_proof(data)
    assert isinstance(proof, AnchoredProof | PendingProof)
    leaves = [
        section_leaf(index, section.salt, section.canonical) if isinstance(section, Opened) else section.leaf
        for index, section in enumerate(proof.sections)
    ]
    return proof.number, commitment_of(leaves).hex()


@dataclass
class Settings:
    public_url: str = ""


@dataclass
class PageContext:
    """As much of the service's context as pages take."""

    trust: bytes
    settings: Settings = field(default_factory=Settings)

    def limit_anonymous(self, _: Request) -> None:
        pass


@dataclass
class Site:
    served: Served
    context: PageContext
    answers: Answers
    chain: Chain
    contract: RegistryContract

    @property
    def url(self) -> str:
        return self.served.url

    def trust(self, *rpc_urls: str, without: bool = False) -> None:
        """What the pages are given to trust from now on; if nothing is named the chain under its two names, or no endpoint."""
        both = self.chain.url, self.chain.url.replace("127.0.0.1", "localhost")
        self.context.trust = orjson.dumps(trust_file(*(() if without else rpc_urls or both)))


@contextmanager
def vector_site() -> Iterator[Site]:
    with vector_chain() as (chain, contract):
        answers = Answers()
        app = Starlette(routes=[*answers.routes(), *pages.routes()])
        context = PageContext(b"")
        app.state.context = context
        # Under a name: an address would be no host that another could resemble.
        served = Served(app, "localhost")
        context.settings.public_url = served.url
        site = Site(served, context, answers, chain, contract)
        site.trust()
        try:
            yield site
        finally:
            served.stop()
