"""`zhengpiao` as it is typed: exit statuses, what is printed, and what it refuses."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.auth.keys import authenticate
from service.chain import Chain
from service.cli import main
from service.cli.outcome import Exit
from service.db import Database

ZHENGPIAO = Path(sys.executable).with_name("zhengpiao")
SELLER = "91110108MAXXXX015B"
pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture(autouse=True)
def settings(nothing_set: None, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh database, and nothing else."""
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", database_url)


def test_migrating_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--json"]) == Exit.DONE
    first = json.loads(capsys.readouterr().out)
    assert first["before"] is None
    assert main(["migrate", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {"before": first["after"], "after": first["after"]}


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["keys", "list"], ["keys", "create", "--role", "auditor"]])
def test_nothing_starts_on_an_unmigrated_database(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("RECEIPT_KEY", "ANCHOR_KEY"):
        monkeypatch.setenv(f"ZHENGPIAO_{name}", "11" * 32)
    monkeypatch.setenv("ZHENGPIAO_CONTRACT", "0x" + "11" * 20)
    assert main(command) == Exit.CONFIGURATION
    assert "run `zhengpiao migrate` first" in capsys.readouterr().err


def test_an_api_key_opens_what_it_says_and_is_shown_once(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["migrate"])
    capsys.readouterr()
    assert main(["keys", "create", "--role", "issuer", "--tax-id", SELLER, "--label", "前台"]) == Exit.DONE
    written = capsys.readouterr().out.strip()
    assert written.startswith("zp_test_")
    database = Database(database_url)
    with database.read() as connection:
        principal = authenticate(connection, f"Bearer {written}")
    database.close()
    assert principal.role == "issuer"
    assert principal.bound == {SELLER}
    assert main(["keys", "list", "--json"]) == Exit.DONE
    listed = capsys.readouterr().out
    assert json.loads(listed)["label"] == "前台"
    assert written.split("_")[3] not in listed
    assert main(["keys", "revoke", principal.id]) == Exit.DONE
    assert main(["keys", "revoke", "nobody"]) == Exit.REFUSED


def test_in_production_api_keys_are_live_ones(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ZHENGPIAO_ENV", "production")
    monkeypatch.setenv("ZHENGPIAO_PUBLIC_URL", "https://example.org")
    main(["migrate"])
    capsys.readouterr()
    main(["keys", "create", "--role", "operator", "--json"])
    assert json.loads(capsys.readouterr().out)["key"].startswith("zp_live_")


def test_private_keys_are_written_for_their_owner_alone_and_never_over_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "generate-receipt-key", "receipt.key", "--json"]) == Exit.DONE
    shown = json.loads(capsys.readouterr().out)
    private = Path("receipt.key").read_text().strip()
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)).public_key().public_bytes_raw()
    assert shown["public_key"] == public.hex()
    assert stat.S_IMODE(Path("receipt.key").stat().st_mode) == 0o600
    assert main(["keys", "generate-receipt-key", "receipt.key"]) == Exit.REFUSED
    assert Path("receipt.key").read_text().strip() == private

    assert main(["keys", "generate-chain-key", "chain.key", "--json"]) == Exit.DONE
    printed = capsys.readouterr().out
    key = Path("chain.key").read_text().strip()
    assert key not in printed
    signer = Chain([], "0x" + "11" * 20, 1, key=bytes.fromhex(key))
    assert signer._account is not None
    assert json.loads(printed)["address"] == signer._account.address.lower()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nonsense"], Exit.USAGE),
        (["keys", "create", "--role", "king"], Exit.USAGE),
        (["serve", "--port", "70000"], Exit.USAGE),
        ([], Exit.USAGE),
        (["--help"], Exit.DONE),
    ],
)
def test_a_mistyped_command_is_a_usage_error(arguments: list[str], status: Exit, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == status
    assert "Traceback" not in capsys.readouterr().err


def test_a_key_for_nobody_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    main(["migrate"])
    assert main(["keys", "create", "--role", "issuer"]) == Exit.USAGE
    assert main(["keys", "create", "--role", "auditor", "--tax-id", SELLER]) == Exit.USAGE
    assert main(["keys", "list", "--json"]) == Exit.DONE
    assert '"id"' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ZHENGPIAO_ENV", "prod", "ZHENGPIAO_ENV"),
        ("ZHENGPIAO_ENV", "production", "https"),
        ("ZHENGPIAO_CONTRACT", "0x12", "ZHENGPIAO_CONTRACT"),
        ("ZHENGPIAO_RECEIPT_KEY_FILE", "absent.key", "absent.key"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["migrate", "--json"]) == Exit.CONFIGURATION
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "settings"
    assert said in error["detail"]


@pytest.mark.parametrize(("key", "said"), [(None, "is not set"), ("c0ffee", "is not 32 bytes in hex")])
def test_a_worker_without_its_keys_says_which(
    key: str | None, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["migrate"])
    monkeypatch.setenv("ZHENGPIAO_RECEIPT_KEY", "11" * 32)
    monkeypatch.setenv("ZHENGPIAO_CONTRACT", "0x" + "11" * 20)
    if key:
        monkeypatch.setenv("ZHENGPIAO_ANCHOR_KEY", key)
    assert main(["worker"]) == Exit.CONFIGURATION
    error = capsys.readouterr().err
    assert "ZHENGPIAO_ANCHOR_KEY " + said in error
    assert "c0ffee" not in error


def test_a_database_that_does_not_answer_is_no_refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", "postgresql://nobody:hunter2@127.0.0.1:9/none")
    assert main(["migrate"]) == Exit.UNAVAILABLE
    assert "hunter2" not in capsys.readouterr().err


def test_a_defect_looks_like_no_refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("service.cli.operating.migrations.migrate", break_down)
    assert main(["migrate"]) == Exit.INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_the_installed_program_is_this_one() -> None:
    done = subprocess.run([ZHENGPIAO, "migrate", "--json"], check=True, capture_output=True, env=dict(os.environ))
    assert json.loads(done.stdout)["after"]
