"""Staff accounts: reviewer, auditor, operator, and an issuer's clerk and approver. They sign in by password and one-time code.

Nobody sets another's password: an account begins with a one-time link, by which its owner chooses one and enrols an authenticator.
Hashing a password takes a tenth of a second and 64 MiB on purpose: it is done outside of any transaction, by few threads at once.
"""

import re
import secrets
import threading
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args

import orjson
import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.auth.tables import devices, invitations, sessions, users
from service.db import Database
from service.deliveries import endpoints
from service.errors import Finding, Refused
from service.vault import Vault

PersonRole = Literal["reviewer", "auditor", "operator", "clerk", "approver"]
PERSON_ROLES: tuple[PersonRole, ...] = get_args(PersonRole)

INVITATION_MS = 72 * 3600 * 1000
MIN_PASSWORD = 12
MAX_PASSWORD = 256
_STEP_S = 30
_TOTP = re.compile(r"[A-Z2-7]{32}")
_LOGIN = re.compile(r"[^\s\x00-\x1f\x7f]{3,64}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106, second recommended option
_HASHING = threading.BoundedSemaphore(2)
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
_accounts = _people.add_columns(users.c.created_at)


def create(
    connection: Connection, login: str, name: str, role: PersonRole, sellers: frozenset[str], now_ms: int
) -> tuple[Person, str]:
    """A new account and the secret of its one-time link. Raises Refused for a login that is taken."""
    login, name = login.strip().lower(), name.strip()
    findings = []
    if (role in ("clerk", "approver")) != bool(sellers):
        findings.append(Finding("sellers_of_issuer_staff", "error", "/sellers"))
    if not _LOGIN.fullmatch(login):
        findings.append(Finding("login_form", "error", "/login"))
    if not _NAME.fullmatch(name):
        findings.append(Finding("member_invalid", "error", "/name", {"case": "length"}))
    if findings:
        raise Refused("invalid_request", findings=findings)
    id_ = secrets.token_hex(8)
    row = {"id": id_, "login": login, "name": name, "role": role, "sellers": orjson.dumps(sorted(sellers)).decode()}
    if connection.scalar(select(users.c.id).where(users.c.login == login)) is not None:
        raise Refused("login_taken")
    try:
        connection.execute(insert(users), {**row, "created_at": now_ms})
    except IntegrityError:
        raise Refused("login_taken") from None
    return Person(id_, login, name, role, sellers, False, None), invite(connection, id_, now_ms)


def invite(connection: Connection, user_id: str, now_ms: int) -> str:
    """A new one-time link for an account, also where its owner has lost the authenticator; older links die.

    Until it is accepted the old password and authenticator go on working; a disabled account, which comes back by this, has none.
    """
    secret = secrets.token_urlsafe(32)
    nothing = {"password_hash": None, "totp_secret": None, "totp_step": None, "disabled_at": None}
    connection.execute(update(users).where(users.c.id == user_id, users.c.disabled_at.is_not(None)).values(nothing))
    connection.execute(delete(invitations).where(invitations.c.user_id == user_id))
    row = {"token_hash": _hash(secret), "user_id": user_id, "expires_at": now_ms + INVITATION_MS}
    connection.execute(insert(invitations), row)
    return secret


def begin(connection: Connection, secret: str, now_ms: int) -> tuple[Person, str]:
    """Whose link it is, and a new TOTP secret (base32, RFC 6238) to enrol. Raises Refused("link_expired")."""
    return _invited(connection, secret, now_ms), pyotp.random_base32()


def enrolment_uri(login: str, totp_secret: str, issuer: str) -> str:
    """What an authenticator reads from a QR code (the Key URI format of Google Authenticator)."""
    return pyotp.TOTP(totp_secret).provisioning_uri(name=login, issuer_name=issuer)


class Accepted(NamedTuple):
    """What a one-time link's owner has chosen, checked and hashed but not stored yet."""

    person: Person
    password_hash: str
    totp_secret: str
    step: int


def prepare(database: Database, secret: str, password: str, totp_secret: str, code: str, now_ms: int) -> Accepted:
    """Check what a link's owner chose. Raises Refused: link_expired, or invalid_request with all that is wrong."""
    with database.read() as connection:
        person = _invited(connection, secret, now_ms)
    findings = password_findings(password, person.login)
    step = _matching_step(totp_secret, code, now_ms) if _TOTP.fullmatch(totp_secret) else None
    if step is None:
        findings.append(Finding("code_wrong", "error", "/code"))
    if findings or step is None:
        raise Refused("invalid_request", findings=findings)
    with _HASHING:
        return Accepted(person, _HASHER.hash(password), totp_secret, step)


def accept(connection: Connection, secret: str, chosen: Accepted, vault: Vault, now_ms: int) -> Person:
    """Store it; the link and all sessions of before end. Raises Refused("link_expired") where it was used meanwhile."""
    person = _invited(connection, secret, now_ms)
    connection.execute(
        update(users)
        .where(users.c.id == person.id)
        .values(
            password_hash=chosen.password_hash,
            totp_secret=vault.encrypt(chosen.totp_secret.encode(), f"totp/{person.id}"),
            totp_step=chosen.step,
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


def password_findings(password: str, login: str) -> list[Finding]:
    """Long, and not the login in disguise: NIST SP 800-63B asks for no more. Nothing where it is good."""
    plain = password.casefold()
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return [Finding("password_length", "error", "/password", {"min": str(MIN_PASSWORD)})]
    if login.casefold() in plain or len(set(plain)) < 5:
        return [Finding("password_weak", "error", "/password")]
    return []


class Proven(NamedTuple):
    """Who has given the right password and code. The code's step is not used up yet, nor a hash of old parameters renewed."""

    person: Person
    step: int
    new_hash: str | None


def verify(database: Database, login: str, password: str, code: str, vault: Vault, now_ms: int) -> Proven | None:
    """Whose login, password and one-time code these are; None for anything wrong, without telling what, in about equal time."""
    query = _people.add_columns(users.c.totp_secret, users.c.totp_step).where(users.c.login == login.strip().lower())
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    with _HASHING:
        is_password = _is_password(row.password_hash if row and row.password_hash else _NOBODY, password)
        is_old = is_password and row is not None and row.password_hash and _HASHER.check_needs_rehash(row.password_hash)
        new_hash = _HASHER.hash(password) if is_old else None
    if row is None or not is_password or row.disabled_at is not None or row.totp_secret is None:
        return None
    secret = vault.decrypt(row.totp_secret, f"totp/{row.id}").decode()
    step = _matching_step(secret, code, now_ms)
    return None if step is None else Proven(_to_person(row), step, new_hash)


def use_code(connection: Connection, proven: Proven) -> bool:
    """A code is good for one use: its step is kept. False where it or a later one was used, or the account was disabled since."""
    is_unused = (users.c.totp_step < proven.step) & users.c.disabled_at.is_(None)
    values: dict[str, Any] = {"totp_step": proven.step}
    if proven.new_hash is not None:
        values["password_hash"] = proven.new_hash
    return connection.execute(update(users).where(users.c.id == proven.person.id, is_unused).values(values)).rowcount == 1


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


class Account(NamedTuple):
    """A person with when the account was created, in ms since 1970 UTC."""

    person: Person
    created_at: int


def account(connection: Connection, user_id: str) -> Account:
    """Raises Refused("user_not_found")."""
    row = connection.execute(_accounts.where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise Refused("user_not_found")
    return Account(_to_person(row), row.created_at)


def listed(connection: Connection, limit: int, after: tuple[int, str] | None = None) -> list[Account]:
    """Up to `limit` accounts, newest first, behind the (created_at, id) `after`."""
    query = _accounts.order_by(users.c.created_at.desc(), users.c.id.desc()).limit(limit)
    if after is not None:
        at, id_ = after
        query = query.where((users.c.created_at < at) | ((users.c.created_at == at) & (users.c.id < id_)))
    return [Account(_to_person(row), row.created_at) for row in connection.execute(query)]


def names(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Names of accounts by id; those that are none are left out."""
    query = select(users.c.id, users.c.name).where(users.c.id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(query)}


def disable(connection: Connection, user_id: str, now_ms: int) -> None:
    """An account is never deleted, since the activity log names it. Its sessions end at once, and its webhooks."""
    connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=now_ms))
    endpoints.disable_of(connection, user_id, now_ms)
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    connection.execute(delete(invitations).where(invitations.c.user_id == user_id))


def _hash(secret: str) -> bytes:
    """256 random bits need no slow hash."""
    return sha256(secret.encode()).digest()
