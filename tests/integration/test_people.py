"""Accounts, sign-in, sessions and the activity log, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, func, select, update

from service import activity
from service.activity import Filter, Verified
from service.activity import activity as table
from service.auth import people, sessions
from service.auth.people import Person
from service.auth.tables import devices, login_failures, users
from service.auth.tables import sessions as session_rows
from service.db import Database
from service.errors import Refused, Unavailable
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
def database(made_url: str) -> Iterator[Database]:
    opened = Database(made_url)
    yield opened
    opened.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def invite(database: Database, login: str = "Ops@Example.cn") -> str:
    """The secret of a new account's link."""
    with database.write() as connection:
        return people.create(connection, login, "王运维", "operator", frozenset(), NOW)[1]


def accept(database: Database, link: str, password: str = PASSWORD, now: int = NOW) -> tuple[Person, str]:
    """The account, and its TOTP secret."""
    with database.read() as connection:
        _, secret = people.begin(connection, link, now)
    chosen = people.prepare(database, link, password, secret, pyotp.TOTP(secret).at(now // 1000), now)
    with database.write() as connection:
        return people.accept(connection, link, chosen, VAULT, now), secret


@pytest.fixture
def account(database: Database) -> tuple[Person, str]:
    """An account that is ready, and its TOTP secret."""
    return accept(database, invite(database))


def sign_in(
    database: Database,
    secret: str,
    *,
    now: int = NOW + 60_000,
    password: str = PASSWORD,
    network: str = NETWORK,
    device: str | None = None,
) -> sessions.SignedIn | None:
    code = pyotp.TOTP(secret).at(now // 1000)
    return sessions.sign_in(database, "ops@example.cn", password, code, network, device, VAULT, now)


def read(database: Database, signed_in: sessions.SignedIn, now: int) -> sessions.Session | None:
    with database.read() as connection:
        return sessions.read(connection, signed_in.token, now)


def test_a_one_time_link_works_once_and_not_for_ever(database: Database) -> None:
    link = invite(database)
    with database.read() as connection, pytest.raises(Refused, match="link_expired"):
        people.begin(connection, link, NOW + people.INVITATION_MS)
    accept(database, link)
    with pytest.raises(Refused, match="link_expired"):
        accept(database, link)


@pytest.mark.parametrize("password", ["short", "ops@example.cn ops@example.cn", "aaaaaaaaaaaaaaaa", "x" * 300])
def test_weak_passwords_are_refused(database: Database, password: str) -> None:
    with pytest.raises(Refused) as refused:
        accept(database, invite(database), password)
    assert {finding.pointer for finding in refused.value.findings} == {"/password"}


def test_all_that_is_wrong_is_said_at_once(database: Database) -> None:
    link = invite(database)
    for totp_secret in (pyotp.random_base32(), "no secret", ""):
        with pytest.raises(Refused) as refused:
            people.prepare(database, link, "short", totp_secret, "000000", NOW)
        assert [finding.code for finding in refused.value.findings] == ["password_length", "code_wrong"]


def test_a_login_is_taken_whatever_its_case(database: Database) -> None:
    invite(database)
    with pytest.raises(Refused, match="login_taken"):
        invite(database, " OPS@example.cn ")


def test_signing_in_needs_both_and_a_code_is_good_once(database: Database, account: tuple[Person, str]) -> None:
    person, secret = account
    assert sign_in(database, secret, password="wrong horse battery staple") is None
    first = sign_in(database, secret)
    assert first is not None
    assert first.person == person
    assert sign_in(database, secret) is None  # the same code again
    assert sign_in(database, secret, now=NOW + 120_000) is not None


def test_of_two_who_use_one_code_at_once_one_signs_in(database: Database, account: tuple[Person, str]) -> None:
    code = pyotp.TOTP(account[1]).at((NOW + 60_000) // 1000)
    both = [people.verify(database, "ops@example.cn", PASSWORD, code, VAULT, NOW + 60_000) for _ in range(2)]
    used = []
    for proven in both:
        assert proven is not None
        with database.write() as connection:
            used.append(people.use_code(connection, proven))
    assert used == [True, False]


def test_an_old_hash_is_renewed_when_its_owner_signs_in(
    database: Database, account: tuple[Person, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_HASHER", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert sign_in(database, account[1]) is not None
    with database.read() as connection:
        assert "t=2" in connection.execute(select(users.c.password_hash)).scalar_one()
    assert sign_in(database, account[1], now=NOW + 120_000) is not None


def test_a_session_ends_by_idling_by_age_and_by_signing_out(database: Database, account: tuple[Person, str]) -> None:
    signed_in = sign_in(database, account[1])
    assert signed_in is not None
    now = NOW + 60_000
    assert read(database, signed_in, now + sessions.IDLE_MS - 1) is not None
    assert read(database, signed_in, now + sessions.IDLE_MS) is None
    while now < NOW + 60_000 + sessions.LIFE_MS:
        session = read(database, signed_in, now)
        assert session is not None
        assert now < session.expires_at <= NOW + 60_000 + sessions.LIFE_MS
        with database.write() as connection:
            sessions.touch(connection, signed_in.token, now)
        now += sessions.IDLE_MS - 1
    assert read(database, signed_in, now) is None
    session = read(database, signed_in, NOW + 60_000)
    assert session is not None
    with database.write() as connection:
        sessions.sign_out(connection, session, NOW + 60_000)
    assert read(database, signed_in, NOW + 60_000) is None


def test_what_matters_asks_again(database: Database, account: tuple[Person, str]) -> None:
    signed_in = sign_in(database, account[1])
    assert signed_in is not None
    later = NOW + 60_000 + sessions.REAUTHENTICATED_MS + 1
    session = read(database, signed_in, later)
    assert session is not None
    assert not session.is_fresh(later)
    code = pyotp.TOTP(account[1]).at(later // 1000)
    assert not sessions.reauthenticate(database, session, "wrong horse battery staple", code, NETWORK, VAULT, later)
    assert sessions.reauthenticate(database, session, PASSWORD, code, NETWORK, VAULT, later)
    assert not sessions.reauthenticate(database, session, PASSWORD, code, NETWORK, VAULT, later)
    again = read(database, signed_in, later)
    assert again is not None
    assert again.is_fresh(later)


def test_guessing_is_slowed_down_and_locks_nobody_out(database: Database, account: tuple[Person, str]) -> None:
    known = sign_in(database, account[1])
    assert known is not None
    now = NOW + 120_000
    for n in range(sessions.PER_LOGIN):
        assert sign_in(database, account[1], now=now, password="wrong horse battery staple", network=f"198.51.{n}.0/24") is None
    with pytest.raises(Unavailable, match="too_many_tries"):
        sign_in(database, account[1], now=now, network="203.0.113.0/24")
    assert sign_in(database, account[1], now=now, network="203.0.113.0/24", device=known.device) is not None


def test_one_network_is_slowed_down_alike_for_logins_that_do_not_exist(database: Database) -> None:
    for _ in range(sessions.PER_LOGIN_AND_NETWORK):
        assert sign_in(database, pyotp.random_base32()) is None
    with pytest.raises(Unavailable):
        sign_in(database, pyotp.random_base32())


def test_a_disabled_account_is_out_at_once_and_comes_back_by_a_link(database: Database, account: tuple[Person, str]) -> None:
    person, secret = account
    signed_in = sign_in(database, secret)
    assert signed_in is not None
    with database.write() as connection:
        people.disable(connection, person.id, NOW)
    assert read(database, signed_in, NOW + 60_000) is None
    assert sign_in(database, secret, now=NOW + 120_000) is None
    with database.write() as connection:
        link = people.invite(connection, person.id, NOW + 120_000)
    assert sign_in(database, secret, now=NOW + 180_000) is None, "the old password is gone"
    _, new_secret = accept(database, link, now=NOW + 120_000)
    assert sign_in(database, new_secret, now=NOW + 240_000) is not None


def test_a_new_link_for_who_lost_the_authenticator_ends_the_old_ones(database: Database, account: tuple[Person, str]) -> None:
    person, secret = account
    signed_in = sign_in(database, secret)
    assert signed_in is not None
    with database.write() as connection:
        older, link = people.invite(connection, person.id, NOW), people.invite(connection, person.id, NOW)
    with pytest.raises(Refused, match="link_expired"):
        accept(database, older)
    assert sign_in(database, secret, now=NOW + 120_000) is not None, "until the link is accepted, what there was works"
    accept(database, link, now=NOW + 180_000)
    assert read(database, signed_in, NOW + 180_000) is None
    assert sign_in(database, secret, now=NOW + 240_000) is None


def test_what_has_expired_is_forgotten(database: Database, account: tuple[Person, str]) -> None:
    assert sign_in(database, account[1], password="wrong horse battery staple") is None
    assert sign_in(database, account[1]) is not None
    for now, left in ((NOW + 60_000, (1, 1, 1)), (NOW + sessions.DEVICE_MS + 60_000, (0, 0, 0))):
        with database.write() as connection:
            sessions.forget_old(connection, now)
            tables = (session_rows, devices, login_failures)
            assert tuple(connection.scalar(select(func.count()).select_from(table)) for table in tables) == left


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
    assert activity.verify(connection, [heads[1], heads[4]]) == Verified(5, None, frozenset({heads[1], heads[4]}))
    assert activity.verify(connection, heads, after=2, limit=2) == Verified(4, None, frozenset({heads[2], heads[3]}))
    assert activity.places(connection, [heads[4], bytes(32), heads[0]]) == {heads[4]: 5, heads[0]: 1}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(), [5, 4, 3, 2, 1]),
        (Filter(actor="u1", action="looked_at", object="case-3"), [4]),
        (Filter(actor="u2"), []),
        (Filter(since=NOW + 3), [5, 4]),
        (Filter(until=NOW + 2), [2, 1]),
        (Filter(since=NOW + 1, until=NOW + 3), [3, 2]),
        (Filter(since=NOW + 9), []),
        (Filter(until=NOW), []),
    ],
)
def test_the_activity_log_is_read_from_its_end(connection: Connection, wanted: Filter, ids: list[int]) -> None:
    _log(connection)
    assert [record.id for record in activity.read(connection, wanted)] == ids
    assert [record.id for record in activity.read(connection, wanted, below=4, limit=2)] == [n for n in ids if n < 4][:2]


def test_a_changed_or_removed_record_is_named(connection: Connection) -> None:
    heads = _log(connection)
    connection.execute(update(table).where(table.c.id == 3).values(actor="u2"))
    assert activity.verify(connection, heads) == Verified(3, 3, frozenset({heads[0], heads[1]}))
    connection.execute(update(table).where(table.c.id == 3).values(actor="\u200b"))
    assert activity.verify(connection, heads).broken_at == 3
    connection.execute(delete(table).where(table.c.id == 3))
    assert activity.verify(connection, heads).broken_at == 4
    assert activity.verify(connection, heads, after=3).broken_at == 4


def test_a_log_that_was_cut_or_rewritten_misses_its_anchored_head(connection: Connection) -> None:
    heads = _log(connection)
    connection.execute(delete(table).where(table.c.id > 3))
    assert activity.verify(connection, [heads[2], heads[4]]) == Verified(3, None, frozenset({heads[2]}))


def test_those_who_append_at_the_same_time_wait_for_each_other(database: Database) -> None:
    def append(n: int) -> None:
        with database.write() as connection:
            activity.append(connection, NOW, f"u{n}", "looked_at", "case")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(40)))
    with database.read() as connection:
        assert activity.verify(connection, ())[:2] == (40, None)
