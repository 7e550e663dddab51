"""Other anchorers, reorganisations, and what was final and is not."""

import json
from typing import Any

from service.ledger.outbox import Item
from tests.integration.trouble.endpoints import refuses_everything, stands_still
from tests.integration.trouble.scenario import BOTH, ONE, scenario
from tests.integration.trouble.transactions import GWEI, sent, work_without_mining
from tests.world import World

DEEP = 4
"""Slots in an epoch: a block is final when eight more are on top of it."""


def mined_waits_for_finality(world: World, count: int = 1) -> Item:
    """So many batches mined, each in the newest block, and none of them final; the oldest."""
    for _ in range(count):
        world.accept(2)
        mined_now(world)
    items = world.items()
    assert len(items) == count
    return items[0]


def mined_now(world: World) -> None:
    """Seal what waits, and mine it in the newest block."""
    work_without_mining(world)
    world.mine()
    world.worker.round()
    assert [(item.state, item.block_number) for item in world.items()][-1:] == [("mined", world.height())]


def gives_way(world: World) -> None:
    world.until(lambda: "foreign_anchor" in world.incidents(), "given way")


@scenario()
def another_anchorer_takes_the_seq(world: World) -> None:
    world.accept(2)
    world.rest()
    world.accept()
    world.void(world.kept[0])
    assert world.rival
    work_without_mining(world)
    world.anchor_as_another(2)
    world.mine()
    world.meet("seq_taken", rounds=1)
    world.accept()
    world.check(foreign={2}, notes=1)
    assert world.incidents() == ["foreign_anchor"]


@scenario()
def another_anchorer_takes_a_seq_while_nothing_waits(world: World) -> None:
    """Its register root is the newest then, and no proof of ours is current until ours is again."""
    world.accept(2)
    world.rest()
    world.anchor_as_another(2)
    world.mine()
    world.meet("seq_taken", rounds=1)
    gives_way(world)
    world.mine(seconds=world.settings.grace_s + 1)
    world.check(foreign={2}, notes=1)


@scenario()
def another_anchorer_takes_many_seqs(world: World) -> None:
    world.accept(2)
    world.rest()
    for seq in range(2, 150):
        world.anchor_as_another(seq)
        world.mine()
    world.mine(3)
    world.round()
    world.accept()
    world.check(foreign=set(range(2, 150)), notes=1)
    assert world.incidents() == ["foreign_anchor"] * 2, "a hundred at once"


@scenario()
def another_anchorer_is_there_before_the_first_invoice(world: World) -> None:
    """The contract takes no register root of zero after another one, and so no note alone."""
    world.until(lambda: world.contract.head() == 1, "begun")
    world.anchor_as_another(2)
    world.mine()
    gives_way(world)
    for _ in range(4):
        world.round()
        assert world.trouble() is None
    world.accept()
    world.check(foreign={2}, notes=1)


@scenario()
def another_service_anchored_our_roots(world: World) -> None:
    """A copy of this service, say: what the contract holds is what we wanted it to hold."""
    world.accept(2)
    world.rest()
    world.accept()
    assert world.rival
    work_without_mining(world)
    [item] = world.items()
    world.transact(world.rival, "anchor", item.seq, item.log_root, item.size, item.register_root, tip=50 * GWEI)
    world.mine()
    world.accept()
    world.check(by_others={2})
    assert not world.incidents()


@scenario(slots_in_an_epoch=DEEP)
def another_anchorer_takes_a_seq_with_later_batches_sealed(world: World) -> None:
    """A reorganisation gives it the first of three seqs; ours of the later two are mined all the same, and are worth nothing."""
    world.accept(2)
    world.rest()
    assert world.rival
    item = mined_waits_for_finality(world, 2)
    world.void(world.kept[0])
    mined_now(world)
    lost = world.reorganise(world.height() - (item.block_number or 0) + 1)
    world.anchor_as_another(2)
    world.give_back(lost)
    world.mine()
    assert world.contract.head() == 4
    world.meet("seq_taken", rounds=2)
    world.accept()
    world.check(foreign={2, 3, 4}, notes=1)
    assert world.incidents() == ["foreign_anchor"]


