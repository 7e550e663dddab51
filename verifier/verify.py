"""The recipe of protocol.md section 8, with its numbers.

 (1) form       the file is well formed
 (2) trust      its chain and contract are among those given
 (3) content    the sections lead to the commitment, that to the entry's copy, the number to its key; and they answer the question
 (4) entry      it issues or reprints, and an open provenance says the same
 (5) receipt    its signature
 (6) inclusion  the path leads to the log root that the contract holds
 (7) register   the path leads to the register root that the contract holds, and the state fits the entry
 (8) final      the contract holds both anchors at F
 (9) newest     the register root is that of head, or was until just now
(10) current    the state's copy is this one

Each check ends as pass, fail, could not check or not applicable, whatever the others do; the verdict is read off them at the end.
No exception, time-out or refusal ever turns into a verdict that accuses or acquits.
"""

from collections.abc import Sequence

from verifier.chain import Anchor, Block, ChainReader, Origin, Reading, replaced_at
from verifier.commitment import SECTIONS, Commitment, commitment_of, copy_of, section_leaf
from verifier.entry import NUMBER, ZERO, Kind, number_key
from verifier.errors import ChainUnavailable, Malformed, OtherProtocol
from verifier.merkle import leaf_hash, root_from_path
from verifier.proof import (
    KIND_NAMES,
    STATUS_NAMES,
    AbsenceProof,
    AnchoredProof,
    Opened,
    PendingProof,
    PresenceProof,
    Proof,
    Section,
    parse_proof,
)
from verifier.question import Question
from verifier.receipt import is_signed, receipt_message
from verifier.register import State, Status, root_from_absence, root_from_presence
from verifier.report import CHECKS, AsOf, Check, Report
from verifier.strict_json import shortened
from verifier.verdict import IN_TIME, is_before_entry, status_of, verdict_of

Held = Anchor | ChainUnavailable | None
"""What is known of a seq; None: the contract never will hold it."""


def verify(data: bytes, readers: Sequence[ChainReader], question: Question | None = None, *, file: str | None = None) -> Report:
    """Check a proof file against what the verifier trusts, one reader for each contract. `file` is its name in the report."""
    # (1)
    try:
        proof = parse_proof(data)
    except OtherProtocol as other:
        return unread(Check("form", "could_not_check", "form.other_protocol", {"protocol": shortened(other.protocol)}), file)
    except Malformed as error:
        return unread(Check("form", "fail", error.reason, {"pointer": error.pointer, **error.details}), file)
    return verify_proof(proof, readers, question, file=file)


def unread(form: Check, file: str | None = None) -> Report:
    """The report where there is no proof file, for the reason that `form` gives."""
    checks = (form, *(Check(name, "not_applicable", "skipped.form") for name in CHECKS[1:]))
    return Report(file, "malformed" if form.result == "fail" else "undecided", checks)


