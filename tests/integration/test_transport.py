"""The HTTP client against servers that behave and servers that do not."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from verifier.errors import Unreachable
from verifier.transport import HttpClient, is_url, origin


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[object]
    seen: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).connections.add(self.client_address)
        type(self).seen.append((self.path, dict(self.headers), body))
        status, answer = 200, b"answer"
        match self.path:
            case "/redirect":
                status, answer = 302, b""
            case "/refuse":
                status, answer = 503, b"later"
            case "/large":
                answer = b"x" * 100_000
            case "/close":
                self.close_connection = True
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(answer)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Fresh", (Handler,), {"connections": set(), "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(timeout_s=30)
    yield client
    client.close()


def url(server: ThreadingHTTPServer, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_post(server: ThreadingHTTPServer, client: HttpClient) -> None:
    assert client(url(server, "/a/b?c=d"), b"body", 100) == (200, b"answer")
    [(path, headers, body)] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert (path, body, headers["Content-Type"]) == ("/a/b?c=d", b"body", "application/json")
    assert client(url(server, "/refuse"), b"", 100) == (503, b"later")


def test_connections_are_kept(server: ThreadingHTTPServer, client: HttpClient) -> None:
    for _ in range(5):
        client(url(server), b"", 100)
    assert len(server.RequestHandlerClass.connections) == 1  # type: ignore[attr-defined]
    client(url(server, "/close"), b"", 100)
    assert client(url(server), b"", 100).status == 200
    assert len(server.RequestHandlerClass.connections) == 2  # type: ignore[attr-defined]


def test_a_connection_that_was_closed_while_idle(client: HttpClient) -> None:
    """The other end may forget us at any time; the next request opens a new one."""

    def once(taken: socket.socket) -> None:
        read_request(taken)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        taken.close()

    with serving(once) as port:
        for _ in range(3):
            assert client(f"http://127.0.0.1:{port}/", b"", 100) == (200, b"ok")
            time.sleep(0.05)


def test_basic_authentication(server: ThreadingHTTPServer, client: HttpClient) -> None:
    client(f"http://user:p%40ss@127.0.0.1:{server.server_port}/", b"", 100)
    [(_, headers, _)] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert headers["Authorization"] == "Basic dXNlcjpwQHNz"


def test_no_redirect_is_followed(server: ThreadingHTTPServer, client: HttpClient) -> None:
    with pytest.raises(Unreachable, match="another address"):
        client(url(server, "/redirect"), b"", 100)


def test_too_long_an_answer(server: ThreadingHTTPServer, client: HttpClient) -> None:
    assert len(client(url(server, "/large"), b"", 100_000).body) == 100_000
    with pytest.raises(Unreachable, match="too long"):
        client(url(server, "/large"), b"", 99_999)


def test_nobody_listens(client: HttpClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="no connection"):
            client(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"", 100)
    with pytest.raises(Unreachable, match="no connection"):
        client("http://no-such-host.invalid/", b"", 100)


def read_request(taken: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += taken.recv(4096)


@contextmanager
def serving(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does with each connection whatever the test wants."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        taken: list[socket.socket] = []

        def serve(connection: socket.socket) -> None:
            with suppress(OSError):  # the client has had enough
                answer(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                taken.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
    for connection in taken:
        connection.close()


def drip(head: bytes) -> Callable[[socket.socket], None]:
    def dripping(taken: socket.socket) -> None:
        taken.sendall(head)
        for _ in range(2000):
            taken.sendall(b"x")
            time.sleep(0.05)

    return dripping


@pytest.mark.parametrize(
    "answer",
    [
        lambda taken: time.sleep(100),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"),
    ],
    ids=["silence", "slow header", "slow body", "slow chunk"],
)
def test_one_deadline_for_the_whole_answer(answer: Callable[[socket.socket], None]) -> None:
    """A byte now and then does not put it off."""
    client = HttpClient(timeout_s=0.4)
    started = time.monotonic()
    with serving(answer) as port, pytest.raises(Unreachable) as failure:
        client(f"http://127.0.0.1:{port}/", b"", 100_000)
    assert failure.value.timed_out
    assert time.monotonic() - started < 30, "each would have taken 100 s"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    ],
    ids=["nothing", "nonsense", "cut short", "no status", "headers without end"],
)
def test_answers_that_are_none(client: HttpClient, answer: bytes) -> None:
    def speak(taken: socket.socket) -> None:
        taken.sendall(answer)
        taken.shutdown(socket.SHUT_WR)

    with serving(speak) as port, pytest.raises(Unreachable):
        client(f"http://127.0.0.1:{port}/", b"", 100)


def test_a_certificate_that_nobody_vouches_for(client: HttpClient, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def speak(taken: socket.socket) -> None:
        context.wrap_socket(taken, server_side=True)

    with serving(speak) as port, pytest.raises(Unreachable, match="no secure connection"):
        client(f"https://localhost:{port}/", b"", 100)


def test_a_proxy(server: ThreadingHTTPServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address outside goes by the proxy that this machine names, one on this machine never does."""
    monkeypatch.setenv("http_proxy", f"http://user:word@127.0.0.1:{server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert client("http://node.example/path", b"", 100).status == 200
    [(path, headers, _)] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert path == "http://node.example/path"
    assert headers["Host"] == "node.example"
    assert headers["Proxy-Authorization"] == "Basic dXNlcjp3b3Jk"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client(url(server), b"", 100).status == 200
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(Unreachable, match="proxy"):
        client("http://node.example/path", b"", 100)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a.example", "http://a.example"),
        ("https://user:word@A.example:8443/v3/key?x=1#y", "https://a.example:8443"),
        ("http://[::1]:8545/x", "http://[::1]:8545"),
    ],
)
def test_origin(text: str, shown: str) -> None:
    assert is_url(text)
    assert origin(text) == shown


@pytest.mark.parametrize("text", ["", "a", "//a", "ftp://a", "file:///etc/passwd", "http://", "http://:80", "http://[::1"])
@pytest.mark.parametrize("end", ["", ":0", ":99999", ":b", " b", "\n", "发票"])
def test_no_url(text: str, end: str) -> None:
    assert not is_url(text + end)
    assert is_url("http://a" + end) == (end == "")


def test_json_in_and_out(server: ThreadingHTTPServer, client: HttpClient) -> None:
    client(url(server), json.dumps({"a": "发"}).encode(), 100)
    [(_, _, body)] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert json.loads(body) == {"a": "发"}
