"""What the ten checks amount to: the table of protocol.md section 8, line by line."""

from collections.abc import Sequence

from verifier.commitment import copy_of
from verifier.proof import STATUS_NAMES, AbsenceProof, AnchoredProof, PendingProof, PresenceProof, Proof
from verifier.question import Question
from verifier.register import State
from verifier.report import Check

IN_TIME = "pending.in_time"
"""The code of check 6 where a pending file's deadline is not before F."""


def verdict_of(proof: Proof, checks: Sequence[Check], question: Question | None) -> str:
    """The verdict on a well-formed file: an earlier line outranks a later one."""
    results = [check.result for check in checks]
    _, trust, _, _, receipt, _, _, final, newest, current = results
    if "fail" in results[2:7]:
        return "forged"
    if trust == "fail" or "could_not_check" in results:
        return "undecided"
    if isinstance(proof, PendingProof):
        return "pending" if receipt == "pass" and checks[5].code == IN_TIME else "undecided"
    if final == "fail":
        return "pending"
    status = status_of(proof)
    if isinstance(proof, AnchoredProof):
        if current == "fail":
            return "replaced"
        if status in ("void", "reversed", "released"):
            return status
    if newest == "fail":
        return "stale"
    if isinstance(proof, AbsenceProof):
        return "absent"
    if isinstance(proof, PresenceProof):
        if _is_of_another_copy(proof, question):
            return "not_current"
        return "registered" if status is None or status == "valid" else status
    return "partly_reversed" if status == "partly_reversed" else "valid"


def status_of(proof: AnchoredProof | AbsenceProof | PresenceProof) -> str | None:
    """What the register says of the number; None where the state is not shown, or is from before the entry."""
    if isinstance(proof, AbsenceProof) or not isinstance(proof.state, State) or is_before_entry(proof):
        return None
    return STATUS_NAMES[proof.state.status]


def is_before_entry(proof: AnchoredProof | AbsenceProof | PresenceProof) -> bool:
    """A register from before the entry says nothing about it."""
    return isinstance(proof, AnchoredProof) and proof.register.seq < proof.inclusion.seq


def _is_of_another_copy(proof: PresenceProof, question: Question | None) -> bool:
    if question is None or question.commitment is None or not isinstance(proof.state, State):
        return False
    return copy_of(question.commitment) != proof.state.copy
