"""The `facts` table derived anew from the events: to put it right, or to show that it is right.

Both read the events in pages, so that memory does not grow with the ledger. A rebuild holds the ledger's lock and
is one transaction: readers see the old rows until it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select

from ledger.database import for_writing
from ledger.facts import fact_rows
from ledger.recorder import LedgerRecorder
from ledger.tables import facts, ledgers

PAGE: Final = 10_000
Progress = Callable[[int, int], None]
"""Called with the position reached and the last position."""


class FactDifference(NamedTuple):
    """A value of the `facts` table that is not what the event says; a missing or surplus row has column `*`."""

    position: int
    column: str
    expected: object
    found: object


def rebuild_facts(engine: Engine, code: str, progress: Progress) -> int:
    """Replace the ledger's rows of the `facts` table by what its events say; return the number of rows."""
    recorder = LedgerRecorder(engine, code)
    rows = 0
    try:
        with for_writing(engine).begin() as connection:
            connection.execute(select(ledgers.c.size).where(ledgers.c.code == code).with_for_update())
            connection.execute(delete(facts).where(facts.c.ledger == code))
            for page in _derived_pages(recorder, progress):
                if page:
                    connection.execute(insert(facts), [_complete(code, row) for row in page])
                rows += len(page)
    finally:
        recorder.close()
    return rows


def compare_facts(engine: Engine, code: str, progress: Progress) -> Iterator[FactDifference]:
    """Yield every difference between the ledger's rows of the `facts` table and what its events say."""
    recorder = LedgerRecorder(engine, code)
    try:
        with engine.connect() as connection:
            after = 0
            for page in _derived_pages(recorder, progress):
                last = max((row["position"] for row in page), default=after)
                found = _rows(connection, code, after, last)
                for row in page:
                    yield from _differences(_complete(code, row), found.pop(row["position"], None))
                for position, surplus in found.items():
                    yield FactDifference(position, "*", None, dict(surplus))
                after = last
            for position, surplus in _rows(connection, code, after, None).items():
                yield FactDifference(position, "*", None, dict(surplus))
    finally:
        recorder.close()


def _derived_pages(recorder: LedgerRecorder, progress: Progress) -> Iterator[list[Mapping[str, Any]]]:
    last = recorder.head().size
    position = 0
    while position < last:
        events = recorder.select_notifications(position, PAGE, last, inclusive_of_start=False)
        position = events[-1].id
        yield fact_rows(events)
        progress(position, last)


def _complete(code: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(facts.c.keys()), **row, "ledger": code}


def _rows(connection: Connection, code: str, after: int, last: int | None) -> dict[int, Mapping[str, Any]]:
    query = select(facts).where(facts.c.ledger == code, facts.c.position > after)
    if last is not None:
        query = query.where(facts.c.position <= last)
    return {row["position"]: dict(row) for row in connection.execute(query).mappings()}


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any] | None) -> Iterator[FactDifference]:
    position = expected["position"]
    if found is None:
        yield FactDifference(position, "*", dict(expected), None)
        return
    for column, value in expected.items():
        if found[column] != value:
            yield FactDifference(position, column, value, found[column])
