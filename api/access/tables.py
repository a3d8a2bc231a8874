"""The tables of who is who: accounts, what they were granted, sessions, tokens, and the log of all of it.

Moments are whole microseconds since 1970 UTC, as in `ledger.tables`. Of a session and of an API token only a SHA-256
is kept, of a password only its Argon2id hash: whoever reads these tables cannot sign in with what is there. Accounts
are never removed, because events name them; a grant that ends keeps its row.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from ledger.tables import metadata

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("likeness", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("password_hash", Text),
    Column("must_change", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("failures", BigInteger, nullable=False),
    Column("locked_until", BigInteger),
    UniqueConstraint("name"),
    UniqueConstraint("likeness"),
)
"""Accounts. `likeness` is what the name looks like (`api.access.names`), `person` a pseudonym of the human behind it.

`failures` counts wrong passwords since the last right one.
"""

grants: Final = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id", name="fk_grants_account"), nullable=False),
    Column("role", Text, nullable=False),
    Column("jurisdiction", Text),
    Column("unit", Text),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    Column("revoked_by", Text),
    Column("revoked_at", BigInteger),
    Index("ix_grants_account", "account"),
)
"""Roles given to accounts, and those taken back."""

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id", name="fk_sessions_account"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
"""Sessions in a browser. Those that have expired are removed when somebody signs in."""

api_tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("prefix", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("account", Text, ForeignKey("accounts.id", name="fk_api_tokens_account"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text),
    Column("jurisdiction", Text),
    Column("unit", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
"""Tokens of programs, by the part of them that may be shown. `scopes` is a JSON list, or null: no bound."""

access_log: Final = Table(
    "access_log",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""What happened to accounts, and who was refused: rows 1, 2, 3… that are never changed. `detail` is a JSON object."""
