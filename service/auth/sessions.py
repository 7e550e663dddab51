"""Signing in and staying signed in: sessions, re-authentication, and throttling that locks nobody out.

Who guesses is slowed down by login and network. A network-wide attack on one login closes that login to strangers only: a device
from which its owner has signed in before carries a token of its own, and is counted apart (OWASP, "device cookies").
"""

import hmac
import secrets
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

from sqlalchemy import Connection, delete, func, insert, select, update

from service import activity
from service.auth import people
from service.auth.people import Person
from service.auth.tables import devices, login_failures, sessions
from service.db import Database
from service.errors import Finding, Refused, Unavailable
from service.vault import Vault
from verifier.errors import NotCanonical

IDLE_MS = 30 * 60 * 1000
LIFE_MS = 12 * 3600 * 1000
REAUTHENTICATED_MS = 5 * 60 * 1000
TOUCH_MS = 60 * 1000
"""So seldom is written down that a session is used."""
DEVICE_MS = 90 * 24 * 3600 * 1000

WINDOW_MS = 15 * 60 * 1000
PER_LOGIN_AND_NETWORK = 5
PER_NETWORK = 50
PER_LOGIN = 50
"""From networks and devices that the login was never used from."""


Purpose = Literal["routine_audit", "complaint", "authority_request", "incident", "support"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
"""Why somebody looks at what belongs to others; kept in the activity log with every look."""


class Session(NamedTuple):
    """Who is signed in; `csrf` must come with every write. Times in ms since 1970 UTC.

    `purpose` is what the person has said that they look at invoices for, `reference` the case that it is about.
    """

    person: Person
    token: str
    csrf: str
    expires_at: int
    seen_at: int
    reauthenticated_at: int
    purpose: Purpose | None
    reference: str

    @property
    def fresh_until(self) -> int:
        return self.reauthenticated_at + REAUTHENTICATED_MS

    def is_fresh(self, now_ms: int) -> bool:
        """Whether the person has proven who they are recently enough for what matters."""
        return now_ms <= self.fresh_until


class SignedIn(NamedTuple):
    """The secrets of two cookies, shown once: the session's, and the device's."""

    person: Person
    token: str
    device: str


def sign_in(
    database: Database, login: str, password: str, code: str, network: str, device: str | None, vault: Vault, now_ms: int
) -> SignedIn | None:
    """Sign in; None where anything is wrong, and the failure is counted.

    `network` is the client's /24 or /48. Raises Unavailable("too_many_tries") while it is slowed down.
    """
    login = login.strip().lower()
    with database.read() as connection:
        known = device is not None and _is_device(connection, login, device, now_ms)
        where = _device_name(device or "") if known else network
        _throttle(connection, login, where, known, now_ms)
    proven = people.verify(database, login, password, code, vault, now_ms)
    with database.write() as connection:
        if proven is None or not people.use_code(connection, proven):
            _count_failure(connection, login, where, now_ms)
            return None
        id_, said = proven.person.id, {"device": "known" if known else "new"}
        activity.append(connection, now_ms, id_, "signed_in", id_, said)
        return begin(connection, proven.person, device if known else None, now_ms)


def begin(connection: Connection, person: Person, device: str | None, now_ms: int) -> SignedIn:
    """A new session of somebody who has proven who they are, and a new token in the place of `device`."""
    token, new_device = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = {
        "token_hash": _hash(token),
        "user_id": person.id,
        "created_at": now_ms,
        "seen_at": now_ms,
        "reauthenticated_at": now_ms,
        "reference": "",
    }
    connection.execute(insert(sessions), row)
    if device is not None:
        connection.execute(delete(devices).where(devices.c.token_hash == _hash(device)))
    row = {
        "token_hash": _hash(new_device),
        "user_id": person.id,
        "login": _login_hash(person.login),
        "expires_at": now_ms + DEVICE_MS,
    }
    connection.execute(insert(devices), row)
    return SignedIn(person, token, new_device)


def _count_failure(connection: Connection, login: str, where: str, now_ms: int) -> None:
    connection.execute(insert(login_failures), {"login": _login_hash(login), "network": where, "at": now_ms})


def _device_name(device: str) -> str:
    return f"device:{_hash(device).hex()}"


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
    expires_at = min(row.created_at + LIFE_MS, row.seen_at + IDLE_MS)
    return Session(person, token, csrf_of(token), expires_at, row.seen_at, row.reauthenticated_at, row.purpose, row.reference)


def csrf_of(token: str) -> str:
    """What a page of this session sends with its writes: nobody who lacks the session's cookie can know it."""
    return hmac.new(token.encode(), b"zhengpiao/csrf", sha256).hexdigest()


def touch(connection: Connection, token: str, now_ms: int) -> None:
    """It was used: the idle time begins anew."""
    connection.execute(update(sessions).where(sessions.c.token_hash == _hash(token)).values(seen_at=now_ms))


def choose_purpose(connection: Connection, session: Session, purpose: Purpose, reference: str, now_ms: int) -> Session:
    """What the person looks at invoices for from now on. Raises Refused for a reference that could not be hashed."""
    details = {"purpose": purpose, **({"reference": reference} if reference else {})}
    try:
        activity.append(connection, now_ms, session.person.id, "chose_purpose", session.person.id, details)
    except NotCanonical:
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/reference", {"case": "pattern"})]) from None
    is_this = sessions.c.token_hash == _hash(session.token)
    connection.execute(update(sessions).where(is_this).values(purpose=purpose, reference=reference))
    return session._replace(purpose=purpose, reference=reference)


def reauthenticate(database: Database, session: Session, password: str, code: str, network: str, vault: Vault, now_ms: int) -> bool:
    """Prove again who is there, before what matters. A failure is counted like one at sign-in."""
    login = session.person.login
    with database.read() as connection:
        _throttle(connection, login, network, is_known_device=True, now_ms=now_ms)
    proven = people.verify(database, login, password, code, vault, now_ms)
    with database.write() as connection:
        if proven is None or proven.person.id != session.person.id or not people.use_code(connection, proven):
            _count_failure(connection, login, network, now_ms)
            return False
        is_this = sessions.c.token_hash == _hash(session.token)
        connection.execute(update(sessions).where(is_this).values(reauthenticated_at=now_ms))
        activity.append(connection, now_ms, session.person.id, "reauthenticated", session.person.id)
        return True


def require_fresh(session: Session, now_ms: int) -> None:
    """Raises Refused("reauthentication_required") where it was too long ago."""
    if not session.is_fresh(now_ms):
        raise Refused("reauthentication_required")


def sign_out(connection: Connection, session: Session, now_ms: int) -> None:
    activity.append(connection, now_ms, session.person.id, "signed_out", session.person.id)
    connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(session.token)))


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
