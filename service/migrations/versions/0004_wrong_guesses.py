"""Count wrong guesses"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "wrong_guesses",
        sa.Column("about", sa.String(length=16), nullable=False, comment="what was guessed: see guessing.py"),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False, comment="of the number, registered or not"),
        sa.Column(
            "network", sa.String(length=48), nullable=False, comment="of the client, /24 or /48; empty: all of them together"
        ),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="days since 1970 in Beijing"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("about", "key", "network", "day", name=op.f("wrong_guesses_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("wrong_guesses_day_idx", "wrong_guesses", ["day"], unique=False)
