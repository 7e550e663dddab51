"""Files whose every path leads to an anchored root: what a registry that anchors nonsense, or lies, still cannot make pass."""

from typing import Any

import pytest

from verifier.anchors import Anchors
from verifier.canonical import canonical_bytes
from verifier.chain import Anchor
from verifier.commitment import SECTIONS, copy_of, section_leaf
from verifier.entry import ZERO, Entry, Kind, number_key
from verifier.fields import Chain
from verifier.merkle import leaf_hash
from verifier.proof import AnchoredProof, Inclusion, Opened, PendingProof, PresenceProof, RegisterPath, Withheld, open_section
from verifier.question import Question
from verifier.register import State, Status, register_leaf
from verifier.verify import commitment_of_sections, verify

CHAIN = Chain(31337, bytes(range(20)))
NUMBER = "26110000000000000001"
ORIGINAL = "26110000000000000002"
ENTERED, REGISTERED = 5, 7
TIME = 1_795_600_000


def sections(provenance: dict[str, Any]) -> list[Any]:
    values: dict[str, Any] = {name: {} for name in SECTIONS} | {
        "lines": [{}],
        "header": {"number": NUMBER},
        "provenance": provenance,
    }
    return [open_section(bytes([index]) * 16, canonical_bytes(values[name])) for index, name in enumerate(SECTIONS)]


def anchored(
    provenance: dict[str, Any] | None = None, state: dict[str, Any] | None = None, **entry: Any
) -> tuple[AnchoredProof, Anchors]:
    """One entry alone in its batch, and its number alone in the register: every path is empty, every root is right."""
    shown = sections(provenance or {})
    copy = copy_of(commitment_of_sections(shown))
    logged = Entry(Kind.ISSUE, 1, number_key(NUMBER), copy, ZERO, ZERO)._replace(**entry)
    made = State(Status.VALID, 1, ENTERED, 0, copy, ZERO)._replace(**(state or {}))
    proof = AnchoredProof(CHAIN, shown, logged, None, Inclusion(ENTERED, 0, 1, ()), RegisterPath(REGISTERED, ()), made)
    return proof, anchors(leaf_hash(logged.encode()), register_leaf(logged.key, made.hash()))


def anchors(log_root: bytes, register_root: bytes) -> Anchors:
    held = {
        ENTERED: Anchor(log_root, bytes(32), 1, TIME, True),
        REGISTERED: Anchor(ZERO, register_root, 0, TIME + 1, True),
    }
    return Anchors(CHAIN, {}, REGISTERED, held)


def outcome(made: tuple[AnchoredProof | PresenceProof, Anchors], question: Question | None = None) -> tuple[str, str]:
    """The verdict, and the code of the first check that failed, if one did."""
    proof, held = made
    report = verify(proof.to_json(), [held], question)
    failed = [check.code for check in report.checks if check.result == "fail"]
    return report.verdict, failed[0] if failed else "-"


def test_the_construction_is_sound() -> None:
    assert outcome(anchored()) == ("valid", "-")
    assert outcome(anchored({"reprint": {"ordinal": "1"}}, kind=Kind.REPRINT, other=bytes(32))) == ("valid", "-")
    assert outcome(anchored({"original": {"number": ORIGINAL}}, other=number_key(ORIGINAL))) == ("valid", "-")


def test_content() -> None:
    assert outcome(anchored(copy=ZERO, state={"copy": ZERO})) == ("forged", "content.copy")
    assert outcome(anchored(key=number_key(ORIGINAL))) == ("forged", "content.key")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.ISSUE, Kind.REPRINT)])
def test_an_entry_that_issues_nothing(kind: Kind) -> None:
    assert outcome(anchored(kind=kind)) == ("forged", "entry.kind")


@pytest.mark.parametrize(
    ("provenance", "entry", "code"),
    [
        ({"reprint": {"ordinal": "1"}}, {}, "entry.not_reprint"),
        ({"reprint": "no object"}, {}, "entry.not_reprint"),
        ({}, {"kind": Kind.REPRINT}, "entry.reprint_missing"),
        ({"original": {"number": ORIGINAL}}, {"kind": Kind.REPRINT}, "entry.reprint_missing"),
        ({"original": {"number": ORIGINAL}}, {}, "entry.original"),
        ({"original": {"number": NUMBER}}, {"other": number_key(ORIGINAL)}, "entry.original"),
        ({}, {"other": number_key(ORIGINAL)}, "entry.original"),
        ({"original": {}}, {}, "entry.original"),
        ({"original": {"number": ["A"]}}, {}, "entry.original"),
        ({"original": {"number": "a"}}, {}, "entry.original"),
        ({"original": ORIGINAL}, {"other": number_key(ORIGINAL)}, "entry.original"),
        ({"original": False}, {}, "entry.original"),
        ({"original": [{"number": ORIGINAL}]}, {"other": number_key(ORIGINAL)}, "entry.original"),
    ],
)
def test_provenance_against_the_entry(provenance: dict[str, Any], entry: dict[str, Any], code: str) -> None:
    assert outcome(anchored(provenance, **entry)) == ("forged", code)


