"""Many Ed25519 signatures (RFC 8032), made in a process of its own.

One takes as long as everything else that is computed for an entry, and no library makes many at once. A thread that did it would
fight for the interpreter's lock at each; a process leaves it to whoever prepares the next entries. It gets the key with every
question, knows nothing else, and ends with the one that started it.
"""

import atexit
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from struct import Struct
from typing import IO

from nacl.bindings import crypto_sign

SIGNATURE_BYTES = 64
_QUESTION = Struct(">64sII")
"""Secret key as libsodium has it, count of messages, bytes of each; the messages follow."""


class SignerGone(Exception):
    """The process has ended, and signed nothing."""


class Signer:
    """For the threads of one process, who wait for one another. The other process is started with the first question."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def sign(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """A signature for each of `messages`, which are of equal length. `key` has 64 bytes. Raises SignerGone; ask again."""
        with self._turn:
            process = self._process = self._process or _start()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(_QUESTION.pack(key, len(messages), len(messages[0])) + b"".join(messages))
                process.stdin.flush()
                answer = process.stdout.read(SIGNATURE_BYTES * len(messages))
            except OSError:
                answer = b""
            if len(answer) < SIGNATURE_BYTES * len(messages):
                self._end()
                raise SignerGone
        return _parts(answer, SIGNATURE_BYTES)

    def close(self) -> None:
        """End the process, if there is one."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        process.wait()


SIGNER = Signer()
"""A process has one: it serves any key."""
atexit.register(SIGNER.close)


def _start() -> "subprocess.Popen[bytes]":
    # No variable of ours: the environment has secrets.
    command = [sys.executable, "-I", "-m", "service.ledger.signer"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"LC_ALL": "C.UTF-8"}, cwd="/")


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def main(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until there are no more questions."""
    while len(head := questions.read(_QUESTION.size)) == _QUESTION.size:
        key, count, size = _QUESTION.unpack(head)
        messages = _parts(questions.read(count * size), size)
        if len(messages) == count:
            answers.write(b"".join([crypto_sign(message, key)[:SIGNATURE_BYTES] for message in messages]))
            answers.flush()


if __name__ == "__main__":
    # Whoever stops a group of processes stops this one too, while the one that asks still has answers to give.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    main(sys.stdin.buffer, sys.stdout.buffer)
