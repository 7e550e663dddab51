"""API keys. A secret is kept as its SHA-256 alone: 256 random bits need no slow hash."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text

from service.db import metadata

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
