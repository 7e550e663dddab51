"""What the proof core raises. Nothing else leaves it: a malformed file never leaks ValueError, a dead node is never "invalid"."""

from verifier.messages import Language, sentence


class VerifierError(Exception):
    """The family: catch this one at the boundary."""


class NotCanonical(VerifierError):
    """A value that has no canonical bytes: it is refused, never repaired.

    `pointer` (RFC 6901) leads to the offending place inside the value; `reason` is one of `REASONS`' keys.
    """

    REASONS = {
        "type": "only text, true, false, lists and objects are allowed",
        "depth": "more than 16 levels deep",
        "key": "a name must match [A-Za-z0-9_.-]{1,64} and not be __proto__",
        "character": "the text holds a character that is not allowed",
        "normal_form": "the text is not in Unicode normal form C",
        "surrogate": "the text holds half of a surrogate pair",
        "unassigned": "the text holds a code point that Unicode 14 does not assign",
        "size": "the sections are larger than 2 MiB together",
    }

    def __init__(self, reason: str, pointer: str) -> None:
        self.reason = reason
        self.pointer = pointer
        super().__init__(f"{pointer or '/'}: {self.REASONS[reason]}")


class Malformed(VerifierError):
    """Bytes that are no proof file, trust file, anchors file, entry or state.

    `reason` is a code of messages.py or a sentence, `pointer` (RFC 6901) leads to the place where one is known.
    """

    def __init__(self, reason: str, pointer: str = "", **details: object) -> None:
        self.reason = reason
        self.pointer = pointer
        self.details = details
        super().__init__(self.sentence("en"))

    def sentence(self, language: Language) -> str:
        return sentence(self.reason, {"pointer": self.pointer, **self.details}, language)


class OtherProtocol(VerifierError):
    """A well-formed file of another protocol: it is neither malformed nor forged, only unknown here."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        super().__init__(f"protocol {protocol[:64]!r}")


class NotAllowed(VerifierError):
    """An entry that the register's rules do not allow in its present state (protocol.md section 4)."""


class Unreachable(VerifierError):
    """Another machine gave no answer that can be read: it refused, said too much, led elsewhere, or (`timed_out`) was too slow."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        self.timed_out = timed_out
        super().__init__(reason)


class ChainUnavailable(VerifierError):
    """The chain could not be read, or its endpoints do not agree: nothing can be concluded from that.

    `reason` is a code of messages.py, `details` fill its sentence.
    """

    def __init__(self, reason: str, **details: object) -> None:
        self.reason = reason
        self.details = details
        super().__init__(sentence(reason, details, "en"))
