"""Queue what people and webhooks are told"""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    pass
