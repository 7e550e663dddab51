"""The schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite numbers entries under its write lock
        op.execute(sa.schema.CreateSequence(sa.Sequence("entries_id_seq")))
    op.create_table(
        "anchoring_health",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False, comment="s since 1970 UTC: the worker's last sign of life"),
        sa.Column(
            "trouble", sa.String(length=32), nullable=True, comment="code of what keeps anchors from being mined; null: nothing"
        ),
        sa.Column("since", sa.Float(), nullable=True, comment="s since 1970 UTC"),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("head", sa.BigInteger(), nullable=False, comment="newest seq that the contract holds at the latest block"),
        sa.Column("final_head", sa.BigInteger(), nullable=False),
        sa.Column("final_block", sa.BigInteger(), nullable=False),
        sa.Column("final_time", sa.BigInteger(), nullable=False, comment="s since 1970 UTC, of the final block"),
        sa.Column("balance_gwei", sa.BigInteger(), nullable=False, comment="what the anchoring key has left to pay with"),
        sa.Column(
            "left_out", sa.String(length=500), nullable=False, comment="endpoints that are down or behind, by scheme and host"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("anchoring_health_pkey")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("env", sa.String(length=4), nullable=False, comment="test or live: part of the key as it is written"),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column(
            "bound", sa.Text(), nullable=False, comment="JSON: tax ids, of sellers for an issuer, of the buyer for a recipient"
        ),
        sa.Column("label", sa.String(length=100), nullable=False, comment="for people, to tell keys apart"),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True, comment="ms since 1970 UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
    )
    op.create_table(
        "batches",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("log_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("register_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("foreign", sa.SmallInteger(), nullable=False, comment="1: another anchorer took the seq; it counts as empty"),
        sa.PrimaryKeyConstraint("seq", name=op.f("batches_pkey")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(length=32), nullable=False, comment="id of the API key"),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column(
            "part",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="of a batch that is registered in several transactions",
        ),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made", sa.Text(), nullable=False, comment="JSON: what was made, from which the answer is built again"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.PrimaryKeyConstraint("owner", "key", "part", name=op.f("idempotency_keys_pkey")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("sellers", sa.Text(), nullable=False, comment="JSON: seller tax ids that the key was bound to"),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.SmallInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False, comment="as it was sent"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="queued -> running -> done"),
        sa.Column("done", sa.Integer(), nullable=False, comment="rows that are finished; a restart goes on behind them"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("imports_pkey")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("incidents_pkey")),
    )
    op.create_table(
        "register_pages",
        sa.Column(
            "path",
            sa.String(length=64, collation="C").with_variant(sa.String(length=64), "sqlite"),
            nullable=False,
            comment="hex digits",
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="valid until the path's next row"),
        sa.Column("page", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "path", name=op.f("register_pages_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("register_pages_path_idx", "register_pages", ["path", "seq"], unique=False)
    op.create_table(
        "register_pruning",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("pruned_to", sa.BigInteger(), nullable=False, comment="below this seq only the kept ones can be proven"),
        sa.Column("kept", sa.BigInteger(), nullable=False, comment="an older seq that stays provable for whoever lags"),
        sa.Column("next_kept", sa.BigInteger(), nullable=False, comment="takes its place when that is old enough"),
        sa.PrimaryKeyConstraint("id", name=op.f("register_pruning_pkey")),
    )
    op.create_table(
        "entries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="order of acceptance",
        ),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment="1 for the first entry of this key"),
        sa.Column("entry", sa.LargeBinary(length=146), nullable=False, comment="the bytes that are hashed"),
        sa.Column(
            "accepted_with",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="id of the first entry of the transaction: sealed in one batch",
        ),
        sa.Column("key_id", sa.LargeBinary(length=8), nullable=False, comment="which key signed the receipt"),
        sa.Column("deadline", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True, comment="null while pending"),
        sa.Column("index", sa.Integer(), nullable=True, comment="place in the batch"),
        sa.CheckConstraint('(seq IS NULL) = ("index" IS NULL)', name=op.f("entries_sealed_check")),
        sa.ForeignKeyConstraint(["seq"], ["batches.seq"], name=op.f("entries_seq_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("entries_pkey")),
        sa.UniqueConstraint("key", "ordinal", name=op.f("entries_key_ordinal_key")),
        sqlite_autoincrement=False,
    )
    op.create_index(
        "entries_pending_idx",
        "entries",
        ["accepted_with", "id"],
        unique=False,
        postgresql_where=sa.text("seq IS NULL"),
        sqlite_where=sa.text("seq IS NULL"),
    )
    op.create_index(
        "entries_position_key",
        "entries",
        ["seq", "index"],
        unique=True,
        postgresql_where=sa.text("seq IS NOT NULL"),
        sqlite_where=sa.text("seq IS NOT NULL"),
    )
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.String(length=255), nullable=True, comment="member of an archive"),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="null where it was refused, or for a dry run",
        ),
        sa.Column("problem", sa.Text(), nullable=True, comment="JSON: code, params and findings; null where it was registered"),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("import_rows_import_id_fkey")),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("import_rows_pkey")),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="sealed -> broadcast -> mined -> final; see outbox.py"),
        sa.Column("broadcast_at", sa.BigInteger(), nullable=True, comment="ms: first time"),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_time", sa.BigInteger(), nullable=True, comment="s since 1970 UTC, by the chain"),
        sa.Column("final_at", sa.BigInteger(), nullable=True, comment="ms: when we saw it final"),
        sa.Column(
            "final_block",
            sa.BigInteger(),
            nullable=True,
            comment="the final block at which we saw it so, whose hash can never change again",
        ),
        sa.Column("final_hash", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["batches.seq"], name=op.f("outbox_seq_fkey")),
        sa.PrimaryKeyConstraint("seq", name=op.f("outbox_pkey")),
    )
    op.create_index(
        "outbox_open_idx",
        "outbox",
        ["seq"],
        unique=False,
        postgresql_where=sa.text("state != 'final'"),
        sqlite_where=sa.text("state != 'final'"),
    )
    op.create_table(
        "tiles",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "level", sa.SmallInteger(), autoincrement=False, nullable=False, comment="0: leaves; 1: the roots of the tiles below"
        ),
        sa.Column("tile", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "hashes", sa.LargeBinary(), nullable=False, comment="up to 256 leaves, then the nodes above them, level by level"
        ),
        sa.ForeignKeyConstraint(["seq"], ["batches.seq"], name=op.f("tiles_seq_fkey")),
        sa.PrimaryKeyConstraint("seq", "level", "tile", name=op.f("tiles_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "acts",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("other_number", sa.String(length=64), nullable=True, comment="of the invoice whose key is the entry's other"),
        sa.Column("actor", sa.String(length=32), nullable=False, comment="id of the API key"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("acts_entry_id_fkey")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("acts_pkey")),
    )
    op.create_table(
        "invoices",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="its issue entry",
        ),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("seller", sa.LargeBinary(), nullable=True),
        sa.Column("totals", sa.LargeBinary(), nullable=True),
        sa.Column("buyer", sa.LargeBinary(), nullable=True),
        sa.Column("lines", sa.LargeBinary(), nullable=True),
        sa.Column("payment", sa.LargeBinary(), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=True),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("issued_on", sa.String(length=10), nullable=False),
        sa.Column("seller_tax_id", sa.String(length=64), nullable=False, comment="cut to 64"),
        sa.Column("buyer_id", sa.String(length=128), nullable=False, comment="tax id, else the name after NFKC; cut to 128"),
        sa.Column(
            "amount_fen", sa.BigInteger(), nullable=True, comment="amount_with_tax × 100, rounded; null where it is no number"
        ),
        sa.Column("original_key", sa.LargeBinary(length=32), nullable=True, comment="of the invoice that it reverses or re-issues"),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("issuer", sa.String(length=32), nullable=False, comment="id of the API key that registered it"),
        sa.Column("findings", sa.Text(), nullable=True, comment="JSON; null: none"),
        sa.ForeignKeyConstraint(["id"], ["entries.id"], name=op.f("invoices_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_pkey")),
    )
    op.create_index("invoices_alike_idx", "invoices", ["seller_tax_id", "issued_on", "amount_fen", "buyer_id", "id"], unique=False)
    op.create_index("invoices_buyer_idx", "invoices", ["buyer_id", "id"], unique=False)
    op.create_index(
        "invoices_original_idx",
        "invoices",
        ["original_key"],
        unique=False,
        sqlite_where=sa.text("original_key IS NOT NULL"),
        postgresql_where=sa.text("original_key IS NOT NULL"),
    )
    op.create_table(
        "transactions",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("max_fee", sa.BigInteger(), nullable=False, comment="wei for one unit of gas"),
        sa.Column("tip", sa.BigInteger(), nullable=False, comment="wei for one unit of gas"),
        sa.Column("raw", sa.LargeBinary(), nullable=False, comment="signed; the same bytes are sent again after a crash"),
        sa.Column("signed_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.ForeignKeyConstraint(["seq"], ["outbox.seq"], name=op.f("transactions_seq_fkey")),
        sa.PrimaryKeyConstraint("hash", name=op.f("transactions_pkey")),
    )
    op.create_index(op.f("transactions_seq_idx"), "transactions", ["seq"], unique=False)
    op.create_table(
        "copies",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="its issue or reprint entry",
        ),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("salts", sa.LargeBinary(length=128), nullable=False, comment="16 bytes for each of the eight sections"),
        sa.Column("provenance", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("copies_entry_id_fkey")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("copies_invoice_id_fkey")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("copies_pkey")),
    )
