"""The vectors that every implementation must agree with, as Python values."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from verifier.anchors import Anchors, parse_anchors
from verifier.question import Question

VECTORS = Path(__file__).parent / "vectors"
PROOFS = VECTORS / "proofs"


def vector(name: str) -> Any:
    """The content of a vector file, by its name without suffix."""
    return json.loads((VECTORS / f"{name}.json").read_bytes())


class ProofCase(NamedTuple):
    """A proof file, what it is checked against, what is asked, and the verdict that it must have."""

    file: str
    anchors_file: str
    question: Question | None
    verdict: str

    @property
    def data(self) -> bytes:
        return (PROOFS / self.file).read_bytes()

    @property
    def anchors(self) -> Anchors:
        return anchors(self.anchors_file)


def anchors(name: str = "anchors.json") -> Anchors:
    return parse_anchors((PROOFS / name).read_bytes(), name)


def proof_file(name: str) -> bytes:
    return (PROOFS / f"{name}.proof.json").read_bytes()


def proof_cases() -> list[ProofCase]:
    return [
        ProofCase(
            case["file"],
            case["anchors"],
            case["question"] and Question(case["question"]["number"], bytes.fromhex(case["question"]["commitment"])),
            case["verdict"],
        )
        for case in json.loads((PROOFS / "index.json").read_bytes())
    ]
