"""What a verifier may be asked about: the number and commitment that stand on a paper (protocol.md sections 8 and 9)."""

import re
from typing import NamedTuple

from verifier.commitment import commitment_from_text, commitment_to_text
from verifier.entry import NUMBER
from verifier.errors import Malformed

# No user, no query, no backslash: what a person takes for the host is the host.
_LINK = re.compile(r"(https?://[^/?#\\@\s\x00-\x1f]+)((?:/[^?#\\\s]*)?)/v#([^\s#]+)", re.IGNORECASE)


class Question(NamedTuple):
    """A number, and the commitment of one copy of it, or None where the number alone is asked about."""

    number: str
    commitment: bytes | None

    def to_text(self) -> str:
        """`N.C`, as it stands in a QR code behind the `#`; the number alone where there is no commitment."""
        return self.number if self.commitment is None else f"{self.number}.{commitment_to_text(self.commitment)}"


def parse_question(text: str) -> Question:
    """`N.C`, or the address in a QR code, `https://HOST/v#N.C`. Raises Malformed."""
    number, dot, commitment = text.rpartition("#")[2].rpartition(".")
    if not dot or not NUMBER.fullmatch(number):
        raise Malformed("form.question")
    return Question(number, commitment_from_text(commitment))


class Link(NamedTuple):
    """What the QR code of a copy says. `site` is all before `/v#`, its scheme and host in lower case."""

    site: str
    question: Question


def parse_link(text: str) -> Link:
    """`https://HOST/v#N.C` and nothing else (protocol.md section 9). Raises Malformed."""
    found = _LINK.fullmatch(text)
    if found is None:
        raise Malformed("form.question")
    return Link(found[1].lower() + found[2], parse_question(found[3]))
