"""The chain as many requests read it: round trips go with time, not with requests."""

import threading
from typing import Any

import pytest

from service.verification.chain import AGAIN_S, FRESH_S, MAX_ABOVE, PAGE, STALE_S, ChainReadings
from tests.unit.verifier.fake_chain import NOW, ONE, TWO, VECTORS, Endpoints, Node
from verifier.chain import Anchor, ChainReader, RpcReader
from verifier.errors import ChainUnavailable
from verifier.trust import Trust


class World:
    """Readings over fake nodes, with a clock that the test moves."""

    def __init__(self, *nodes: Node, names: dict[str, str] | None = None) -> None:
        self.now = 100.0
        self.urls = (ONE, TWO)[: len(nodes)]
        self.nodes = nodes
        self.endpoints = Endpoints(dict(zip(self.urls, nodes, strict=True)))
        trust = Trust(VECTORS.chain, VECTORS.service_keys, self.urls)
        self.readings = ChainReadings(trust, self.endpoints, names or {}, lambda: NOW, lambda: self.now)

    @property
    def requests(self) -> int:
        return len(self.endpoints.requests)


def many(count: int) -> dict[int, Anchor]:
    """So many anchors, all in blocks that are final."""
    base = VECTORS.anchors[9]
    return {
        seq: base._replace(log_root=seq.to_bytes(32, "big"), register_root=(seq // 3).to_bytes(32, "big"))
        for seq in range(1, count)
    }


def test_it_says_what_a_reader_of_its_own_says() -> None:
    world = World(Node())
    shared = world.readings.reader()
    own = RpcReader(Trust(VECTORS.chain, VECTORS.service_keys, world.urls), world.endpoints, lambda: NOW)
    assert shared.read((1, 5)) == own.read((1, 5))
    assert [shared.anchor(seq) for seq in range(1, 10)] == [own.anchor(seq) for seq in range(1, 10)]
    assert (shared.block(), shared.chain, shared.grace_s, shared.service_keys, shared.origin) == (
        own.block(),
        own.chain,
        own.grace_s,
        own.service_keys,
        own.origin,
    )


def test_many_requests_cost_no_more_round_trips_than_one() -> None:
    world = World(Node())
    world.readings.reader().anchor(3)
    first = world.requests
    for n in range(500):
        reader = world.readings.reader(9)
        reader.read((1 + n % 9,))
        reader.anchor(1 + n % 9)
        reader.block()
    assert world.requests == first <= 3


def test_a_new_reading_asks_for_what_is_new_alone() -> None:
    world = World(Node(anchors=many(400), latest=600, finalized=590))
    reader = world.readings.reader()
    head = reader.read(()).head
    for seq in range(1, head + 1):
        assert reader.anchor(seq) is not None
    pages = world.requests
    assert pages <= 4 + head // PAGE + 1
    world.now += FRESH_S
    again = world.readings.reader()
    for seq in range(1, head + 1):
        assert again.anchor(seq) == reader.anchor(seq)
    assert world.requests - pages <= 3


def test_a_reading_is_used_for_a_while_and_then_renewed() -> None:
    node = Node()
    world = World(node)
    reader = world.readings.reader()
    node.finalized += 1
    world.now += FRESH_S - 0.01
    assert world.readings.reader() is reader
    world.now += 0.02
    assert world.readings.reader().block().number == node.finalized


def test_an_anchor_that_is_known_to_be_final_is_worth_a_new_reading() -> None:
    node = Node(finalized=108)
    world = World(node)
    reader = world.readings.reader()
    assert reader.read(()).head == 8
    node.finalized = 109
    assert world.readings.reader(9) is reader  # only just read
    world.now += AGAIN_S
    assert world.readings.reader(8) is reader
    assert world.readings.reader(9).read(()).head == 9
    before = world.requests
    world.now += AGAIN_S - 0.01
    world.readings.reader(10_000)
    assert world.requests == before


def test_failure_is_told_for_a_while_and_then_tried_again() -> None:
    node = Node()
    world = World(node)
    world.endpoints.nodes = {}
    for _ in range(5):
        with pytest.raises(ChainUnavailable) as raised:
            world.readings.reader(9).read(())
        assert raised.value.reason == "chain.unreachable"
        with pytest.raises(ChainUnavailable):
            world.readings.reader(9).anchor(3)
    assert world.requests == 1
    world.endpoints.nodes = {ONE: node}
    world.now += FRESH_S
    assert world.readings.reader(9).read(()).head == 9


def test_a_chain_that_goes_back_is_read_anew() -> None:
    node = Node()
    world = World(node)
    assert world.readings.reader().anchor(3) == VECTORS.anchors[3]
    node.anchors = {seq: anchor._replace(log_root=bytes(32)) for seq, anchor in VECTORS.anchors.items() if seq < 5}
    world.now += FRESH_S
    reader = world.readings.reader()
    anchor = reader.anchor(3)
    assert anchor is not None
    assert anchor.log_root == bytes(32)


def test_far_above_head_nothing_is_asked_for() -> None:
    world = World(Node())
    reader = world.readings.reader()
    before = world.requests
    with pytest.raises(ChainUnavailable) as raised:
        reader.anchor(9 + MAX_ABOVE + 1)
    assert raised.value.reason == "chain.unknown_seq"
    assert world.requests == before
    with pytest.raises(ChainUnavailable):
        reader.anchor(10)
    assert world.requests > before


def test_an_anchor_that_is_not_final_yet_is_seen_as_such() -> None:
    node = Node(finalized=105)
    world = World(node)
    reader = world.readings.reader()
    anchor = reader.anchor(8)
    assert anchor is not None
    assert (reader.read(()).head, anchor.final) == (5, False)
    node.finalized = 118
    world.now += FRESH_S
    anchor = world.readings.reader().anchor(8)
    assert anchor is not None
    assert anchor.final


def test_endpoints_that_are_nobodys_business_have_other_names() -> None:
    world = World(Node(), Node(), names={ONE: "endpoint 1", TWO: "endpoint 2"})
    assert world.readings.reader().origin.endpoints == ("endpoint 1", "endpoint 2")
    world.endpoints.nodes = {ONE: world.nodes[0]}
    world.now += FRESH_S
    with pytest.raises(ChainUnavailable) as raised:
        world.readings.reader().block()
    assert raised.value.details == {"endpoint": "endpoint 2"}
    assert "example" not in str(raised.value)


def test_lying_endpoints_are_never_believed() -> None:
    def lie(method: str, params: list[Any]) -> Any:
        return "0x" + "00" * 31 + "05" if method == "eth_call" and params[0]["data"] == "0x8f7dcfa3" else None

    world = World(Node(), Node(lie=lie))
    with pytest.raises(ChainUnavailable) as raised:
        world.readings.reader().read(())
    assert raised.value.reason == "chain.disagree"


def test_while_one_thread_reads_the_others_go_on_with_what_they_have() -> None:
    world = World(Node())
    old = world.readings.reader()
    may_answer, is_asked = threading.Event(), threading.Event()
    answer = world.endpoints.__call__

    class Slow(Endpoints):
        def __call__(self, url: str, body: bytes, max_bytes: int) -> Any:
            is_asked.set()
            assert may_answer.wait(60)
            return answer(url, body, max_bytes)

    world.readings._post = Slow(world.endpoints.nodes)
    world.now += FRESH_S
    got: list[ChainReader] = []
    slow = threading.Thread(target=lambda: got.append(world.readings.reader()))
    slow.start()
    assert is_asked.wait(60)
    assert world.readings.reader() is old
    waiting = threading.Thread(target=lambda: got.append(world.readings.reader(10**6)))  # what there is, is not enough for it
    world.now += STALE_S
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    may_answer.set()
    slow.join(60)
    waiting.join(60)
    assert len(got) == 2
    assert old not in got
