"""POST to a machine that somebody else named: to an address that was looked at, within a time, and without following anywhere."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import SplitResult

from service.deliveries.addresses import HTTPS_PORT, Resolver, resolve
from service.deliveries.outcomes import Failed
from verifier.transport import Deadline, response_within

TIMEOUT_S = 15.0
MAX_ANSWER = 64 * 1024
"""Read at most: the status is all that counts, and the connection is closed after it."""
_TRIED = 3
"""Addresses of one name."""
_AGENT = "zhengpiao-deliveries/1"


class Answer(NamedTuple):
    """`retry_after_s` is 0 where the other side did not ask for a pause."""

    status: int
    retry_after_s: int


def post(
    target: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    *,
    anywhere: bool = False,
    resolver: Resolver = socket.getaddrinfo,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """What it answers, if anything: 3xx too, which is not followed. `target` is what addresses.check_url gave. No proxy is used.

    Raises Failed: name_unknown, address_not_public, unreachable, not_secure, timed_out.
    """
    host, port = target.hostname or "", target.port or (HTTPS_PORT if target.scheme == "https" else 80)
    addresses = resolve(host, port, resolver, anywhere=anywhere)
    deadline = Deadline(time.monotonic, time.monotonic() + timeout_s)
    failure = Failed("unreachable")
    for address in addresses[:_TRIED]:
        try:
            return _post(target, host, address, port, body, headers, deadline)
        except TimeoutError:
            raise Failed("timed_out") from None
        except ssl.SSLError:
            raise Failed("not_secure") from None
        except ConnectionRefusedError:
            continue
        except (OSError, http.client.HTTPException, ValueError):
            failure = Failed("unreachable")
    raise failure


def _post(
    target: SplitResult, host: str, address: str, port: int, body: bytes, headers: Mapping[str, str], deadline: Deadline
) -> Answer:
    sock = socket.create_connection((address, port), timeout=deadline.left())
    connection = http.client.HTTPConnection(host, port)  # for its words alone: the socket is ours
    try:
        if target.scheme == "https":
            sock.settimeout(deadline.left())
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection.sock = sock
        connection.response_class = partial(response_within, deadline)  # type: ignore[assignment] # called like the class
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        named = host if ":" not in host else f"[{host}]"
        with_port = named if target.port is None else f"{named}:{target.port}"
        sock.settimeout(deadline.left())
        connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": with_port, "User-Agent": _AGENT, "Content-Length": str(len(body)), "Connection": "close", **headers}
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        response.read(MAX_ANSWER)
        return Answer(response.status, _seconds(response.getheader("Retry-After")))
    finally:
        connection.close()
        sock.close()


def _seconds(text: str | None) -> int:
    """Of a Retry-After in seconds; a date, or nonsense, counts as none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0
