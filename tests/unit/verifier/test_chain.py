"""Reading the chain: what honest endpoints say, and that nothing else is ever believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from tests.unit.verifier.fake_chain import BLOCK_S, NOW, ONE, THREE, TWO, VECTORS, Endpoints, Node, encoded, reader
from tests.vector_files import ProofCase, proof_cases, proof_file
from verifier.anchors import collect
from verifier.chain import ANCHOR_AT, HEAD, MAX_CALLS, UNKNOWN_SEQ, Anchor, RpcReader, replaced_at
from verifier.errors import ChainUnavailable, Unreachable
from verifier.fields import Chain
from verifier.transport import Answer
from verifier.trust import Trust
from verifier.verify import verify

ABI = json.loads((Path(__file__).parents[3] / "verifier" / "abi" / "InvoiceAnchor.json").read_bytes())["abi"]


def test_selectors_and_types_are_those_of_the_contract() -> None:
    described = {}
    for item in ABI:
        if item["type"] in ("function", "error"):
            signature = f"{item['name']}({','.join(argument['type'] for argument in item['inputs'])})"
            described[signature] = keccak(text=signature)[:4], [out["type"] for out in item.get("outputs", ())]
    assert described["head()"] == (HEAD, ["uint64"])
    assert described["anchorAt(uint64)"] == (ANCHOR_AT, ["bytes32", "bytes32", "uint32", "uint64", "uint64"])
    assert described["UnknownSeq(uint64)"] == (UNKNOWN_SEQ, [])


def test_head_and_anchors() -> None:
    reading = reader(Node()).read((3, 9))
    assert (reading.head, reading.newest) == (9, VECTORS.anchors[9])
    assert reading.block.number == 118
    assert reading.block.time == NOW - 10 * BLOCK_S
    assert reader(Node()).anchor(3) == VECTORS.anchors[3]


@pytest.mark.parametrize(
    "case", [case for case in proof_cases() if case.anchors_file == "anchors.json"], ids=lambda case: case.file
)
def test_the_chain_says_what_the_anchors_file_says(case: ProofCase) -> None:
    """But for time, which goes on after head, and for the grace that a chain gives."""
    head = VECTORS.anchors[9].time
    read = reader(Node(now=head + 10 * BLOCK_S), Node(now=head + 10 * BLOCK_S), grace_s=0, now=head + 10 * BLOCK_S)
    report = verify(case.data, [read], case.question)
    assert report.verdict == case.verdict


def test_a_fresh_check_takes_two_requests() -> None:
    endpoints = Endpoints({ONE: Node()})
    report = verify(proof_file("valid"), [reader(endpoints=endpoints, rpc_urls=(ONE,))])
    assert report.verdict == "valid"
    first, second = endpoints.requests
    assert first == (ONE, ["eth_chainId", "eth_getBlockByNumber"])
    assert second[1][:2] == ["eth_getCode", "eth_call"]


def test_one_endpoint_alone_is_said() -> None:
    alone = verify(proof_file("valid"), [reader(Node())]).check("final")
    assert (alone.result, alone.code) == ("pass", "final.one_endpoint")
    assert verify(proof_file("valid"), [reader(Node(), Node())]).check("final").code == "final.pass"
    twice = verify(proof_file("valid"), [reader(endpoints=Endpoints({ONE: Node()}), rpc_urls=(ONE, ONE))])
    assert twice.check("final").code == "final.one_endpoint"


def test_f_is_the_lowest_finalized_block() -> None:
    read = reader(Node(), Node(finalized=110, latest=125, now=NOW - 3 * BLOCK_S), Node(finalized=117))
    assert read.read(()).block.number == 110
    assert read.read(()).head == 9
    assert read.origin.endpoints == (ONE, TWO, THREE)


def test_confirmations() -> None:
    read = reader(Node(finalized=0), Node(finalized=0), confirmations=20)
    assert read.read(()).block.number == 108
    assert read.read(()).head == 8
    with pytest.raises(ChainUnavailable, match="confirmations"):
        reader(Node(), confirmations=1000).read(())


def test_a_source_shows_no_secret_of_a_url() -> None:
    urls = ("https://user:word@node.example:8443/v3/key?token=1", "http://[::1]:8545")
    endpoints = Endpoints({url: Node() for url in urls})
    assert reader(endpoints=endpoints, rpc_urls=urls).origin.endpoints == ("https://node.example:8443", "http://[::1]:8545")


def test_no_endpoint() -> None:
    with pytest.raises(ChainUnavailable):
        RpcReader(Trust(VECTORS.chain))


def lie(method: str, answer: Any, selector: bytes = b"") -> Node:
    """A node that answers one method, or one function of the contract, with `answer`."""

    def lying(asked: str, params: list[Any]) -> Any:
        if asked == method and (not selector or params[0]["data"].startswith("0x" + selector.hex())):
            return answer
        return None

    return Node(lie=lying)


OTHER_ANCHOR = encoded(VECTORS.anchors[9]._replace(register_root=bytes(32))).hex()
ZERO_TIME = encoded(VECTORS.anchors[9]._replace(time=0)).hex()
REVERT = {"code": 3, "message": "execution reverted"}
LIES = {
    "another chain": Node(chain_id=1),
    "no code": Node(code="0x"),
    "code is not hex": lie("eth_getCode", "60"),
    "empty return data of head": lie("eth_call", "0x", HEAD),
    "empty return data of an anchor": lie("eth_call", "0x", ANCHOR_AT),
    "zeros for an anchor": lie("eth_call", "0x" + "00" * 160, ANCHOR_AT),
    "zero for head": lie("eth_call", "0x" + "00" * 32, HEAD),
    "an anchor without a time": lie("eth_call", "0x" + ZERO_TIME, ANCHOR_AT),
    "a time of more than 64 bits": lie("eth_call", "0x" + "00" * 96 + "ff" * 32 + "00" * 32, ANCHOR_AT),
    "a size beyond any batch": lie("eth_call", "0x" + "00" * 64 + (65_537).to_bytes(32, "big").hex() + "01" * 64, ANCHOR_AT),
    "an anchor cut short": lie("eth_call", "0x" + OTHER_ANCHOR[:-64], ANCHOR_AT),
    "an anchor with a word more": lie("eth_call", "0x" + OTHER_ANCHOR + "00" * 32, ANCHOR_AT),
    "head of two words": lie("eth_call", "0x" + "00" * 63 + "09", HEAD),
    "head of more than 64 bits": lie("eth_call", "0x" + "ff" * 32, HEAD),
    "head that is not held": lie("eth_call", "0x" + (10).to_bytes(32, "big").hex(), HEAD),
    "an odd number of digits": lie("eth_call", "0x0", HEAD),
    "no hex": lie("eth_call", "0x" + "zz" * 32, HEAD),
    "a number for data": lie("eth_call", 9, HEAD),
    "a list for data": lie("eth_call", [], HEAD),
    "revert without data": lie("eth_call", {"error": REVERT}, ANCHOR_AT),
    "revert with empty data": lie("eth_call", {"error": {**REVERT, "data": "0x"}}, ANCHOR_AT),
    "revert with another error of the contract": lie("eth_call", {"error": {**REVERT, "data": "0x" + "d93c0665"}}, ANCHOR_AT),
    "revert about another seq": lie("eth_call", {"error": {**REVERT, "data": "0x" + UNKNOWN_SEQ.hex() + "00" * 32}}, ANCHOR_AT),
    "revert of head": lie("eth_call", {"error": {**REVERT, "data": "0x" + UNKNOWN_SEQ.hex() + "00" * 32}}, HEAD),
    "an error that is a text": lie("eth_call", {"error": "no"}, ANCHOR_AT),
    "rate limit": lie("eth_getBlockByNumber", {"error": {"code": -32005, "message": "limit"}}),
    "no finalized block": Node(finalized=500),
    "a block that is none": lie("eth_getBlockByNumber", []),
    "a block without a hash": lie("eth_getBlockByNumber", {"number": "0x1", "timestamp": "0x1"}),
    "a block with a short hash": lie("eth_getBlockByNumber", {"number": "0x1", "timestamp": "0x1", "hash": "0x00"}),
    "a block number that is none": lie("eth_getBlockByNumber", {"number": 118, "timestamp": "0x1", "hash": "0x" + "00" * 32}),
    "a chain id that is none": lie("eth_chainId", "31337"),
    "frozen for more than max_lag_s": Node(now=NOW - 3600),
    "silent for more than two heartbeats": Node(
        anchors={seq: a._replace(time=a.time - 7201) for seq, a in VECTORS.anchors.items()}
    ),
    "no anchor yet": Node(anchors={}),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_never_believed(name: str) -> None:
    """Alone, beside an honest endpoint, and beside two: it is no vote."""
    for nodes in ([LIES[name]], [Node(), LIES[name]], [LIES[name], Node(), Node()]):
        report = verify(proof_file("valid"), [reader(*nodes)])
        assert report.verdict == "undecided", name
        assert [check.result for check in report.checks[5:9]] == ["could_not_check"] * 4
        assert report.check("content").result == "pass"
        check = report.check("inclusion")
        assert check.detail("zh") != check.detail("en") != check.code


def test_nothing_that_fails_is_turned_into_another_verdict() -> None:
    """Whatever a file claims, without a chain it is neither forged by 6 and 7 nor absent."""
    for name in ("siblings_flip_fail", "void", "absent", "presence_void", "replaced_original", "not_current"):
        assert verify(proof_file(name), [reader(Node(code="0x"))]).verdict == "undecided"
    assert verify(proof_file("amount_fail"), [reader(Node(code="0x"))]).verdict == "forged"


@pytest.mark.parametrize(
    "other",
    [
        Node(fork=118),
        Node(fork=115),
        Node(anchors={**VECTORS.anchors, 9: VECTORS.anchors[9]._replace(register_root=bytes(32))}),
        Node(anchors={**VECTORS.anchors, 3: VECTORS.anchors[3]._replace(log_root=bytes(32))}),
        Node(anchors={seq: anchor for seq, anchor in VECTORS.anchors.items() if seq < 9}),
        Node(code="0x61"),
        Node(finalized=117, fork=117),
    ],
    ids=[
        "F on another fork",
        "F of another past",
        "another head root",
        "another batch root",
        "another head",
        "another code",
        "lower F on another fork",
    ],
)
def test_disagreement(other: Node) -> None:
    for nodes in ([Node(), other], [other, Node()], [Node(), Node(), other]):
        report = verify(proof_file("valid"), [reader(*nodes)])
        assert report.verdict == "undecided"
        assert report.check("final").code == "chain.disagree"


def test_a_fork_above_f_does_not_matter() -> None:
    assert verify(proof_file("valid"), [reader(Node(), Node(fork=119))]).verdict == "valid"


def test_an_endpoint_that_is_down() -> None:
    endpoints = Endpoints({ONE: Node()})
    report = verify(proof_file("valid"), [reader(endpoints=endpoints, rpc_urls=(ONE, TWO))])
    assert report.verdict == "undecided"
    assert report.check("newest").detail("en") == "The endpoint http://two.example does not answer."


def test_what_failed_once_is_not_asked_again() -> None:
    """A run over many files does not wait for a dead endpoint each time."""
    endpoints = Endpoints({})
    read = reader(endpoints=endpoints, rpc_urls=(ONE,))
    for _ in range(3):
        assert verify(proof_file("valid"), [read]).verdict == "undecided"
    assert len(endpoints.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", "chain.bad_answer"),
        (200, b"<html>", "chain.bad_answer"),
        (200, b"null", "chain.bad_answer"),
        (200, b"[]", "chain.bad_answer"),
        (200, b"{}", "chain.bad_answer"),
        (200, b'[{"id":0,"result":"0x7a69"}]', "chain.bad_answer"),
        (200, b'[{"id":0,"result":"0x7a69"},{"id":0,"result":"0x7a69"}]', "chain.bad_answer"),
        (200, b'[{"id":0,"result":"0x7a69"},{"id":7,"result":"0x7a69"}]', "chain.bad_answer"),
        (200, b'[{"id":"0"},{"id":"1"}]', "chain.bad_answer"),
        (200, b"[1,2]", "chain.bad_answer"),
        (200, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch"}}', "chain.rpc_error"),
        (429, b"slow down", "chain.http"),
        (500, b"[]", "chain.http"),
    ],
)
def test_answers_that_are_none(status: int, body: bytes, code: str) -> None:
    read = RpcReader(Trust(VECTORS.chain, {}, (ONE,)), lambda url, sent, most: Answer(status, body), clock=lambda: NOW)
    with pytest.raises(ChainUnavailable) as failure:
        read.read(())
    assert failure.value.reason == code


def test_time_out() -> None:
    def post(url: str, body: bytes, max_bytes: int) -> Answer:
        raise Unreachable("no answer in time", timed_out=True)

    with pytest.raises(ChainUnavailable) as failure:
        RpcReader(Trust(VECTORS.chain, {}, (ONE,)), post).read(())
    assert failure.value.reason == "chain.timeout"


def test_hardhat_gives_the_revert_one_level_down() -> None:
    def nested(method: str, params: list[Any]) -> Any:
        data = params[0]["data"] if method == "eth_call" else ""
        if data.startswith("0x" + ANCHOR_AT.hex()) and int(data[10:], 16) > 9:
            return {"error": {"code": -32603, "message": "reverted", "data": {"data": "0x" + UNKNOWN_SEQ.hex() + data[10:]}}}
        return None

    assert verify(proof_file("valid"), [reader(Node(lie=nested))]).verdict == "valid"


# Above head


LATER = Node(finalized=108)
"""Anchor 9 is mined, not final."""


def test_a_seq_above_head_is_read_at_the_lowest_latest_block() -> None:
    report = verify(proof_file("valid"), [reader(LATER, LATER)])
    assert report.verdict == "pending"
    assert report.check("register").result == "pass"
    assert (report.check("final").result, report.status, report.as_of) == ("fail", None, None)
    shorter = Node(finalized=108, latest=108, now=NOW - 20 * BLOCK_S)
    report = verify(proof_file("valid"), [reader(LATER, shorter)])
    assert (report.verdict, report.check("register").code) == ("undecided", "chain.unknown_seq")


def test_a_mismatch_above_head_could_not_be_checked() -> None:
    other = {**VECTORS.anchors, 9: VECTORS.anchors[9]._replace(register_root=b"\1" * 32)}
    report = verify(proof_file("valid"), [reader(Node(finalized=108, anchors=other))])
    assert report.verdict == "undecided"
    assert report.check("register").result == "could_not_check"
    assert verify(proof_file("valid"), [reader(Node(anchors=other))]).verdict == "forged"


def test_a_seq_that_nobody_has() -> None:
    proof = json.loads(proof_file("valid"))
    for seq in (10, 2**53 - 1):
        proof["inclusion"]["seq"] = seq
        report = verify(json.dumps(proof).encode(), [reader(Node())])
        assert (report.verdict, report.check("inclusion").code) == ("undecided", "chain.unknown_seq")


def test_a_seq_from_before_the_contract() -> None:
    """A successor takes up the count where its predecessor left; what it passed it will never hold."""
    successor = Node(anchors={seq: anchor for seq, anchor in VECTORS.anchors.items() if seq > 3})
    report = verify(proof_file("valid"), [reader(successor)])
    assert (report.verdict, report.check("inclusion").code) == ("forged", "inclusion.fail")


def test_disagreement_above_head_is_about_that_seq_alone() -> None:
    report = verify(proof_file("valid"), [reader(LATER, Node(finalized=108, fork=120))])
    assert report.check("inclusion").result == "pass"
    assert report.check("register").code == "chain.disagree"
    assert report.verdict == "undecided"


# Pending


def test_a_pending_file_needs_f_only() -> None:
    deadline = json.loads(proof_file("pending"))["receipt"]["deadline"] // 1000
    early = Node(now=deadline + 10 * BLOCK_S, code="0x", anchors={})
    assert verify(proof_file("pending"), [reader(early, now=early.now)]).verdict == "pending"
    late = Node(now=deadline + 10 * BLOCK_S + 1)
    report = verify(proof_file("pending"), [reader(late, now=late.now)])
    assert (report.verdict, report.check("inclusion").code) == ("undecided", "pending.overdue")
    assert verify(proof_file("pending"), [reader(Node(chain_id=1), now=early.now)]).verdict == "undecided"


# Grace


def grown(count: int, changes: dict[int, bytes]) -> Node:
    """The vectors' anchors and `count` more, one a second and the last one at F; `changes` are register roots from a seq on."""
    held = dict(VECTORS.anchors)
    for seq in range(10, 10 + count):
        root = changes.get(seq, held[seq - 1].register_root)
        held[seq] = Anchor(bytes(32), root, 0, held[seq - 1].time + 1, True)
    latest = 109 + count
    return Node(anchors=held, latest=latest, finalized=latest, now=held[9 + count].time)


