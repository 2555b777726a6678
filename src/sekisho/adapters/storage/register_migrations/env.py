"""Run by Alembic: migrations on the connection, and in the transaction, of whoever opens the register."""

from alembic import context

from sekisho.adapters.storage.register_schema import VERSION_TABLE, schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
