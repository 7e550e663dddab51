"""`zhengpiao keys rotate`: what it renews, what it says, and that the old key can go afterwards."""

import json
import time

import pyotp
import pytest

from service import activity
from service.auth import people
from service.cli import main
from service.cli.outcome import Exit
from service.db import Database
from service.vault import Vault

OLD, NEW = f"1:{'33' * 32}", f"2:{'44' * 32}"
PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.usefixtures("restored_logging", "nothing_set")


@pytest.fixture
def signed_up(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """A database with a person under the old key: its URL, and the secret of their authenticator."""
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", database_url)
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", OLD)
    assert main(["migrate"]) == Exit.DONE
    database, now_ms = Database(database_url), int(time.time() * 1000)
    with database.write() as connection:
        _, link = people.create(connection, "wang@example.cn", "王", "operator", frozenset(), now_ms)
        _, secret = people.begin(connection, link, now_ms)
    code = pyotp.TOTP(secret).at(now_ms // 1000 - 30)
    chosen = people.prepare(database, link, PASSWORD, secret, code, now_ms)
    with database.write() as connection:
        people.accept(connection, link, chosen, Vault({1: b"\x33" * 32}), now_ms)
    database.close()
    capsys.readouterr()
    return database_url, secret


def rotate(capsys: pytest.CaptureFixture[str], expected: Exit = Exit.DONE) -> dict[str, object]:
    assert main(["keys", "rotate", "--json"]) == expected
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said


def test_the_old_key_can_go_when_everything_is_under_the_new_one(
    signed_up: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, secret = signed_up
    assert rotate(capsys)["renewed"] == 0, "the only key is the newest"
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", f"{OLD},{NEW}")
    done = rotate(capsys)
    assert (done["version"], done["renewed"], done["unreadable"]) == (2, 1, 0)
    assert rotate(capsys)["renewed"] == 0
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", NEW)
    assert rotate(capsys)["unreadable"] == 0
    database, now_ms = Database(url), int(time.time() * 1000)
    proven = people.verify(
        database, "wang@example.cn", PASSWORD, pyotp.TOTP(secret).at(now_ms // 1000), Vault({2: b"\x44" * 32}), now_ms
    )
    assert proven is not None, "they sign in with the authenticator that they have"
    with database.read() as connection:
        [record] = activity.read(connection, activity.Filter(action="rotated_keys"))
    database.close()
    assert (record.actor, record.details) == ("cli", '{"to":"2","values":"1"}')
    assert main(["keys", "rotate"]) == Exit.DONE
    assert "users.totp_secret" in capsys.readouterr().out


def test_what_no_key_opens_is_said_and_kept(
    signed_up: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", NEW)
    assert rotate(capsys, Exit.REFUSED)["unreadable"] == 1
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", f"{OLD},{NEW}")
    assert rotate(capsys)["renewed"] == 1, "nothing was lost by it"


def test_without_data_keys_there_is_nothing_to_rotate(
    signed_up: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", "1:zz")
    assert main(["keys", "rotate"]) == Exit.CONFIGURATION
    assert "zz" not in capsys.readouterr().err
