"""What fetched proofs decide: a bad mirror brands no paper, and no mirror's "absent" is shown before the service was asked."""

import json
from typing import Any

import orjson
import pytest

from tests.unit.verifier.fake_chain import ONE, Endpoints, Node, reader
from tests.vector_files import anchors, proof_file
from verifier.chain import RpcReader
from verifier.commitment import Commitment
from verifier.errors import Unreachable
from verifier.proof import AnchoredProof, PendingProof, parse_proof
from verifier.question import Question
from verifier.retrieve import renew, retrieve
from verifier.transport import Answer
from verifier.trust import Trust
from verifier.verify import commitment_of_sections, verify

SERVICE, MIRROR, THIRD = "http://service.example", "http://mirror.example/", "http://third.example"


class Mirrors:
    """What each mirror answers: (status, body), an exception, or a function of what it is asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {url.rstrip("/") + "/v1/proofs": answer for url, answer in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, url: str, body: bytes, max_bytes: int) -> Answer:
        asked = orjson.loads(body)
        self.asked.append((url, asked))
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return Answer(200, answer) if isinstance(answer, bytes) else Answer(*(answer(asked) if callable(answer) else answer))


def question_of(name: str) -> Question:
    proof = parse_proof(proof_file(name))
    assert isinstance(proof, AnchoredProof | PendingProof)
    return Question(proof.number, commitment_of_sections(proof.sections))


VALID = question_of("valid")
NOWHERE = Question(parse_proof(proof_file("absent")).number, Commitment(bytes(32)))
NOT_YET_KNOWN = (409, b'{"code":"not_yet_known"}')


def fetch(question: Question, **answers: Any) -> tuple[Any, Mirrors]:
    urls = {"service": SERVICE, "mirror": MIRROR, "third": THIRD}
    mirrors = Mirrors({urls[name]: answer for name, answer in answers.items()})
    return retrieve(question, [anchors()], [urls[name] for name in answers], mirrors), mirrors


def test_a_mirror_is_asked_at_head() -> None:
    report, mirrors = fetch(VALID, service=proof_file("valid_first_half"))
    assert (report.verdict, report.file) == ("valid", SERVICE)
    assert VALID.commitment is not None
    [(url, asked)] = mirrors.asked
    assert url == "http://service.example/v1/proofs"
    assert asked == {"number": VALID.number, "commitment": VALID.commitment.hex(), "seq": 9}


def test_a_number_alone() -> None:
    report, mirrors = fetch(Question(NOWHERE.number, None), service=proof_file("absent"))
    assert report.verdict == "absent"
    assert mirrors.asked[0][1] == {"number": NOWHERE.number, "seq": 9}


def test_a_mirror_that_does_not_keep_head_is_asked_for_its_newest() -> None:
    report, mirrors = fetch(VALID, service=lambda asked: (404, b"") if "seq" in asked else (200, proof_file("stale_valid")))
    assert ["seq" in asked for _, asked in mirrors.asked] == [True, False]
    assert report.verdict == "stale"


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"",
        proof_file("amount_fail"),
        proof_file("siblings_flip_fail"),
        proof_file("receipt_signature_fail"),
        proof_file("void"),  # of another number
        proof_file("absent_other_number_fail"),
        proof_file("chain_other"),
        proof_file("protocol_other"),
        (404, b""),
        (500, b""),
        (429, b""),
        (302, b""),
        Unreachable("no connection"),
        Unreachable("no answer in time", timed_out=True),
    ],
    ids=range(15),
)
def test_a_bad_mirror_brands_nothing_and_the_next_is_asked(answer: Any) -> None:
    alone, _ = fetch(VALID, mirror=answer)
    assert alone.verdict == "undecided"
    assert all(check.result != "fail" for check in alone.checks[:1] + alone.checks[2:7])
    assert (alone.status, alone.as_of) == (None, None)
    both, mirrors = fetch(VALID, mirror=answer, service=proof_file("valid"))
    assert both.verdict == "valid"
    assert mirrors.asked[-1][0].startswith(SERVICE)


def test_nowhere_to_ask() -> None:
    report = retrieve(VALID, [anchors()], [], Mirrors({}))
    assert (report.verdict, report.check("form").code) == ("undecided", "fetched.nothing")


def test_why_nothing_was_fetched() -> None:
    report, _ = fetch(VALID, mirror=Unreachable("no answer in time", timed_out=True))
    assert report.check("form").detail("en") == "http://mirror.example did not answer in time."


def test_absent_is_shown_after_every_other_was_asked() -> None:
    report, mirrors = fetch(NOWHERE, mirror=proof_file("absent"), service=proof_file("absent"), third=(404, b""))
    assert (report.verdict, len(mirrors.asked)) == ("absent", 4)
    # The service does not answer: the mirror's word is proven.
    assert fetch(NOWHERE, mirror=proof_file("absent"), service=Unreachable("no"))[0].verdict == "absent"


def test_a_pending_file_outranks_absent() -> None:
    pending = question_of("pending")
    absent = parse_proof(proof_file("absent"))
    assert absent.number == pending.number, "the vectors are made so"
    for order in (("mirror", "service"), ("service", "mirror")):
        answers = {"mirror": proof_file("absent"), "service": proof_file("pending")}
        report, _ = fetch(pending, **{name: answers[name] for name in order})
        assert report.verdict == "pending"


def test_a_pending_file_outranks_not_current() -> None:
    """What was accepted since may have made the asker's copy current."""
    number = parse_proof(proof_file("not_current")).number
    asked = Question(number, bytes(32))
    assert fetch(asked, mirror=proof_file("not_current"))[0].verdict == "not_current"
    report, _ = fetch(asked, mirror=proof_file("not_current"), service=NOT_YET_KNOWN)
    assert (report.verdict, report.check("form").code) == ("undecided", "fetched.not_yet_known")


