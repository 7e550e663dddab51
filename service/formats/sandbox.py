"""Reading PDFs and pictures that anybody may have sent, each in a process of its own that may crash (see sandboxed.py).

A process reads one file and ends. The next one is started beforehand: what costs time is loading the libraries.
"""

import contextlib
import subprocess
import threading
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

import orjson

from service.errors import Unavailable
from service.processes import command_of, end, start
from verifier.carried import Carried
from verifier.errors import Malformed
from verifier.proof import MAX_BYTES

MAX_AT_ONCE = 2
TIMEOUT_S = 15.0
WAIT_S = 5.0
_MAX_ANSWER = 8 * MAX_BYTES * 4 // 3 + 1024 * 1024
_COMMAND = command_of("service.formats.sandboxed")
_TOO_COSTLY = "carried.too_costly"

T = TypeVar("T")


class Sandbox:
    """For the threads of one process. Nothing is started before the first file. `command` is another program than sandboxed.py."""

    def __init__(self, timeout_s: float = TIMEOUT_S, command: Sequence[str] | None = None) -> None:
        self._timeout_s = timeout_s
        self._command = command
        self._places = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._ready: deque[subprocess.Popen[bytes]] = deque()
        self._is_closed = False

    def read(self, data: bytes) -> Carried:
        """What a PDF or a picture carries. Raises Malformed, and Unavailable("busy_reading") where too many are read already."""
        return self.run(data, lambda answer: _carried(answer.read(_MAX_ANSWER)))

    def run(self, data: bytes, receive: Callable[[IO[bytes]], T]) -> T:
        """Give `data` to a process and have `receive` read what it answers, before the time is over: then the answer just ends."""
        if not self._places.acquire(timeout=WAIT_S):
            raise Unavailable("busy_reading", 2)
        try:
            worker = self._take()
            try:
                return self._ask(worker, data, receive)
            finally:
                end(worker)
        finally:
            self._places.release()

    def close(self) -> None:
        """End the processes that wait for a file."""
        self._is_closed = True
        while self._ready:
            end(self._ready.popleft())

    def _take(self) -> "subprocess.Popen[bytes]":
        try:
            worker = self._ready.popleft()
        except IndexError:
            worker = start(self._command or _COMMAND)
        if not self._is_closed and len(self._ready) < MAX_AT_ONCE:
            self._ready.append(start(self._command or _COMMAND))
        return worker

    def _ask(self, worker: "subprocess.Popen[bytes]", data: bytes, receive: Callable[[IO[bytes]], T]) -> T:
        assert worker.stdin is not None
        assert worker.stdout is not None
        timer = threading.Timer(self._timeout_s, worker.kill)
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended: its answer, if any, says why
                worker.stdin.write(data)
                worker.stdin.close()
            return receive(worker.stdout)
        finally:
            timer.cancel()


def _carried(answer: bytes) -> Carried:
    """It may be the answer of a process that a file has taken over: no more is believed than what a file may say anyway."""
    try:
        said: dict[str, Any] = orjson.loads(answer)
        if "error" in said:
            raise Malformed(str(said["error"]), **{str(name): value for name, value in said["details"].items()})
        proofs = tuple(b64decode(proof, validate=True) for proof in said["proofs"])
        codes = None if said["codes"] is None else tuple(str(code) for code in said["codes"])
        return Carried("pdf" if said["kind"] == "pdf" else "picture", proofs, codes, int(said["pages"]), int(said["of"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed(_TOO_COSTLY) from None
