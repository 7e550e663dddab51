"""Servers as they run, each on one core, and a bounded load from the other: so many connections, so many requests, nothing more."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI

from service import interpreter
from tests.benchmarks.ledger import CONTRACT, RECEIPT_KEY

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
CONNECTIONS = 16
_START_S, _ANSWER_S = 60.0, 30.0


class Server(NamedTuple):
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Processor time until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        """Resident memory at its highest."""
        said = Path(f"/proc/{self.pid}/status").read_text()
        return int(said.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def service(database_url: str, folder: Path, core: int | None, **settings: str) -> Iterator[Server]:
    """`zhengpiao serve` in production, one process."""
    with _started([*_COMMAND, "serve"], _environment(database_url, settings), folder, core) as server:
        yield server


@contextmanager
def worker(database_url: str, folder: Path, **settings: str) -> Iterator[Server]:
    """`zhengpiao worker`; it has no port."""
    environment = {**os.environ, **_environment(database_url, settings)}
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen([*_COMMAND, "worker"], env=environment, cwd=ROOT, stderr=log)
        try:
            yield Server(0, process.pid)
        finally:
            process.terminate()
            process.wait(_START_S)


_COMMAND = [sys.executable, "-c", "import sys; from service.cli import main; sys.exit(main())"]


def _environment(database_url: str, settings: dict[str, str]) -> dict[str, str]:
    return {
        "ZHENGPIAO_ENV": "production",
        "ZHENGPIAO_DATABASE_URL": database_url,
        "ZHENGPIAO_CONTRACT": CONTRACT,
        "ZHENGPIAO_RECEIPT_KEY": RECEIPT_KEY.hex(),
        "ZHENGPIAO_PUBLIC_URL": "https://registry.example",
        "ZHENGPIAO_ANONYMOUS_PER_MINUTE": "100000000",  # counted, and never reached
        "ZHENGPIAO_MAX_BACKLOG": "1000000000",
        **{f"ZHENGPIAO_{name.upper()}": value for name, value in settings.items()},
    }


@contextmanager
def hello_world(folder: Path, core: int | None) -> Iterator[Server]:
    """The same server with an application that answers `{"hello":"world"}` and does nothing else."""
    code = (
        "import sys, uvicorn\n"
        "uvicorn.run('tests.benchmarks.serving:hello', factory=True, port=int(sys.argv[2]), log_config=None,"
        " access_log=False, server_header=False)"
    )
    with _started([sys.executable, "-c", code], {}, folder, core) as server:
        yield server


def hello() -> FastAPI:
    """By the same framework: at /livez as the service's handlers are, a function; at /coroutine without the thread that takes.

    Made in the server's process.
    """
    app = FastAPI(openapi_url=None, telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/livez")
    def function() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/coroutine")
    async def coroutine() -> dict[str, str]:
        return {"hello": "world"}

    interpreter.settle()
    return app


@contextmanager
def _started(command: Sequence[str], environment: dict[str, str], folder: Path, core: int | None) -> Iterator[Server]:
    port = _free_port()
    with (folder / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", str(port)], env={**os.environ, **environment}, cwd=ROOT, stderr=log)
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            _wait_for(process, port, Path(log.name))
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(_START_S)


def _free_port() -> int:
    with asyncio.Runner() as runner:

        async def find() -> int:
            server = await asyncio.start_server(lambda *_: None, HOST, 0)
            port: int = server.sockets[0].getsockname()[1]
            server.close()
            return port

        return runner.run(find())


def _wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            send(port, [get("/livez")])
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()[-2000:]) from None
            time.sleep(0.05)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def post(path: str, body: bytes, media_type: str = "application/json", **headers: str) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class Load(NamedTuple):
    """What came of it: how long it took, and in seconds how long each request waited for its answer."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


def send(port: int, requests: Sequence[bytes], *, rate: float | None = None, connections: int = CONNECTIONS) -> Load:
    """Each request once; every answer must be 200.

    Without a `rate` each connection asks as soon as it was answered: the server is saturated. With one, requests are due at equal
    distances, and each waits from when it was due: a stall counts for all that should have been sent meanwhile.
    """
    with asyncio.Runner() as runner:
        return runner.run(_send(port, requests, rate, connections))


async def _send(port: int, requests: Sequence[bytes], rate: float | None, connections: int) -> Load:
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(_Connection, HOST, port) for _ in range(min(connections, len(requests)))]
    latencies: list[float] = []
    following = enumerate(requests)
    began = time.perf_counter()

    async def ask(connection: _Connection) -> None:
        for n, request in following:
            due = time.perf_counter()
            if rate is not None:
                due = began + n / rate
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
            async with asyncio.timeout(_ANSWER_S):
                status = await connection.ask(request)
            assert status == 200, status
            latencies.append(time.perf_counter() - due)

    try:
        await asyncio.gather(*(ask(connection) for _, connection in pairs))
        seconds = time.perf_counter() - began
    finally:
        for transport, _ in pairs:
            transport.close()
    return Load(seconds, latencies)


class _Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive, one request at a time; of an answer only the status is kept."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._expected = 0
        self._answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            head = self._received.find(b"\r\n\r\n")
            if head < 0:
                return
            _, _, rest = bytes(self._received[:head]).lower().partition(b"content-length:")
            self._expected = head + 4 + int(rest.partition(b"\r\n")[0])
        if len(self._received) >= self._expected and self._answered is not None:
            status = int(self._received[9:12])
            self._received.clear()
            self._expected = 0
            answered, self._answered = self._answered, None
            answered.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error or ConnectionError("closed"))