def _reorganised(depth: int, fate: str) -> None:
    @scenario(f"reorganised_{depth}_deep_and_{fate}", databases=BOTH if depth == 5 else ONE, slots_in_an_epoch=DEEP)
    def run(world: World) -> None:
        world.accept(2)
        world.rest()
        assert world.rival
        mined_waits_for_finality(world)
        world.mine(depth - 1)
        world.worker.round()
        lost = world.reorganise(depth)
        assert world.contract.head() == 1
        if fate == "moved":
            world.give_back(lost)
        elif fate == "replaced":
            world.anchor_as_another(2)
            world.mine()
            world.meet("seq_taken", rounds=1)
        world.worker.round()
        assert [found.state for found in world.items()] == ["broadcast"]
        world.accept()
        world.check(foreign={2} if fate == "replaced" else (), notes=fate == "replaced")
        assert world.incidents() == (["foreign_anchor"] if fate == "replaced" else [])


for _depth in range(1, 6):
    for _fate in "gone", "moved", "replaced":
        _reorganised(_depth, _fate)


@scenario(slots_in_an_epoch=DEEP)
def moved_to_another_block_of_the_same_height(world: World) -> None:
    """Its time is another, and that is what promises are held against."""
    world.accept()
    world.rest()
    world.accept()
    work_without_mining(world)
    before = world.node.rpc("evm_snapshot")
    lost = [world.node.rpc("eth_getRawTransactionByHash", attempt) for attempt in world.hashes(2)]
    world.mine()
    world.worker.round()
    [first] = world.items()
    assert world.node.rpc("evm_revert", before)
    world.give_back(lost)
    world.mine(seconds=5)
    world.worker.round()
    [second] = world.items()
    assert (first.block_number, first.state) == (second.block_number, "mined")
    assert world.contract.call("anchorAt", 2)[3] == second.block_time != first.block_time
    world.check()


@scenario()
def what_was_final_is_rewritten(world: World) -> None:
    """Everything stops, and nothing is green."""
    world.accept(2)
    world.rest()
    before = world.node.rpc("evm_snapshot")
    world.accept(2)
    world.rest()
    assert world.node.rpc("evm_revert", before)
    world.mine(12)
    world.meet("final_vanished")
    refuses_everything(world)
    stands_still(world, rounds=20)
    assert world.trouble() == "final_vanished"
    assert world.incidents() == ["final_vanished"]
    assert world.contract.head() == 1


@scenario()
def what_was_final_seems_gone(world: World) -> None:
    """An endpoint that lies about it stops everything too; it goes on when the truth is told."""
    world.accept(2)
    world.rest()
    [proxy] = world.proxies
    asked = world.contract.call_data("anchorAt", 1)

    def unknown(call: Any, ask: Any) -> Any:
        if call["params"][0]["data"] == asked:
            return {"error": {"code": 3, "message": "execution reverted", "data": f"0xc28bb05d{1:064x}"}}
        return ask(call["method"], *call["params"])

    proxy.lie("eth_call", unknown)
    world.meet("final_vanished")
    refuses_everything(world)
    stands_still(world)
    proxy.tell_truth()
    world.round()
    world.accept()
    world.check()


@scenario(settings={"confirmations": 3}, slots_in_an_epoch=32)
def finality_by_confirmations(world: World) -> None:
    """On a chain that says of no block that it is final: three blocks on top make it so."""
    world.accept(2)
    world.reach("mined")
    world.round(2)
    assert [item.state for item in world.items()] == ["mined"]
    world.rest()
    status = json.loads(world.ask("GET", "/v1/anchors/head")[1])
    assert (status["seq"], status["state"]) == (1, "final")
    mined_waits_for_finality(world)
    world.reorganise(2)
    sent(world, 2)
    world.rest()
    world.mine(64)
    world.check()
