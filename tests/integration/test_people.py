"""Accounts, sign-in, sessions and the activity log, on both databases."""

from collections.abc import Iterator

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, update

from service import activity
from service.auth import people, sessions
from service.auth.people import Person
from service.db import Database, metadata
from service.errors import Refused, Unavailable
from service.migrations import schema  # noqa: F401  # every table
from service.vault import NotDecrypted, Vault

VAULT = Vault({1: bytes(32)})
NOW = 1_795_600_000_000
PASSWORD = "correct horse battery staple"
NETWORK = "192.0.2.0/24"


@pytest.fixture(autouse=True)
def _quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parameters cost a tenth of a second each, on purpose."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_HASHER", quick)
    monkeypatch.setattr(people, "_NOBODY", quick.hash("nobody"))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    database = Database(database_url)
    metadata.create_all(database.engine)
    with database.write() as opened:
        yield opened
    database.close()


@pytest.fixture
def account(connection: Connection) -> tuple[Person, str]:
    """An account that is ready, and its TOTP secret."""
    _, link = people.create(connection, "Ops@Example.cn", "王运维", "operator", frozenset(), NOW)
    _, secret = people.begin(connection, link, NOW)
    return people.accept(connection, link, PASSWORD, secret, pyotp.TOTP(secret).at(NOW // 1000), VAULT, NOW), secret


def sign_in(
    connection: Connection,
    secret: str,
    *,
    now: int = NOW + 60_000,
    password: str = PASSWORD,
    network: str = NETWORK,
    device: str | None = None,
) -> sessions.SignedIn | None:
    code = pyotp.TOTP(secret).at(now // 1000)
    return sessions.sign_in(connection, "ops@example.cn", password, code, network, device, VAULT, now)


def test_a_one_time_link_works_once_and_not_for_ever(connection: Connection) -> None:
    _, link = people.create(connection, "ops@example.cn", "王运维", "operator", frozenset(), NOW)
    with pytest.raises(Refused, match="link_expired"):
        people.begin(connection, link, NOW + people.INVITATION_MS)
    _, secret = people.begin(connection, link, NOW)
    people.accept(connection, link, PASSWORD, secret, pyotp.TOTP(secret).at(NOW // 1000), VAULT, NOW)
    with pytest.raises(Refused, match="link_expired"):
        people.begin(connection, link, NOW)


@pytest.mark.parametrize("password", ["short", "ops@example.cn ops@example.cn", "aaaaaaaaaaaaaaaa", "x" * 300])
def test_weak_passwords_are_refused(connection: Connection, password: str) -> None:
    _, link = people.create(connection, "ops@example.cn", "王运维", "operator", frozenset(), NOW)
    _, secret = people.begin(connection, link, NOW)
    with pytest.raises(Refused):
        people.accept(connection, link, password, secret, pyotp.TOTP(secret).at(NOW // 1000), VAULT, NOW)


def test_signing_in_needs_both_and_a_code_is_good_once(connection: Connection, account: tuple[Person, str]) -> None:
    person, secret = account
    assert sign_in(connection, secret, password="wrong horse battery staple") is None
    first = sign_in(connection, secret)
    assert first is not None
    assert first.person == person
    assert sign_in(connection, secret) is None  # the same code again
    assert sign_in(connection, secret, now=NOW + 120_000) is not None


def test_a_session_ends_by_idling_by_age_and_by_signing_out(connection: Connection, account: tuple[Person, str]) -> None:
    signed_in = sign_in(connection, account[1])
    assert signed_in is not None
    now = NOW + 60_000
    assert sessions.read(connection, signed_in.token, now + sessions.IDLE_MS - 1) is not None
    assert sessions.read(connection, signed_in.token, now + sessions.IDLE_MS) is None
    while now < NOW + 60_000 + sessions.LIFE_MS:
        assert sessions.read(connection, signed_in.token, now) is not None
        sessions.touch(connection, signed_in.token, now)
        now += sessions.IDLE_MS - 1
    assert sessions.read(connection, signed_in.token, now) is None
    sessions.sign_out(connection, signed_in.token)
    assert sessions.read(connection, signed_in.token, NOW + 60_000) is None


def test_what_matters_asks_again(connection: Connection, account: tuple[Person, str]) -> None:
    signed_in = sign_in(connection, account[1])
    assert signed_in is not None
    later = NOW + 60_000 + sessions.REAUTHENTICATED_MS + 1
    session = sessions.read(connection, signed_in.token, later)
    assert session is not None
    with pytest.raises(Refused, match="reauthentication_required"):
        sessions.require_fresh(session, later)
    code = pyotp.TOTP(account[1]).at(later // 1000)
    assert sessions.reauthenticate(connection, signed_in.token, session, PASSWORD, code, NETWORK, VAULT, later)
    again = sessions.read(connection, signed_in.token, later)
    assert again is not None
    sessions.require_fresh(again, later)


def test_guessing_is_slowed_down_and_locks_nobody_out(connection: Connection, account: tuple[Person, str]) -> None:
    known = sign_in(connection, account[1])
    assert known is not None
    now = NOW + 120_000
    for n in range(sessions.PER_LOGIN):
        assert sign_in(connection, account[1], now=now, password="wrong horse battery staple", network=f"198.51.{n}.0/24") is None
    with pytest.raises(Unavailable, match="too_many_tries"):
        sign_in(connection, account[1], now=now, network="203.0.113.0/24")
    assert sign_in(connection, account[1], now=now, network="203.0.113.0/24", device=known.device) is not None


def test_one_network_is_slowed_down_alike_for_logins_that_do_not_exist(connection: Connection) -> None:
    for _ in range(sessions.PER_LOGIN_AND_NETWORK):
        assert sign_in(connection, pyotp.random_base32()) is None
    with pytest.raises(Unavailable):
        sign_in(connection, pyotp.random_base32())


def test_a_disabled_account_is_out_at_once(connection: Connection, account: tuple[Person, str]) -> None:
    signed_in = sign_in(connection, account[1])
    assert signed_in is not None
    people.disable(connection, account[0].id, NOW)
    assert sessions.read(connection, signed_in.token, NOW + 60_000) is None
    assert sign_in(connection, account[1], now=NOW + 120_000) is None


def test_the_vault_binds_to_its_context_and_rotates() -> None:
    sealed = VAULT.encrypt(b"secret", "totp/1")
    assert VAULT.decrypt(sealed, "totp/1") == b"secret"
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", sealed[:5], bytes([9]) + sealed[1:]):
        with pytest.raises(NotDecrypted):
            VAULT.decrypt(changed, "totp/1")
    with pytest.raises(NotDecrypted):
        VAULT.decrypt(sealed, "totp/2")
    rotated = Vault({1: bytes(32), 2: bytes(range(32))})
    assert rotated.decrypt(sealed, "totp/1") == b"secret"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.encrypt(b"secret", "totp/1"))


def _log(connection: Connection) -> list[bytes]:
    """Five records, and the hash after each."""
    return [activity.append(connection, NOW + n, "u1", "looked_at", f"case-{n}", {"purpose": "复核"}).hash for n in range(5)]


def test_the_activity_log_verifies_against_its_anchored_heads(connection: Connection) -> None:
    heads = _log(connection)
    assert activity.head(connection) == (5, heads[-1])
    verified = activity.verify(connection, [heads[1], heads[4]])
    assert (verified.records, verified.broken_at, verified.anchored, verified.missing_heads) == (5, None, 2, [])
    assert [record.object for record in activity.read(connection, limit=2)] == ["case-4", "case-3"]


def test_a_changed_or_removed_record_is_named(connection: Connection) -> None:
    heads = _log(connection)
    connection.execute(update(activity.activity).where(activity.activity.c.id == 3).values(actor="u2"))
    assert activity.verify(connection, heads).broken_at == 3
    connection.execute(delete(activity.activity).where(activity.activity.c.id == 3))
    assert activity.verify(connection, heads).broken_at == 4


def test_a_log_that_was_cut_or_rewritten_misses_its_anchored_head(connection: Connection) -> None:
    heads = _log(connection)
    connection.execute(delete(activity.activity).where(activity.activity.c.id > 3))
    verified = activity.verify(connection, [heads[2], heads[4]])
    assert (verified.broken_at, verified.missing_heads) == (None, [heads[4]])
