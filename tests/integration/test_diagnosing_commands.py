"""diagnose and rebuild as a puzzled recipient and an operator after a disaster type them."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
import uvicorn

from service.app import create_app
from service.cli import main
from service.cli.outcome import Exit
from service.config import Settings
from service.invoices import reading
from tests.integration.insider import A, delete_content
from tests.integration.test_recoveries import copy_of
from tests.stores import RECEIPT_KEY, SIMPLE, Store, number_of
from verifier.commitment import PUBLIC_SECTIONS

pytest_plugins = ["tests.store_fixtures"]
pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture(autouse=True)
def settings(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("ZHENGPIAO_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    given = {
        "DATABASE_URL": sqlite_store.url,
        "RPC_URLS": sqlite_store.node.url,
        "CONTRACT": sqlite_store.contract.address,
        "CHAIN_ID": str(sqlite_store.node.chain_id),
        "RECEIPT_KEY": RECEIPT_KEY.hex(),
        "HEARTBEAT_S": "86400",
        "RPC_TIMEOUT_S": "30",
        "ANONYMOUS_PER_MINUTE": "0",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"ZHENGPIAO_{name}", value)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def service(settings: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running service over the store."""
    # It logs a request after it was answered: a line of that could come before or after what the command says, or into it.
    structlog.configure(processors=[lambda *_: ""], logger_factory=structlog.ReturnLoggerFactory())
    server = uvicorn.Server(uvicorn.Config(create_app(Settings()), port=0, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    monkeypatch.setenv("ZHENGPIAO_URL", url)
    yield url
    server.should_exit = True
    thread.join()


def asked(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, Any]:
    capsys.readouterr()
    status = main([*command, "--json"])
    said = capsys.readouterr()
    return status, json.loads((said.out or said.err).splitlines()[-1])


@pytest.mark.usefixtures("service")
def test_diagnose(sqlite_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "a.proof.json"
    proof.write_bytes(copy_of(sqlite_store, A, PUBLIC_SECTIONS))
    with sqlite_store.database.read() as connection:
        content = reading.read_copy(connection, reading.get(connection, A, None).current().id).sections()
    typed = (
        "--number",
        A,
        "--issued-on",
        content["header"]["issued_on"],
        "--amount-with-tax",
        content["totals"]["amount_with_tax"],
    )
    assert asked(capsys, "diagnose", *typed)[0] == Exit.DONE
    status, said = asked(capsys, "diagnose", "--number", A, "--issued-on", "2026-01-02", "--amount", "3")
    assert (status, said["verdict"]) == (Exit.REFUSED, "detail_mismatch")
    delete_content(sqlite_store)
    status, said = asked(capsys, "diagnose", str(proof))
    assert (status, said["verdict"], said["next_action"]["code"]) == (Exit.REFUSED, "lost_after_anchor", "restore_from_copy")
    assert main(["diagnose", str(proof)]) == Exit.REFUSED
    printed = capsys.readouterr().out
    for part in ("Lost after it was anchored", A, "restore_from_copy", "free", "content", "missing"):
        assert part in printed


@pytest.mark.usefixtures("service")
def test_diagnose_is_told_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "diagnose")[0] == Exit.USAGE
    assert asked(capsys, "diagnose", "nowhere.json")[0] == Exit.INPUT
    file = tmp_path / "note.txt"
    file.write_text("hello")
    status, said = asked(capsys, "diagnose", str(file))
    assert (status, said["error"]["code"]) == (Exit.REFUSED, "media_type_unsupported")
    file.write_bytes(b"%PDF-1.7 and nothing else")
    status, said = asked(capsys, "diagnose", str(file))
    assert (status, said["error"]["code"]) == (Exit.REFUSED, "not_a_proof")


def test_rebuild(sqlite_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(capsys, "mirror", "mirror")[0] == Exit.DONE
    copies = tmp_path / "copies"
    copies.mkdir()
    for n in SIMPLE[:5]:
        (copies / f"{n}.proof.json").write_bytes(copy_of(sqlite_store, number_of(n)))
    (copies / "junk.json").write_bytes(orjson.dumps({"protocol": "zp1"}))
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert asked(capsys, "rebuild", "--mirror", "mirror", "--copies", "copies")[1]["error"]["code"] == "not_migrated"
    assert main(["migrate"]) == Exit.DONE
    status, said = asked(capsys, "rebuild", "--mirror", "mirror", "--copies", "copies")
    assert status == Exit.DONE
    assert (said["seq"], said["behind"], said["restored"], said["with_content"]) == (4, 0, 5, 5)
    assert said["useless"] == [{"file": "copies/junk.json", "code": "not_a_proof"}]
    assert said["numbers"] == sqlite_store.row("SELECT count(*) FROM invoices")[0]
    assert main(["rebuild", "--mirror", "mirror", "--copies", "copies"]) == Exit.DONE
    assert "junk.json" in capsys.readouterr().out
    status, said = asked(capsys, "reconcile")
    assert (status, set(said["findings"])) == (Exit.REFUSED, {"missing"})
    status, said = asked(capsys, "rebuild", "--mirror", "copies", "--copies", "copies")
    assert (status, said["error"]["code"]) == (Exit.INPUT, "other_mirror")
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", sqlite_store.url)
    status, said = asked(capsys, "rebuild", "--mirror", "mirror", "--copies", "nowhere")
    assert (status, said["error"]["code"]) == (Exit.INPUT, "file")
