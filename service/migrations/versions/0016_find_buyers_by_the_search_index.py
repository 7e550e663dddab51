"""Find buyers by the search index: it begins anew, and the worker fills it again"""

from alembic import op

revision = "0016"
down_revision = "0015"

EMPTY = {
    "sqlite": "INSERT INTO invoice_grams (invoice_grams) VALUES ('delete-all')",
    "postgresql": "TRUNCATE invoice_grams",
}


def upgrade() -> None:
    op.drop_index("invoices_buyer_idx", table_name="invoices")
    op.execute(EMPTY[op.get_bind().dialect.name])
    op.execute("DELETE FROM search_progress")