@pytest.mark.parametrize("changed_at", [10, 11, 30, 58, 59])
@pytest.mark.parametrize("age", [299, 300, 301])
def test_grace(changed_at: int, age: int) -> None:
    """A root that was replaced less than grace_s before F counts as the newest, however many heartbeats came before and after."""
    node = grown(50, {changed_at: b"\1" * 32})
    node.now += 400
    for seq in range(changed_at, 60):
        node.anchors[seq] = node.anchors[seq]._replace(time=node.now - age)
    report = verify(proof_file("valid"), [reader(node, now=node.now)])
    assert report.verdict == ("valid" if age < 300 else "stale")
    assert report.check("newest").code == ("newest.grace" if age < 300 else "newest.old")


def test_no_grace_for_absence_and_presence() -> None:
    node = grown(1, {10: b"\1" * 32})
    for name in ("absent", "registered", "presence_void"):
        assert verify(proof_file(name), [reader(node, now=node.now)]).verdict == "stale"
    assert verify(proof_file("valid"), [reader(node, now=node.now)]).verdict == "valid"


@pytest.mark.parametrize("changed_at", [10, 17, 123, 500, 1008])
def test_when_a_root_was_replaced_is_found_in_few_requests(changed_at: int) -> None:
    node = grown(1000, {changed_at: b"\1" * 32, 1009: b"\2" * 32})
    endpoints = Endpoints({ONE: node})
    read = reader(endpoints=endpoints, rpc_urls=(ONE,), now=node.now)
    assert replaced_at(read, 9) == node.anchors[changed_at].time
    assert len(endpoints.requests) <= 7
    assert replaced_at(read, 1009) is None


