"""`Idempotency-Key`: which write a request is, and whether the same one is under way (api.md, "Conventions")."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from fastapi import Request

from service.errors import Refused
from service.invoices.idempotency import Attempt

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def attempt_of(request: Request, owner: str, body: bytes, part: int = 0) -> Attempt | None:
    """The write that a request names, of the API key `owner`; None where it names none. Raises Refused for what cannot be a key.

    Method, path and query belong to what was asked, as the body does.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Refused("idempotency_key_invalid")
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Attempt(owner, key, sha256(asked + body).digest(), part)


class Running:
    """The writes under way in this process. Two processes that get the same one wait for each other in the database instead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, attempt: Attempt | None) -> Iterator[None]:
        """Raises Refused("idempotency_running") where the same key is held already."""
        if attempt is None:
            yield
            return
        name = (attempt.owner, attempt.key)
        with self._lock:
            if name in self._running:
                raise Refused("idempotency_running")
            self._running.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(name)