def test_a_withheld_provenance_is_not_asked() -> None:
    proof, held = anchored({"reprint": {"ordinal": "1"}})
    hidden = list(proof.sections)
    index = SECTIONS.index("provenance")
    shown = hidden[index]
    assert isinstance(shown, Opened)
    hidden[index] = Withheld(section_leaf(index, shown.salt, shown.canonical))
    assert outcome((proof._replace(sections=hidden), held)) == ("valid", "-")


LATER = {"seq": REGISTERED, "index": 3}


@pytest.mark.parametrize(
    ("state", "verdict", "code"),
    [
        ({"seq": REGISTERED + 1, "status": Status.VOID}, "forged", "register.state_after_anchor"),
        ({"seq": REGISTERED + 1, "copy": b"\1" * 32}, "forged", "register.state_after_anchor"),
        ({"seq": ENTERED - 1}, "forged", "register.state_before_entry"),
        ({"seq": ENTERED - 1, "status": Status.VOID}, "forged", "register.state_before_entry"),
        (LATER, "forged", "register.valid_elsewhere"),
        ({"index": 1}, "forged", "register.valid_elsewhere"),
        ({"copy": b"\1" * 32}, "forged", "register.same_position"),
        ({"copy": b"\1" * 32, "status": Status.VOID, **LATER}, "replaced", "current.fail"),
        ({"copy": b"\1" * 32, **LATER}, "replaced", "current.fail"),
        ({"status": Status.VOID, **LATER}, "void", "-"),
        ({"status": Status.REVERSED, **LATER}, "reversed", "-"),
        ({"status": Status.RELEASED, **LATER}, "released", "-"),
        ({"status": Status.PARTLY_REVERSED, **LATER}, "partly_reversed", "-"),
        ({"status": Status.PARTLY_REVERSED}, "partly_reversed", "-"),  # a reprint keeps that status
        ({"status": Status.VOID}, "void", "-"),
    ],
)
def test_state_against_the_entry(state: dict[str, Any], verdict: str, code: str) -> None:
    assert outcome(anchored(state=state)) == (verdict, code)


def presence(question: bytes | None = None, **state: Any) -> tuple[str, str]:
    made = State(Status.VALID, 1, ENTERED, 0, copy_of(bytes(32)), ZERO)._replace(**state)
    held = anchors(ZERO, register_leaf(number_key(NUMBER), made.hash()))
    asked = None if question is None else Question(NUMBER, question)
    return outcome((PresenceProof(CHAIN, NUMBER, RegisterPath(REGISTERED, ()), made), held), asked)


def test_presence() -> None:
    assert presence() == ("registered", "-")
    assert presence(bytes(32)) == ("registered", "-")
    assert presence(b"\1" * 32) == ("not_current", "-")
    assert presence(b"\1" * 32, status=Status.VOID) == ("not_current", "-")
    assert presence(bytes(32), status=Status.VOID) == ("void", "-")
    assert presence(seq=REGISTERED) == ("registered", "-")
    assert presence(seq=REGISTERED + 1) == ("forged", "register.state_after_anchor")


def test_the_size_that_the_contract_holds() -> None:
    """A path for a tree of another size may lead to the same root."""
    proof, held = anchored()
    wrong = {seq: anchor._replace(size=2 if seq == ENTERED else anchor.size) for seq, anchor in held.anchors.items()}
    assert outcome((proof, Anchors(CHAIN, {}, REGISTERED, wrong))) == ("forged", "inclusion.fail")


def test_not_final_before_head() -> None:
    """An anchors file that contradicts itself is not believed."""
    proof, held = anchored()
    mined = {seq: anchor._replace(final=seq == REGISTERED) for seq, anchor in held.anchors.items()}
    assert outcome((proof, Anchors(CHAIN, {}, REGISTERED, mined))) == ("pending", "final.fail")


def test_a_pending_file_without_a_receipt() -> None:
    proof, held = anchored()
    report = verify(PendingProof(*proof[:4]).to_json(), [held])
    assert (report.verdict, report.check("inclusion").code) == ("undecided", "pending.no_receipt")
