"""Endpoints that are down, slow, frozen, wrong or lying."""

import json
from typing import Any

from service.worker import Worker
from tests.chain import RegistryContract, anvil
from tests.integration.trouble.scenario import ONE, scenario
from tests.lying_proxy import SEND, Lie
from tests.world import World

HOUR_S = 3600


def stands_still(world: World, rounds: int = 4) -> None:
    """Nothing is sealed and nothing is sent."""
    before = world.contract.head(), world.status()["sealed_head"], _nonce(world)
    for _ in range(rounds):
        world.round()
    assert (world.contract.head(), world.status()["sealed_head"], _nonce(world)) == before


def _nonce(world: World) -> str:
    return str(world.node.rpc("eth_getTransactionCount", world.contract.anchorer, "pending"))


def refuses_everything(world: World) -> None:
    """No proof is handed out, and nothing is promised."""
    status, answer = world.proof(world.kept[0])
    assert status == 503, answer
    sections = {**world.kept[0].sections}
    assert world.ask("POST", "/v1/invoices", {"profile": "as_issued", "sections": sections})[0] == 503


@scenario()
def node_goes_down_and_comes_back(world: World) -> None:
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    for rounds in range(3):  # before it is sealed, before it is mined, before it is final
        world.accept()
        for _ in range(rounds):
            world.round()
        proxy.go_down()
        world.meet("unreachable")
        world.accept()
        proxy.tell_truth()
        world.round()
        assert world.trouble() is None
        assert world.promise_s() == world.settings.promise_s
    world.check()


@scenario(databases=ONE)
def node_is_slow(world: World) -> None:
    [proxy] = world.proxies
    world.accept()
    proxy.be_slow(0.1)
    world.reach("mined")
    assert world.trouble() is None
    world.accept()
    # Only now: a worker of so little patience may find any answer late.
    impatient = world.settings.model_copy(update={"rpc_timeout_s": 0.5})
    world.worker = Worker(impatient, world.database, world.clock)
    proxy.be_slow(impatient.rpc_timeout_s * 1.2)
    world.meet("unreachable", rounds=2)
    proxy.tell_truth()
    world.worker = world.new_worker()
    world.check()


@scenario(databases=ONE)
def node_answers_nonsense(world: World) -> None:
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    world.accept()
    for body, status in (b"[]", 200), (b"null", 200), (b"<html>", 200), (b"{}", 200), (b'[{"id":0}]', 200), (b"[]", 503):
        proxy.say(body, status)
        world.meet("unreachable" if status == 503 else "bad_answer")
        proxy.tell_truth()
        world.round()
        assert world.trouble() is None
    world.check()


@scenario(databases=ONE)
def node_answers_zeros(world: World) -> None:
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    world.accept()
    zero: dict[str, Any] = {"number": "0x0", "hash": "0x" + "00" * 32, "timestamp": "0x0"}
    lies = (
        ("eth_call", "0x" + "00" * 32),
        ("eth_call", "0x" + "00" * 160),
        ("eth_call", "0x"),
        ("eth_getBlockByNumber", zero),
        ("eth_getBlockByNumber", None),
        ("eth_getTransactionCount", None),
    )
    for method, lie in lies:
        proxy.answer(method, lie)
        world.meet("bad_answer")
        stands_still(world)
        proxy.tell_truth()
        world.round()
        assert world.trouble() is None
    assert not world.incidents()
    world.check()


_BLOCK: dict[str, Any] = {"number": "0x1", "hash": "0x" + "ab" * 32, "timestamp": "0x1"}
_VALUES: tuple[Any, ...] = (None, [], {}, "", "0x", "zz", "0xzz", "0x-1", "-1", True, 7, -7, 2**70, 1.5, [[]], {"a": 1})
_MEMBERS: tuple[Any, ...] = (None, 1, "", "0x", "0x" + "f" * 60, "-0x1", [])
_ERRORS: tuple[Any, ...] = ("text", [], 1, {}, {"data": 5}, {"data": {"data": []}}, {"message": None, "data": "0x"})
_ANSWERS: list[dict[str, Any]] = [
    *({"result": value} for value in _VALUES),
    *({"result": "0x" + "ff" * length} for length in (1, 8, 31, 32, 33, 160, 1000)),
    *({"result": {**_BLOCK, name: value}} for name in _BLOCK for value in _MEMBERS),
    *({"error": value} for value in _ERRORS),
    {},
    {"result": "0x1", "error": None},
]
"""What an endpoint might send that is broken, or hostile."""


