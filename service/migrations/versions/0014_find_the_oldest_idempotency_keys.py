"""Find the oldest idempotency keys"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("idempotency_keys_at_idx", "idempotency_keys", ["at"], unique=False)
