"""Take payments for reprints, and feedback"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=16), nullable=False, comment="F, yymmdd of Beijing, -, 8 at random"),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="encrypted: what its sender follows it by"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="open -> answered -> closed"),
        sa.Column("round", sa.Integer(), nullable=False, comment="number of its newest message"),
        sa.Column("page", sa.String(length=100), nullable=False, comment="path of the page that it was written on"),
        sa.Column("case_id", sa.String(length=16), nullable=True, comment="as the visitor named it; it need not exist"),
        sa.Column("language", sa.String(length=2), nullable=False, comment="zh or en"),
        sa.Column("contact", sa.LargeBinary(), nullable=True, comment="encrypted JSON: channel and address; null: none was given"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("feedback_pkey")),
    )
    op.create_index("feedback_state_idx", "feedback", ["state", "opened_at", "id"], unique=False)
    op.create_table(
        "feedback_messages",
        sa.Column("feedback_id", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3 …: whoever comes second fails"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("event", sa.String(length=16), nullable=False, comment="asked, answered or closed"),
        sa.Column("actor", sa.String(length=32), nullable=False, comment="visitor, or id of a person"),
        sa.Column("text", sa.LargeBinary(), nullable=True, comment="encrypted; null: it was closed without a word"),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], name=op.f("feedback_messages_feedback_id_fkey")),
        sa.PrimaryKeyConstraint("feedback_id", "round", name=op.f("feedback_messages_pkey")),
    )
    op.create_table(
        "reprint_payments",
        sa.Column(
            "reference", sa.String(length=12), nullable=False, comment="what the payer names; the provider's idempotency key"
        ),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False, comment="CNY × 100"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="see payments.py"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("provider_id", sa.String(length=64), nullable=True, comment="of the payment at the provider"),
        sa.Column("url", sa.String(length=500), nullable=True, comment="where the applicant pays"),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=32), nullable=True, comment="id of a person; system for the provider's word"),
        sa.Column("refund_due_at", sa.BigInteger(), nullable=True),
        sa.Column("refund_next_at", sa.BigInteger(), nullable=True, comment="ms: then the provider is asked again"),
        sa.Column("refund_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refunded_at", sa.BigInteger(), nullable=True),
        sa.Column("refunded_by", sa.String(length=32), nullable=True),
        sa.Column("refund_reference", sa.String(length=64), nullable=True, comment="of the bank or the provider"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("reprint_payments_case_id_fkey")),
        sa.PrimaryKeyConstraint("reference", name=op.f("reprint_payments_pkey")),
        sa.UniqueConstraint("provider_id", name=op.f("reprint_payments_provider_id_key")),
    )
    op.create_index(op.f("reprint_payments_case_id_idx"), "reprint_payments", ["case_id"], unique=False)
    op.create_index(
        "reprint_payments_open_key",
        "reprint_payments",
        ["case_id", "method"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "reprint_payments_paid_key",
        "reprint_payments",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("state = 'paid'"),
        postgresql_where=sa.text("state = 'paid'"),
    )
    op.create_index("reprint_payments_state_idx", "reprint_payments", ["state", "opened_at", "reference"], unique=False)
    op.create_table(
        "payment_calls",
        sa.Column("id", sa.String(length=64), nullable=False, comment="of a call-back: a second one with it has no effect"),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.ForeignKeyConstraint(["reference"], ["reprint_payments.reference"], name=op.f("payment_calls_reference_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_calls_pkey")),
    )