def _always(answer: dict[str, Any]) -> Lie:
    return lambda _call, _ask: dict(answer)


@scenario(databases=ONE)
def node_answers_anything(world: World) -> None:
    """Whatever it is, it is the node's fault, and known to be."""
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    world.accept()
    world.worker.round()
    methods = sorted(set(proxy.asked) | {"eth_getTransactionByHash"})
    assert len(methods) == 9
    for method in methods:
        for number, lie in enumerate(_ANSWERS):
            proxy.lie(method, _always(lie))
            world.mine()  # else nothing is read again
            world.worker.round()
            assert "worker_failed" not in world.incidents(), (method, lie)
            proxy.tell_truth()
            if number % 10 == 0:
                world.worker.round()
                world.accept()
                world.worker.round()
    for lie in _ANSWERS:
        proxy.say(json.dumps(lie).encode())
        world.worker.round()
    assert "worker_failed" not in world.incidents()
    proxy.tell_truth()
    world.round()
    world.node.rpc("anvil_setBalance", world.contract.anchorer, "0x" + "f" * 64)
    world.accept()
    world.check()


@scenario(databases=ONE, slots_in_an_epoch=4)
def node_fails_to_call(world: World) -> None:
    """An error in place of an answer is not the contract's word that it holds nothing."""
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    world.accept()
    world.reach("mined")
    asked = world.contract.call_data("anchorAt", 1)[:10]

    def fail(call: Any, ask: Any) -> Any:
        if call["params"][0]["data"].startswith(asked):
            return {"error": {"code": -32000, "message": "header not found"}}
        return ask(call["method"], *call["params"])

    proxy.lie("eth_call", fail)
    world.meet("bad_answer")
    stands_still(world)
    assert [item.state for item in world.items()] == ["mined"]
    proxy.tell_truth()
    assert not world.incidents()
    world.check()


@scenario(databases=ONE, endpoints=2)
def one_of_two_endpoints_is_down(world: World) -> None:
    for proxy in world.proxies:
        for harm in (proxy.go_down, lambda proxy=proxy: proxy.say(b"[]"), lambda proxy=proxy: proxy.answer("eth_call", "0x")):
            harm()
            world.accept()
            world.rest()
            assert world.left_out() == "http://127.0.0.1:" + proxy.url.rpartition(":")[2]
            proxy.tell_truth()
            world.round()
            assert world.left_out() == ""
    world.check()


