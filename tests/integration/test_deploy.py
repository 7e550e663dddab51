"""`zhengpiao deploy` on a real chain: once, whatever happens."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from service import deployment
from service.cli import main
from service.cli.outcome import Exit
from tests.chain import Chain, RegistryContract, anvil

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def node() -> Iterator[Chain]:
    """A chain of its own: what is deployed depends on nonces."""
    with anvil() as running:
        yield running


@pytest.fixture
def run(node: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in an empty folder and returns its status and what it printed, as JSON."""
    deployer, admin, anchorer, pauser = node.accounts[:4]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZHENGPIAO_RPC_URLS", node.url)
    monkeypatch.setenv("ZHENGPIAO_RPC_TIMEOUT_S", "30")
    monkeypatch.setenv("ZHENGPIAO_DEPLOYER_KEY", deployer.private_key)
    monkeypatch.setenv("ZHENGPIAO_ANCHOR_KEY", anchorer.private_key)

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        status = main(["deploy", "--admin", admin.address, "--pauser", pauser.address, "--json", *options])
        printed = capsys.readouterr()
        return status, json.loads(printed.out or printed.err)

    return run


def test_the_contract_is_deployed_with_its_roles_and_written_down(run: Run, node: Chain) -> None:
    status, said = run("--first-seq", "7", "--admin-delay-s", "60")
    assert status == Exit.DONE
    record = json.loads(Path("var/deployment.json").read_text())
    assert said == {name: value for name, value in record.items() if name != "raw"}
    _, admin, anchorer, pauser = (account.address for account in node.accounts[:4])
    contract = RegistryContract(node, record["contract"], admin, anchorer, pauser)
    assert (contract.head(), contract.call("firstSeq"), contract.call("defaultAdminDelay")) == (6, 7, 60)
    assert contract.call("defaultAdmin") == admin
    assert contract.call("hasRole", keccak(text="ANCHORER_ROLE"), anchorer)
    assert contract.call("hasRole", keccak(text="PAUSER_ROLE"), pauser)
    code = bytes.fromhex(node.rpc("eth_getCode", record["contract"], hex(record["block"]))[2:])
    assert record["code_hash"] == "0x" + keccak(code).hex()
    assert node.rpc("eth_getBlockByNumber", hex(record["block"]), False)["hash"] == record["block_hash"]


def test_a_second_deployment_is_refused_unless_it_is_meant(run: Run) -> None:
    first = run()[1]["contract"]
    status, said = run()
    assert status == Exit.REFUSED
    assert said["error"]["code"] == "already_deployed"
    assert said["error"]["contract"] == first
    status, said = run("--again")
    assert status == Exit.DONE
    assert said["contract"] != first
    assert json.loads(Path(f"var/deployment.{first}.json").read_text())["contract"] == first


def test_where_the_settings_name_a_contract_none_is_deployed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENGPIAO_CONTRACT", "0x" + "11" * 20)
    assert run()[0] == Exit.REFUSED
    assert not Path("var").exists()


def test_a_run_that_was_cut_short_is_finished_by_the_next(run: Run, node: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    for place in ("_send", "_finish"):  # before the transaction was sent, and before anything was
        with monkeypatch.context() as patch:
            patch.setattr(deployment, place, stop)
            with pytest.raises(Stopped):
                run("--record", f"{place}.json")
        begun = json.loads(Path(f"{place}.json").read_text())
        assert "contract" not in begun
        status, said = run("--record", f"{place}.json")
        assert (status, said["transaction"]) == (Exit.DONE, begun["transaction"])

    with monkeypatch.context() as patch:  # after it was sent
        patch.setattr("service.deployment.time.sleep", stop)
        with pytest.raises(Stopped):
            run("--record", "sent.json")
    status, said = run("--record", "sent.json")
    assert status == Exit.DONE
    assert int(node.rpc("eth_getTransactionReceipt", said["transaction"])["blockNumber"], 16) == said["block"]


def test_what_was_begun_is_not_finished_with_other_roles(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(deployment, "_finish", lambda _node, record, _path: record)
        run()
    status, said = run("--first-seq", "2")
    assert (status, said["error"]["code"]) == (Exit.REFUSED, "not_deployed")
    assert run()[0] == Exit.DONE


def test_a_nonce_that_went_to_something_else_is_named(run: Run, node: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(deployment, "_finish", lambda _node, record, _path: record)
        run()
    node.send(node.accounts[0].address, "0x", to=node.accounts[4].address)
    status, said = run()
    assert status == Exit.REFUSED
    assert "for something else" in said["error"]["detail"]


def test_other_code_than_the_committed_one_is_refused(run: Run, node: Chain) -> None:
    contract = run()[1]["contract"]
    node.rpc("anvil_setCode", contract, "0x6001")
    status, said = run()
    assert status == Exit.REFUSED
    assert "do not use" in said["error"]["detail"]


@pytest.mark.parametrize(
    ("setting", "value", "status"),
    [
        ("ZHENGPIAO_CHAIN_ID", "1", Exit.UNAVAILABLE),
        ("ZHENGPIAO_RPC_URLS", "http://127.0.0.1:9", Exit.UNAVAILABLE),
        ("ZHENGPIAO_DEPLOYER_KEY", "12", Exit.CONFIGURATION),
        ("ZHENGPIAO_DEPLOYER_KEY", "77" * 32, Exit.REFUSED),  # has no funds
    ],
)
def test_what_keeps_it_from_deploying_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, status: Exit
) -> None:
    monkeypatch.setenv(setting, value)
    found, said = run()
    assert (found, list(said)) == (status, ["error"])
    assert value not in said["error"]["detail"] or "RPC" in setting or "CHAIN" in setting
    assert not Path("var/deployment.json").exists()


def test_roles_are_three_accounts(run: Run, node: Chain) -> None:
    assert run("--anchorer", node.accounts[1].address)[0] == Exit.USAGE
    assert run("--anchorer", "0x12")[0] == Exit.USAGE
