"""POST of JSON to another machine: one deadline for the whole answer, a limit to its size, no redirect."""

import http.client
import io
import re
import socket
import ssl
import time
import weakref
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from verifier.errors import Unreachable

TIMEOUT_S = 10.0
_PRINTABLE = re.compile(r"[!-~]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Answer(NamedTuple):
    status: int
    body: bytes


class Post(Protocol):
    """What chain.py and retrieve.py need of a network. `url` is one by is_url. Raises Unreachable."""

    def __call__(self, url: str, body: bytes, max_bytes: int) -> Answer: ...


class HttpClient:
    """Keeps connections open between requests; for any number of threads. `timeout_s` is for a request with its whole answer."""

    def __init__(self, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        weakref.finalize(self, _close, self._idle)

    def __call__(self, url: str, body: bytes, max_bytes: int) -> Answer:
        target = urlsplit(url)
        idle = self._idle.setdefault(f"{target.scheme}://{target.netloc}", [])
        deadline = Deadline(self._clock, self._clock() + self._timeout_s)
        try:
            try:
                return self._ask(idle.pop(), target, body, max_bytes, deadline, idle)
            except IndexError:
                pass  # none is open
            except (ConnectionError, http.client.BadStatusLine):
                pass  # closed at the other end while idle; what is asked here changes nothing, and may be asked again
            return self._ask(_connection(target, deadline), target, body, max_bytes, deadline, idle)
        except TimeoutError:
            raise Unreachable("no answer in time", timed_out=True) from None
        except ssl.SSLError:
            raise Unreachable("no secure connection") from None
        except (OSError, http.client.HTTPException):
            raise Unreachable("no connection") from None

    def close(self) -> None:
        """Close the connections that are open for the next request."""
        _close(self._idle)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        target: SplitResult,
        body: bytes,
        max_bytes: int,
        deadline: "Deadline",
        idle: list[http.client.HTTPConnection],
    ) -> Answer:
        try:
            connection.timeout = deadline.left()
            if connection.sock:
                connection.sock.settimeout(connection.timeout)
            connection.response_class = partial(response_within, deadline)  # type: ignore[assignment] # called like the class
            connection.request("POST", _request_target(connection, target), body, _headers(target))
            response = connection.getresponse()
            if 300 <= response.status < 400:
                raise Unreachable("it leads to another address")
            answer = Answer(response.status, response.read(max_bytes + 1))
            if len(answer.body) > max_bytes:
                raise Unreachable("too long an answer")
            if response.length:
                raise Unreachable("an answer that breaks off")
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            idle.append(connection)
        return answer


def _close(idle: dict[str, list[http.client.HTTPConnection]]) -> None:
    for connections in idle.values():
        while connections:
            connections.pop().close()


class Deadline(NamedTuple):
    """`at` is when it is over, by `clock`."""

    clock: Callable[[], float]
    at: float

    def left(self) -> float:
        """Seconds. Raises TimeoutError where it is over."""
        left = self.at - self.clock()
        if left <= 0:
            raise TimeoutError
        return left


class _TimedSocket(io.RawIOBase):
    """A socket's time-out is for one read; a peer that sends a byte now and then would never meet it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._file = sock.makefile("rb", buffering=0)  # holds the socket open when the connection lets go of it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left())
        read: int | None = self._file.readinto(buffer)
        return read

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        self._file.close()
        super().close()


def response_within(deadline: Deadline, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
    """For `HTTPConnection.response_class`: an answer that is read until the deadline and no longer."""
    return http.client.HTTPResponse(_TimedSocket(sock, deadline), *args, **kwargs)  # type: ignore[arg-type] # asks for makefile only


def is_url(url: str) -> bool:
    """Whether it is http or https and names a host."""
    try:
        target = urlsplit(url)
        is_complete = target.scheme in ("http", "https") and bool(target.hostname) and target.port != 0
    except ValueError:
        return False
    return is_complete and _PRINTABLE.fullmatch(url) is not None


def origin(url: str) -> str:
    """How a URL is shown: path, query and user may hold a secret."""
    target = urlsplit(url)
    host = f"[{target.hostname}]" if ":" in (target.hostname or "") else target.hostname
    return f"{target.scheme}://{host}" + (f":{target.port}" if target.port else "")


def _connection(target: SplitResult, deadline: Deadline) -> http.client.HTTPConnection:
    host = target.hostname or ""
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    proxy = _proxy(target)
    if proxy is None:
        return kind(host, target.port, timeout=deadline.left())
    connection = kind(proxy.hostname or "", proxy.port, timeout=deadline.left())
    if target.scheme == "https":
        connection.set_tunnel(host, target.port, _proxy_headers(proxy))
    return connection


def _proxy(target: SplitResult) -> SplitResult | None:
    host = target.hostname or ""
    proxy = getproxies().get(target.scheme)
    if not proxy or host in _LOOPBACK or proxy_bypass(host):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not is_url(proxy):
        raise Unreachable("the proxy that this machine names is not an http one")
    return urlsplit(proxy)


def _request_target(connection: http.client.HTTPConnection, target: SplitResult) -> str:
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    through_proxy = target.scheme == "http" and connection.host != target.hostname
    return f"http://{target.netloc.rpartition('@')[2]}{path}" if through_proxy else path


def _headers(target: SplitResult) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json, */*;q=0.5", "User-Agent": "zhengpiao-verify"}
    if target.username is not None:
        headers["Authorization"] = _basic(target)
    proxy = _proxy(target)
    return {**headers, **_proxy_headers(proxy)} if proxy and target.scheme == "http" else headers


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    return {"Proxy-Authorization": _basic(proxy)} if proxy.username is not None else {}


def _basic(target: SplitResult) -> str:
    user = f"{unquote(target.username or '')}:{unquote(target.password or '')}"
    return "Basic " + b64encode(user.encode()).decode()
