"""Keep requests for the release of a number"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "release_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("copy", sa.LargeBinary(length=32), nullable=False, comment="the current one, when it was asked for"),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="pending -> released, declined or lapsed"),
        sa.Column("requested_by", sa.String(length=32), nullable=False, comment="id of a person"),
        sa.Column("requested_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("first_approval", sa.Text(), nullable=False, comment="canonical JSON: see releasing.py"),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("second_approval", sa.Text(), nullable=True),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("release_requests_entry_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("release_requests_pkey")),
    )
    op.create_index(
        "release_requests_pending_key",
        "release_requests",
        ["number"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
