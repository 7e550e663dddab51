"""Queue what people and webhooks are told"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False, comment="id of a person or key, or of a case"),
        sa.Column(
            "role", sa.String(length=16), nullable=False, comment="of the owner: which events it may have; applicant for a case"
        ),
        sa.Column("sellers", sa.Text(), nullable=True, comment="JSON: tax ids whose invoices' events it gets; null: all"),
        sa.Column("object", sa.String(length=64), nullable=True, comment="the case whose events it gets; null: all"),
        sa.Column("events", sa.Text(), nullable=False, comment="JSON: event types, or `reprint.*`"),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False, comment="encrypted: path and query may hold a secret"),
        sa.Column("contact", sa.LargeBinary(), nullable=True, comment="encrypted e-mail address that is told when it is disabled"),
        sa.Column("language", sa.String(length=8), nullable=False, comment="of that e-mail: zh-CN or en"),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True, comment="encrypted: signs beside the new one until old_until"),
        sa.Column("old_until", sa.BigInteger(), nullable=True, comment="ms since 1970 UTC"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("failing_since", sa.BigInteger(), nullable=True, comment="ms: of the first failure since the last success"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.Column("rests_until", sa.BigInteger(), nullable=False, comment="ms: nothing is sent to it before"),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_by", sa.String(length=16), nullable=True, comment="failing, gone or revoked"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_endpoints_pkey")),
    )
    op.create_index("webhook_endpoints_owner_idx", "webhook_endpoints", ["owner", "created_at"], unique=False)
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column(
            "seller", sa.String(length=64), nullable=True, comment="tax id whose invoice it is about; null: about no one invoice"
        ),
        sa.Column("object", sa.String(length=64), nullable=False, comment="case, run or incident"),
        sa.Column("data", sa.Text(), nullable=False, comment="JSON; nothing personal"),
        sa.Column(
            "spread_at",
            sa.BigInteger(),
            nullable=True,
            comment="ms: when a delivery was queued for every endpoint that subscribes to it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_events_pkey")),
    )
    op.create_index("webhook_events_at_idx", "webhook_events", ["at"], unique=False)
    op.create_index(
        "webhook_events_waiting_idx",
        "webhook_events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("spread_at IS NULL"),
        postgresql_where=sa.text("spread_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=30), nullable=False, comment="by which a receiver recognises a repeat"),
        sa.Column("channel", sa.String(length=8), nullable=False, comment="email, sms or webhook"),
        sa.Column("event", sa.String(length=64), nullable=False, comment="what it is about, for lists"),
        sa.Column("object", sa.String(length=64), nullable=False, comment="case, run or endpoint that it is about"),
        sa.Column("endpoint_id", sa.String(length=20), nullable=True, comment="of a webhook"),
        sa.Column("state", sa.String(length=8), nullable=False, comment="see queue.py"),
        sa.Column("message", sa.LargeBinary(), nullable=True, comment="encrypted JSON: recipient and text; null: forgotten"),
        sa.Column(
            "quiet_from",
            sa.SmallInteger(),
            nullable=True,
            comment="minutes after midnight in Beijing between which it is held; null: at any time",
        ),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column(
            "due_at", sa.BigInteger(), nullable=False, comment="ms: of the next try; while sending, when another courier may try"
        ),
        sa.Column("expires_at", sa.BigInteger(), nullable=True, comment="ms: of no use later; null: always of use"),
        sa.Column("claim", sa.String(length=32), nullable=True, comment="of the courier that is sending it"),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="ms: when it was sent or given up"),
        sa.Column("error", sa.String(length=64), nullable=True, comment="code of the last failure"),
        sa.Column("status", sa.SmallInteger(), nullable=True, comment="the other side's last status"),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.id"], name=op.f("deliveries_endpoint_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("deliveries_pkey")),
        sa.UniqueConstraint("uid", name=op.f("deliveries_uid_key")),
    )
    op.create_index("deliveries_due_idx", "deliveries", ["channel", "state", "due_at"], unique=False)
    op.create_index("deliveries_endpoint_idx", "deliveries", ["endpoint_id", "id"], unique=False)
    op.create_index("deliveries_object_idx", "deliveries", ["object", "id"], unique=False)
    op.create_index("deliveries_state_idx", "deliveries", ["state", "id"], unique=False)
    op.create_table(
        "notice_preferences",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("chosen", sa.LargeBinary(), nullable=False, comment="encrypted JSON: see preferences.py"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("notice_preferences_case_id_fkey")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("notice_preferences_pkey")),
    )
