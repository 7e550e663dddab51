"""The ledger's tables. What can be derived is not stored: an entry's state is its batch's, a number's its entries replayed."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from service.db import Id, metadata

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="order of acceptance"),
    Column("key", LargeBinary(32), nullable=False),
    Column("ordinal", Integer, nullable=False, comment="1 for the first entry of this key"),
    Column("entry", LargeBinary(146), nullable=False, comment="the bytes that are hashed"),
    Column("accepted_with", Id, nullable=False, comment="id of the first entry of the transaction: sealed in one batch"),
    Column("key_id", LargeBinary(8), nullable=False, comment="which key signed the receipt"),
    Column("deadline", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("signature", LargeBinary(64), nullable=False),
    Column("seq", BigInteger, ForeignKey("batches.seq"), comment="null while pending"),
    Column("index", Integer, comment="place in the batch"),
    # Two processes that accept for the same number cannot both win (decision 11).
    UniqueConstraint("key", "ordinal"),
    CheckConstraint('(seq IS NULL) = ("index" IS NULL)', name="sealed"),
    sqlite_autoincrement=False,
)
entry_ids = Sequence("entries_id_seq", metadata=metadata)
"""On PostgreSQL; on SQLite the write lock is held while ids are given."""
Index(
    "entries_position_key",
    entries.c.seq,
    entries.c.index,
    unique=True,
    postgresql_where=entries.c.seq.is_not(None),
    sqlite_where=entries.c.seq.is_not(None),
)
Index(
    "entries_pending_idx",
    entries.c.accepted_with,
    entries.c.id,
    postgresql_where=entries.c.seq.is_(None),
    sqlite_where=entries.c.seq.is_(None),
)

pending_receipts = Table(
    "pending_receipts",
    metadata,
    Column("accepted_with", Id, primary_key=True, autoincrement=False),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("signature", LargeBinary(64), nullable=False, comment="over the receipts of the transaction; see promises.py"),
)

batches = Table(
    "batches",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("log_root", LargeBinary(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("register_root", LargeBinary(32), nullable=False),
    Column("sealed_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("foreign", SmallInteger, nullable=False, default=0, comment="1: another anchorer took the seq; it counts as empty"),
)

batch_receipts = Table(
    "batch_receipts",
    metadata,
    Column(
        "seq",
        BigInteger().with_variant(Integer(), "sqlite"),
        ForeignKey("batches.seq"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("signature", LargeBinary(64), nullable=False, comment="over all receipts of the batch; see receipts.py"),
)
"""So that whoever reads a million receipts again need not check a million signatures."""

tiles = Table(
    "tiles",
    metadata,
    Column("seq", BigInteger, ForeignKey("batches.seq"), primary_key=True, autoincrement=False),
    Column("level", SmallInteger, primary_key=True, autoincrement=False, comment="0: leaves; 1: the roots of the tiles below"),
    Column("tile", SmallInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False, comment="up to 256 leaves, then the nodes above them, level by level"),
    sqlite_with_rowid=False,
)

register_pages = Table(
    "register_pages",
    metadata,
    Column("path", String(64, collation="C").with_variant(String(64), "sqlite"), nullable=False, comment="hex digits"),
    Column("seq", BigInteger, nullable=False, comment="valid until the path's next row"),
    Column("page", LargeBinary, nullable=False),
    # By seq first: what one batch writes then lies together, an eighth of the bytes that scattered pages of the database would be.
    PrimaryKeyConstraint("seq", "path"),
    sqlite_with_rowid=False,
)
Index("register_pages_path_idx", register_pages.c.path, register_pages.c.seq)

register_pruning = Table(
    "register_pruning",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("pruned_to", BigInteger, nullable=False, comment="below this seq only the kept ones can be proven"),
    Column("kept", BigInteger, nullable=False, comment="an older seq that stays provable for whoever lags"),
    Column("next_kept", BigInteger, nullable=False, comment="takes its place when that is old enough"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), ForeignKey("batches.seq"), primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False, comment="sealed -> broadcast -> mined -> final; see outbox.py"),
    Column("broadcast_at", BigInteger, comment="ms: first time"),
    Column("block_number", BigInteger),
    Column("block_time", BigInteger, comment="s since 1970 UTC, by the chain"),
    Column("final_at", BigInteger, comment="ms: when we saw it final"),
    Column("final_block", BigInteger, comment="the final block at which we saw it so, whose hash can never change again"),
    Column("final_hash", LargeBinary(32)),
)
Index("outbox_open_idx", outbox.c.seq, postgresql_where=outbox.c.state != "final", sqlite_where=outbox.c.state != "final")

transactions = Table(
    "transactions",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("seq", BigInteger, ForeignKey("outbox.seq"), nullable=False, index=True),
    Column("nonce", BigInteger, nullable=False),
    Column("max_fee", BigInteger, nullable=False, comment="wei for one unit of gas"),
    Column("tip", BigInteger, nullable=False, comment="wei for one unit of gas"),
    Column("raw", LargeBinary, nullable=False, comment="signed; the same bytes are sent again after a crash"),
    Column("signed_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)

anchoring_health = Table(
    "anchoring_health",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seen_at", Float, nullable=False, comment="s since 1970 UTC: the worker's last sign of life"),
    Column("trouble", String(32), comment="code of what keeps anchors from being mined; null: nothing"),
    Column("since", Float, comment="s since 1970 UTC"),
    Column("detail", String(500)),
    Column("head", BigInteger, nullable=False, comment="newest seq that the contract holds at the latest block"),
    Column("final_head", BigInteger, nullable=False),
    Column("final_block", BigInteger, nullable=False),
    Column("final_time", BigInteger, nullable=False, comment="s since 1970 UTC, of the final block"),
    Column("balance_gwei", BigInteger, nullable=False, comment="what the anchoring key has left to pay with"),
    Column("left_out", String(500), nullable=False, comment="endpoints that are down or behind, by scheme and host"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("code", String(32), nullable=False),
    Column("seq", BigInteger),
    Column("detail", String(1000), nullable=False),
)

daily_figures = Table(
    "daily_figures",
    metadata,
    Column("on", String(10), primary_key=True, comment="a day in Beijing: 2026-11-24"),
    Column("invoices", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("anchors", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the newest batch that is counted in it"),
)

backlog_samples = Table(
    "backlog_samples",
    metadata,
    Column("at", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False, comment="s since 1970 UTC"),
    Column("waiting", BigInteger, nullable=False, comment="entries that were accepted and not sealed"),
)
