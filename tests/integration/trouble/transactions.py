"""Transactions that are lost, stuck, too dear, refused or reverted."""

from typing import Any

from tests.integration.trouble.endpoints import stands_still
from tests.integration.trouble.scenario import ONE, scenario
from tests.lying_proxy import SEND
from tests.world import World

GWEI = 10**9


def base_fee(world: World, gwei: int) -> None:
    """Of the next block; after that it falls by an eighth a block."""
    world.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))


def sent(world: World, seq: int) -> None:
    """Come to where the anchor of `seq` waits in the pool."""
    world.until(lambda: [item.state for item in world.items() if item.seq == seq] == ["broadcast"], f"{seq} broadcast")


def work_without_mining(world: World) -> None:
    """Seal and send; nothing is mined."""
    for _ in range(3):
        world.worker.round()


def pool(world: World) -> list[dict[str, Any]]:
    content = world.node.rpc("txpool_content")
    return [one for kind in ("pending", "queued") for some in content[kind].values() for one in some.values()]


@scenario(databases=ONE)
def a_transaction_is_dropped_from_the_pool(world: World) -> None:
    world.accept()
    work_without_mining(world)
    [waiting] = pool(world)
    world.node.rpc("anvil_dropTransaction", waiting["hash"])
    assert not pool(world)
    world.mine()
    world.worker.round()
    assert [one["hash"] for one in pool(world)] == [waiting["hash"]], "the same bytes again"
    world.check()
    assert len(world.attempts(1)) == 1


@scenario(databases=ONE)
def the_only_endpoint_swallows_transactions(world: World) -> None:
    [proxy] = world.proxies
    proxy.swallow()
    world.accept()
    world.meet("stuck")
    assert len(world.attempts(1)) == 1, "what nobody has needs no dearer one"
    world.accept()
    proxy.tell_truth()
    world.round(2)
    world.round()
    assert world.trouble() is None
    world.check()


@scenario(databases=ONE)
def no_endpoint_takes_transactions(world: World) -> None:
    [proxy] = world.proxies
    world.accept()
    world.rest()
    for words in "quota exceeded", "insufficient funds for gas * price + value":
        proxy.refuse(SEND, words)
        world.accept()
        world.meet("not_sent")
        for _ in range(world.settings.stuck_s + 10):
            world.round()
        assert len(world.attempts(world.contract.head() + 1)) == 1, "what nobody took needs no dearer one"
        proxy.tell_truth()
        world.reach("mined")
        assert world.trouble() is None
    world.check()


@scenario(databases=ONE)
def fees_rise_over_what_was_offered(world: World) -> None:
    """Replaced by a dearer one once it is stuck, and mined."""
    world.proxies[0].answer("eth_maxPriorityFeePerGas", hex(GWEI))
    world.accept()
    work_without_mining(world)
    [first] = world.attempts(1)
    for _ in range(world.settings.stuck_s):
        world.mine_full(200)
        assert len(world.attempts(1)) == 1
        world.worker.round()
    assert len(world.attempts(1)) == 2
    second = world.attempts(1)[1]
    assert second.nonce == first.nonce
    assert second.max_fee >= 400 * GWEI
    assert world.trouble() == "stuck"
    world.round()
    world.round()
    assert world.trouble() is None
    world.check()
    assert len(world.attempts(1)) == 2


