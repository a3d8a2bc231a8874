"""The ledger: one append-only, dense and Merkle-hashed sequence of events for each jurisdiction.

`canonical` and `merkle` are pure; `tables`, `database` and `recorder` keep the sequences in SQLite or PostgreSQL.
"""
