"""Rows of a ledger as they are, all from one moment, however damaged their cells are.

Rules kept here: nothing is converted on the way, so that a cell of the wrong type comes as what it is; text that is no
UTF-8 comes with its bytes as lone surrogates; rows come in portions. What a row means is left to others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Result, RowMapping, Select, Table, func, select, type_coerce
from sqlalchemy.types import NullType

from ledger.tables import documents, events, evidence_files, facts, idempotency_keys, ledgers

PORTION: Final = 1_000
"""How many rows are fetched at once."""

_CODES: Final = (
    ledgers.c.code,
    *(table.c.ledger for table in (events, idempotency_keys, documents, evidence_files, facts)),
)


class Rows:
    """Rows read on one connection, which `reading` gives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._results: list[Result[*tuple[Any, ...]]] = []

    def of(self, table: Table, code: str, *order: Column[Any], portion: int = PORTION) -> Iterator[RowMapping]:
        """Yield the ledger's rows of the table in the order of these columns, whatever their cells hold."""
        query = _raw(*table.columns).where(table.c.ledger == code).order_by(*order)
        result = self._connection.execute(query, execution_options={"yield_per": portion})
        self._results.append(result)
        yield from result.mappings()

    def head(self, code: str) -> RowMapping | None:
        """Return the ledger's row of the table `ledgers`, if there is one."""
        return self._connection.execute(_raw(*ledgers.c).where(ledgers.c.code == code)).mappings().one_or_none()

    def last_position(self, code: str) -> int:
        """Return the last position of the ledger's events, 0 where there is none."""
        query = select(func.max(events.c.position)).where(events.c.ledger == code)
        last: object = self._connection.execute(query).scalar()
        return last if isinstance(last, int) else 0

    def codes(self) -> set[object]:
        """Return what the tables of the ledgers name as codes: also one whose head is gone."""
        found: set[object] = set()
        for column in _CODES:
            found.update(self._connection.execute(_raw(column).distinct()).scalars())
        return found

    def close(self) -> None:
        """End the reading of rows that nobody read to their end."""
        for result in self._results:
            result.close()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Rows]:
    """Give rows of which every query sees the database as it was at the first one."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with reading(connection) as rows:
            yield rows


@contextmanager
def reading(connection: Connection) -> Iterator[Rows]:
    """Give the rows that the connection sees, with text cells of SQLite that are no UTF-8; PostgreSQL has none."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        with closing(Rows(connection)) as rows:
            yield rows
    finally:
        if isinstance(driver, sqlite3.Connection):
            driver.text_factory = str


def codes(engine: Engine) -> list[str]:
    """Return the codes of all ledgers of which the database holds anything, sorted."""
    with snapshot(engine) as rows:
        return sorted(map(str, rows.codes()))


def _raw(*columns: Column[Any]) -> Select[*tuple[Any, ...]]:
    return select(*(type_coerce(column, NullType()).label(column.name) for column in columns))
