"""Many Ed25519 signatures (RFC 8032), made in a process of its own.

One takes as long as everything else that is computed for an entry, and no library makes many at once. A thread that did it would
fight for the interpreter's lock at each; a process leaves it to whoever prepares the next entries. It gets the key with every
question, knows nothing else, and ends with the one that started it.
"""

import atexit
from collections.abc import Sequence
from struct import Struct

from nacl.bindings import crypto_sign

from service.processes import Gone, Helper, serve

SIGNATURE_BYTES = 64
TIMEOUT_S = 10.0
"""A batch of the largest size takes one; sealing and importing hold the database's lock meanwhile."""
_HEAD = Struct(">64sI")
"""Secret key as libsodium has it, bytes of each message; the messages follow."""


class Signer(Helper):
    """For the threads of one process, who wait for one another."""

    def __init__(self) -> None:
        super().__init__("service.ledger.signer", TIMEOUT_S)

    def sign(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """A signature for each of `messages`, which are of equal length. `key` has 64 bytes. Raises Gone; ask again."""
        answer = self.ask(_HEAD.pack(key, len(messages[0])) + b"".join(messages))
        if len(answer) != SIGNATURE_BYTES * len(messages):
            raise Gone
        return _parts(answer, SIGNATURE_BYTES)


SIGNER = Signer()
"""A process has one: it serves any key."""
atexit.register(SIGNER.close)


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _answer(question: bytes) -> bytes:
    key, size = _HEAD.unpack_from(question)
    return b"".join([crypto_sign(message, key)[:SIGNATURE_BYTES] for message in _parts(question[_HEAD.size :], size)])


if __name__ == "__main__":
    serve(_answer)
