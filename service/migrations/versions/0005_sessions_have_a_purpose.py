"""Keep what a session looks at invoices for, and find activity by actor and object"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "sessions",
        sa.Column("purpose", sa.String(32), nullable=True, comment="what its person looks at invoices for; null: not said yet"),
    )
    op.add_column(
        "sessions",
        sa.Column("reference", sa.String(length=64), server_default="", nullable=False, comment="the case that it is about"),
    )
    op.create_index("activity_actor_idx", "activity", ["actor", "id"], unique=False)
    op.create_index("activity_object_idx", "activity", ["object", "id"], unique=False)