def test_grace_that_could_not_be_read() -> None:
    node = grown(40, {30: b"\1" * 32})

    def forgetful(method: str, params: list[Any]) -> Any:
        asked = int(params[0]["data"][10:] or "0", 16) if method == "eth_call" else 0
        return {"error": {"code": -32000, "message": "missing trie node"}} if 10 < asked < 49 else None

    node.lie = forgetful
    report = verify(proof_file("valid"), [reader(node, now=node.now)])
    assert report.check("newest").result == "could_not_check"
    assert report.verdict == "undecided"


# Anchors for later


def test_collect_every_anchor() -> None:
    node = grown(MAX_CALLS * 2, {})
    saved = collect(reader(node, now=node.now), None)
    assert sorted(saved.anchors) == list(range(1, 10 + MAX_CALLS * 2))
    assert saved.head == 9 + MAX_CALLS * 2
    assert verify(proof_file("valid"), [saved]).verdict == "valid"


def test_collect_from_a_successor_and_what_is_not_final() -> None:
    successor = Node(anchors={seq: anchor for seq, anchor in VECTORS.anchors.items() if seq > 3}, finalized=108)
    assert sorted(collect(reader(successor), None).anchors) == [4, 5, 6, 7, 8]
    some = collect(reader(successor), [1, 5, 9, 77])
    assert sorted(some.anchors) == [5, 8, 9]
    assert not some.anchors[9].final
    assert some.read(()).head == 8


def test_another_chain_than_the_files() -> None:
    read = RpcReader(Trust(Chain(1, bytes(20)), {}, (ONE,)), Endpoints({ONE: Node()}))
    report = verify(proof_file("valid"), [read])
    assert (report.verdict, report.check("trust").result, report.origin) == ("undecided", "fail", None)
    assert [check.result for check in report.checks[4:]] == ["not_applicable"] * 6
