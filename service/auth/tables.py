"""API keys, people, their sessions. A random secret is kept as its SHA-256 alone: 256 bits need no slow hash."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint

from service.db import Id, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("env", String(4), nullable=False, comment="test or live: part of the key as it is written"),
    Column("role", String(16), nullable=False),
    Column("bound", Text, nullable=False, comment="JSON: tax ids, of sellers for an issuer, of the buyer for a recipient"),
    Column("label", String(100), nullable=False, comment="for people, to tell keys apart"),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("revoked_at", BigInteger, comment="ms since 1970 UTC"),
)

users = Table(
    "users",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("login", String(64), nullable=False, unique=True, comment="lower case"),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("sellers", Text, nullable=False, comment="JSON: tax ids that a clerk or approver acts for"),
    Column("password_hash", Text, comment="argon2id; null until the one-time link is accepted"),
    Column("totp_secret", LargeBinary, comment="encrypted"),
    Column("totp_step", BigInteger, comment="of the last code that was used: each is good once"),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("disabled_at", BigInteger),
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("reauthenticated_at", BigInteger, nullable=False),
    Column("purpose", String(32), comment="what its person looks at invoices for; null: not said yet"),
    Column("reference", String(64), nullable=False, server_default="", comment="the case that it is about"),
)

devices = Table(
    "devices",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False, index=True),
    Column("login", LargeBinary(32), nullable=False, comment="hash of the login that was used from it"),
    Column("expires_at", BigInteger, nullable=False),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", LargeBinary(32), nullable=False, comment="hash of what was typed"),
    Column("network", String(80), nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("login_failures_login_idx", login_failures.c.login, login_failures.c.at)
Index("login_failures_network_idx", login_failures.c.network, login_failures.c.at)

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("owner", String(32), nullable=False, comment="id of a person or key"),
    Column("page", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("criteria", Text, nullable=False, comment="JSON, of the page's own making"),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    UniqueConstraint("owner", "page", "name"),
)
