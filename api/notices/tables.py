"""The tables of delivering notices: where to, and what became of each.

Moments are whole microseconds since 1970 UTC, as in `ledger.tables`. A delivery names an account or a webhook, never an
address: an address that is removed is gone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, UniqueConstraint

from api.access.tables import accounts
from ledger.tables import metadata

notice_addresses: Final = Table(
    "notice_addresses",
    metadata,
    Column("account", Text, ForeignKey(accounts.c.id, name="fk_notice_addresses_account"), primary_key=True),
    Column("address", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)
"""The e-mail address of an account; what happened before `since` is not sent to it."""

webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("jurisdiction", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    UniqueConstraint("jurisdiction", "url"),
)
"""Where the notices of a jurisdiction's units are posted; what happened before `since` is not."""

notice_deliveries: Final = Table(
    "notice_deliveries",
    metadata,
    Column("event", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("ledger", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("next_try_at", BigInteger, nullable=False),
    Column("last_error", Text),
)
"""What became of a notice on its way to a target: `pending`, `delivered` or `given_up`."""
