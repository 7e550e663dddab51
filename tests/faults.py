"""A service of real processes under load, whose worker and API are killed at random; the oracle judges what is left.

The dice decide what happens and when, so a seed tells a run again as far as processes allow. What clients were answered is kept in
a file beside the service, each answer on the disk before the next request.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from service.api.context import STATUS_S
from service.auth import keys
from service.cli.outcome import Exit
from service.db import Database
from service.migrations import migrate
from tests.chain import Chain, RegistryContract, anvil
from tests.lying_proxy import LyingProxy, lying_proxy
from tests.oracle import Kept, Oracle
from tests.ports import hold
from tests.postgres import PostgresCluster
from tests.unit.samples import sections_of
from verifier.trust import parse_trust

PROGRAM = Path(sys.executable).with_name("zhengpiao")
BATCH = 20
PATIENCE_S = 60
"""How long after the last fault everything may take to become final."""

_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Process:
    """`zhengpiao` with some arguments, started again each time that it is killed."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str], log: IO[bytes]) -> None:
        self._folder = folder  # where no .env of somebody else's is read
        self._command = ["setpriv", "--pdeathsig", "KILL", str(PROGRAM), *arguments]
        self._environment = environment
        self._log = log
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=self._folder, env=self._environment, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def supervise(self) -> None:
        """It never ends by itself, but where the database is down when it starts: then it starts again, as under any supervisor."""
        ended = self._process.poll()
        assert ended in (None, Exit.UNAVAILABLE), f"{self._command[-3:]} ended with {ended}"
        if ended is not None:
            self.start()


class Client:
    """Sends invoices until it is told to stop, each again and again until it was answered, and keeps the answers."""

    def __init__(self, service: "Service", file: IO[str], name: str, dice: random.Random) -> None:
        self._service, self._file, self._name, self._dice = service, file, name, dice
        self._numbers = 0
        self.kept: list[Kept] = []
        self.voided: list[dict[str, Any]] = []
        self.retries = 0
        self.failure: BaseException | None = None

    def run(self, stop: threading.Event, pause_s: float) -> None:
        try:
            while not stop.is_set():
                self._dice.choices((self._one, self._batch, self._void), (6, 1, 1))[0]()
                time.sleep(pause_s)
        except BaseException as failure:  # noqa: BLE001 - it ends the thread, and then the run
            self.failure = failure

    def _sections(self) -> dict[str, Any]:
        sections = sections_of("S02")
        self._numbers += 1
        sections["header"]["number"] = f"261129{self._name}{self._numbers:010}"
        return sections

    def _one(self) -> None:
        sections = self._sections()
        answer = self._insist("/v1/invoices", {"profile": "as_issued", "sections": sections}, 201)
        self._keep(sections, json.loads(answer))

    def _batch(self) -> None:
        every = [self._sections() for _ in range(BATCH)]
        lines = [json.dumps({"profile": "as_issued", "sections": sections}) for sections in every]
        while True:
            answers = [json.loads(line) for line in self._insist("/v1/invoices/batch", "\n".join(lines) + "\n", 200).splitlines()]
            if len(answers) == len(every) and all(answer["status"] == 201 for answer in answers):
                break
            # Cut off, or the database went away on the way: the same key tells what was made.
            assert all(answer["status"] in (201, 500, 503) for answer in answers), answers
            self.retries += 1
            time.sleep(0.2)
        for sections, answer in zip(every, answers, strict=True):
            self._keep(sections, answer["result"])

    def _void(self) -> None:
        gone = {answer["number"] for answer in self.voided}
        left = [one for one in self.kept if one.number not in gone]
        if not left:
            return
        number = self._dice.choice(left).number
        answer = json.loads(self._insist(f"/v1/invoices/{number}/void", {"reason": "开票有误"}, 200))
        self.voided.append(answer)
        self._write({"void": answer})

    def _keep(self, sections: dict[str, Any], answer: dict[str, Any]) -> None:
        self.kept.append(Kept(sections, answer))
        self._write({"sections": sections, "answer": answer})

    def _write(self, line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=False), file=self._file, flush=True)
        os.fsync(self._file.fileno())

    def _insist(self, path: str, body: Any, expected: int) -> bytes:
        """The answer, in the end: no answer means that it is not known whether it was done, and the key makes it be done once."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        media_type = "application/x-ndjson" if isinstance(body, str) else "application/json"
        key = f"{self._name}-{self._dice.getrandbits(64):016x}"
        headers = {"Authorization": f"Bearer {self._service.key}", "Content-Type": media_type, "Idempotency-Key": key}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, answer = ask(self._service.url, "POST", path, data, headers)
            if status == expected:
                return answer
            assert status in (0, 409, 500, 503), (status, answer)
            assert time.monotonic() < deadline, f"no answer but {status} {answer!r}"
            self.retries += 1
            time.sleep(0.1)


def ask(url: str, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body; (0, why) where there was no answer, or only part of one."""
    request = urllib.request.Request(url + path, data, headers or {}, method=method)
    try:
        with _NO_PROXY.open(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, ValueError, EOFError) as error:
        return 0, repr(error).encode()
    except Exception as error:  # noqa: BLE001 - http.client's own family has no name outside it
        return 0, repr(error).encode()


