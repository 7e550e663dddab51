"""Open reprint cases"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_IS_OPEN = sa.text("(state NOT IN ('completed', 'rejected', 'cancelled', 'expired'))")

_IS_TO_BE_TOLD = sa.text("state = 'completed' AND ready_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "reprint_cases",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False, comment="of the number"),
        sa.Column("copy", sa.LargeBinary(length=32), nullable=False, comment="the current one, when the case was opened"),
        sa.Column("state", sa.String(length=24), nullable=False, comment="see transitions.py"),
        sa.Column("round", sa.Integer(), nullable=False, comment="number of the newest row of its history"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False, comment="ms: since when it is in its state"),
        sa.Column(
            "due_at", sa.BigInteger(), nullable=True, comment="ms: then it expires, or a review is late; null: nothing is due"
        ),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True, comment="ms: of the last reminder of this deadline"),
        sa.Column(
            "opened_by",
            sa.String(length=32),
            nullable=True,
            comment="id of the person or key that was signed in when it was opened; null: anybody",
        ),
        sa.Column("kind", sa.String(length=8), nullable=True, comment="copy or reissue; null until it is applied for"),
        sa.Column("delivery", sa.String(length=8), nullable=True, comment="download or collect"),
        sa.Column("application", sa.LargeBinary(), nullable=True, comment="encrypted JSON: see applying.py"),
        sa.Column(
            "diagnosis",
            sa.LargeBinary(),
            nullable=False,
            comment="encrypted JSON: its members in both languages, when it was opened",
        ),
        sa.Column("verdict", sa.String(length=32), nullable=False, comment="of that diagnosis"),
        sa.Column("responsible", sa.String(length=16), nullable=False),
        sa.Column("fee", sa.String(length=16), nullable=False, comment="free, charged or undetermined"),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False, comment="0 unless charged"),
        sa.Column("fee_rests_on", sa.String(length=16), nullable=False, comment="hop whose evidence decided"),
        sa.Column(
            "fee_decided_by", sa.String(length=16), nullable=True, comment="id of the reviewer who decided; null: the evidence did"
        ),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("first_reviewer", sa.String(length=16), nullable=True),
        sa.Column("first_approval", sa.Text(), nullable=True, comment="canonical JSON: see reviewing.py"),
        sa.Column("second_reviewer", sa.String(length=16), nullable=True),
        sa.Column("second_approval", sa.Text(), nullable=True),
        sa.Column(
            "replacement",
            sa.LargeBinary(),
            nullable=True,
            comment="canonical sections of a reissue, from the original's issuer; JSON",
        ),
        sa.Column("replacement_by", sa.String(length=32), nullable=True, comment="id of the key or person that sent them"),
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the reprint, or the issue of a reissue",
        ),
        sa.Column(
            "ready_at", sa.BigInteger(), nullable=True, comment="ms: when the applicant was told that the document can be had"
        ),
        sa.Column("pickup", sa.LargeBinary(), nullable=True, comment="encrypted: the pick-up code, where it is collected on paper"),
        sa.Column("handed_over_at", sa.BigInteger(), nullable=True),
        sa.Column("handed_over_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("reprint_cases_entry_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reprint_cases_pkey")),
    )
    op.create_index("reprint_cases_due_idx", "reprint_cases", ["due_at"], unique=False)
    op.create_index("reprint_cases_number_idx", "reprint_cases", ["number"], unique=False)
    op.create_index(
        "reprint_cases_open_key",
        "reprint_cases",
        ["key"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_index(
        "reprint_cases_ready_idx",
        "reprint_cases",
        ["id"],
        unique=False,
        sqlite_where=_IS_TO_BE_TOLD,
        postgresql_where=_IS_TO_BE_TOLD,
    )
    op.create_index("reprint_cases_state_idx", "reprint_cases", ["state", "changed_at", "id"], unique=False)
    op.create_table(
        "reprint_codes",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False, comment="keyed by case id and a random salt"),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False, comment="days since 1970 in Beijing"),
        sa.Column("sent", sa.SmallInteger(), nullable=False, comment="codes that were sent on that day"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("reprint_codes_case_id_fkey")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("reprint_codes_pkey")),
    )
    op.create_table(
        "reprint_history",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3 …: whoever comes second fails"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("event", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=True),
        sa.Column("target", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=32), nullable=False, comment="id of a person or key, applicant, or system"),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="encrypted: what the applicant is told"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("reprint_history_case_id_fkey")),
        sa.PrimaryKeyConstraint("case_id", "round", name=op.f("reprint_history_pkey")),
    )
    op.create_index("reprint_history_at_idx", "reprint_history", ["at"], unique=False)
    op.create_table(
        "reprint_tokens",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("reprint_tokens_case_id_fkey")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("reprint_tokens_pkey")),
    )
    op.create_index(op.f("reprint_tokens_case_id_idx"), "reprint_tokens", ["case_id"], unique=False)
