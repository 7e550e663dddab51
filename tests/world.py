"""A whole service in one process on a chain of its own, for tests of what goes wrong: API, worker, endpoints that lie on demand.

Time stands still unless the test mines: a block a second. So nothing here waits, and everything can be told exactly.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

import service.db
from service.app import create_app
from service.auth import keys
from service.config import Settings
from service.ledger import health, outbox
from service.ledger.tables import incidents
from service.migrations.schema import metadata
from service.worker import Worker
from tests.chain import RegistryContract, RpcError, anvil
from tests.lying_proxy import LyingProxy, lying_proxy
from tests.oracle import Kept, Oracle
from tests.postgres import PostgresCluster
from tests.unit.samples import sections_of
from verifier.trust import parse_trust

ROUNDS = 60
"""After so many rounds what was to come has not come."""
GAS = 500_000
LOCK_MS = 300
"""How long the service waits for a lock of the database."""


class World:
    """`jump` is how wrong the service's clock is, in seconds. `kept` is what its clients were answered."""

    cluster: PostgresCluster | None = None

    def __init__(self, url: str, contract: RegistryContract, proxies: list[LyingProxy], settings: dict[str, Any]) -> None:
        node = contract.chain
        self.node, self.contract, self.proxies = node, contract, proxies
        self.now = float(self._block()["timestamp"])
        self.jump = 0.0
        self.url = url
        self.given: dict[str, Any] = {
            "contract": contract.address,
            "receipt_key": "22" * 32,
            "anchor_key": node.accounts[2].private_key,
            "rpc_urls": tuple(proxy.url for proxy in proxies),
            "rpc_timeout_s": 30.0,
            "anonymous_per_minute": 0,
            "database_url": url,
            **settings,
        }
        self.settings = Settings(_env_file=None, **self.given)  # type: ignore[call-arg]  # pydantic-settings takes it
        self.app = create_app(self.settings)
        self.context = self.app.state.context
        self.context.clock = self.clock
        self.database = self.context.database
        metadata.create_all(self.database.engine)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.seller = sections_of("S02")["seller"]["tax_id"]
        with self.database.write() as connection:
            _, written = keys.create_key(connection, "issuer", [self.seller], "test")
        self._headers = {"Authorization": f"Bearer {written}"}
        self._sent = 0
        self.worker = self.new_worker()
        self.kept: list[Kept] = []
        self.voided: list[dict[str, Any]] = []
        trust = parse_trust(self.client.get("/v1/trust").content)
        self.oracle = Oracle(self.ask, contract, trust, lambda: self.now)

    def new_worker(self) -> Worker:
        """As after a restart: nothing in memory."""
        return Worker(self.settings, self.database, self.clock)

    def clock(self) -> float:
        return self.now + self.jump

    # what clients do

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        self.context._status = None  # it is believed for a second, and here that may be for ever
        options = {} if body is None else {"json": body}
        answer = self.client.request(method, path, headers=self._headers, **options)
        return answer.status_code, answer.content

    def accept(self, count: int = 1) -> list[Kept]:
        """Register so many invoices, one after the other."""
        made = []
        for _ in range(count):
            sections, status, answer = self.submit()
            assert status == 201, answer
            made.append(Kept(sections, json.loads(answer)))
            self.kept.append(made[-1])
        return made

    def submit(self) -> tuple[dict[str, Any], int, bytes]:
        """Try to register one more invoice: what was sent, the status and body of the answer."""
        sections = sections_of("S02")
        sections["header"]["number"] = f"2611299900001{self._sent:07}"
        self._sent += 1
        return sections, *self.ask("POST", "/v1/invoices", {"profile": "as_issued", "sections": sections})

    def is_refused(self) -> bool:
        """Nothing is accepted and nothing acknowledged; a client would be told to try again."""
        return self.submit()[1] == 503

    def void(self, one: Kept) -> None:
        status, answer = self.ask("POST", f"/v1/invoices/{one.number}/void", {"reason": "开票有误"})
        assert status == 200, answer
        self.voided.append(json.loads(answer))

    def proof(self, one: Kept) -> tuple[int, bytes]:
        return self.ask("POST", "/v1/proofs", {"number": one.number, "commitment": one.answer["commitment"]})

    def promise_s(self) -> int:
        """What a receipt would promise now."""
        return int(self.status()["promise_s"])

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("GET", "/status")[1])
        return found

    def trouble(self) -> str | None:
        """What /status says; /metrics must say the same."""
        told = self.status()["trouble"]
        code: str | None = told and told["code"]
        metrics = self.ask("GET", "/metrics")[1].decode()
        assert [line for line in metrics.splitlines() if line.startswith("zhengpiao_trouble{")] == (
            [f'zhengpiao_trouble{{code="{code}"}} 1.0'] if code else []
        )
        return code

    # time

    def round(self, blocks: int = 1) -> None:
        """The worker's turn, then that of the chain."""
        self.worker.round()
        self.mine(blocks)

    def mine(self, blocks: int = 1, seconds: int = 1) -> None:
        for _ in range(blocks):
            self.now += seconds
            self.node.rpc("evm_setNextBlockTimestamp", int(self.now))
            self.node.rpc("evm_mine")

    def catch_up(self) -> None:
        """Somebody else has mined."""
        self.now = max(self.now, float(self._block()["timestamp"]))

    def mine_full(self, gwei: int) -> None:
        """A block at this base fee that somebody fills who pays more than all others: what waits goes on waiting."""
        rich, burner = self.node.accounts[0].address, "0x" + "fe" * 20
        self.node.rpc("anvil_setBalance", rich, hex(10**24))
        self.node.rpc("anvil_setCode", burner, "0xfe")  # INVALID takes all the gas that it is given
        dear = {"maxFeePerGas": hex(2000 * 10**9), "maxPriorityFeePerGas": hex(1000 * 10**9)}
        gas = self._block()["gasLimit"] - 100_000
        self.node.rpc("eth_sendTransaction", {"from": rich, "to": burner, "gas": hex(gas)} | dear)
        self.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * 10**9))
        self.mine()
        self.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * 10**9))

    def until(self, reached: Callable[[], bool], what: str, rounds: int = ROUNDS) -> None:
        for _ in range(rounds):
            if reached():
                return
            self.round()
        if not reached():
            raise AssertionError(f"not {what} after {rounds} rounds: {self.status()}, {self.items()}")

    def reach(self, state: str) -> None:
        """Work until nothing is pending and every batch has come as far as `state`."""
        order = ["sealed", "broadcast", "mined", "final"]
        at_least = order[order.index(state) :]
        self.until(lambda: self.backlog() == 0 and all(item.state in at_least for item in self.items()), state)

    def rest(self) -> None:
        """Work until everything is final and there is no trouble."""
        self.until(lambda: self.backlog() == 0 and not self.items(), "final")
        self.until(lambda: self.trouble() is None, "out of trouble")

    def meet(self, trouble: str, rounds: int = ROUNDS) -> None:
        """Work until the service says that it is in this trouble; receipts promise less then."""
        self.until(lambda: self.trouble() == trouble, f"in trouble {trouble}", rounds)
        assert self.promise_s() >= self.settings.troubled_promise_s

    def check(self, **expected: Any) -> None:
        """Let it come to rest, and ask the oracle."""
        self.rest()
        self.oracle.check(self.kept, self.voided, **expected)

    # what is inside

    def items(self) -> list[outbox.Item]:
        with self.database.read() as connection:
            return outbox.open_items(connection)

    def backlog(self) -> int:
        return int(self.status()["backlog"])

    def left_out(self) -> str:
        """The endpoints that the worker did not read from."""
        with self.database.read() as connection:
            last = health.read(connection)
        return last.left_out if last else ""

    def attempts(self, seq: int) -> list[outbox.Attempt]:
        with self.database.read() as connection:
            return outbox.attempts(connection, seq)

    def incidents(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(incidents.c.code).order_by(incidents.c.id)))

    def hashes(self, seq: int) -> list[str]:
        return ["0x" + attempt.hash.hex() for attempt in self.attempts(seq)]

    # what happens to the chain

    def transact(self, sender: str, function: str, *arguments: object, tip: int = 10**9) -> str:
        """Put a call of the contract into the pool; the hash. It is mined with the next block, dearer ones first."""
        transaction = {"from": sender, "to": self.contract.address, "data": self.contract.call_data(function, *arguments)}
        fees = {"gas": hex(GAS), "maxFeePerGas": hex(100 * 10**9 + tip), "maxPriorityFeePerGas": hex(tip)}
        return str(self.node.rpc("eth_sendTransaction", transaction | fees))

    def anchor_as_another(self, seq: int, root: int = 7) -> None:
        """Somebody else with the anchoring role takes a seq in the next block, before ours."""
        self.transact(self.rival, "anchor", seq, bytes([root]) * 32, 5, bytes([root + 1]) * 32, tip=50 * 10**9)

    @property
    def rival(self) -> str:
        """An account that also holds the anchoring role."""
        rival = self.node.accounts[4].address
        role = self.contract.call("ANCHORER_ROLE")
        if not self.contract.call("hasRole", role, rival):
            self.transact(self.contract.admin, "grantRole", role, rival)
            self.mine()
        return rival

    def reorganise(self, depth: int) -> list[str]:
        """Replace the newest `depth` blocks by empty ones; the transactions that were in them, signed."""
        lost = []
        for number in range(self.height() - depth + 1, self.height() + 1):
            block = self.node.rpc("eth_getBlockByNumber", hex(number), False)
            lost += [self.node.rpc("eth_getRawTransactionByHash", hash_) for hash_ in block["transactions"]]
        self.node.rpc("anvil_reorg", depth, [])
        return lost

    def give_back(self, transactions: list[str]) -> None:
        """To the pool."""
        for raw in transactions:
            with suppress(RpcError):  # it may be there
                self.node.rpc("eth_sendRawTransaction", raw)

    def height(self) -> int:
        return self._block()["number"]

    def _block(self, tag: str = "latest") -> dict[str, int]:
        block = self.node.rpc("eth_getBlockByNumber", tag, False)
        return {name: int(block[name], 16) for name in ("number", "timestamp", "gasLimit")}


@contextmanager
def world(
    url: str,
    *,
    cluster: PostgresCluster | None = None,
    endpoints: int = 1,
    settings: dict[str, Any] | None = None,
    lock_ms: int = LOCK_MS,
    **options: Any,
) -> Iterator[World]:
    """`cluster` is where a PostgreSQL `url` is, `settings` are the service's, `options` Anvil's.

    A lock of the database is waited for `lock_ms`: not for long, since most scenarios have one writer and try what locks do.
    """
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(service.db, "_BUSY_TIMEOUT_MS", lock_ms)
        patch.setattr(service.db, "SQLITE_PRAGMAS", (*service.db.SQLITE_PRAGMAS, f"busy_timeout={lock_ms}"))
        node = stack.enter_context(anvil(no_mining=True, **options))
        contract = RegistryContract.deploy(node)
        node.mine(8)
        proxies = [stack.enter_context(lying_proxy(node.url)) for _ in range(endpoints)]
        made = World(url, contract, proxies, settings or {})
        made.cluster = cluster
        stack.callback(made.database.close)
        stack.enter_context(made.client)
        yield made
