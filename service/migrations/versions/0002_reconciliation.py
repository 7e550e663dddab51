"""Reconciliation, the signature over a batch's receipts, acknowledgements of followers"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="store, record or node"),
        sa.Column(
            "source", sa.String(length=200), nullable=False, comment="what was compared, without secrets; empty: our own store"
        ),
        sa.Column("state", sa.String(length=16), nullable=False, comment="queued -> running -> done or failed"),
        sa.Column("runner", sa.String(length=8), nullable=False, comment="who goes on with it after a crash: worker or cli"),
        sa.Column("parameters", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True, comment="newest final anchor at the block; null until the chain was read"),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("block_time", sa.BigInteger(), nullable=True, comment="s since 1970 UTC"),
        sa.Column("total", sa.BigInteger(), nullable=False, comment="records to look at, an estimate"),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True, comment="JSON: from where a killed run goes on"),
        sa.Column("problem", sa.Text(), nullable=True, comment="JSON: code and details of what made it fail"),
        sa.PrimaryKeyConstraint("id", name=op.f("reconciliation_runs_pkey")),
    )
    op.create_index(
        "reconciliation_runs_open_idx",
        "reconciliation_runs",
        ["id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "batch_receipts",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column(
            "signature", sa.LargeBinary(length=64), nullable=False, comment="over all receipts of the batch; see receipts.py"
        ),
        sa.ForeignKeyConstraint(["seq"], ["batches.seq"], name=op.f("batch_receipts_seq_fkey")),
        sa.PrimaryKeyConstraint("seq", name=op.f("batch_receipts_pkey")),
    )
    op.create_table(
        "reconciliation_findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False, comment="kind and source of the runs that look for it"),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False, comment="hash of what makes it this one and no other"),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=True, comment="section or column; null: the record as a whole"),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("index", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("first_run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True, comment="ms: when a run no longer saw it; null: open"),
        sa.Column("repaired", sa.SmallInteger(), nullable=False, comment="1: queued again"),
        sa.ForeignKeyConstraint(["first_run"], ["reconciliation_runs.id"], name=op.f("reconciliation_findings_first_run_fkey")),
        sa.ForeignKeyConstraint(["last_run"], ["reconciliation_runs.id"], name=op.f("reconciliation_findings_last_run_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reconciliation_findings_pkey")),
    )
    op.create_index(
        "reconciliation_findings_open_key",
        "reconciliation_findings",
        ["scope", "fingerprint"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("reconciliation_findings_run_idx", "reconciliation_findings", ["last_run", "id"], unique=False)
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("consumer", sa.String(length=32), nullable=False, comment="id of the API key"),
        sa.Column("cursor", sa.BigInteger(), nullable=False, comment="it has every batch up to this seq"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("key_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column(
            "signature",
            sa.LargeBinary(length=64),
            nullable=False,
            comment="the service's, so that no row can be put in afterwards",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("acknowledgements_pkey")),
    )
    op.create_index("acknowledgements_cursor_idx", "acknowledgements", ["cursor", "at"], unique=False)
