"""API keys: `zp_test_…` or `zp_live_…`, an id, a secret of 256 bits, and check characters that catch a typing error.

    zp_test_ ‖ id (10) ‖ _ ‖ secret (52) ‖ check (7)

All in lower-case base32 (RFC 4648); the check is the CRC-32 of everything before it. The key is shown once; what is stored is the
SHA-256 of its secret.
"""

import re
import secrets
import time
import zlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Literal, NamedTuple, get_args

import orjson
from sqlalchemy import Connection, insert, select, update

from service.auth.principals import Principal
from service.auth.tables import api_keys
from service.db import Database
from service.deliveries import endpoints
from service.errors import Finding, Refused

Role = Literal["issuer", "recipient", "auditor", "central", "node", "operator"]
Env = Literal["test", "live"]

ROLES: tuple[Role, ...] = get_args(Role)
BOUND_ROLES = ("issuer", "recipient")
"""An issuer is bound to the tax ids of sellers, a recipient to that of a buyer; the others to none."""
MAX_BOUND = 1000
CACHE_S = 2.0
"""So long a process believes what it read of a key: a revocation takes effect within that."""

_KEY = re.compile(r"(zp_(?:test|live)_)([a-z2-7]{10})_([a-z2-7]{52})([a-z2-7]{7})")
_TAX_ID = re.compile(r"[!-~]{1,64}")
_MAX_CACHED = 10_000


class Key(NamedTuple):
    """A key without its secret. Times in ms since 1970 UTC."""

    id: str
    env: Env
    role: Role
    bound: tuple[str, ...]
    label: str
    created_at: int
    revoked_at: int | None


def create_key(connection: Connection, role: Role, bound: Sequence[str], env: Env, *, label: str = "") -> tuple[Key, str]:
    """Store a new key; the second part of the answer is the key itself, which cannot be had again.

    Raises Refused("invalid_request") for an issuer or recipient without tax ids, or another role with some.
    """
    findings = _check(role, bound, label)
    if findings:
        raise Refused("invalid_request", findings=findings)
    id_ = _text(secrets.token_bytes(7))[:10]
    secret = _text(secrets.token_bytes(32))
    key = Key(id_, env, role, tuple(dict.fromkeys(bound)), label, int(time.time() * 1000), None)
    row = {**key._asdict(), "bound": orjson.dumps(key.bound).decode(), "secret_hash": _hash(secret)}
    connection.execute(insert(api_keys), row)
    written = f"zp_{env}_{id_}_{secret}"
    return key, written + _check_characters(written)


def _check(role: Role, bound: Sequence[str], label: str) -> list[Finding]:
    found = []
    if role not in ROLES:
        found.append(Finding("member_invalid", "error", "/role"))
    if (role in BOUND_ROLES) != bool(bound) or len(bound) > MAX_BOUND:
        found.append(Finding("key_bound", "error", "/bound"))
    found += [Finding("member_invalid", "error", f"/bound/{n}") for n, tax_id in enumerate(bound) if not _TAX_ID.fullmatch(tax_id)]
    if len(label) > 100:
        found.append(Finding("member_invalid", "error", "/label"))
    return found


def authenticate(connection: Connection, header: str | None) -> Principal:
    """The owner of `Authorization: Bearer zp_…`. Raises Refused("not_authenticated"), or ("key_invalid") without saying why."""
    id_, secret = _parts(header)
    row = connection.execute(select(api_keys).where(api_keys.c.id == id_)).one_or_none()
    stored = row.secret_hash if row is not None else bytes(32)
    is_right = compare_digest(stored, _hash(secret))
    if row is None or not is_right or row.revoked_at is not None or header is None or f" zp_{row.env}_" not in header:
        raise Refused("key_invalid")
    return Principal(row.id, row.role, frozenset(orjson.loads(row.bound)))


def _parts(header: str | None) -> tuple[str, str]:
    """(id, secret), as far as a key can be told without looking it up."""
    if not header:
        raise Refused("not_authenticated")
    scheme, _, written = header.partition(" ")
    found = _KEY.fullmatch(written.strip()) if scheme.lower() == "bearer" else None
    if found is None or found[4] != _check_characters(written.strip()[:-7]):
        raise Refused("key_invalid")
    return found[2], found[3]


class Keyring:
    """Authentication with a short memory, so that a busy key is not looked up for every request."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, tuple[float, Principal]] = {}

    def principal(self, header: str | None) -> Principal:
        """As `authenticate`. Only what was found right is remembered, by its hash."""
        presented = _hash(header or "")
        now = self._clock()
        known = self._known.get(presented)
        if known and now < known[0]:
            return known[1]
        _parts(header)  # most of what is wrong is so without a look at the database
        with self._database.read() as connection:
            principal = authenticate(connection, header)
        if len(self._known) >= _MAX_CACHED:
            self._known = {}
        self._known[presented] = (now + CACHE_S, principal)
        return principal


def ids_of_role(connection: Connection, role: Role) -> frozenset[str]:
    """The ids of all keys that have or had a role."""
    return frozenset(connection.scalars(select(api_keys.c.id).where(api_keys.c.role == role)))


def get_key(connection: Connection, id_: str) -> Key:
    """Raises Refused("key_not_found")."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == id_)).one_or_none()
    if row is None:
        raise Refused("key_not_found")
    return _read(row)


def list_keys(connection: Connection, limit: int, after: tuple[int, str] | None = None, only: str | None = None) -> list[Key]:
    """Up to `limit` keys, newest first, behind the (created_at, id) `after`; `only` the one of that id."""
    query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc()).limit(limit)
    if after is not None:
        at, id_ = after
        query = query.where((api_keys.c.created_at < at) | ((api_keys.c.created_at == at) & (api_keys.c.id < id_)))
    if only is not None:
        query = query.where(api_keys.c.id == only)
    return [_read(row) for row in connection.execute(query)]


def labels(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Labels of keys by id; those that are none, or have no label, are left out."""
    query = select(api_keys.c.id, api_keys.c.label).where(api_keys.c.id.in_(ids), api_keys.c.label != "")
    return {row[0]: row[1] for row in connection.execute(query)}


def revoke_key(connection: Connection, id_: str) -> Key:
    """From now on nobody can use it, and its webhooks get nothing; again, nothing changes. Raises Refused("key_not_found")."""
    key = get_key(connection, id_)
    if key.revoked_at is not None:
        return key
    now_ms = int(time.time() * 1000)
    connection.execute(update(api_keys).where(api_keys.c.id == id_).values(revoked_at=now_ms))
    endpoints.disable_of(connection, id_, now_ms)
    return key._replace(revoked_at=now_ms)


def _read(row: object) -> Key:
    values = row._mapping  # type: ignore[attr-defined]  # a Row of api_keys
    return Key(**{name: values[name] for name in Key._fields if name != "bound"}, bound=tuple(orjson.loads(values["bound"])))


def _hash(text: str) -> bytes:
    return sha256(text.encode(errors="replace")).digest()


def _check_characters(written: str) -> str:
    return _text(zlib.crc32(written.encode()).to_bytes(4, "big"))


def _text(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()
