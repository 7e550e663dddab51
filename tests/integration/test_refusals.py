"""What the contract would refuse is known before a fee is paid; an endpoint that answers about another block is not believed."""

import pytest

from service.chain.contract import Chain as Reader
from service.chain.endpoint import ChainTrouble, said
from service.trouble import Trouble
from tests.chain import Chain, RegistryContract

ROOT = b"\x11" * 32


@pytest.fixture
def reader(chain: Chain, contract: RegistryContract) -> Reader:
    contract.anchor(1, ROOT, 1, ROOT)
    return Reader([chain.url], contract.address, chain.chain_id, key=bytes.fromhex(chain.accounts[2].private_key[2:]))


def test_what_the_contract_takes_and_refuses(reader: Reader) -> None:
    view = reader.view([])
    assert reader.refusal(view.latest_block, view.head + 1, ROOT, 1, ROOT) is None
    said = reader.refusal(view.latest_block, view.head + 1, bytes(32), 1, ROOT)  # LogRootIsZero()
    assert said is not None
    assert len(said) == 10


@pytest.mark.parametrize("away", [-1, 1])
def test_a_seq_that_is_not_next_at_that_block_is_no_answer(reader: Reader, away: int) -> None:
    view = reader.view([])
    with pytest.raises(ChainTrouble) as found:
        reader.refusal(view.latest_block, view.head + 1 + away, ROOT, 1, ROOT)
    assert found.value.code == Trouble.BAD_ANSWER
    assert found.value.detail.isprintable()


def test_of_a_nodes_words_only_what_can_be_kept_is() -> None:
    assert said({"error": {"message": "reverted:\0\x1b 序号\ud800"}}) == "reverted: 序号"