def test_what_is_settled_is_shown_at_once() -> None:
    for name in ("void", "replaced_original", "valid", "partly_reversed"):
        report, mirrors = fetch(question_of(name), mirror=proof_file(name), service=AssertionError("not needed"))
        assert (report.verdict, len(mirrors.asked)) == (name.removesuffix("_original"), 1)


def test_an_old_status_decides_only_where_no_newer_can_be_had() -> None:
    asked = question_of("void_as_of_old_anchor")
    old, new = proof_file("void_as_of_old_anchor"), proof_file("void")
    report, mirrors = fetch(asked, mirror=old, service=new)
    assert (report.verdict, report.check("newest").result, len(mirrors.asked)) == ("void", "pass", 2)
    assert fetch(asked, mirror=old, service=(404, b""))[0].verdict == "void"


def test_a_chain_that_cannot_be_read() -> None:
    mirrors = Mirrors({SERVICE: proof_file("valid")})
    report = retrieve(VALID, [RpcReader(Trust(anchors().chain, {}, (ONE,)), Endpoints({}))], [SERVICE], mirrors)
    assert report.verdict == "undecided"
    assert "seq" not in mirrors.asked[0][1]


# A file was presented


def presented(name: str, question: Question | None = None, **answers: Any) -> tuple[Any, Mirrors]:
    urls = {"service": SERVICE, "mirror": MIRROR, "third": THIRD}
    mirrors = Mirrors({urls[key]: answer for key, answer in answers.items()})
    report = verify(proof_file(name), [anchors()], question, file=name)
    return renew(report, [anchors()], [urls[key] for key in answers], mirrors, question), mirrors


def of_the_same_copy(name: str, **parts: str) -> bytes:
    """The file, with parts of others."""
    tree = json.loads(proof_file(name))
    for part, other in parts.items():
        tree[part] = json.loads(proof_file(other))[part]
    return json.dumps(tree).encode()


@pytest.mark.parametrize("name", ["valid", "void", "amount_fail", "truncated_fail", "chain_other", "protocol_other", "absent"])
def test_what_is_new_or_false_is_not_asked_about(name: str) -> None:
    report, mirrors = presented(name, service=AssertionError("must not be asked"))
    assert report == verify(proof_file(name), [anchors()], file=name)
    assert not mirrors.asked


def test_a_stale_file_is_renewed() -> None:
    """Its own content stays: all of it, though the mirror shows a part."""
    report, mirrors = presented("stale", service=proof_file("void"))
    assert (report.verdict, report.file) == ("void", "stale")
    assert report.check("newest").result == "pass"
    assert len(report.disclosed) == 8
    assert mirrors.asked[0][1]["seq"] == 9


def test_a_pending_file_is_renewed() -> None:
    tree = json.loads(proof_file("valid"))
    pending = json.dumps({name: tree[name] for name in ("protocol", "chain", "sections", "entry", "receipt")}).encode()
    report = verify(pending, [anchors("anchors-an-hour-later.json")], file="mine")
    assert report.verdict == "undecided"
    found = renew(report, [anchors()], [SERVICE], Mirrors({SERVICE: proof_file("valid_header_only")}))
    assert (found.verdict, found.file, len(found.disclosed)) == ("valid", "mine", 8)


@pytest.mark.parametrize(
    "answer",
    [
        (404, b""),
        NOT_YET_KNOWN,
        Unreachable("no"),
        b"[]",
        proof_file("void_shown_valid_fail"),
        proof_file("valid"),
        proof_file("absent"),
    ],
    ids=range(7),
)
def test_an_old_file_stands_where_no_newer_can_be_had(answer: Any) -> None:
    report, _ = presented("stale", mirror=answer, third=answer)
    assert report == verify(proof_file("stale"), [anchors()], file="stale")
    report, _ = presented("stale", mirror=answer, service=proof_file("void"))
    assert report.verdict == "void"


def test_an_older_proof_than_the_one_presented_decides_nothing() -> None:
    report, _ = presented("void_as_of_old_anchor", mirror=proof_file("stale"))
    assert (report.verdict, report.as_of and report.as_of.seq) == ("void", 8)


def test_a_file_that_is_not_final_is_renewed_at_the_final_head() -> None:
    final = anchors("anchors-head-not-final.json")
    report = verify(proof_file("pending_not_final"), [final], file="x")
    assert report.verdict == "pending"
    found = renew(report, [final], [SERVICE], Mirrors({SERVICE: proof_file("heartbeat_same_root")}))
    assert found.verdict == "valid"


def test_a_stale_absence_is_renewed() -> None:
    stale = parse_proof(proof_file("absent_stale"))
    report, mirrors = presented("absent_stale", service=proof_file("absent"))
    assert mirrors.asked[0][1]["number"] == stale.number
    assert report.verdict == "absent"
    assert report.file == "absent_stale"


def test_a_chain_is_read_once() -> None:
    """Head is read first, the proof is asked for at that seq, and checked against the same reading."""
    endpoints = Endpoints({ONE: Node()})
    read = reader(endpoints=endpoints, rpc_urls=(ONE,))
    report = renew(verify(proof_file("stale"), [read]), [read], [SERVICE], Mirrors({SERVICE: proof_file("void")}))
    assert report.verdict == "void"
    assert len(endpoints.requests) <= 5
