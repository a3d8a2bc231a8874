"""The ledger's tables, for SQLite and PostgreSQL alike.

A stream (`originator_id`) is kept as the UUID's 16 bytes and a moment as whole microseconds since 1970 UTC: both
databases sort and look up these alike, and neither driver has to convert them. `events.state` holds the exact bytes
that were hashed; every other column can be derived from them again.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

ledgers: Final = Table(
    "ledgers",
    metadata,
    Column("code", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("last_recorded_at", BigInteger, nullable=False),
    Column("edge", LargeBinary, nullable=False),
)
"""One row for each ledger: its size, its last moment and its tree's right edge. Its lock is the append's lock."""

events: Final = Table(
    "events",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    UniqueConstraint("ledger", "stream", "version"),
)
"""The events: positions 1, 2, 3… without holes within a ledger."""

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What was recorded under which key, and the digest of the request that asked for it."""

documents: Final = Table(
    "documents",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Scheme documents by the SHA-256 of their content; events name them by that digest."""

evidence_files: Final = Table(
    "evidence_files",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("commitment", LargeBinary, primary_key=True),
    Column("salt", LargeBinary),
    Column("sealed_key", LargeBinary),
    Column("object", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("stored_by", Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("erased_at", BigInteger),
)
"""Stored files by the commitment that events name them by; `object` is the SHA-256 of the encrypted file.

Of the tables that keep what was said, the one whose rows are changed: erasure by law takes the salt and the key, and
sets the moment.
"""

facts: Final = Table(
    "facts",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("year", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("observation", LargeBinary, nullable=False),
    Column("entry", Text, nullable=False),
    Column("unit", Text),
    Column("kind", Text),
    Column("occurred_on", Text),
    Column("count", BigInteger),
    Column("attributes", Text),
    Column("evidence", Text),
    Column("note", Text),
    Column("rectified_on", Text),
    Column("reason", Text),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", Text),
    CheckConstraint("entry IN ('observe', 'amend', 'void', 'rectify')", name="entry"),
    sqlite_with_rowid=False,
)
"""What each event says of an observation, one row an entry, never changed; an `amend` holds the whole new reading.

The key begins with the year, because a year is what is read: on SQLite its rows lie together. Derived from the
events: may be dropped and rebuilt at any time. Days are ISO 8601, `attributes` and `evidence` JSON, and a column that
an entry says nothing of is null.
"""
