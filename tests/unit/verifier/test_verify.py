"""The recipe: no change to a proof file goes unseen, and nothing that goes wrong becomes a verdict."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.verifier.fake_chain import Node, reader
from tests.unit.verifier.test_trees import naive_proof
from tests.vector_files import anchors, proof_cases, proof_file, vector
from verifier.commitment import copy_of
from verifier.entry import Kind, decode_entry, number_key
from verifier.errors import Malformed, OtherProtocol
from verifier.messages import Language
from verifier.proof import AnchoredProof, PendingProof, Proof, RegisterPath, open_section, parse_proof
from verifier.question import Question, parse_question
from verifier.register import State, apply
from verifier.report import CHECKS, EXIT_STATUS, Report, exit_status
from verifier.verify import commitment_of_sections, verify

SOUND = ("valid", "valid_first_half", "valid_header_only", "valid_reprint", "valid_red_letter", "valid_after_release")
OF_A_NUMBER = ("absent", "registered", "registered_state", "presence_void", "presence_released", "presence_partly_reversed")
OTHERS = ("void", "replaced_original", "reversed", "partly_reversed", "released", "pending")


@cache
def genuine(name: str) -> Proof:
    return parse_proof(proof_file(name))


def says(proof: Proof, report: Report) -> tuple[object, ...]:
    """What a file proves: a withheld section says as much as an open one, and a receipt that was not checked nothing."""
    if not isinstance(proof, AnchoredProof | PendingProof):
        return tuple(proof)
    chain, sections, entry, receipt, *rest = proof
    return chain, commitment_of_sections(sections), entry, receipt if report.check("receipt").result == "pass" else None, *rest


def assert_seen(data: bytes, name: str) -> None:
    """A changed file may have the verdict of the genuine one only if it still says the same."""
    before = verify(proof_file(name), [anchors()])
    after = verify(data, [anchors()])
    assert after.verdict in EXIT_STATUS
    if after.verdict == before.verdict or after.verdict == "valid":
        proof = parse_proof(data)
        genuine_says = says(genuine(name), after)
        assert says(proof, after) == genuine_says
        # A section that is shown is the genuine one, wherever that is open.
        if isinstance(proof, AnchoredProof | PendingProof):
            for shown, true in zip(proof.sections, genuine(name).sections, strict=True):  # type: ignore[union-attr]
                assert len(shown) == 1 or len(true) == 1 or shown == true


names = st.sampled_from(SOUND + OF_A_NUMBER + OTHERS)
BYTES = st.sampled_from(
    [b"0", b"1", b"a", b"f", b'"', b"{", b"}", b",", b":", b" ", b"\\", b"-", b".", b"\xe4", b"\x00", b"true", b"null"]
)


@settings(max_examples=400)
@given(names, st.data())
def test_any_bytes_changed(name: str, data: st.DataObject) -> None:
    original = proof_file(name)
    start = data.draw(st.integers(0, len(original) - 1))
    stop = data.draw(st.integers(start, min(start + 3, len(original))))
    changed = original[:start] + data.draw(BYTES | st.binary(max_size=3)) + original[stop:]
    assert_seen(changed, name)


@settings(max_examples=100)
@given(names, st.data())
def test_any_part_moved(name: str, data: st.DataObject) -> None:
    original = proof_file(name)
    a, b, c = sorted(data.draw(st.lists(st.integers(0, len(original)), min_size=3, max_size=3)))
    assert_seen(original[:a] + original[b:c] + original[a:b] + original[c:], name)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every name or index in it."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def leaves(name: str) -> list[Any]:
    """Everything that stands anywhere in a file: what a forger has at hand."""
    tree = json.loads(proof_file(name))
    return [container[key] for container, key in places(tree)]


NUMBERS = (0, 1, 2, 3, 9, 10, 37, 65_535, 65_536, 2**53 - 1, 2**53, -1, 1.0)
TEXTS = ("", "0" * 64, "valid", "void", "issue", "reprint", "x")
NAMES = ("receipt", "state", "neighbour", "number", "hash", "original", "reprint", "extra")
scraps: st.SearchStrategy[Any] = st.sampled_from([None, True, False, *NUMBERS, *TEXTS, [], {}])


@settings(max_examples=400)
@given(names, names, st.data())
def test_any_member_changed(name: str, other: str, data: st.DataObject) -> None:
    """Replaced by a scrap or by something from a genuine file, removed, doubled, or swapped with another."""
    tree = json.loads(proof_file(name))
    for _ in range(data.draw(st.integers(1, 3))):
        options = list(places(tree))
        assume(options)
        container, key = data.draw(st.sampled_from(options))
        match data.draw(st.sampled_from(["replace", "scrap", "remove", "add", "swap", "count"])):
            case "replace":
                container[key] = data.draw(st.sampled_from(leaves(other)))
            case "scrap":
                container[key] = data.draw(scraps)
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[data.draw(st.sampled_from(NAMES))] = data.draw(scraps)
            case "add":
                container.insert(key, container[key])
            case "swap":
                second, there = data.draw(st.sampled_from(options))
                if there in (second if isinstance(second, dict) else range(len(second))):
                    container[key], second[there] = second[there], container[key]
            case _ if type(container[key]) is int:
                container[key] += data.draw(st.sampled_from([-1, 1]))
    try:
        changed = json.dumps(tree).encode()
    except (ValueError, RecursionError):  # swapped into itself
        assume(False)
    assert_seen(changed, name)


@settings(max_examples=200)
@given(st.sampled_from(SOUND + OTHERS), st.sampled_from(SOUND + OTHERS), st.data())
def test_parts_of_genuine_files_put_together(one: str, other: str, data: st.DataObject) -> None:
    """A register proof from elsewhere, an entry from elsewhere, a receipt from elsewhere."""
    tree, spare = json.loads(proof_file(one)), json.loads(proof_file(other))
    for part in data.draw(st.sets(st.sampled_from(["sections", "entry", "receipt", "inclusion", "register"]))):
        if part in spare:
            tree[part] = spare[part]
    report = verify(json.dumps(tree).encode(), [anchors()])
    if report.verdict == "valid":
        assert report.proof is not None
        assert says(report.proof, report) in [says(genuine(name), report) for name in SOUND]


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise(data: bytes) -> None:
    report = verify(data, [anchors()])
    assert report.verdict in ("malformed", "undecided")
    json.dumps(report.to_dict("zh"))


MEMBERS = ("protocol", "chain", "sections", "header", "salt", "value", "hash", "entry", "number", "register", "inclusion", "path")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["zp1", "0" * 64, "0x"])
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=8),
    max_leaves=25,
)


@given(
    st.dictionaries(st.sampled_from(["protocol", "chain", "sections", "entry", "number", "register", "inclusion"]), anything),
    st.booleans(),
)
def test_no_json_raises(value: Any, is_ours: bool) -> None:
    data = json.dumps({**value, "protocol": "zp1"} if is_ours else value).encode()
    report = verify(data, [anchors()])
    assert report.verdict in ("malformed", "undecided")
    json.dumps(report.to_dict("en"))


# The report


@pytest.mark.parametrize("case", proof_cases(), ids=lambda case: case.file)
def test_the_report_has_one_shape(case: Any) -> None:
    report = verify(case.data, [case.anchors], case.question, file=case.file)
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        written: dict[str, Any] = report.to_dict(language)
        assert list(written) == ["file", "verdict", "number", "disclosed", "status", "as_of", "source", "checks"]
        assert [check["name"] for check in written["checks"]] == list(CHECKS)
        for check in written["checks"]:
            assert set(check) == {"name", "result", "detail"}
            assert check["result"] in ("pass", "fail", "could_not_check", "not_applicable")
            assert check["detail"]
            assert "{" not in check["detail"]
    assert (report.file, report.exit_status) == (case.file, EXIT_STATUS[case.verdict])
    if report.verdict in ("valid", "absent", "void"):
        assert all(check.result != "fail" for check in report.checks[:8])


def test_the_source_is_the_anchors_file() -> None:
    assert verify(proof_file("valid"), [anchors()]).to_dict()["source"] == {
        "kind": "anchors_file",
        "endpoints": ["anchors.json"],
        "block": None,
    }


def test_the_source_is_the_chain() -> None:
    source: Any = verify(proof_file("valid"), [reader(Node(), Node())]).to_dict()["source"]
    assert source["kind"] == "rpc"
    assert source["endpoints"] == ["http://one.example", "http://two.example"]
    assert source["block"]["number"] == 118
    assert len(source["block"]["hash"]) == 66


@pytest.mark.parametrize(
    ("name", "status", "seq"),
    [
        ("valid", "valid", 9),
        ("void", "void", 9),
        ("stale", "valid", 3),
        ("stale_before_inclusion", None, 4),
        ("void_as_of_old_anchor", "void", 8),
        ("absent", None, 9),
        ("registered", None, 9),
        ("presence_void", "void", 9),
        ("pending", None, None),
        ("amount_fail", None, None),
    ],
)
def test_status_and_as_of(name: str, status: str | None, seq: int | None) -> None:
    report = verify(proof_file(name), [anchors()])
    assert report.status == status
    assert (report.as_of and report.as_of.seq) == seq
    assert report.as_of is None or report.as_of.time == anchors().anchors[report.as_of.seq].time


def test_disclosed() -> None:
    assert verify(proof_file("valid_first_half"), [anchors()]).disclosed == ["header", "seller", "totals", "provenance"]
    assert verify(proof_file("absent"), [anchors()]).disclosed == []


def register_at(seq: int, key: bytes) -> tuple[State, RegisterPath]:
    """The state of a number in the register of an anchor of the vectors, with its proof, by replay."""
    states: dict[bytes, State] = {}
    for written, batch in vector("replay")["batches"].items():
        if int(written) <= seq:
            for index, entry in enumerate(decode_entry(bytes.fromhex(entry)) for entry in batch):
                if entry.kind is not Kind.NOTE:
                    states[entry.key] = apply(states.get(entry.key), entry, int(written), index, ())
    siblings, _ = naive_proof({key: state.hash() for key, state in states.items()}, key)
    return states[key], RegisterPath(seq, siblings)


def test_a_register_from_before_the_entry_says_nothing_about_it() -> None:
    """Not even that the number was released: it was issued again since, and this is that entry."""
    proof = genuine("valid_after_release")
    assert isinstance(proof, AnchoredProof)
    verdicts = {}
    for seq in range(2, 10):
        state, register = register_at(seq, proof.entry.key)
        report = verify(proof._replace(state=state, register=register).to_json(), [anchors()])
        assert report.check("register").result == "pass"
        verdicts[seq, state.status.name] = report.verdict, report.status
    before = {outcome for (seq, _), outcome in verdicts.items() if seq < proof.inclusion.seq}
    assert "RELEASED" in {name for seq, name in verdicts if seq < proof.inclusion.seq}
    assert before == {("stale", None)}
    assert verdicts[9, "VALID"] == ("valid", "valid")


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([], 0),
        (["valid"], 0),
        (["valid", "registered"], 3),
        (["partly_reversed", "stale"], 2),
        (["undecided", "malformed", "valid"], 65),
        (["malformed", "absent", "undecided"], 1),
        (["pending"], 2),
    ],
)
def test_exit_status_of_several_files(verdicts: list[str], status: int) -> None:
    assert exit_status(verdicts) == status


# Several contracts, and the question


def test_the_reader_of_the_files_own_contract_is_used() -> None:
    other = anchors("anchors-of-another-contract.json")
    for readers in ([other, anchors()], [anchors(), other]):
        assert verify(proof_file("valid"), readers).verdict == "valid"
    assert verify(proof_file("valid"), [other]).verdict == "undecided"
    assert verify(proof_file("valid"), []).verdict == "undecided"


def test_a_question_about_a_number_alone() -> None:
    number = genuine("valid").number
    assert verify(proof_file("valid"), [anchors()], Question(number, None)).verdict == "valid"
    assert verify(proof_file("valid"), [anchors()], Question(number[:-1], None)).verdict == "forged"
    assert verify(proof_file("presence_void"), [anchors()], Question(genuine("presence_void").number, None)).verdict == "void"


QUESTION = Question("26112983965558933682", bytes(range(32)))


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[0-9A-Z][0-9A-Z._:-]{0,63}", fullmatch=True))
def test_question_round_trip(commitment: bytes, number: str) -> None:
    """The number may have dots: the last one splits."""
    question = Question(number, commitment)
    assert parse_question(question.to_text()) == question
    assert parse_question("https://host.example/v#" + question.to_text()) == question


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "26112983965558933682",
        "26112983965558933682.",
        "." + QUESTION.to_text().partition(".")[2],
        QUESTION.to_text().lower(),
        QUESTION.to_text()[:-1],
        QUESTION.to_text() + "A",
        QUESTION.to_text() + "=",
        QUESTION.to_text() + "\n",
        QUESTION.to_text()[:-1] + "B",  # its last bits are not zero: it does not encode to itself
        "a." + QUESTION.to_text().partition(".")[2],
        "https://host.example/v?" + QUESTION.to_text(),
        QUESTION.to_text().replace(".", "．"),
    ],
)
def test_no_question(text: str) -> None:
    with pytest.raises(Malformed):
        parse_question(text)


def test_a_proof_that_the_service_builds() -> None:
    """From stored bytes alone: the sections as they were hashed, and hashes."""
    proof = genuine("valid")
    assert isinstance(proof, AnchoredProof)
    sections = [open_section(section.salt, section.canonical) for section in proof.sections]  # type: ignore[union-attr]
    built = AnchoredProof(proof.chain, sections, proof.entry, None, proof.inclusion, proof.register, proof.state)
    assert copy_of(commitment_of_sections(sections)) == built.entry.copy
    assert number_key(built.number) == built.entry.key
    assert verify(built.to_json(), [anchors()]).verdict == "valid"


def test_other_protocols_are_not_this_programs_business() -> None:
    with pytest.raises(OtherProtocol, match="zp9"):
        parse_proof(proof_file("protocol_other_shape"))
