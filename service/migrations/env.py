"""What Alembic runs: the steps on the connection, and in the transaction, of whoever called `migrate`."""

from alembic import context

from service.migrations.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # on SQLite too: the driver's own transactions are switched off (db.py)
)
with context.begin_transaction():
    context.run_migrations()
