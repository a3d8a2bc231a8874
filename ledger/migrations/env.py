"""Run the migrations on the connection that `ledger.database.migrate` gives, inside its transaction."""

from alembic import context

from ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
