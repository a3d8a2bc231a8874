"""What every program that works on ledgers begins with: the database, migrated, and the clock."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from ledger.database import migrate, open_engine
from projections.jurisdictions import Jurisdictions


def now() -> datetime:
    """Return the moment it is: the one clock of the product."""
    return datetime.now(UTC)


@contextmanager
def open_ledgers(database_url: str) -> Iterator[Jurisdictions]:
    """Give the ledgers of a database, migrated to the present schema; close them at the end.

    A missing folder of a SQLite file is made. Raises `DatabaseAddressError` for an address that is none.
    """
    engine = open_engine(database_url)
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite" and address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    try:
        yield jurisdictions
    finally:
        jurisdictions.close()
        engine.dispose()