@scenario(settings={"max_fee_gwei": 500})
def fees_rise_over_the_cap(world: World) -> None:
    """Replaced up to the cap, and then an alarm; it is mined when fees fall."""
    world.proxies[0].answer("eth_maxPriorityFeePerGas", hex(GWEI))
    world.accept()
    work_without_mining(world)
    for gwei in 100, 300, 480, 600:
        for _ in range(world.settings.stuck_s + 1):
            world.mine_full(gwei)
            world.worker.round()
    assert world.trouble() == "fee_cap"
    attempts = world.attempts(1)
    assert [attempt.max_fee // GWEI for attempt in attempts[1:]] == [201, 500]
    assert len({attempt.nonce for attempt in attempts}) == 1
    world.accept()
    for _ in range(world.settings.stuck_s):
        world.mine_full(600)
        world.worker.round()
        assert world.trouble() == "fee_cap"
    assert world.incidents() == ["fee_cap"], "one alarm, however long it lasts"
    world.mine_full(499)
    world.check()
    assert world.attempts(1) == attempts


@scenario(databases=ONE)
def fees_are_over_the_cap_from_the_start(world: World) -> None:
    for _ in range(3):
        base_fee(world, 600)
        world.mine()
    world.accept()
    base_fee(world, 600)
    world.meet("fee_cap", rounds=3)
    assert not pool(world)
    world.check()


@scenario(databases=ONE, settings={"max_fee_gwei": 30})
def a_node_suggests_a_mad_tip(world: World) -> None:
    """What is paid stays below the cap."""
    world.proxies[0].answer("eth_maxPriorityFeePerGas", hex(10**9 * GWEI))
    world.accept()
    world.check()
    [attempt] = world.attempts(1)
    assert attempt.max_fee == attempt.tip == 30 * GWEI


@scenario(databases=ONE)
def a_transaction_is_dropped_when_fees_have_risen(world: World) -> None:
    """The node would not take the same bytes again."""
    world.accept()
    work_without_mining(world)
    world.node.rpc("anvil_dropAllTransactions")
    base_fee(world, 100)
    world.mine()
    world.worker.round()
    assert len(world.attempts(1)) == 2
    assert len(pool(world)) == 1
    world.check()


@scenario(databases=ONE)
def another_transaction_has_the_nonce(world: World) -> None:
    """The key was used for something else: first in the pool, cheaper or dearer than ours would be, and then on the chain."""
    world.accept()
    world.rest()
    key = world.contract.anchorer

    def transfer(gwei: int) -> None:
        fees = {"maxFeePerGas": hex(gwei * GWEI), "maxPriorityFeePerGas": hex(gwei * GWEI)}
        nonce = world.node.rpc("eth_getTransactionCount", key, "latest")
        world.node.rpc("eth_sendTransaction", {"from": key, "to": key, "value": "0x1", "gas": "0x5208", "nonce": nonce} | fees)

    for gwei in 2, 30:
        transfer(gwei)
        world.accept()
        for _ in range(40):  # an eighth more each time
            world.worker.round()
            assert world.trouble() is None
        seq = world.contract.head() + 1
        assert [one["hash"] for one in pool(world)] == world.hashes(seq)[-1:]
        world.rest()
    world.accept()
    work_without_mining(world)
    transfer(90)
    assert [one["value"] for one in pool(world)] == ["0x1"]
    world.mine()
    world.check()


@scenario()
def a_transaction_is_reverted(world: World) -> None:
    """Mined is what the contract holds, not what has a receipt."""
    world.accept()
    world.rest()
    world.accept()
    work_without_mining(world)
    [waiting] = pool(world)
    world.transact(world.contract.pauser, "pause", tip=50 * GWEI)
    world.mine()
    receipt = world.node.rpc("eth_getTransactionReceipt", waiting["hash"])
    assert receipt["status"] == "0x0"
    world.meet("paused")
    stands_still(world)
    assert [item.state for item in world.items()] == ["broadcast"]
    assert world.status()["head"] == 1
    world.transact(world.contract.pauser, "unpause")
    world.mine()
    world.check()
    assert [attempt.nonce for attempt in world.attempts(2)] == [1, 2]


@scenario()
def the_contract_is_paused(world: World) -> None:
    world.accept(2)
    world.rest()
    world.transact(world.contract.pauser, "pause")
    world.mine()
    world.meet("paused")
    world.accept(2)
    stands_still(world)
    world.mine(seconds=600)
    world.round()
    assert world.trouble() == "paused"
    assert world.proof(world.kept[0])[0] == 200, "what is final stays proven"
    assert world.incidents() == ["paused"]
    world.transact(world.contract.pauser, "unpause")
    world.mine()
    world.check()


@scenario(databases=ONE)
def the_role_is_revoked(world: World) -> None:
    role = world.contract.call("ANCHORER_ROLE")
    world.accept(2)
    world.rest()
    world.transact(world.contract.admin, "revokeRole", role, world.contract.anchorer)
    world.mine()
    world.meet("role_missing")
    world.accept(2)
    stands_still(world)
    world.transact(world.contract.admin, "grantRole", role, world.contract.anchorer)
    world.mine()
    world.check()


@scenario(databases=ONE)
def the_key_cannot_pay(world: World) -> None:
    world.accept()
    world.rest()
    balance = world.node.rpc("eth_getBalance", world.contract.anchorer, "latest")
    world.node.rpc("anvil_setBalance", world.contract.anchorer, "0x1000")
    world.mine()
    world.accept()
    world.meet("no_funds")
    assert not pool(world)
    assert world.incidents() == ["no_funds"]
    world.node.rpc("anvil_setBalance", world.contract.anchorer, balance)
    world.mine()
    world.check()


@scenario(databases=ONE)
def the_contract_would_refuse_the_anchor(world: World) -> None:
    """For a reason that we do not know of: nothing is paid for."""
    world.accept()
    world.rest()
    [proxy] = world.proxies
    anchor = world.contract.call_data("anchor", 2, bytes(32), 1, bytes(32))[:10]

    def refuse(call: Any, ask: Any) -> Any:
        if call["params"][0]["data"].startswith(anchor):
            return {"error": {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}}
        return ask(call["method"], *call["params"])

    proxy.lie("eth_call", refuse)
    world.accept()
    world.meet("reverted")
    stands_still(world)
    assert not world.attempts(2)
    assert world.incidents() == ["reverted"]
    proxy.tell_truth()
    world.check()
