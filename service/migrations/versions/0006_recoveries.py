"""Restore content from copies, in part too, and say so in the timeline"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "recoveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False, comment="of the number"),
        sa.Column("copy", sa.LargeBinary(length=32), nullable=False, comment="which copy was restored"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("actor", sa.String(length=32), nullable=False, comment="id of the API key or person; anyone, or rebuild"),
        sa.Column("source", sa.String(length=16), nullable=False, comment="what it was restored from: proof, pdf or sections"),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False, comment="of that"),
        sa.Column("restored", sa.Text(), nullable=False, comment="JSON: sections, columns and tables"),
        sa.PrimaryKeyConstraint("id", name=op.f("recoveries_pkey")),
    )
    op.create_index("recoveries_key_idx", "recoveries", ["key", "id"], unique=False)
    op.add_column(
        "copies",
        sa.Column(
            "withheld",
            sa.LargeBinary(length=256),
            nullable=True,
            comment="leaves of the sections that a partial copy proved and did not restore, zero for others; null: all are here",
        ),
    )
