"""The tables of signing in through an OpenID provider: whose account a subject is, and the logins begun.

Moments are whole microseconds since 1970 UTC, as in `ledger.tables`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from api.access.tables import accounts
from ledger.tables import metadata

external_identities: Final = Table(
    "external_identities",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account", Text, ForeignKey(accounts.c.id, name="fk_external_identities_account"), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    Column("linked_by", Text, nullable=False),
    Column("unlinked_at", BigInteger),
)
"""Whose account a subject of an issuer is, and whose it was: a link that ends keeps its row."""

_linked: Final = external_identities.c.unlinked_at.is_(None)
Index(
    "ix_external_identities_linked",
    external_identities.c.issuer,
    external_identities.c.subject,
    unique=True,
    sqlite_where=_linked,
    postgresql_where=_linked,
)

oidc_logins: Final = Table(
    "oidc_logins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)
"""Logins begun, by the SHA-256 of their state. Those that are too old are removed when another one begins."""
