"""Erasure by law: key and salt go with the event that says so, in one transaction; the object goes right after.

Rules kept here:

1. Nobody reads a file from the moment on that its erasure is recorded: without its key no object can be opened.
2. What could not be deleted then, because the store was down or the process died, is deleted by `finish_erasures`, and
   so is what a restored copy of the store, or of the files' rows, brought back.
3. Only what an event says was erased is: a row alone that says so, which anybody who holds the database can write,
   deletes nothing.

Who may order an erasure, and who has to agree, is left to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, RowMapping, bindparam, select, update

from ledger.canonical import read_json
from ledger.database import for_writing
from ledger.events import EvidenceErased
from ledger.evidence.stores import EvidenceStore
from ledger.tables import events, evidence_files

_columns: Final = evidence_files.c
_FILE: Final = (_columns.ledger == bindparam("of"), _columns.commitment == bindparam("file"))
_ERASE: Final = (
    update(evidence_files).where(*_FILE).values(salt=None, sealed_key=None, erased_at=bindparam("recorded_at"))
)
_ROW: Final = select(_columns.object, _columns.salt, _columns.sealed_key, _columns.erased_at).where(*_FILE)


def erased_files(rows: Iterable[Mapping[str, Any]]) -> dict[bytes, int]:
    """Return the commitments that those of the rows of `events` erase which are erasures, each with its moment."""
    return {
        bytes.fromhex(cast("dict[str, Any]", read_json(row["state"]))["data"]["commitment"]): row["recorded_at"]
        for row in rows
        if row["topic"] == EvidenceErased.wire
    }


def erase_rows(connection: Connection, code: str, erased: Mapping[bytes, int]) -> None:
    """Take the keys and salts of the ledger's files, and set since when they are erased; the rows stay."""
    if erased:
        moments = [{"of": code, "file": file, "recorded_at": moment} for file, moment in erased.items()]
        connection.execute(_ERASE, moments)


def erased_commitments(engine: Engine, code: str) -> frozenset[str]:
    """Return the commitments that the ledger's events say are to files that were erased."""
    return frozenset(commitment.hex() for commitment in _erased(engine, code))


def finish_erasures(engine: Engine, store: EvidenceStore, code: str) -> None:
    """Make all gone that the ledger's events say was erased: keys and salts, then objects; for any time, and again.

    Raises Rejection `evidence-store-unavailable`; what was deleted until then stays so.
    """
    erased = _erased(engine, code)
    with engine.connect() as connection:
        found = {file: connection.execute(_ROW, {"of": code, "file": file}).mappings().first() for file in erased}
    rows = {file: row for file, row in found.items() if row is not None}
    with_keys = {file: erased[file] for file, row in rows.items() if not _is_erased(row)}
    if with_keys:
        with for_writing(engine).begin() as connection:
            erase_rows(connection, code, with_keys)
    for row in rows.values():
        store.delete(row["object"].hex())


def _erased(engine: Engine, code: str) -> dict[bytes, int]:
    columns = (events.c.topic, events.c.state, events.c.recorded_at)
    query = select(*columns).where(events.c.ledger == code, events.c.topic == EvidenceErased.wire)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(events.c.position)).mappings()
        return erased_files(dict(row) for row in rows)


def _is_erased(row: RowMapping) -> bool:
    return row["salt"] is None and row["sealed_key"] is None and row["erased_at"] is not None
