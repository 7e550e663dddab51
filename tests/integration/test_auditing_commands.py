"""reconcile, mirror and `serve --follow` as an auditor and an operator of a node type them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from service.cli import main
from service.cli.outcome import Exit
from tests.chain import ROOT
from tests.integration.insider import A, change_a_search_column, delete_a_record
from tests.integration.test_external_records import MAPPING, spoil, their_rows, write_csv
from tests.ports import held_port
from tests.stores import RECEIPT_KEY, S01, Store, number_of
from verifier.cli import main as zhengpiao_verify

pytest_plugins = ["tests.store_fixtures"]
pytestmark = pytest.mark.usefixtures("restored_logging")
ZHENGPIAO = str(Path(sys.executable).with_name("zhengpiao"))


def settings_of(store: Store) -> dict[str, str]:
    return {
        "ZHENGPIAO_DATABASE_URL": store.url,
        "ZHENGPIAO_RPC_URLS": store.node.url,
        "ZHENGPIAO_CONTRACT": store.contract.address,
        "ZHENGPIAO_CHAIN_ID": str(store.node.chain_id),
        "ZHENGPIAO_RECEIPT_KEY": RECEIPT_KEY.hex(),
        "ZHENGPIAO_HEARTBEAT_S": "86400",
        "ZHENGPIAO_RPC_TIMEOUT_S": "30",
    }


@pytest.fixture(autouse=True)
def settings(nothing_set: None, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_of(sqlite_store).items():
        monkeypatch.setenv(name, value)


def asked(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, Any]:
    capsys.readouterr()
    status = main([*command, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out or said.err)


def test_reconcile_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "reconcile")
    assert status == Exit.DONE
    assert (said["matches"], said["findings"], said["seq"]) == (True, {}, 4)
    assert main(["reconcile"]) == Exit.DONE
    assert "matches" in capsys.readouterr().out


def test_reconcile_names_what_is_wrong_and_writes_it_down(sqlite_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    change_a_search_column(sqlite_store)
    status, said = asked(capsys, "reconcile", "--export", "found.csv")
    assert status == Exit.REFUSED
    assert said["findings"] == {"altered": 1}
    assert (said["first_findings"][0]["place"], said["first_findings"][0]["number"]) == ("invoices.amount_fen", A)
    assert "invoices.amount_fen" in Path("found.csv").read_text(encoding="utf-8-sig")
    assert main(["reconcile"]) == Exit.REFUSED
    assert A in capsys.readouterr().out


def test_reconcile_knows_nothing_where_the_chain_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_RPC_URLS", "http://127.0.0.1:9")
    status, said = asked(capsys, "reconcile")
    assert status == Exit.UNAVAILABLE
    assert said["matches"] is None
    assert said["problem"]["code"] == "chain_unavailable"


def test_reconcile_goes_on_with_a_run_that_was_killed(capsys: pytest.CaptureFixture[str]) -> None:
    killed = "import os; from service.reconciliation import runs; runs.StoreRun._take = lambda *_: os._exit(9); "
    code = killed + "from service.cli import main; main(['reconcile'])"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    status, said = asked(capsys, "reconcile")
    assert (status, said["run"]) == (Exit.DONE, 1)


def test_an_external_record_is_compared(sqlite_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "theirs.csv", spoil(their_rows(sqlite_store)), "gbk")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    status, said = asked(capsys, "reconcile", "--source", "theirs.csv", "--mapping", "mapping.toml")
    assert status == Exit.REFUSED
    assert said["findings"] == {"differs": 1, "duplicate": 1, "missing_here": 2, "missing_there": 1, "status_conflict": 1}


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["reconcile", "--source", "theirs.csv"], Exit.USAGE),
        (["reconcile", "--export", "found.txt"], Exit.USAGE),
        (["reconcile", "--source", "nothing.csv", "--mapping", "nothing.toml"], Exit.INPUT),
        (["reconcile", "--mirror", "nothing"], Exit.INPUT),
        (["mirror", "here", "--from", "http://127.0.0.1:9"], Exit.UNAVAILABLE),
        (["serve", "--follow", "http://127.0.0.1:9"], Exit.UNAVAILABLE),
    ],
)
def test_what_cannot_be_done_is_said(command: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == status
    assert capsys.readouterr().err.startswith("zhengpiao: ")


def test_who_checks_receipts_needs_no_private_key(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ZHENGPIAO_RECEIPT_KEY")
    for command in (["reconcile"], ["mirror", "mirrored"], ["activity", "verify"]):
        assert main(command) == Exit.CONFIGURATION, command
        assert "ZHENGPIAO_SERVICE_KEYS is not set, nor is ZHENGPIAO_RECEIPT_KEY" in capsys.readouterr().err
    monkeypatch.setenv("ZHENGPIAO_SERVICE_KEYS", ",".join(key.hex() for key in sqlite_store.keys.public.values()))
    for command in (["reconcile"], ["mirror", "mirrored"], ["activity", "verify"]):
        assert main(command) == Exit.DONE, (command, capsys.readouterr().err)


def test_a_mirror_is_brought_up_to_date_and_names_what_is_gone(
    sqlite_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, "mirror", "mirrored", "--sections") == (
        Exit.DONE,
        {"folder": "mirrored", "seq": 4, "head": 4, "behind": 0},
    )
    assert main(["mirror", "mirrored", "--sections"]) == Exit.DONE
    assert main(["mirror", "mirrored"]) == Exit.INPUT
    # Proofs are made from it, and checked by what lies beside it: nobody is asked.
    for number, verdict in ((S01, "registered"), (number_of(999_999), "absent")):
        assert main(["proof", number, "--mirror", "mirrored", "--output", "made.proof.json"]) == Exit.DONE
        capsys.readouterr()
        zhengpiao_verify(["--anchors", "mirrored/anchors.json", "--json", "made.proof.json"])
        assert json.loads(capsys.readouterr().out)["verdict"] == verdict
    assert main(["proof", S01, "--mirror", "nothing"]) == Exit.INPUT
    assert main(["proof", "no/number", "--mirror", "mirrored"]) == Exit.INPUT
    assert main(["proof", S01, "--mirror", "mirrored", "--disclose", "header"]) == Exit.USAGE
    delete_a_record(sqlite_store)
    sqlite_store.sql("DELETE FROM tiles WHERE seq = 2")
    status, said = asked(capsys, "reconcile", "--mirror", "mirrored")
    assert status == Exit.REFUSED
    assert said["findings"]["missing"] >= 1


@contextmanager
def serving(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[str]:
    """`zhengpiao serve …` as a process, until the block ends: its URL."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHENGPIAO_")}
    folder.mkdir(exist_ok=True)
    with held_port() as port, (folder / "log").open("wb") as log:
        command = [ZHENGPIAO, "serve", "--port", str(port), *arguments]
        with subprocess.Popen(command, env=kept | environment, cwd=folder, stderr=log) as process:
            try:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline and process.poll() is None:
                    try:
                        requests.get(f"http://127.0.0.1:{port}/livez", timeout=30)
                    except requests.ConnectionError:
                        time.sleep(0.05)
                    else:
                        break
                else:
                    raise AssertionError((folder / "log").read_text())
                yield f"http://127.0.0.1:{port}"
                process.send_signal(signal.SIGTERM)
                process.wait(60)
            finally:
                process.kill()


