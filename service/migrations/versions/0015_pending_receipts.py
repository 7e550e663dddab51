"""Keep one signature over the receipts of what was accepted together"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "pending_receipts",
        sa.Column("accepted_with", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column(
            "signature", sa.LargeBinary(length=64), nullable=False, comment="over the receipts of the transaction; see promises.py"
        ),
        sa.PrimaryKeyConstraint("accepted_with", name=op.f("pending_receipts_pkey")),
    )
