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
from verifier.fields import Chain
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
    reader = _reader_of(proof.chain, readers)
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
        _check_final(proof, inclusion, register, reading, reader.origin),  # (8)
        _check_newest(proof, register, reading, reader),  # (9)
        _check_current(proof),  # (10)
    )
    verdict = verdict_of(proof, checks, question)
    proven = verdict not in _UNPROVEN and isinstance(register, Anchor)
    return Report(
        file,
        verdict,
        checks,
        proof,
        status_of(proof) if proven else None,
        AsOf(proof.register.seq, register.time) if proven and isinstance(register, Anchor) else None,
        reader.origin,
        reading.block if isinstance(reading, Reading) else None,
        inclusion.time if isinstance(inclusion, Anchor) else None,
        _changed_at(proof, reader) if proven else None,
    )


# (2)


def _reader_of(chain: Chain, readers: Sequence[ChainReader]) -> ChainReader | None:
    for reader in readers:
        if reader.chain == chain:
            return reader
    return None


def _check_trust(proof: Proof, reader: ChainReader | None) -> Check:
    if reader is not None:
        return _TRUSTED
    chain_id, contract = proof.chain
    return Check("trust", "fail", "trust.fail", {"chain_id": chain_id, "contract": "0x" + contract.hex()})


# (3)


def commitment_of_sections(sections: Sequence[Section]) -> Commitment:
    """The commitment that eight sections lead to, open or withheld."""
    return commitment_of(
        [
            section_leaf(index, section.salt, section.canonical) if isinstance(section, Opened) else section.leaf
            for index, section in enumerate(sections)
        ]
    )


def _check_content(proof: Proof, question: Question | None) -> Check:
    number = proof.number
    if isinstance(proof, AbsenceProof | PresenceProof):
        if question is None:
            return Check("content", "not_applicable", "content.no_question")
        if number != question.number:
            return Check("content", "fail", "content.question_number", {"number": number})
        return Check("content", "pass", "content.number", {"number": number})
    commitment = commitment_of_sections(proof.sections)
    if copy_of(commitment) != proof.entry.copy:
        return Check("content", "fail", "content.copy")
    if number_key(number) != proof.entry.key:
        return Check("content", "fail", "content.key", {"number": number})
    if question is None:
        return Check("content", "pass", "content.pass", {"number": number})
    if number != question.number:
        return Check("content", "fail", "content.question_number", {"number": number})
    if question.commitment is None:
        return Check("content", "pass", "content.number", {"number": number})
    if commitment != question.commitment:
        return Check("content", "fail", "content.question_commitment")
    return Check("content", "pass", "content.question", {"number": number})


# (4)


def _check_entry(proof: Proof) -> Check:
    if isinstance(proof, AbsenceProof | PresenceProof):
        return _skipped("entry")
    entry, provenance = proof.entry, proof.sections[_PROVENANCE]
    if entry.kind not in (Kind.ISSUE, Kind.REPRINT):
        return Check("entry", "fail", "entry.kind", {"kind": KIND_NAMES[entry.kind]})
    shown = {"kind": KIND_NAMES[entry.kind], "recorded_at": entry.recorded_at}
    if not isinstance(provenance, Opened):
        return Check("entry", "pass", "entry.withheld", shown)
    if entry.kind is Kind.REPRINT:
        if "reprint" not in provenance.value:
            return Check("entry", "fail", "entry.reprint_missing")
    elif "reprint" in provenance.value:
        return Check("entry", "fail", "entry.not_reprint")
    elif entry.other != _original_key(provenance):
        return Check("entry", "fail", "entry.original")
    return Check("entry", "pass", "entry.pass", shown)


def _original_key(provenance: Opened) -> bytes | None:
    """The key of the original that is named; zero where none is, None where that is no object with a well-formed number."""
    if "original" not in provenance.value:
        return ZERO
    original = provenance.value["original"]
    number = original.get("number") if type(original) is dict else None
    return number_key(number) if type(number) is str and NUMBER.fullmatch(number) else None


# (5)


def _check_receipt(proof: Proof, reader: ChainReader) -> Check:
    if isinstance(proof, AbsenceProof | PresenceProof):
        return _skipped("receipt")
    receipt = proof.receipt
    if receipt is None:
        return Check("receipt", "not_applicable", "receipt.none")
    key = reader.service_keys.get(receipt.key_id)
    if key is None:
        return Check("receipt", "not_applicable", "receipt.key_not_given", {"key_id": receipt.key_id})
    message = receipt_message(proof.chain.chain_id, proof.chain.contract, proof.entry.encode(), receipt.deadline)
    if not is_signed(key, receipt.signature, message):
        return Check("receipt", "fail", "receipt.fail")
    return Check("receipt", "pass", "receipt.pass", {"deadline": receipt.deadline})


