"""What others said that they have: acknowledgements, one row each, signed by us when they came in; and what only a mirror keeps."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

from service.db import Id, metadata

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("consumer", String(32), nullable=False, comment="id of the API key"),
    Column("cursor", BigInteger, nullable=False, comment="it has every batch up to this seq"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("signature", LargeBinary(64), nullable=False, comment="the service's, so that no row can be put in afterwards"),
)
Index("acknowledgements_cursor_idx", acknowledgements.c.cursor, acknowledgements.c.at)

mirror_metadata = MetaData()
"""Not of the service's database: the section leaves are worth something only outside it."""

section_leaves = Table(
    "section_leaves",
    mirror_metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("leaves", LargeBinary(256), nullable=False, comment="the eight section leaves of the copy that the entry made"),
    sqlite_with_rowid=False,
)
