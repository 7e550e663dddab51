"""Invoices and their copies. Content is stored once, as the bytes that were hashed; every other column is derived from it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from service.db import Id, metadata

invoices = Table(
    "invoices",
    metadata,
    Column("id", Id, ForeignKey("entries.id"), primary_key=True, autoincrement=False, comment="its issue entry"),
    Column("header", LargeBinary),
    Column("seller", LargeBinary),
    Column("totals", LargeBinary),
    Column("buyer", LargeBinary),
    Column("lines", LargeBinary),
    Column("payment", LargeBinary),
    Column("notes", LargeBinary),
    Column("number", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("issued_on", String(10), nullable=False),
    Column("seller_tax_id", String(64), nullable=False, comment="cut to 64"),
    Column("buyer_id", String(128), nullable=False, comment="tax id, else the name after NFKC; cut to 128"),
    Column("amount_fen", BigInteger, comment="amount_with_tax × 100, rounded; null where it is no number"),
    Column("original_key", LargeBinary(32), comment="of the invoice that it reverses or re-issues"),
    Column("profile", String(16), nullable=False),
    Column("external_id", String(128)),
    Column("issuer", String(32), nullable=False, comment="id of the API key that registered it"),
    Column("findings", Text, comment="JSON; null: none"),
)
"""Provenance is not here: a reprint has its own, so it is kept with the copy."""
Index(
    "invoices_alike_idx",
    invoices.c.seller_tax_id,
    invoices.c.issued_on,
    invoices.c.amount_fen,
    invoices.c.buyer_id,
    invoices.c.id,
)
Index(
    "invoices_original_idx",
    invoices.c.original_key,
    sqlite_where=invoices.c.original_key.is_not(None),
    postgresql_where=invoices.c.original_key.is_not(None),
)

copies = Table(
    "copies",
    metadata,
    Column("entry_id", Id, ForeignKey("entries.id"), primary_key=True, autoincrement=False, comment="its issue or reprint entry"),
    Column("invoice_id", Id, ForeignKey("invoices.id"), nullable=False),
    Column("salts", LargeBinary(128), nullable=False, comment="16 bytes for each of the eight sections"),
    Column("provenance", LargeBinary),
    Column(
        "withheld",
        LargeBinary(256),
        comment="leaves of the sections that a partial copy proved and did not restore, zero for others; null: all are here",
    ),
)

recoveries = Table(
    "recoveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", LargeBinary(32), nullable=False, comment="of the number"),
    Column("copy", LargeBinary(32), nullable=False, comment="which copy was restored"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("actor", String(32), nullable=False, comment="id of the API key or person; anyone, or rebuild"),
    Column("source", String(16), nullable=False, comment="what it was restored from: proof, pdf or sections"),
    Column("sha256", LargeBinary(32), nullable=False, comment="of that"),
    Column("restored", Text, nullable=False, comment="JSON: sections, columns and tables"),
)
"""Only ever added to: the timeline of an invoice says what was lost and brought back."""
Index("recoveries_key_idx", recoveries.c.key, recoveries.c.id)

acts = Table(
    "acts",
    metadata,
    Column("entry_id", Id, ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    Column("reason", String(500)),
    Column("other_number", String(64), comment="of the invoice whose key is the entry's other"),
    Column("actor", String(32), nullable=False, comment="id of the API key"),
)

release_requests = Table(
    "release_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(64), nullable=False),
    Column("copy", LargeBinary(32), nullable=False, comment="the current one, when it was asked for"),
    Column("reason", String(500), nullable=False),
    Column("state", String(16), nullable=False, comment="pending -> released, declined or lapsed"),
    Column("requested_by", String(32), nullable=False, comment="id of a person"),
    Column("requested_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("first_approval", Text, nullable=False, comment="canonical JSON: see releasing.py"),
    Column("decided_by", String(32)),
    Column("decided_at", BigInteger),
    Column("second_approval", Text),
    Column("entry_id", Id, ForeignKey("entries.id")),
)
Index(
    "release_requests_pending_key",
    release_requests.c.number,
    unique=True,
    sqlite_where=release_requests.c.state == "pending",
    postgresql_where=release_requests.c.state == "pending",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(32), primary_key=True, comment="id of the API key"),
    Column("key", String(255), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="of a batch that is registered in several transactions"),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("made", Text, nullable=False, comment="JSON: what was made, from which the answer is built again"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)
Index("idempotency_keys_at_idx", idempotency_keys.c.at)

imports = Table(
    "imports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(32), nullable=False),
    Column("sellers", Text, nullable=False, comment="JSON: seller tax ids that the key was bound to"),
    Column("profile", String(16), nullable=False),
    Column("dry_run", SmallInteger, nullable=False),
    Column("file_name", String(255)),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("file", LargeBinary, nullable=False, comment="as it was sent"),
    Column("state", String(16), nullable=False, comment="queued -> running -> done"),
    Column("done", Integer, nullable=False, default=0, comment="rows that are finished; a restart goes on behind them"),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("import_id", String(32), ForeignKey("imports.id"), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("file", String(255), comment="member of an archive"),
    Column("number", String(64)),
    Column("entry_id", Id, comment="null where it was refused, or for a dry run"),
    Column("problem", Text, comment="JSON: code, params and findings; null where it was registered"),
    Column("findings", Text),
)

search_progress = Table(
    "search_progress",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, comment="invoices up to this place of the log are in the index"),
    Column("index", Integer, nullable=False),
)
"""The index itself is no table that both databases have: see indexing.py."""

wrong_guesses = Table(
    "wrong_guesses",
    metadata,
    Column("about", String(16), primary_key=True, comment="what was guessed: see guessing.py"),
    Column("key", LargeBinary(32), primary_key=True, comment="of the number, registered or not"),
    Column("network", String(48), primary_key=True, comment="of the client, /24 or /48; empty: all of them together"),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="days since 1970 in Beijing"),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("wrong_guesses_day_idx", wrong_guesses.c.day)
