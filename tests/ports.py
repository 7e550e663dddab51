"""Ports that are known before anybody listens at them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def hold(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A free port, or that one, kept for as long as this socket is open: the system gives it to nobody else meanwhile.

    It is bound and does not listen, so that connections are refused; with SO_REUSEADDR on both sides a server that is told of the
    port may listen there all the same. A port that is let go before its server begins may have been taken by then.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, port))
    return held


@contextmanager
def held_port() -> Iterator[int]:
    """On this machine, until the block ends."""
    with hold() as held:
        yield held.getsockname()[1]