def _promise(proof: PendingProof, reader: ChainReader) -> tuple[Block | None, Check]:
    """F, and whether the deadline is not before it: all that a pending file has to say where (6) to (10) would be."""
    try:
        block = reader.block()
    except ChainUnavailable as failure:
        return None, Check("inclusion", "not_applicable", failure.reason, failure.details)
    if proof.receipt is None:
        return block, Check("inclusion", "not_applicable", "pending.no_receipt")
    deadline = proof.receipt.deadline
    code = IN_TIME if deadline >= block.time * 1000 else "pending.overdue"
    return block, Check("inclusion", "not_applicable", code, {"deadline": deadline})


# (6)


def _look_up(
    proof: AnchoredProof | AbsenceProof | PresenceProof, reader: ChainReader
) -> tuple[Reading | ChainUnavailable, Held, Held]:
    """Head, and what the contract holds for the seqs of inclusion and register.

    All that may be wanted is read together: for the grace of (9) the next seq, and when the state was made.
    """
    register = proof.register.seq
    inclusion = proof.inclusion.seq if isinstance(proof, AnchoredProof) else register
    try:
        reading = reader.read({inclusion, register, register + 1, _made_by(proof) or register})
    except ChainUnavailable as failure:
        return failure, failure, failure
    return reading, _held(reader, inclusion), _held(reader, register)


def _held(reader: ChainReader, seq: int) -> Held:
    try:
        return reader.anchor(seq)
    except ChainUnavailable as failure:
        return failure


def _check_inclusion(proof: AnchoredProof | AbsenceProof | PresenceProof, held: Held) -> Check:
    if not isinstance(proof, AnchoredProof):
        return _skipped("inclusion")
    if isinstance(held, ChainUnavailable):
        return Check("inclusion", "could_not_check", held.reason, held.details)
    seq, index, size, path = proof.inclusion
    root = root_from_path(leaf_hash(proof.entry.encode()), index, size, path)
    if held is None or root != held.log_root or size != held.size:
        return _mismatch("inclusion", seq, held)
    return Check("inclusion", "pass", "inclusion.pass", {"seq": seq, "position": index + 1, "size": size, "time": held.time})


def _mismatch(name: str, seq: int, held: Anchor | None) -> Check:
    """Where the anchor is not final, a reorganisation may yet decide."""
    if held is None or held.final:
        return Check(name, "fail", f"{name}.fail", {"seq": seq})
    return Check(name, "could_not_check", f"{name}.not_final", {"seq": seq})


# (7)


def _check_register(proof: AnchoredProof | AbsenceProof | PresenceProof, held: Held) -> Check:
    if isinstance(held, ChainUnavailable):
        return Check("register", "could_not_check", held.reason, held.details)
    seq = proof.register.seq
    if held is None or _register_root(proof) != held.register_root:
        return _mismatch("register", seq, held)
    if isinstance(proof, AbsenceProof):
        return Check("register", "pass", "register.absence", {"seq": seq, "time": held.time})
    if isinstance(proof.state, State) and proof.state.seq > seq:
        return Check("register", "fail", "register.state_after_anchor")
    if isinstance(proof, PresenceProof):
        return Check("register", "pass", "register.presence", {"seq": seq, "time": held.time})
    misfit = _misfit(proof)
    if misfit:
        return Check("register", "fail", misfit)
    status = STATUS_NAMES[proof.state.status]
    return Check("register", "pass", "register.anchored", {"seq": seq, "time": held.time, "status": status})


def _register_root(proof: AnchoredProof | AbsenceProof | PresenceProof) -> bytes | None:
    siblings = proof.register.siblings
    if isinstance(proof, AnchoredProof):
        return root_from_presence(proof.entry.key, proof.state.hash(), siblings)
    key = number_key(proof.number)
    if isinstance(proof, AbsenceProof):
        return root_from_absence(key, proof.neighbour, siblings)
    return root_from_presence(key, proof.state.hash() if isinstance(proof.state, State) else proof.state, siblings)


def _misfit(proof: AnchoredProof) -> str | None:
    """How the state contradicts the entry, if it does: in a register from after the entry, this entry or a later one made it."""
    if is_before_entry(proof):
        return None
    state = proof.state
    made_by, entered = (state.seq, state.index), (proof.inclusion.seq, proof.inclusion.index)
    is_same_copy = state.copy == proof.entry.copy
    if made_by < entered:
        return "register.state_before_entry"
    if made_by == entered and not is_same_copy:
        return "register.same_position"
    if made_by > entered and is_same_copy and state.status is Status.VALID:
        return "register.valid_elsewhere"
    return None


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
