"""Staff accounts: reviewer, auditor, operator, and an issuer's clerk and approver. They sign in by password and one-time code.

Nobody sets another's password: an account begins with a one-time link, by which its owner chooses one and enrols an authenticator.
"""

import secrets
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args

import orjson
import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.auth.tables import devices, invitations, sessions, users
from service.errors import Finding, Refused
from service.vault import Vault

PersonRole = Literal["reviewer", "auditor", "operator", "clerk", "approver"]
PERSON_ROLES: tuple[PersonRole, ...] = get_args(PersonRole)

INVITATION_MS = 72 * 3600 * 1000
MIN_PASSWORD = 12
MAX_PASSWORD = 256
_STEP_S = 30
_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106, second recommended option
# What an unknown login is checked against, so that it takes as long as a known one.
_NOBODY = _HASHER.hash(secrets.token_hex(16))


class Person(NamedTuple):
    """An account; `sellers` are the tax ids that a clerk or approver acts for. `is_ready` once its owner has accepted the link."""

    id: str
    login: str
    name: str
    role: PersonRole
    sellers: frozenset[str]
    is_ready: bool
    disabled_at: int | None


def _to_person(row: Any) -> Person:
    sellers = frozenset(orjson.loads(row.sellers))
    return Person(row.id, row.login, row.name, row.role, sellers, row.password_hash is not None, row.disabled_at)


_people = select(users.c.id, users.c.login, users.c.name, users.c.role, users.c.sellers, users.c.password_hash, users.c.disabled_at)


def create(
    connection: Connection, login: str, name: str, role: PersonRole, sellers: frozenset[str], now_ms: int
) -> tuple[Person, str]:
    """A new account and the secret of its one-time link. Raises Refused for a login that is taken."""
    login = login.strip().lower()
    if (role in ("clerk", "approver")) != bool(sellers):
        raise Refused("invalid_request", findings=[Finding("sellers_of_issuer_staff", "error", "/sellers")])
    if not 3 <= len(login) <= 64 or any(character.isspace() for character in login):
        raise Refused("invalid_request", findings=[Finding("login_form", "error", "/login")])
    id_ = secrets.token_hex(8)
    row = {"id": id_, "login": login, "name": name, "role": role, "sellers": orjson.dumps(sorted(sellers)).decode()}
    try:
        connection.execute(insert(users), {**row, "created_at": now_ms})
    except IntegrityError:
        raise Refused("login_taken") from None
    return Person(id_, login, name, role, sellers, False, None), invite(connection, id_, now_ms)


def invite(connection: Connection, user_id: str, now_ms: int) -> str:
    """A new one-time link for an account, also where its owner has lost the authenticator; older links die."""
    secret = secrets.token_urlsafe(32)
    connection.execute(delete(invitations).where(invitations.c.user_id == user_id))
    row = {"token_hash": _hash(secret), "user_id": user_id, "expires_at": now_ms + INVITATION_MS}
    connection.execute(insert(invitations), row)
    return secret


def begin(connection: Connection, secret: str, now_ms: int) -> tuple[Person, str]:
    """Whose link it is, and a new TOTP secret (base32, RFC 6238) to enrol. Raises Refused("link_expired")."""
    return _invited(connection, secret, now_ms), pyotp.random_base32()


def accept(connection: Connection, secret: str, password: str, totp_secret: str, code: str, vault: Vault, now_ms: int) -> Person:
    """Set password and authenticator; the link and all sessions of before end. Raises Refused."""
    person = _invited(connection, secret, now_ms)
    check_password(password, person.login)
    step = _matching_step(totp_secret, code, now_ms)
    if step is None:
        raise Refused("invalid_request", findings=[Finding("code_wrong", "error", "/code")])
    connection.execute(
        update(users)
        .where(users.c.id == person.id)
        .values(
            password_hash=_HASHER.hash(password),
            totp_secret=vault.encrypt(totp_secret.encode(), f"totp/{person.id}"),
            totp_step=step,
        )
    )
    connection.execute(delete(invitations).where(invitations.c.user_id == person.id))
    connection.execute(delete(sessions).where(sessions.c.user_id == person.id))
    connection.execute(delete(devices).where(devices.c.user_id == person.id))
    return person._replace(is_ready=True)


def _invited(connection: Connection, secret: str, now_ms: int) -> Person:
    query = _people.join(invitations, invitations.c.user_id == users.c.id).where(
        invitations.c.token_hash == _hash(secret), invitations.c.expires_at > now_ms, users.c.disabled_at.is_(None)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refused("link_expired")
    return _to_person(row)


def check_password(password: str, login: str) -> None:
    """Long, and not the login in disguise: NIST SP 800-63B asks for no more. Raises Refused."""
    plain = password.casefold()
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused("invalid_request", findings=[Finding("password_length", "error", "/password", {"min": str(MIN_PASSWORD)})])
    if login.casefold() in plain or len(set(plain)) < 5:
        raise Refused("invalid_request", findings=[Finding("password_weak", "error", "/password")])


def verify(connection: Connection, login: str, password: str, code: str, vault: Vault, now_ms: int) -> Person | None:
    """Whose login, password and one-time code these are; None for anything wrong, without telling what, in about equal time.

    A code is good for one use: its step is kept.
    """
    query = _people.add_columns(users.c.totp_secret, users.c.totp_step).where(users.c.login == login.strip().lower())
    row = connection.execute(query).one_or_none()
    is_password = _is_password(row.password_hash if row and row.password_hash else _NOBODY, password)
    if row is None or not is_password or row.disabled_at is not None or row.totp_secret is None:
        return None
    secret = vault.decrypt(row.totp_secret, f"totp/{row.id}").decode()
    step = _matching_step(secret, code, now_ms)
    if step is None:
        return None
    used = connection.execute(update(users).where(users.c.id == row.id, users.c.totp_step < step).values(totp_step=step))
    if used.rowcount != 1:
        return None
    if _HASHER.check_needs_rehash(row.password_hash):
        connection.execute(update(users).where(users.c.id == row.id).values(password_hash=_HASHER.hash(password)))
    return _to_person(row)


def _is_password(hash_: str, password: str) -> bool:
    try:
        return _HASHER.verify(hash_, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def _matching_step(secret: str, code: str, now_ms: int) -> int | None:
    """The time step whose code it is: this one or a neighbour, for clocks that differ (RFC 6238 section 5.2)."""
    totp = pyotp.TOTP(secret)
    now = now_ms // 1000
    steps = (step for step in (now // _STEP_S, now // _STEP_S - 1, now // _STEP_S + 1))
    return next((step for step in steps if secrets.compare_digest(totp.at(step * _STEP_S), code.strip())), None)


def of_id(connection: Connection, user_id: str) -> Person | None:
    row = connection.execute(_people.where(users.c.id == user_id)).one_or_none()
    return _to_person(row) if row else None


def everybody(connection: Connection) -> list[Person]:
    """All accounts, by login."""
    return [_to_person(row) for row in connection.execute(_people.order_by(users.c.login))]


def disable(connection: Connection, user_id: str, now_ms: int) -> None:
    """An account is never deleted, since the activity log names it. Its sessions end at once."""
    connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=now_ms))
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    connection.execute(delete(invitations).where(invitations.c.user_id == user_id))


def _hash(secret: str) -> bytes:
    """256 random bits need no slow hash."""
    return sha256(secret.encode()).digest()
