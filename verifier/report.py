"""What a verification found: ten named checks, one verdict, one exit status (protocol.md section 8)."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from verifier.chain import Block, Origin
from verifier.commitment import SECTIONS
from verifier.messages import Language, sentence
from verifier.proof import AnchoredProof, Opened, PendingProof, Proof

Result = Literal["pass", "fail", "could_not_check", "not_applicable"]
CHECKS = ("form", "trust", "content", "entry", "receipt", "inclusion", "register", "final", "newest", "current")
"""The names in the order of their numbers, from 1."""

EXIT_STATUS: Mapping[str, int] = {
    "malformed": 65,
    "forged": 1,
    "undecided": 2,
    "pending": 2,
    "replaced": 1,
    "void": 1,
    "reversed": 1,
    "released": 1,
    "stale": 2,
    "partly_reversed": 3,
    "valid": 0,
    "absent": 1,
    "not_current": 1,
    "registered": 3,
}
"""Of each verdict."""


def exit_status(verdicts: Iterable[str]) -> int:
    """Of several files together: 1 if any, else 65, else 2, else 3, else 0."""
    found = {EXIT_STATUS[verdict] for verdict in verdicts}
    return next((status for status in (1, 65, 2, 3) if status in found), 0)


class Check(NamedTuple):
    """`code` is one of messages.py, whose sentence `params` fill."""

    name: str
    result: Result
    code: str
    params: Mapping[str, object] = MappingProxyType({})

    def detail(self, language: Language) -> str:
        return sentence(self.code, self.params, language)


class AsOf(NamedTuple):
    """The anchor that a status is of; `time` in seconds since 1970 UTC."""

    seq: int
    time: int


class Report(NamedTuple):
    """`status` (of the number, in the register) and `as_of` are None where nothing about them is proven.

    `anchored_at` and `changed_at`: when the entry, and the one that made the state, were anchored, in seconds since 1970 UTC; None
    where that was not read.
    """

    file: str | None
    verdict: str
    checks: Sequence[Check]
    proof: Proof | None = None
    status: str | None = None
    as_of: AsOf | None = None
    origin: Origin | None = None
    block: Block | None = None
    anchored_at: int | None = None
    changed_at: int | None = None

    @property
    def number(self) -> str | None:
        return self.proof and self.proof.number

    @property
    def disclosed(self) -> list[str]:
        """The sections that are open."""
        if not isinstance(self.proof, AnchoredProof | PendingProof):
            return []
        return [name for name, section in zip(SECTIONS, self.proof.sections, strict=True) if isinstance(section, Opened)]

    @property
    def exit_status(self) -> int:
        return EXIT_STATUS[self.verdict]

    def check(self, name: str) -> Check:
        return self.checks[CHECKS.index(name)]

    def to_dict(self, language: Language = "zh") -> dict[str, object]:
        """As every implementation writes it."""
        origin = self.origin
        return {
            "file": self.file,
            "verdict": self.verdict,
            "number": self.number,
            "disclosed": self.disclosed,
            "status": self.status,
            "as_of": self.as_of and {"seq": self.as_of.seq, "time": self.as_of.time},
            "source": origin and {"kind": origin.kind, "endpoints": list(origin.endpoints), "block": _block(self.block)},
            "checks": [{"name": check.name, "result": check.result, "detail": check.detail(language)} for check in self.checks],
        }


def _block(block: Block | None) -> dict[str, object] | None:
    if block is None or block.hash is None:
        return None
    return {"number": block.number, "hash": "0x" + block.hash.hex(), "time": block.time}
