"""From an accepted entry to a final anchor when all goes well; tests/integration/trouble has the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracle import UNKNOWN_NUMBER
from tests.world import World, world
from verifier.entry import ZERO
from verifier.question import Question


@pytest.fixture
def made(database_url: str) -> Iterator[World]:
    with world(database_url) as running:
        yield running


def test_entries_become_final_and_prove_themselves(made: World) -> None:
    made.accept(3)
    made.rest()
    made.void(made.kept[0])
    made.accept(30)
    made.check()
    assert made.contract.head() == 2
    assert not made.incidents()


def test_the_first_anchor_is_a_heartbeat_so_that_absence_can_be_proven(made: World) -> None:
    made.until(lambda: made.contract.head("finalized") == 1, "anchored", rounds=6)
    made.rest()
    assert made.contract.call("anchorAt", 1)[:3] == (ZERO, ZERO, 0)
    status, file = made.ask("POST", "/v1/proofs", {"number": UNKNOWN_NUMBER})
    assert (status, made.oracle.verdict(file, Question(UNKNOWN_NUMBER, None))) == (200, "absent")


def test_an_idle_service_has_an_entry_mined_within_two_blocks(made: World) -> None:
    made.accept()
    made.rest()
    before = made.height()
    made.accept()
    made.reach("mined")
    assert (made.items()[-1].block_number or 0) - before <= 2


def test_what_gathers_while_a_batch_is_on_its_way_is_the_next_batch(made: World) -> None:
    made.accept()
    made.rest()
    made.accept()
    made.worker.round()
    for _ in range(5):
        made.accept(3)
        made.worker.round()
    assert made.backlog() == 15
    assert [(item.seq, item.size) for item in made.items()] == [(2, 1)]
    made.mine()
    made.worker.round()
    assert [(item.seq, item.size) for item in made.items()] == [(2, 1), (3, 15)]
    made.check()


def test_finality_may_take_long_while_batches_go_on(tmp_path: Path) -> None:
    with world(f"sqlite:///{tmp_path / 'zhengpiao.db'}", slots_in_an_epoch=32) as made:
        for _ in range(64):
            made.accept()
            made.round()
        assert len(made.items()) > 50
        assert made.trouble() is None
        made.until(lambda: not made.items() and made.backlog() == 0, "final", rounds=90)
        made.check()


def test_nothing_is_read_again_while_no_block_comes(made: World) -> None:
    """Endpoints are paid by the call."""
    made.accept()
    made.reach("mined")
    made.worker.round()
    [proxy] = made.proxies
    proxy.asked.clear()
    made.worker.round()
    assert sorted(proxy.asked) == ["eth_chainId", "eth_getBlockByNumber", "eth_getBlockByNumber"]
