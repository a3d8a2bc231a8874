"""Create the ledger: heads, events, keys, documents and facts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. There is no way down: a ledger is never removed."""
    op.create_table(
        "ledgers",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("last_recorded_at", sa.BigInteger, nullable=False),
        sa.Column("edge", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_ledgers"),
    )
    op.create_table(
        "events",
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("stream", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "position", name="pk_events"),
        sa.UniqueConstraint("ledger", "stream", "version", name="uq_events_ledger_stream_version"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("first_position", sa.BigInteger, nullable=False),
        sa.Column("last_position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "key", name="pk_idempotency_keys"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "documents",
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "digest", name="pk_documents"),
    )
    op.create_table(
        "facts",
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("year", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("observation", sa.LargeBinary, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("occurred_on", sa.Text),
        sa.Column("count", sa.BigInteger),
        sa.Column("attributes", sa.Text),
        sa.Column("evidence", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("rectified_on", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text),
        sa.PrimaryKeyConstraint("ledger", "year", "position", name="pk_facts"),
        sa.CheckConstraint("entry IN ('observe', 'amend', 'void', 'rectify')", name=op.f("ck_facts_entry")),
        sqlite_with_rowid=False,
    )
