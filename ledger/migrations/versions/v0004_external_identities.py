"""Signing in through an OpenID provider: whose account a subject is, and the logins begun."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. There is no way down: who was who is never removed."""
    op.create_table(
        "external_identities",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.Column("linked_by", sa.Text, nullable=False),
        sa.Column("unlinked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_external_identities"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_external_identities_account"),
    )
    op.create_index(
        "ix_external_identities_linked",
        "external_identities",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=sa.text("unlinked_at IS NULL"),
        postgresql_where=sa.text("unlinked_at IS NULL"),
    )
    op.create_table(
        "oidc_logins",
        sa.Column("state_hash", sa.LargeBinary, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("state_hash", name="pk_oidc_logins"),
    )