def key_for(role: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["keys", "create", "--role", role]) == Exit.DONE
    return capsys.readouterr().out.strip()


def test_a_node_and_a_mirror_follow_over_http(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    auditor, node_key = key_for("auditor", capsys), key_for("node", capsys)
    own = settings_of(sqlite_store)
    with serving(tmp_path / "service", own) as service:
        central = key_for("central", capsys)
        filled = [sys.executable, "-I", str(ROOT / "scripts/central_record.py"), service, str(tmp_path / "central.db"), "--once"]
        for _ in range(2):
            subprocess.run(filled, env={"ZHENGPIAO_FOLLOW_KEY": central}, check=True)
        theirs = ["--source", f"sqlite:///{tmp_path / 'central.db'}", "--mapping", str(ROOT / "scripts/central_record.toml")]
        status, said = asked(capsys, "reconcile", *theirs)
        assert (status, said["matches"]) == (Exit.DONE, True), said
        delivered = sqlite_store.row("SELECT count(*), max(cursor) FROM acknowledgements")
        assert tuple(delivered) == (1, 4)
        monkeypatch.setenv("ZHENGPIAO_FOLLOW_KEY", auditor)
        assert asked(capsys, "mirror", "mirrored", "--sections", "--from", service)[0] == Exit.DONE
        nodes_own = {**own, "ZHENGPIAO_DATABASE_URL": f"sqlite:///{tmp_path / 'node.db'}", "ZHENGPIAO_FOLLOW_KEY": node_key}
        del nodes_own["ZHENGPIAO_RECEIPT_KEY"]
        with serving(tmp_path / "node", nodes_own, "--follow", service) as node:
            deadline = time.monotonic() + 60
            while (seq := requests.get(f"{node}/livez", timeout=30).headers["zhengpiao-seq"]) != "4":
                assert time.monotonic() < deadline, (tmp_path / "node/log").read_text()
                time.sleep(0.1)
            assert seq == "4"
            while len(told := sqlite_store.row("SELECT count(*), max(cursor) FROM acknowledgements")) and told[0] < 2:
                assert time.monotonic() < deadline, "the node tells how far it has come"
                time.sleep(0.1)
            assert tuple(told) == (2, 4)
            answer = requests.post(f"{node}/v1/proofs", json={"number": S01}, timeout=30)
            assert answer.json()["register"]["seq"] == 4
            answer = requests.post(f"{node}/v1/proofs", json={"number": number_of(999_999)}, timeout=30)
            assert answer.json()["register"]["state"] is None
            monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", nodes_own["ZHENGPIAO_DATABASE_URL"])
            pages_key = key_for("auditor", capsys)
            monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", own["ZHENGPIAO_DATABASE_URL"])
            monkeypatch.setenv("ZHENGPIAO_NODES", node)
            monkeypatch.setenv("ZHENGPIAO_NODE_KEYS", pages_key)
            status, said = asked(capsys, "reconcile", "--node", node)
            assert (status, said["matches"]) == (Exit.DONE, True), said
            # The node itself is compared with the chain like any store.
            monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", nodes_own["ZHENGPIAO_DATABASE_URL"])
            assert asked(capsys, "reconcile")[0] == Exit.DONE
