"""The chain reader and the command line on a real node."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chain import Chain, RegistryContract, anvil
from verifier import cli
from verifier.anchors import collect, parse_anchors
from verifier.chain import RpcReader, replaced_at
from verifier.entry import ZERO
from verifier.errors import ChainUnavailable
from verifier.fields import Chain as Place
from verifier.proof import AbsenceProof, RegisterPath
from verifier.transport import HttpClient
from verifier.trust import Trust

A, B, C = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture(scope="module")
def post() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def trust(contract: RegistryContract) -> Trust:
    """The same node under two names is asked as two."""
    urls = (contract.chain.url, contract.chain.url.replace("127.0.0.1", "localhost"))
    return Trust(Place(contract.chain.chain_id, bytes.fromhex(contract.address[2:])), {}, urls)


def finalize(chain: Chain) -> None:
    chain.mine(4)


def test_what_the_contract_holds(contract: RegistryContract, post: HttpClient) -> None:
    contract.anchor(1, A, 7, B)
    contract.anchor(2, ZERO, 0, B)
    contract.anchor(3, C, 65_536, C)
    finalize(contract.chain)
    reader = RpcReader(trust(contract), post)
    reading = reader.read((1, 2, 3, 4))
    assert reading.head == 3
    for seq in (1, 2, 3):
        anchor = reader.anchor(seq)
        assert anchor is not None
        assert anchor.final
        assert list(anchor[:4]) == list(contract.call("anchorAt", seq)[:4])
    assert reading.newest == reader.anchor(3)
    assert replaced_at(reader, 1) == reading.newest.time
    with pytest.raises(ChainUnavailable, match="no anchor 4"):
        reader.anchor(4)
    assert collect(reader, None).anchors == {seq: reader.anchor(seq) for seq in (1, 2, 3)}


def test_mined_and_not_final(post: HttpClient) -> None:
    with anvil(no_mining=True) as chain:  # else blocks come by themselves, and it may be final before anybody looks
        contract = RegistryContract.deploy(chain)
        contract.anchor(1, A, 1, A)
        finalize(chain)
        contract.anchor(2, B, 1, B)
        reader = RpcReader(trust(contract), post)
        assert reader.read(()).head == 1
        anchor = reader.anchor(2)
        assert anchor is not None
        assert (anchor.register_root, anchor.final) == (B, False)


def test_confirmations(contract: RegistryContract, post: HttpClient) -> None:
    contract.anchor(1, A, 1, A)
    latest = RpcReader(trust(contract)._replace(confirmations=0), post)
    assert latest.read(()).head == 1
    with pytest.raises(ChainUnavailable):
        RpcReader(trust(contract)._replace(confirmations=10**6), post).read(())


def test_a_successor(chain: Chain, post: HttpClient) -> None:
    contract = RegistryContract.deploy(chain, first_seq=41)
    finalize(chain)
    with pytest.raises(ChainUnavailable) as failure:
        RpcReader(trust(contract), post).read(())
    assert failure.value.reason == "chain.no_head"
    contract.anchor(41, A, 1, A)
    finalize(chain)
    reader = RpcReader(trust(contract), post)
    assert reader.read((40, 41)).head == 41
    assert reader.anchor(40) is None
    assert sorted(collect(reader, None).anchors) == [41]


def test_neither_contract_nor_chain(contract: RegistryContract, post: HttpClient) -> None:
    finalize(contract.chain)
    given = trust(contract)
    for chain, reason in (
        (Place(given.chain.chain_id, bytes(19) + b"\7"), "chain.no_code"),
        (Place(1, given.chain.contract), "chain.other_chain"),
    ):
        reader = RpcReader(given._replace(chain=chain), post)
        with pytest.raises(ChainUnavailable) as failure:
            reader.read(())
        assert failure.value.reason == reason
    other = RpcReader(given._replace(chain=Place(given.chain.chain_id, bytes.fromhex(contract.admin[2:]))), post)
    with pytest.raises(ChainUnavailable):
        other.read(())


def test_the_command_line(
    contract: RegistryContract, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absence in an empty register: by the chain, and later by the anchors that were saved."""
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    contract.anchor(1, A, 1, ZERO)
    finalize(contract.chain)
    given = trust(contract)
    absent, trust_file, saved = tmp_path / "absent.proof.json", tmp_path / "trust.json", tmp_path / "anchors.json"
    absent.write_bytes(AbsenceProof(given.chain, "26112000000000000001", RegisterPath(1, ()), None).to_json())
    trust_file.write_bytes(given.to_json())
    assert cli.main([str(absent), "--trust", str(trust_file), "--save-anchors", str(saved), "--json"]) == 1
    report = json.loads(capfd.readouterr().out)
    assert report["verdict"] == "absent"
    assert report["source"]["endpoints"] == list(given.rpc_urls)
    assert parse_anchors(saved.read_bytes()).head == 1
    assert cli.main([str(absent), "--anchors", str(saved)]) == 1
    assert "查无此票" in capfd.readouterr().out
    flags = ["--rpc", given.rpc_urls[0], "--chain-id", str(given.chain.chain_id), "--contract", contract.address]
    assert cli.main([str(absent), *flags]) == 1
    assert "只询问了一个节点" in capfd.readouterr().out
