"""Keep the materials of reprint cases"""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass
