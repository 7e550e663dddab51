"""A JSON-RPC endpoint between a service and its node that tells the truth until a test makes it lie."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from eth_utils.crypto import keccak

Call = dict[str, Any]
Ask = Callable[..., Any]
"""ask(method, *params): what the node really answers, the whole answer with `result` or `error`."""
Lie = Callable[[Call, Ask], Any]
"""Makes the answer, with `result` or `error`, to a call."""

SEND = "eth_sendRawTransaction"


class LyingProxy:
    """Passes everything on to `node`, which may be changed, but for what one of its methods says.

    Every method that makes it lie holds until `tell_truth()`.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.tell_truth()
        self.asked: list[str] = []
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def tell_truth(self) -> None:
        self._is_down = False
        self._delay_s = 0.0
        self._body: bytes | None = None
        self._status = 200
        self._lies: dict[str, Lie] = {}

    def go_down(self) -> None:
        """Hang up on every request."""
        self._is_down = True

    def be_slow(self, seconds: float) -> None:
        self._delay_s = seconds

    def say(self, body: bytes, status: int = 200) -> None:
        """Answer every request with these bytes."""
        self._body, self._status = body, status

    def lie(self, method: str, lie: Lie) -> None:
        self._lies[method] = lie

    def answer(self, method: str, result: object) -> None:
        """Always the same result."""
        self.lie(method, lambda call, ask: {"result": result})

    def refuse(self, method: str, message: str) -> None:
        """Always an error."""
        self.lie(method, lambda call, ask: {"error": {"code": -32000, "message": message}})

    def swallow(self) -> None:
        """Take transactions, and give them to nobody."""
        self.lie(SEND, lambda call, ask: {"result": "0x" + keccak(bytes.fromhex(call["params"][0][2:])).hex()})

    def freeze(self) -> None:
        """Know of no block that comes after now."""
        latest, final = (_ask(self.node, "eth_getBlockByNumber", tag, False)["result"] for tag in ("latest", "finalized"))

        def block(call: Call, ask: Ask) -> Any:
            tag = call["params"][0]
            if tag in ("latest", "finalized"):
                return {"result": latest if tag == "latest" else final}
            if int(tag, 16) > int(latest["number"], 16):
                return {"result": None}
            return ask(call["method"], *call["params"])

        self.lie("eth_getBlockByNumber", block)
        self.refuse(SEND, "not now")
        self.answer("eth_getTransactionByHash", None)

    def answers(self, request: Any) -> Any:
        """The answer to a request: to one call, or to a list of them."""
        calls: list[Call] = request if isinstance(request, list) else [request]
        self.asked += [call["method"] for call in calls]
        told = {n: self._lies[call["method"]] for n, call in enumerate(calls) if call["method"] in self._lies}
        true = [call for n, call in enumerate(calls) if n not in told]
        passed = iter(_post(self.node, true)) if true else iter(())
        made = []
        for n, call in enumerate(calls):
            answer = dict(told[n](call, lambda *asked: _ask(self.node, *asked))) if n in told else next(passed)
            made.append({"jsonrpc": "2.0", **answer, "id": call["id"]})
        return made if isinstance(request, list) else made[0]


class _Server(ThreadingHTTPServer):
    proxy: LyingProxy
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        proxy = self.server.proxy
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if not sent.endswith((b"]", b"}")):  # whoever asked was killed
            self.close_connection = True
            return
        request = json.loads(sent)
        time.sleep(proxy._delay_s)
        if proxy._is_down:
            self.close_connection = True
            return
        body = proxy._body
        if body is None:
            try:
                body = json.dumps(proxy.answers(request)).encode()
            except OSError:  # the node itself is down
                self.close_connection = True
                return
        self.send_response(proxy._status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked has lost patience
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing: a test says itself what it saw."""


def _ask(node: str, method: str, *params: object) -> Any:
    return _post(node, [{"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)}])[0]


def _post(node: str, calls: list[Call]) -> list[Any]:
    """In the order of the calls, which Anvil keeps."""
    target = urlsplit(node)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
    try:
        connection.request("POST", "/", json.dumps(calls), {"Content-Type": "application/json"})
        answers: list[Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answers


@contextmanager
def lying_proxy(node: str) -> Iterator[LyingProxy]:
    proxy = LyingProxy(node)
    try:
        yield proxy
    finally:
        proxy.close()
