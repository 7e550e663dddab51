"""Many Ed25519 signatures (RFC 8032), made in a process of its own.

One takes as long as everything else that is computed for an entry, and no library makes many at once. A thread that did it would
fight for the interpreter's lock at each; a process leaves it to whoever prepares the next entries. It gets the key with every
question, knows nothing else, and ends with the one that started it.
"""

import atexit
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from struct import Struct
from typing import IO

from nacl.bindings import crypto_sign

from service.processes import command_of, end, start

SIGNATURE_BYTES = 64
TIMEOUT_S = 10.0
"""A batch of the largest size takes one."""
_COMMAND = command_of("service.ledger.signer")
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
            try:
                process = self._process = self._process or start(_COMMAND)
                answer = _ask(process, _QUESTION.pack(key, len(messages), len(messages[0])) + b"".join(messages), len(messages))
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
        if self._process is not None:
            end(self._process)
        self._process = None


def _ask(process: "subprocess.Popen[bytes]", question: bytes, count: int) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(TIMEOUT_S, process.kill)  # whoever asks holds the database's lock
    timer.start()
    try:
        process.stdin.write(question)
        process.stdin.flush()
        return process.stdout.read(SIGNATURE_BYTES * count)
    finally:
        timer.cancel()


SIGNER = Signer()
"""A process has one: it serves any key."""
atexit.register(SIGNER.close)


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
