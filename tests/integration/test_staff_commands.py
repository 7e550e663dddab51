"""`zhengpiao users` and `zhengpiao activity`, on both databases and against a real chain."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from service import activity
from service.cli import main
from service.cli.outcome import Exit
from service.db import Database
from service.ledger import notes
from service.migrations import migrate
from tests.chain import Chain, RegistryContract
from tests.stores import RECEIPT_KEY, Store

SELLER = "91110108MAXXXX015B"
pytestmark = pytest.mark.usefixtures("restored_logging", "nothing_set")


@pytest.fixture
def people(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """A migrated database with a key for people's secrets: its URL."""
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", database_url)
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", f"1:{'33' * 32}")
    assert main(["migrate"]) == Exit.DONE
    capsys.readouterr()
    return database_url


def create(login: str, *options: str) -> int:
    return main(["users", "create", "--login", login, "--name", "王运维", *(options or ("--role", "operator")), "--json"])


def test_the_first_operator_gets_a_one_time_link(people: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "create", "--login", "Wang@example.cn", "--name", "王运维", "--role", "operator"]) == Exit.DONE
    link, said = capsys.readouterr().out.strip().splitlines()
    assert link.startswith("http://127.0.0.1:8000/welcome#")
    assert create("clerk@example.cn", "--role", "clerk", "--tax-id", SELLER) == Exit.DONE
    clerk = json.loads(capsys.readouterr().out)
    assert clerk["link"] != link
    assert main(["users", "list", "--json"]) == Exit.DONE
    listed = {found["login"]: found for found in map(json.loads, capsys.readouterr().out.splitlines())}
    assert listed["clerk@example.cn"]["sellers"] == [SELLER]
    assert listed["wang@example.cn"]["id"] in said
    assert main(["users", "disable", clerk["id"]]) == Exit.DONE
    capsys.readouterr()
    assert main(["users", "invite", clerk["id"], "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["link"] != clerk["link"]
    database = Database(people)
    with database.read() as connection:
        records = [(record.actor, record.action) for record in activity.read(connection)]
    database.close()
    assert records == [("cli", action) for action in ("invited_user", "disabled_user", "created_user", "created_user")]


@pytest.mark.parametrize(
    ("arguments", "exit_", "sentence"),
    [
        (("--role", "clerk"), Exit.USAGE, "act for sellers"),
        (("--role", "auditor", "--tax-id", SELLER), Exit.USAGE, "act for sellers"),
        (("--role", "king"), Exit.USAGE, "king"),
    ],
)
def test_what_makes_no_account_is_said(
    people: str, arguments: tuple[str, ...], exit_: Exit, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create("x@example.cn", *arguments) == exit_
    assert sentence in capsys.readouterr().err


def test_a_taken_login_and_an_unknown_account_are_refused(people: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (create("x@example.cn"), create("X@example.cn")) == (Exit.DONE, Exit.REFUSED)
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "login_taken"
    for command in ("disable", "invite"):
        assert main(["users", command, "0" * 16]) == Exit.REFUSED
        assert "there is no account" in capsys.readouterr().err


@pytest.mark.parametrize("keys", ["", "1:zz", "1:00"])
def test_without_a_key_for_secrets_nobody_is_invited(
    people: str, keys: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_DATA_KEYS", keys)
    assert create("x@example.cn") == Exit.CONFIGURATION
    assert "ZHENGPIAO_DATA_KEYS" in capsys.readouterr().err


@pytest.fixture
def noted(database_url: str, chain: Chain, contract: RegistryContract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Six records, of which the chain vouches for four; the settings are those of the store.

    It anchors, so it has a contract of its own: the built stores' holds what they say and no more.
    """
    store = Store(database_url, chain, contract)
    migrate(store.database)
    for number, value in {
        "DATABASE_URL": store.url,
        "RECEIPT_KEY": RECEIPT_KEY.hex(),
        "CONTRACT": store.contract.address,
        "CHAIN_ID": str(store.node.chain_id),
        "RPC_URLS": store.node.url,
        "RPC_TIMEOUT_S": "30",
    }.items():
        monkeypatch.setenv(f"ZHENGPIAO_{number}", value)
    now = 1_795_600_000_000
    with store.database.write() as connection:
        for n in range(4):
            activity.append(connection, now + n, "u1", "looked_at_invoice", f"case-{n}")
        notes.take_down(connection, activity.LOG_NAME, activity.head(connection)[1], store.keys, now, now + 10**9)
    store.anchor()
    with store.database.write() as connection:
        for n in range(4, 6):
            activity.append(connection, now + n, "u1", "looked_at_invoice", f"case-{n}")
    yield store
    store.close()


def verify(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    exit_ = main(["activity", "verify", "--json", *options])
    return exit_, json.loads(capsys.readouterr().out)


def test_a_sound_log_is_said_to_be_sound(noted: Store, capsys: pytest.CaptureFixture[str]) -> None:
    sound: dict[str, Any] = {"sound": True, "records": 6, "anchored_to": 4, "broken_at": None, "missing": [], "foreign": []}
    assert verify(capsys) == (Exit.DONE, sound)
    assert verify(capsys, "--offline") == (Exit.DONE, sound)
    assert main(["activity", "verify"]) == Exit.DONE
    assert "the chain vouches for those up to 4" in capsys.readouterr().out


def test_a_log_that_was_changed_is_named(noted: Store, capsys: pytest.CaptureFixture[str]) -> None:
    noted.sql("UPDATE activity SET object = 'x' WHERE id = 2")
    exit_, said = verify(capsys)
    assert (exit_, said["broken_at"], said["anchored_to"]) == (Exit.REFUSED, 2, 0)
    assert main(["activity", "verify"]) == Exit.REFUSED
    assert "Record 2 does not follow" in capsys.readouterr().out


def test_a_log_that_was_rewritten_whole_misses_its_anchored_head(noted: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """With every hash computed again, as somebody with full access would do it."""
    with noted.database.write() as connection:
        records = list(reversed(activity.read(connection)))
        noted_heads = activity.head(connection)
        connection.execute(activity.activity.delete())
        for record in records:
            if record.object != "case-1":
                activity.append(connection, record.at, record.actor, record.action, record.object)
        assert activity.head(connection) != noted_heads
    exit_, said = verify(capsys)
    assert (exit_, said["broken_at"], len(said["missing"]), said["foreign"]) == (Exit.REFUSED, None, 1, [])
    # The note is changed along with it: then the chain tells.
    with noted.database.write() as connection:
        head = activity.verify(connection, ()).last
        new = connection.scalar(text("SELECT hash FROM activity WHERE id = :id"), {"id": head})
    old = bytes.fromhex(said["missing"][0]["head"])
    [note] = _notes(noted)
    noted.sql("UPDATE entries SET entry = :new WHERE entry = :old", new=note.replace(old, new), old=note)
    exit_, said = verify(capsys)
    assert (exit_, said["missing"], len(said["foreign"]), said["anchored_to"]) == (Exit.REFUSED, [], 1, 0)
    assert verify(capsys, "--offline")[0] == Exit.DONE, "the database alone cannot tell"


def _notes(store: Store) -> list[bytes]:
    with store.database.read() as connection:
        return [note.entry for note in notes.sealed(connection, activity.LOG_NAME)]


def test_a_silent_chain_concludes_nothing(
    noted: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_RPC_URLS", "http://127.0.0.1:9")
    assert main(["activity", "verify", "--json"]) == Exit.UNAVAILABLE
    assert "nothing is concluded" in capsys.readouterr().err
    assert verify(capsys, "--offline")[0] == Exit.DONE
