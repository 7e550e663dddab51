"""A courier beside an inbox, for tests: what was queued, sent by hand, step by step, at whatever time a test wants it to be."""

import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripts.tour.inbox import Inbox, Servers
from service.db import Database
from service.deliveries import endpoints, queue
from service.deliveries.courier import Courier, Rules
from service.deliveries.endpoints import Order
from service.deliveries.events import Role
from service.deliveries.mail import Mailer, mailbox
from service.deliveries.queue import Channel, Filter, Wanted
from service.deliveries.sms import SmsProvider
from service.deliveries.webhooks import Sender, Webhooks
from service.vault import Vault

DATA_KEY = bytes(range(32))
VAULT = Vault({1: DATA_KEY})
SMS_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
MAIL = {"to": "zhang@example.cn", "subject": "补打申请 R1", "text": "正文\n.点\n", "html": "<p>正文</p>", "language": "zh"}
SMS = {
    "to": "13812345678",
    "template": "reprint_cancel",
    "language": "zh",
    "parameters": {"case": "R1", "link": "https://x.example"},
}


class Post:
    """A database with a queue, an inbox, and a courier whose clock a test can set forward (`later`, in seconds)."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.database = Database(url, pool_size=6)
        self.inbox = Inbox(folder)
        self.servers = Servers(self.inbox, sms_secret=SMS_SECRET)
        self.later = 0.0
        self._clock: Callable[[], float] = time.time
        self.courier = self.new_courier()

    def close(self) -> None:
        self.servers.close()
        self.database.close()

    def stand_still(self) -> None:
        """From now on `later` alone moves the clock: nothing becomes due for the time that a test takes."""
        at = time.time()
        self._clock = lambda: at

    def now(self) -> float:
        return self._clock() + self.later

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def senders(self) -> dict[Channel, Sender]:
        box = mailbox(self.servers.smtp_url, "证票 <no-reply@registry.example>", must_encrypt=False)
        webhooks = Webhooks(self.database, VAULT, anywhere=True, timeout_s=20)
        return {"email": Mailer(box), "sms": SmsProvider(f"{self.servers.url}/sms", SMS_SECRET), "webhook": webhooks}

    def new_courier(self, vault: Vault = VAULT, senders: dict[Channel, Sender] | None = None, **rules: Any) -> Courier:
        return Courier(self.database, vault, senders or self.senders(), Rules(**rules), self.now, lambda: 0.5)

    def put(self, channel: Channel = "email", message: dict[str, Any] | None = None, **options: Any) -> str:
        texts: dict[Channel, dict[str, Any]] = {
            "email": {**MAIL, "unsubscribe": None},
            "sms": SMS,
            "webhook": {"body": '{"type":"x"}'},
        }
        said = message or texts[channel]
        with self.database.write() as connection:
            return queue.enqueue(connection, Wanted(channel, "test", "R1", said, **options), VAULT, self.now_ms())

    def endpoint(self, path: str = "/webhooks/a", *, role: Role = "operator", events: tuple[str, ...] = (), **order: Any) -> Any:
        """A row and its secret."""
        wanted = events or {"operator": ("incident.recorded",), "auditor": ("finding.opened",)}.get(role, ("reprint.*",))
        url = path if "://" in path else self.servers.url + path
        made = {"owner": "k", "sellers": None, **order}
        with self.database.write() as connection:
            return endpoints.create(connection, Order(role=role, url=url, events=wanted, **made), VAULT, self.now_ms())

    def row(self, uid: str | None = None) -> Any:
        """Of a delivery; the newest where none is named."""
        with self.database.read() as connection:
            rows = queue.listed(connection, Filter(), 200)
        return rows[0] if uid is None else next(row for row in rows if row.uid == uid)

    def rows(self) -> list[Any]:
        with self.database.read() as connection:
            return queue.listed(connection, Filter(), 1000)

    def find_endpoint(self, id_: str) -> Any:
        with self.database.read() as connection:
            return endpoints.find(connection, id_)

    def work(self, *channels: Channel) -> int:
        """Send everything that is due. Returns how much that was."""
        count = 0
        for channel in channels or ("email", "sms", "webhook"):
            while self.courier.step(channel):
                count += 1
        return count


@dataclass
class Receiver:
    """An HTTP server that says what a test wants: `answer` gets path, headers and body, and gives a status and headers."""

    answer: Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str]]] = lambda *_: (204, {})
    tls: ssl.SSLContext | None = None
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> "Receiver":
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append((self.path, headers, body))
                status, more = receiver.answer(self.path, headers, body)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # whoever hangs up is part of the test
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def post_office(url: str, folder: Path) -> Iterator[Post]:
    post = Post(url, folder)
    try:
        yield post
    finally:
        post.close()


_PROGRAM = """
import sys, time
from service.db import Database
from service.deliveries.courier import Courier, Rules
from service.deliveries.mail import Mailer, mailbox
from service.deliveries.sms import SmsProvider
from service.deliveries.webhooks import Webhooks
from service.vault import Vault
url, key, smtp_url, sms_url, sms_secret, channel, count = sys.argv[1:]
database, vault = Database(url, pool_size=4), Vault({1: bytes.fromhex(key)})
senders = {
    "email": Mailer(mailbox(smtp_url, "no-reply@registry.example", must_encrypt=False)),
    "sms": SmsProvider(sms_url, sms_secret),
    "webhook": Webhooks(database, vault, anywhere=True),
}
courier = Courier(database, vault, senders, Rules())
print("ready", flush=True)
sys.stdin.readline()
idle = 0
while idle < int(count):
    if courier.step(channel):
        idle = 0
    else:
        idle += 1
        time.sleep(0.02)
"""


def start_courier(post: Post, channel: Channel, idle: int = 50) -> "subprocess.Popen[bytes]":
    """A courier in a process of its own, which begins when it is told to, and ends when nothing was due `idle` times."""
    arguments = [post.url, DATA_KEY.hex(), post.servers.smtp_url, f"{post.servers.url}/sms", SMS_SECRET, channel, str(idle)]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def begin(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def end(process: "subprocess.Popen[bytes]") -> None:
    """However it stands with it."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def killing(process: "subprocess.Popen[bytes]") -> Callable[[dict[str, Any]], None]:
    """For an inbox: whoever hands something over dies of it, before it could learn that it arrived."""

    def on_arrival(_: dict[str, Any]) -> None:
        process.kill()
        process.wait()

    return on_arrival