@scenario(databases=ONE, endpoints=2)
def one_of_two_endpoints_is_frozen_for_an_hour(world: World) -> None:
    world.accept(2)
    world.rest()
    frozen, _ = world.proxies
    frozen.freeze()
    for _ in range(6):
        world.mine(seconds=HOUR_S // 6)
        world.round()
        world.accept()
        world.rest()
        assert world.left_out() == frozen.url
        assert world.promise_s() == world.settings.promise_s
    frozen.tell_truth()
    world.round()
    assert world.left_out() == ""
    world.check()


@scenario(databases=ONE)
def the_only_endpoint_is_frozen_for_an_hour(world: World) -> None:
    [proxy] = world.proxies
    world.accept(2)
    world.rest()
    proxy.freeze()
    world.mine(seconds=HOUR_S)
    world.meet("no_blocks")
    world.accept()
    for _ in range(4):
        world.round()
        assert world.trouble() in ("no_blocks", "not_sent")
    assert not world.attempts(2)[1:]
    proxy.tell_truth()
    world.check()


@scenario(databases=ONE, endpoints=2)
def an_endpoint_that_lags_is_no_vanished_anchor(world: World) -> None:
    world.accept()
    world.rest()
    slow, fast = world.proxies
    slow.freeze()
    world.mine(seconds=600)
    world.round()
    world.accept()
    world.rest()
    fast.go_down()
    world.mine(seconds=60)
    world.meet("behind")
    stands_still(world)
    refuses_everything(world)
    assert not world.incidents()
    fast.tell_truth()
    world.round()
    assert world.trouble() is None
    slow.tell_truth()
    world.check()


@scenario(databases=ONE, endpoints=2)
def an_endpoint_a_block_behind_is_no_trouble(world: World) -> None:
    """Behind one address there are often several nodes."""
    late = world.proxies[1]

    def one_behind(call: Any, ask: Any) -> Any:
        if call["params"][0] != "latest":
            return ask(call["method"], *call["params"])
        newest = int(ask("eth_blockNumber")["result"], 16)
        return ask("eth_getBlockByNumber", hex(newest - 1), False)

    for _ in range(3):
        world.accept()
        for turn in range(8):
            late.tell_truth() if turn % 2 else late.lie("eth_getBlockByNumber", one_behind)
            world.round()
            assert world.trouble() is None
            assert world.left_out() == ""
    late.tell_truth()
    world.check()


@scenario(databases=ONE, endpoints=2)
def two_endpoints_disagree(world: World) -> None:
    world.accept(2)
    world.rest()
    _, liar = world.proxies
    world.accept()
    head = world.contract.call_data("head")

    def one_more(call: Any, ask: Any) -> Any:
        answer = ask(call["method"], *call["params"])
        return {"result": f"0x{int(answer['result'], 16) + 1:064x}"} if call["params"][0]["data"] == head else answer

    def other_root(call: Any, ask: Any) -> Any:
        answer = ask(call["method"], *call["params"])
        return {"result": "0x01" + answer["result"][4:]} if len(answer.get("result", "")) == 322 else answer

    for lie in one_more, other_root:
        liar.lie("eth_call", lie)
        world.meet("endpoints_disagree")
        stands_still(world)
        liar.tell_truth()
        world.round()
        assert world.trouble() is None
    liar.answer("eth_chainId", "0x1")
    world.meet("endpoints_disagree")
    assert set(world.incidents()) == {"endpoints_disagree"}
    liar.tell_truth()
    world.check()


@scenario(databases=ONE)
def another_chain_answers(world: World) -> None:
    world.accept(2)
    world.rest()
    [proxy] = world.proxies
    proxy.answer("eth_chainId", "0x1")
    world.meet("wrong_chain")
    stands_still(world)
    refuses_everything(world)
    assert world.incidents() == ["wrong_chain"]
    proxy.tell_truth()
    world.round()
    world.accept()
    world.check()


@scenario(databases=ONE)
def there_is_no_code_at_the_address(world: World) -> None:
    world.accept(2)
    world.rest()
    [proxy] = world.proxies
    for method in "eth_getCode", "eth_call":
        proxy.answer(method, "0x")
    world.meet("no_contract")
    stands_still(world)
    refuses_everything(world)
    assert world.incidents() == ["no_contract"]
    proxy.tell_truth()
    world.round()
    world.accept()
    world.check()


@scenario(databases=ONE)
def the_chain_is_reset(world: World) -> None:
    world.accept(2)
    world.rest()
    [proxy] = world.proxies
    true = proxy.node
    with anvil(no_mining=True) as other:
        proxy.node = other.url
        world.meet("behind", rounds=15)
        refuses_everything(world)
        # The same deployer makes a contract at the same address there, and it comes to the height that was final here.
        contract = RegistryContract.deploy(other)
        assert contract.address == world.contract.address
        other.mine(40)
        world.meet("final_vanished")
        for _ in range(10):
            world.round()
            other.mine()
        refuses_everything(world)
        assert contract.head() == 0
        assert world.incidents() == ["final_vanished"]
    proxy.node = true
    world.round()
    world.accept()
    world.check()


@scenario(databases=ONE, endpoints=2)
def an_endpoint_swallows_transactions(world: World) -> None:
    world.proxies[0].swallow()
    world.accept()
    world.reach("mined")
    assert len(world.attempts(1)) == 1
    assert world.trouble() is None
    world.proxies[0].refuse(SEND, "quota exceeded")
    world.accept()
    world.reach("mined")
    assert world.trouble() is None
    world.check()
