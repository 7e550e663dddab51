"""Unit tests reach nothing outside their process."""

import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_connections() -> Iterator[None]:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a unit test must not open a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket.socket, "bind", refuse)
        yield
