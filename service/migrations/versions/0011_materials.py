"""Keep the materials of reprint cases"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "material_retentions",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="days since 1970 UTC: one run a day"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.Column("cases", sa.Integer(), nullable=False, comment="whose materials were deleted"),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("material_retentions_pkey")),
    )
    op.create_table(
        "reprint_materials",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=24), nullable=False),
        sa.Column("pages", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes of the file that was sent"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False, comment="encrypted: the document's data key"),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False, comment="ms since 1970 UTC"),
        sa.ForeignKeyConstraint(["case_id"], ["reprint_cases.id"], name=op.f("reprint_materials_case_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reprint_materials_pkey")),
    )
    op.create_index(op.f("reprint_materials_case_id_idx"), "reprint_materials", ["case_id"], unique=False)
    op.create_table(
        "reprint_material_pages",
        sa.Column("material_id", sa.String(length=16), nullable=False),
        sa.Column("page", sa.SmallInteger(), autoincrement=False, nullable=False, comment="1, 2, 3 …"),
        sa.Column("picture", sa.LargeBinary(), nullable=False, comment="PNG, under the document's data key"),
        sa.ForeignKeyConstraint(["material_id"], ["reprint_materials.id"], name=op.f("reprint_material_pages_material_id_fkey")),
        sa.PrimaryKeyConstraint("material_id", "page", name=op.f("reprint_material_pages_pkey")),
    )