class Service:
    """The processes of a deployment on a chain that makes a block a second."""

    def __init__(self, folder: Path, database_url: str, contract: RegistryContract, proxy: LyingProxy, log: IO[bytes]) -> None:
        self.contract, self.proxy = contract, proxy
        self._held = hold()
        port = self._held.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ZHENGPIAO_")},
            "ZHENGPIAO_DATABASE_URL": database_url,
            "ZHENGPIAO_RPC_URLS": proxy.url,
            "ZHENGPIAO_CONTRACT": contract.address,
            "ZHENGPIAO_RECEIPT_KEY": "22" * 32,
            "ZHENGPIAO_ANCHOR_KEY": contract.chain.accounts[2].private_key,
            "ZHENGPIAO_ANONYMOUS_PER_MINUTE": "0",
        }
        database = Database(database_url)
        migrate(database)
        with database.write() as connection:
            _, self.key = keys.create_key(connection, "issuer", [sections_of("S02")["seller"]["tax_id"]], "test")
        database.close()
        self.api = Process(["serve", "--port", str(port)], folder, environment, log)
        self.worker = Process(["worker"], folder, environment, log)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return ask(self.url, method, path, data, headers)

    def supervise(self) -> None:
        self.api.supervise()
        self.worker.supervise()

    def until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            self.supervise()
            assert time.monotonic() < deadline, f"not {what} within {PATIENCE_S} s: {self.ask('GET', '/status')}"
            time.sleep(0.1)

    def is_up(self) -> bool:
        return self.ask("GET", "/readyz")[0] == 200

    def rests(self) -> bool:
        status, answer = self.ask("GET", "/status")
        told = json.loads(answer) if status == 200 else {}
        return bool(told) and told["trouble"] is None and told["backlog"] == 0 and told["sealed_head"] == told["final_head"] > 0


def faults_of(
    service: Service, cluster: PostgresCluster | None, dice: random.Random
) -> list[tuple[str, float, Callable[[], None]]]:
    """(name, weight, what to do) of everything that may happen."""

    def kill(process: Process) -> None:
        process.kill()
        time.sleep(dice.uniform(0, 0.5))
        process.start()

    def kill_both() -> None:
        service.worker.kill()
        kill(service.api)
        service.worker.start()

    def lose_the_node() -> None:
        service.proxy.go_down()
        time.sleep(dice.uniform(0.5, 3))
        service.proxy.tell_truth()

    def restart_database() -> None:
        assert cluster is not None
        cluster.stop()
        time.sleep(dice.uniform(0, 1))
        cluster.start()

    found = [
        ("worker killed", 6.0, lambda: kill(service.worker)),
        ("API killed", 2.0, lambda: kill(service.api)),
        ("both killed", 1.0, kill_both),
        ("node lost", 1.0, lose_the_node),
        ("block replaced", 1.0, lambda: service.contract.chain.rpc("anvil_reorg", 1, [])),
    ]
    return [*found, ("database restarted", 1.0, restart_database)] if cluster else found


def is_enough(senders: list[Client], least: int) -> bool:
    """Or one of them has failed, which is told later."""
    return sum(len(sender.kept) for sender in senders) >= least or any(sender.failure for sender in senders)


@contextmanager
def running(folder: Path, database_url: str) -> Iterator[Service]:
    with ExitStack() as stack:
        node: Chain = stack.enter_context(anvil())
        contract = RegistryContract.deploy(node)
        proxy = stack.enter_context(lying_proxy(node.url))
        log = stack.enter_context((folder / "log").open("wb"))
        service = Service(folder, database_url, contract, proxy, log)
        stack.callback(service._held.close)
        stack.callback(service.api.kill)
        stack.callback(service.worker.kill)
        service.until(service.is_up, "up")
        yield service


def play(
    folder: Path,
    database_url: str,
    seconds: float,
    seed: int,
    cluster: PostgresCluster | None = None,
    clients: int = 2,
    least: int = 0,
) -> dict[str, Any]:
    """Load and faults for so long, then rest, then the oracle: what happened, in figures. Raises AssertionError.

    The load goes on after the faults until `least` invoices are in, however long processes take to start.
    """
    dice = random.Random(seed)
    happened: Counter[str] = Counter()
    with running(folder, database_url) as service, (folder / "receipts.jsonl").open("a") as file:
        stop = threading.Event()
        senders = [Client(service, file, f"{seed % 100:02}{n:02}", random.Random(dice.random())) for n in range(clients)]
        threads = [threading.Thread(target=sender.run, args=(stop, 0.05)) for sender in senders]
        for thread in threads:
            thread.start()
        faults = faults_of(service, cluster, dice)
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                time.sleep(dice.uniform(0.3, 2.5))
                name, _, do = dice.choices(faults, [weight for _, weight, _ in faults])[0]
                do()
                happened[name] += 1
                service.supervise()
            service.until(lambda: is_enough(senders, least), f"{least} invoices in")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        for sender in senders:
            if sender.failure:
                raise sender.failure
        time.sleep(1.1 * STATUS_S)  # so long it believes what it read before the last answer
        service.until(service.rests, "at rest")
        kept = [one for sender in senders for one in sender.kept]
        voided = [answer for sender in senders for answer in sender.voided]
        oracle = Oracle(service.ask, service.contract, parse_trust(service.ask("GET", "/v1/trust")[1]), time.time)
        anchors = oracle.check(kept, voided)
        return {
            **happened,
            "invoices": len(kept),
            "voids": len(voided),
            "retries": sum(sender.retries for sender in senders),
            "anchors": anchors,
            "incidents": json.loads(service.ask("GET", "/status")[1])["incidents"],
        }
