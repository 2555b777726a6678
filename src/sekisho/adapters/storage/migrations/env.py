"""Run by Alembic: migrations on the connection, and in the transaction, of whoever opens the database."""

from alembic import context

from sekisho.adapters.storage.log_schema import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema,
    version_table="alembic_version",
)
with context.begin_transaction():
    context.run_migrations()
