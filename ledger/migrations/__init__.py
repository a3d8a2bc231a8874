"""The schema's history: alembic's environment and its versions, run by `ledger.database.migrate`."""
