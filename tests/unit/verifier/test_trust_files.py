"""Trust files and anchors files: read strictly, written back, and several of them together."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.vector_files import PROOFS, anchors, proof_file, vector
from verifier.anchors import Anchors, collect, merge_anchors, parse_anchors
from verifier.chain import Anchor
from verifier.errors import ChainUnavailable, Malformed
from verifier.fields import Chain
from verifier.trust import Trust, merge_trust, parse_trust
from verifier.verify import verify

CHAIN = {"chain_id": 31337, "contract": "0x" + "11" * 20}
KEYS = vector("proofs/anchors")["service_keys"]
TRUST: dict[str, Any] = {
    "protocol": "zp1",
    "chain": CHAIN,
    "service_keys": KEYS,
    "rpc_urls": ["https://one.example/v3/secret", "http://[::1]:8545"],
    "finality": {"confirmations": 12},
    "promise_s": 61,
    "heartbeat_s": 3601,
    "grace_s": 301,
    "max_lag_s": 3602,
}


def written(value: object) -> bytes:
    return json.dumps(value).encode()


def test_trust() -> None:
    trust = parse_trust(written(TRUST))
    keys = {name: bytes.fromhex(key) for name, key in KEYS.items()}
    assert trust == Trust(Chain(31337, b"\x11" * 20), keys, tuple(TRUST["rpc_urls"]), 12, 61, 3601, 301, 3602)
    assert json.loads(trust.to_json()) == TRUST
    assert parse_trust(trust.to_json()) == trust


def test_trust_defaults() -> None:
    trust = parse_trust(written({"protocol": "zp1", "chain": CHAIN}))
    assert trust == Trust(Chain(31337, b"\x11" * 20), {}, (), None, 60, 3600, 300, 3600)
    assert parse_trust(trust.to_json()) == trust
    assert json.loads(trust.to_json())["finality"] == "finalized"


@pytest.mark.parametrize(
    ("member", "value", "where"),
    [
        ("protocol", "zp2", ""),
        ("protocol", None, ""),
        ("chain", {"chain_id": 1}, "/chain"),
        ("chain", {"chain_id": 1, "contract": "0x" + "AA" * 20}, "/chain/contract"),
        ("service_keys", [], "/service_keys"),
        ("service_keys", {"9f56a11abb21bd2c": "00"}, "/service_keys/9f56a11abb21bd2c"),
        ("service_keys", {"0000000000000000": next(iter(KEYS.values()))}, "/service_keys/0000000000000000"),
        ("service_keys", {"f5a5fd42d16a2030": "00" * 32}, "/service_keys/f5a5fd42d16a2030"),
        ("rpc_urls", "http://a", "/rpc_urls"),
        ("rpc_urls", ["http://a", "ftp://a"], "/rpc_urls/1"),
        ("rpc_urls", ["http://"], "/rpc_urls/0"),
        ("rpc_urls", ["http://a:x"], "/rpc_urls/0"),
        ("rpc_urls", ["http://a\n"], "/rpc_urls/0"),
        ("rpc_urls", [1], "/rpc_urls/0"),
        ("finality", "latest", "/finality"),
        ("finality", {}, "/finality"),
        ("finality", {"confirmations": -1}, "/finality/confirmations"),
        ("finality", {"confirmations": 1, "x": 1}, "/finality"),
        ("promise_s", "60", "/promise_s"),
        ("grace_s", 1.5, "/grace_s"),
        ("max_lag_s", None, "/max_lag_s"),
        ("graces_s", 1, ""),
    ],
)
def test_no_trust_file(member: str, value: object, where: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_trust(written({**TRUST, member: value}))
    assert refused.value.pointer == where


def test_a_key_of_small_order_is_not_trusted() -> None:
    """The hash of 32 zero bytes begins with 66687aadf862bd77: the id is right, the key is not."""
    with pytest.raises(Malformed) as refused:
        parse_trust(written({**TRUST, "service_keys": {"66687aadf862bd77": "00" * 32}}))
    assert refused.value.reason == "form.key_id"


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b'{"protocol":"zp1","protocol":"zp1","chain":1}', b"\xff"])
def test_neither_file(data: bytes) -> None:
    for parse in (parse_trust, parse_anchors):
        with pytest.raises(Malformed):
            parse(data)


def test_several_trust_files_of_one_contract() -> None:
    one = parse_trust(written(TRUST))
    two = one._replace(rpc_urls=("http://three.example", one.rpc_urls[0]), service_keys={})
    both = merge_trust([one, two])
    assert both == one._replace(rpc_urls=(*one.rpc_urls, "http://three.example"))
    assert merge_trust([one, two._replace(grace_s=0)]) is None


def test_anchors_round_trip() -> None:
    for path in PROOFS.glob("anchors*.json"):
        file = parse_anchors(path.read_bytes())
        assert json.loads(file.to_json()) == json.loads(path.read_bytes())
        assert parse_anchors(file.to_json()) == file


def edit(change: Callable[[Any], object]) -> bytes:
    tree = vector("proofs/anchors")
    change(tree)
    return written(tree)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda file: file.update(protocol="zp2"), ""),
        (lambda file: file.update(more=1), ""),
        (lambda file: file.pop("head"), ""),
        (lambda file: file.update(head="9"), "/head"),
        (lambda file: file.update(anchors=[]), "/anchors"),
        (lambda file: file["anchors"].update({"01": file["anchors"]["1"]}), "/anchors/01"),
        (lambda file: file["anchors"].update({"0": file["anchors"]["1"]}), "/anchors/0"),
        (lambda file: file["anchors"].update({"9" * 16: file["anchors"]["1"]}), "/anchors/" + "9" * 16),
        (lambda file: file["anchors"].update({"10": None}), "/anchors/10"),
        (lambda file: file["anchors"]["9"].update(final=1), "/anchors/9/final"),
        (lambda file: file["anchors"]["9"].update(size=65_537), "/anchors/9/size"),
        (lambda file: file["anchors"]["9"].update(time=0), "/anchors/9/time"),
        (lambda file: file["anchors"]["9"].update(log_root="00"), "/anchors/9/log_root"),
        (lambda file: file["anchors"]["9"].pop("register_root"), "/anchors/9"),
    ],
)
def test_no_anchors_file(change: Callable[[Any], object], where: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_anchors(edit(change))
    assert refused.value.pointer == where


def anchors_with(change: Callable[[Any], object], name: str = "") -> Anchors:
    return parse_anchors(edit(change), name)


def test_the_highest_head_counts() -> None:
    old = anchors("anchors-head-not-final.json")
    both = merge_anchors([old, anchors()])
    assert both.read(()).head == 9
    assert both.names == ("anchors-head-not-final.json", "anchors.json")
    # What was not final in the old file is in the new one, and has not changed.
    assert verify(proof_file("valid"), [both]).verdict == "valid"
    assert verify(proof_file("valid"), [merge_anchors([anchors(), old])]).verdict == "valid"


def test_a_seq_on_which_files_differ_could_not_be_checked() -> None:
    other = anchors_with(lambda file: file["anchors"]["3"].update(log_root="00" * 32))
    report = verify(proof_file("valid"), [merge_anchors([anchors(), other])])
    assert report.verdict == "undecided"
    assert {check.name for check in report.checks if check.result == "could_not_check"} == {"inclusion", "final"}
    # Of an entry in another batch everything is known.
    assert verify(proof_file("valid_reprint"), [merge_anchors([anchors(), other])]).verdict == "valid"


def test_files_that_differ_on_head() -> None:
    other = anchors_with(lambda file: file["anchors"]["9"].update(time=1))
    report = verify(proof_file("valid"), [merge_anchors([anchors(), other])])
    assert [check.result for check in report.checks[5:9]] == ["could_not_check"] * 4
    assert verify(proof_file("pending"), [merge_anchors([anchors(), other])]).verdict == "undecided"


def test_files_merge_again() -> None:
    other = anchors_with(lambda file: file["anchors"]["3"].update(size=1))
    both = merge_anchors([merge_anchors([anchors(), other]), anchors()])
    assert both.contested == {3}


def test_no_anchor_is_no_head() -> None:
    empty = Anchors(Chain(1, bytes(20)), {}, 0, {})
    with pytest.raises(ChainUnavailable):
        empty.read(())
    with pytest.raises(ChainUnavailable):
        empty.block()
    assert parse_anchors(empty.to_json()) == empty


def test_a_file_may_know_the_newest_alone() -> None:
    newest = Anchors(Chain(1, bytes(20)), {}, 7, {7: Anchor(bytes(32), bytes(32), 0, 1, True)})
    assert newest.read(()).head == 7
    with pytest.raises(ChainUnavailable, match="no anchor 6"):
        newest.anchor(6)


def test_collect_from_a_file() -> None:
    assert collect(anchors(), None) == anchors()
    some = collect(anchors(), [3, 1, 99])
    assert sorted(some.anchors) == [1, 3, 9]
    assert some.head == 9
    assert verify(proof_file("valid"), [some]).verdict == "valid"