def verify_proof(
    proof: Proof, readers: Sequence[ChainReader], question: Question | None = None, *, file: str | None = None
) -> Report:
    """The same for a file that is parsed already."""
    reader = next((reader for reader in readers if reader.chain == proof.chain), None)
    checks = [
        _FORM[type(proof)],
        _check_trust(proof, reader),  # (2)
        _check_content(proof, question),  # (3)
        _check_entry(proof),  # (4)
    ]
    if reader is None:
        checks += _UNTRUSTED
        return Report(file, verdict_of(proof, checks, question), checks, proof)
    checks.append(_check_receipt(proof, reader))  # (5)
    if isinstance(proof, PendingProof):
        block, promise = _promise(proof, reader)
        checks += (promise, *_WHILE_PENDING)
        return Report(file, verdict_of(proof, checks, question), checks, proof, origin=reader.origin, block=block)
    reading, inclusion, register = _look_up(proof, reader)
    checks += (
        _check_inclusion(proof, inclusion),  # (6)
        _check_register(proof, register),  # (7)
        _check_final(proof, inclusion, register, reading, reader.origin),


# (8)


def _check_final(
    proof: AnchoredProof | AbsenceProof | PresenceProof,
    inclusion: Held,
    register: Held,
    reading: Reading | ChainUnavailable,
    origin: Origin,
) -> Check:
    for held in (inclusion, register, reading):
        if isinstance(held, ChainUnavailable):
            return Check("final", "could_not_check", held.reason, held.details)
    assert isinstance(reading, Reading)
    for held in (inclusion, register):
        if not (isinstance(held, Anchor) and held.final):
            return Check("final", "fail", "final.fail")
    if origin.kind == "anchors_file":
        return Check("final", "pass", "final.file", {"head": reading.head})
    code = "final.one_endpoint" if len(origin.endpoints) == 1 else "final.pass"
    block = reading.block
    return Check("final", "pass", code, {"block": block.number, "time": block.time, "endpoints": len(origin.endpoints)})


# (9)


def _check_newest(
    proof: AnchoredProof | AbsenceProof | PresenceProof, held: Held, reading: Reading | ChainUnavailable, reader: ChainReader
) -> Check:
    if isinstance(held, ChainUnavailable):
        return Check("newest", "could_not_check", held.reason, held.details)
    assert isinstance(reading, Reading), "where it is not, nothing is held"
    seq, head = proof.register.seq, reading.head
    if held is None or is_before_entry(proof):
        return Check("newest", "fail", "newest.before_entry", {"seq": seq})
    if held.register_root == reading.newest.register_root:
        return Check("newest", "pass", "newest.pass", {"head": head})
    if seq > head:
        return Check("newest", "fail", "newest.not_final", {"seq": seq, "head": head})
    if reader.grace_s and isinstance(proof, AnchoredProof):
        try:
            replaced = replaced_at(reader, seq)
        except ChainUnavailable as failure:
            return Check("newest", "could_not_check", failure.reason, failure.details)
        if replaced is not None and reading.block.time - replaced < reader.grace_s:
            return Check("newest", "pass", "newest.grace")
    return Check("newest", "fail", "newest.old", {"seq": seq, "head": head, "time": held.time})


# (10)


def _check_current(proof: AnchoredProof | AbsenceProof | PresenceProof) -> Check:
    if not isinstance(proof, AnchoredProof):
        return _skipped("current")
    if is_before_entry(proof):
        return Check("current", "not_applicable", "current.before_entry")
    return _CURRENT if proof.state.copy == proof.entry.copy else Check("current", "fail", "current.fail")


def _made_by(proof: AnchoredProof | AbsenceProof | PresenceProof) -> int | None:
    """The seq of the entry that made the state, where it is shown."""
    return None if isinstance(proof, AbsenceProof) or not isinstance(proof.state, State) else proof.state.seq


def _changed_at(proof: AnchoredProof | AbsenceProof | PresenceProof, reader: ChainReader) -> int | None:
    seq = _made_by(proof)
    held = None if seq is None else _held(reader, seq)
    return held.time if isinstance(held, Anchor) else None


def _skipped(name: str) -> Check:
    return Check(name, "not_applicable", "skipped.number")


_PROVENANCE = SECTIONS.index("provenance")
_FORM = {
    AnchoredProof: Check("form", "pass", "form.anchored"),
    PendingProof: Check("form", "pass", "form.pending"),
    AbsenceProof: Check("form", "pass", "form.absence"),
    PresenceProof: Check("form", "pass", "form.presence"),
}
_TRUSTED = Check("trust", "pass", "trust.pass")
_CURRENT = Check("current", "pass", "current.pass")
_UNTRUSTED = tuple(Check(name, "not_applicable", "skipped.trust") for name in CHECKS[4:])
_WHILE_PENDING = tuple(Check(name, "not_applicable", "skipped.pending") for name in CHECKS[6:])
_UNPROVEN = frozenset(("forged", "undecided", "pending"))
