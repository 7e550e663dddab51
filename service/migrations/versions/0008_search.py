"""Index what stands in invoices"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

CREATE = {
    "sqlite": (
        """CREATE VIRTUAL TABLE IF NOT EXISTS invoice_grams
        USING fts5(grams, content='', detail=none, tokenize="ascii tokenchars '_'")""",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS invoice_grams (id BIGINT PRIMARY KEY, grams TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS invoice_grams_idx ON invoice_grams USING gin (grams)",
    ),
}


def upgrade() -> None:
    op.create_table(
        "search_progress",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="invoices up to this place of the log are in the index"),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("search_progress_pkey")),
    )
    for statement in CREATE[op.get_bind().dialect.name]:
        op.execute(statement)
