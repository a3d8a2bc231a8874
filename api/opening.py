"""What every program that works on ledgers begins with: the database, migrated, and the clock."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from api.settings import Settings
from ledger.database import migrate, open_engine
from ledger.signing import LedgerProofs
from projections.jurisdictions import Jurisdictions

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


def now() -> datetime:
    """Return the moment it is: the one clock of the product."""
    return datetime.now(UTC)


@contextmanager
def open_ledgers(database_url: str) -> Iterator[Jurisdictions]:
    """Give the ledgers of a database, migrated to the present schema; close them at the end.

    A missing SQLite file is made, and its folder: for the user alone who runs the program, as the files are that
    SQLite puts beside it. Raises `DatabaseAddressError` for an address that is none, and Rejection `database-newer`.
    """
    engine = open_engine(database_url)
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite" and address.database:
        file = Path(address.database)
        file.parent.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not file.exists():
            file.touch(_PRIVATE_FILE)
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    try:
        yield jurisdictions
    finally:
        jurisdictions.close()
        engine.dispose()


def signing_key_told(proofs: LedgerProofs, settings: Settings, code: str) -> tuple[str, str | None]:
    """Return the public key of a ledger with entries, and a warning where the key had to be made now.

    Such a key may take the place of one that was lost: only the minutes of the meetings know. Raises Rejection as
    `LedgerProofs.verifier_key` does.
    """
    made = not (settings.key_folder / f"{code}.signing-key").exists()
    key = proofs.verifier_key()
    if not made:
        return key, None
    warning = (
        f"WARNING: ledger {code} has entries and had no signing key in {settings.key_folder}: the key {key} is new. If "
        "the minutes of a meeting have another key of this ledger, the key folder was lost: stop, and restore it from "
        "its backup"
    )
    return key, warning
