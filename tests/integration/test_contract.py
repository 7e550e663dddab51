"""The contract on a real chain: what it costs, and what its callers rely on."""

import json
import subprocess
from typing import Any

import pytest

from tests.chain import ROOT, Chain, RegistryContract, RpcError, anvil

GAS_LIMIT_OF_ONE_ANCHOR = 105_000
FULL = b"\xff" * 32  # no zero byte, which would be cheaper as call data
ZERO = bytes(32)


def test_the_committed_abi_and_code_are_what_the_sources_make() -> None:
    subprocess.run([ROOT / "scripts/abi", "--check"], check=True)


def test_the_code_on_chain_is_the_committed_one(chain: Chain, contract: RegistryContract) -> None:
    assert chain.rpc("eth_getCode", contract.address, "latest") == RegistryContract.ARTIFACT["deployedBytecode"]


@pytest.mark.parametrize("size", [1, 255, 65_535, 65_536])
def test_an_anchor_costs_the_same_whatever_its_size(contract: RegistryContract, size: int) -> None:
    costs = [int(contract.anchor(seq, FULL, size, FULL)["gasUsed"], 16) for seq in (1, 2, 3)]
    assert max(costs) <= GAS_LIMIT_OF_ONE_ANCHOR
    assert max(costs) - min(costs) <= 64  # zero bytes in the call data, and nothing else


def test_a_heartbeat_costs_less_than_an_anchor(contract: RegistryContract) -> None:
    cost = int(contract.anchor(1, FULL, 1, FULL)["gasUsed"], 16)
    assert int(contract.anchor(2, ZERO, 0, FULL)["gasUsed"], 16) < cost


def test_the_largest_sequence_number_costs_no_more(chain: Chain) -> None:
    contract = RegistryContract.deploy(chain, first_seq=2**53 - 1)
    assert int(contract.anchor(2**53 - 1, FULL, 65_535, FULL)["gasUsed"], 16) <= GAS_LIMIT_OF_ONE_ANCHOR


def test_an_anchor_tells_the_block_that_holds_it(chain: Chain, contract: RegistryContract) -> None:
    receipt = contract.anchor(1, FULL, 7, FULL)
    block = chain.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
    number, time = int(block["number"], 16), int(block["timestamp"], 16)
    assert contract.call("anchorAt", 1) == (FULL, FULL, 7, time, number)
    assert contract.call("anchorAndHead", 1) == (FULL, FULL, 7, time, number, 1)
    [event] = receipt["logs"]
    assert event["topics"][1] == f"0x{1:064x}"
    assert bytes.fromhex(event["data"][2:]) == FULL + (7).to_bytes(32) + FULL + time.to_bytes(32)


def test_reads_can_be_pinned_to_a_block(chain: Chain, contract: RegistryContract) -> None:
    before = chain.rpc("eth_blockNumber")
    contract.anchor(1, FULL, 1, FULL)
    assert contract.head(before) == 0
    assert contract.head() == 1


def test_an_anchor_becomes_final() -> None:
    with anvil(no_mining=True) as chain:  # else blocks come by themselves, and it may be final before anybody looks
        contract = RegistryContract.deploy(chain)
        chain.mine(3)
        contract.anchor(1, FULL, 1, FULL)
        assert contract.head("finalized") == 0
        chain.mine(3)
        assert contract.head("finalized") == 1


def test_an_unknown_seq_is_refused_by_name(contract: RegistryContract) -> None:
    with pytest.raises(RpcError) as refusal:
        contract.call("anchorAndHead", 5)
    assert refusal.value.data == f"0xc28bb05d{5:064x}"  # UnknownSeq(uint64)


def test_the_anchors_of_the_replay_vectors_are_accepted(contract: RegistryContract) -> None:
    anchors: dict[str, dict[str, Any]] = json.loads((ROOT / "tests/vectors/replay.json").read_bytes())["anchors"]
    for seq, anchor in sorted((int(seq), anchor) for seq, anchor in anchors.items()):
        roots = bytes.fromhex(anchor["log_root"]), bytes.fromhex(anchor["register_root"])
        contract.anchor(seq, roots[0], anchor["size"], roots[1])
        assert contract.call("anchorAt", seq)[:3] == (*roots, anchor["size"])
    assert contract.head() == len(anchors)
