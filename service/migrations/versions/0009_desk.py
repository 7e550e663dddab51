"""Gather figures for charts, and keep people's filters"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "daily_figures",
        sa.Column("on", sa.String(length=10), nullable=False, comment="a day in Beijing: 2026-11-24"),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("anchors", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the newest batch that is counted in it"),
        sa.PrimaryKeyConstraint("on", name=op.f("daily_figures_pkey")),
    )
    op.create_table(
        "backlog_samples",
        sa.Column(
            "at",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="s since 1970 UTC",
        ),
        sa.Column("waiting", sa.BigInteger(), nullable=False, comment="entries that were accepted and not sealed"),
        sa.PrimaryKeyConstraint("at", name=op.f("backlog_samples_pkey")),
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False, comment="id of a person or key"),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False, comment="JSON, of the page's own making"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("saved_filters_pkey")),
        sa.UniqueConstraint("owner", "page", "name", name=op.f("saved_filters_owner_page_name_key")),
    )
