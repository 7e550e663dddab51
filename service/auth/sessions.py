"""Signing in and staying signed in: sessions, re-authentication, and throttling that locks nobody out.

Who guesses is slowed down by login and network. A network-wide attack on one login closes that login to strangers only: a device
from which its owner has signed in before carries a token of its own, and is counted apart (OWASP, "device cookies").
"""

import hmac
import secrets
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from service.auth import people
from service.auth.people import Person
from service.auth.tables import devices, login_failures, sessions
from service.errors import Refused, Unavailable
from service.vault import Vault

IDLE_MS = 30 * 60 * 1000
LIFE_MS = 12 * 3600 * 1000
REAUTHENTICATED_MS = 5 * 60 * 1000
DEVICE_MS = 90 * 24 * 3600 * 1000

WINDOW_MS = 15 * 60 * 1000
PER_LOGIN_AND_NETWORK = 5
PER_NETWORK = 50
PER_LOGIN = 50
"""From networks and devices that the login was never used from."""


class Session(NamedTuple):
    """Who is signed in; `csrf` must come with every write. Times in ms since 1970 UTC."""

    person: Person
    csrf: str
    expires_at: int
    reauthenticated_at: int

    def is_fresh(self, now_ms: int) -> bool:
        """Whether the person has proven who they are recently enough for what matters."""
        return now_ms - self.reauthenticated_at <= REAUTHENTICATED_MS


class SignedIn(NamedTuple):
    """The secrets of two cookies, shown once: the session's, and the device's."""

    person: Person
    token: str
    device: str


def sign_in(
    connection: Connection, login: str, password: str, code: str, network: str, device: str | None, vault: Vault, now_ms: int
) -> SignedIn | None:
    """Sign in; None where anything is wrong, and the failure is counted: the caller commits in either case.

    `network` is the client's /24 or /48. Raises Unavailable("too_many_tries") while it is slowed down.
    """
    login = login.strip().lower()
    known = device is not None and _is_device(connection, login, device, now_ms)
    _throttle(connection, login, f"device:{_hash(device or '').hex()}" if known else network, known, now_ms)
    person = people.verify(connection, login, password, code, vault, now_ms)
    if person is None:
        where = f"device:{_hash(device or '').hex()}" if known else network
        row = {"login": _login_hash(login), "network": where, "at": now_ms}
        connection.execute(insert(login_failures), row)
        return None
    token, new_device = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions),
        {
            "token_hash": _hash(token),
            "user_id": person.id,
            "created_at": now_ms,
            "seen_at": now_ms,
            "reauthenticated_at": now_ms,
        },
    )
    if known and device is not None:
        connection.execute(delete(devices).where(devices.c.token_hash == _hash(device)))
    row = {"token_hash": _hash(new_device), "user_id": person.id, "login": _login_hash(login), "expires_at": now_ms + DEVICE_MS}
    connection.execute(insert(devices), row)
    return SignedIn(person, token, new_device)


def _throttle(connection: Connection, login: str, where: str, is_known_device: bool, now_ms: int) -> None:
    recent = select(func.count()).select_from(login_failures).where(login_failures.c.at > now_ms - WINDOW_MS)
    of_login = login_failures.c.login == _login_hash(login)
    limits = [(PER_LOGIN_AND_NETWORK, recent.where(of_login, login_failures.c.network == where))]
    if not is_known_device:
        limits.append((PER_NETWORK, recent.where(login_failures.c.network == where)))
        limits.append((PER_LOGIN, recent.where(of_login, login_failures.c.network.not_like("device:%"))))
    if any((connection.scalar(query) or 0) >= most for most, query in limits):
        raise Unavailable("too_many_tries", WINDOW_MS // 1000)


def _is_device(connection: Connection, login: str, device: str, now_ms: int) -> bool:
    query = select(devices.c.login).where(devices.c.token_hash == _hash(device), devices.c.expires_at > now_ms)
    return connection.scalar(query) == _login_hash(login)


def read(connection: Connection, token: str, now_ms: int) -> Session | None:
    """The session of a cookie; None where it has ended: idle for half an hour, twelve hours old, or its account disabled."""
    query = select(sessions).where(
        sessions.c.token_hash == _hash(token), sessions.c.seen_at > now_ms - IDLE_MS, sessions.c.created_at > now_ms - LIFE_MS
    )
    row = connection.execute(query).one_or_none()
    person = people.of_id(connection, row.user_id) if row else None
    if row is None or person is None or person.disabled_at is not None:
        return None
    return Session(person, csrf_of(token), row.created_at + LIFE_MS, row.reauthenticated_at)


def csrf_of(token: str) -> str:
    """What a page of this session sends with its writes: nobody who lacks the session's cookie can know it."""
    return hmac.new(token.encode(), b"zhengpiao/csrf", sha256).hexdigest()


def touch(connection: Connection, token: str, now_ms: int) -> None:
    """It was used: the idle time begins anew."""
    connection.execute(update(sessions).where(sessions.c.token_hash == _hash(token)).values(seen_at=now_ms))


def reauthenticate(
    connection: Connection, token: str, session: Session, password: str, code: str, network: str, vault: Vault, now_ms: int
) -> bool:
    """Prove again who is there, before what matters. A failure is counted like one at sign-in."""
    login = session.person.login
    _throttle(connection, login, network, is_known_device=True, now_ms=now_ms)
    person = people.verify(connection, login, password, code, vault, now_ms)
    if person is None or person.id != session.person.id:
        row = {"login": _login_hash(login), "network": network, "at": now_ms}
        connection.execute(insert(login_failures), row)
        return False
    connection.execute(update(sessions).where(sessions.c.token_hash == _hash(token)).values(reauthenticated_at=now_ms))
    return True


def require_fresh(session: Session, now_ms: int) -> None:
    """Raises Refused("reauthentication_required") where it was too long ago."""
    if not session.is_fresh(now_ms):
        raise Refused("reauthentication_required")


def sign_out(connection: Connection, token: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def forget_old(connection: Connection, now_ms: int) -> None:
    """Delete what has expired; the worker runs it now and then."""
    connection.execute(delete(sessions).where(sessions.c.created_at <= now_ms - LIFE_MS))
    connection.execute(delete(devices).where(devices.c.expires_at <= now_ms))
    connection.execute(delete(login_failures).where(login_failures.c.at <= now_ms - WINDOW_MS))


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _login_hash(login: str) -> bytes:
    """Failures are counted for logins that do not exist too; what was typed there is not kept in the clear."""
    return sha256(b"zhengpiao/login\x00" + login.encode()).digest()
