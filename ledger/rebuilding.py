"""The `facts` table derived anew from the events: to put it right, or to show that it is right.

Rules kept here: an event is what its bytes say; they count only where the other columns, their leaf hash, the
positions without holes and the ledger's head (size, moment, tree's edge) agree with them. A rebuild is refused where
they cannot be read, a comparison tells every difference, also documents that events name by their SHA-256 and that are
missing or have another one. What was published of the tree earlier is left to others.

Both read the events in pages, so that memory does not grow with the ledger. A rebuild holds the ledger's lock and
is one transaction: readers see the old rows until it is done. A comparison looks at what stood in the ledger when it
began, whatever is recorded meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    RowMapping,
    Table,
    cast,
    delete,
    func,
    insert,
    select,
)

from ledger.database import for_writing
from ledger.events import EVENTS, SchemeDocumentRegistered, SchemeRegistered, YearClosed
from ledger.facts import ENTRIES, fact_row, recorded_microseconds
from ledger.merkle import Edge, leaf_hash
from ledger.rejection import rejected
from ledger.tables import documents, events, facts, ledgers

PAGE: Final = 10_000
Progress = Callable[[int, int], None]
"""Called with the position reached and the last position."""


class FactDifference(NamedTuple):
    """A value in the database that is not what the events say.

    `column` is one of the `facts` table, `*` for a missing or surplus row of it, or `events.…`, `ledgers.…` or
    `documents.…` for a damaged event, head or document that the event names (`events.*` and `documents.*` for missing
    ones); hashes are hexadecimal.
    """

    position: int
    column: str
    expected: object
    found: object


class _Page(NamedTuple):
    """Events up to a position: the fact rows that they give, their leaf hashes, and what is wrong with them.

    `documents` are those that the events name: the event's position, and the SHA-256.
    """

    last: int
    rows: Sequence[Mapping[str, Any]]
    leaves: Sequence[bytes]
    recorded_at: int | None
    differences: Sequence[FactDifference]
    documents: Sequence[tuple[int, str]]


def rebuild_facts(engine: Engine, code: str, progress: Progress) -> int:
    """Replace the ledger's rows of the `facts` table by what its events say; return the number of rows.

    Raises Rejection (`ledger-damaged`) and changes nothing where the events are not whole.
    """
    rows = 0
    with for_writing(engine).begin() as connection:
        size = connection.execute(select(ledgers.c.size).where(ledgers.c.code == code).with_for_update()).scalar() or 0
        connection.execute(delete(facts).where(facts.c.ledger == code))
        for page in _pages(connection, code, size):
            if page.differences:
                position, column, expected, found = page.differences[0]
                message = f"position {position} {column}: expected {expected}, found {found}; restore a backup"
                raise rejected("ledger-damaged", "events", message)
            if page.rows:
                connection.execute(insert(facts), page.rows)
            rows += len(page.rows)
            progress(page.last, size)
    return rows


def compare_facts(engine: Engine, code: str, progress: Progress) -> Iterator[FactDifference]:
    """Yield every difference between what the ledger's events say and its head and rows of the `facts` table."""
    with engine.connect() as connection:
        head = _head(connection, code)
        last = max(head["size"], head["last"])
        after, edge, recorded_at = 0, Edge(), 0
        for page in _pages(connection, code, last):
            edge = edge.extend(page.leaves)
            recorded_at = recorded_at if page.recorded_at is None else page.recorded_at
            yield from page.differences
            for position, digest in page.documents:
                yield from _document_differences(connection, code, position, digest)
            found = _facts(connection, code, after, page.last)
            for row in page.rows:
                yield from _differences(row, found.pop((row["year"], row["position"]), None))
            yield from map(_surplus, found.values())
            after = page.last
            progress(page.last, last)
        expected = {"size": edge.size, "last_recorded_at": recorded_at, "edge": edge.to_bytes()}
        yield from _unequal(last, "ledgers.", expected, head)
        yield from map(_surplus, _facts_beyond(connection, code, last))


def _head(connection: Connection, code: str) -> Mapping[Any, Any]:
    """Return the ledger's row, with the `last` position of its events, all from one moment."""
    last = select(func.coalesce(func.max(events.c.position), 0)).where(events.c.ledger == code).scalar_subquery()
    row = (
        connection.execute(select(*_columns(ledgers), last.label("last")).where(ledgers.c.code == code))
        .mappings()
        .one_or_none()
    )
    return row or {"size": 0, "last_recorded_at": 0, "edge": Edge().to_bytes(), "last": 0}


def _pages(connection: Connection, code: str, last: int) -> Iterator[_Page]:
    """Yield the ledger's events up to the position `last`; the last page reaches it, events or none."""
    position = 0
    while position < last:
        query = (
            select(*_columns(events))
            .where(events.c.ledger == code, events.c.position > position, events.c.position <= last)
            .order_by(events.c.position)
            .limit(PAGE)
        )
        found = connection.execute(query).mappings().all()
        page = _page(code, position, found, last if len(found) < PAGE else found[-1]["position"])
        yield page
        position = page.last


def _page(code: str, after: int, found: Sequence[RowMapping], last: int) -> _Page:
    rows: list[Mapping[str, Any]] = []
    leaves: list[bytes] = []
    differences: list[FactDifference] = []
    named: list[tuple[int, str]] = []
    for stored in found:
        position, leaf = stored["position"], leaf_hash(stored["state"])
        differences += _missing(after, position)
        leaves.append(leaf)
        try:
            columns, row, digest = _read(code, position, stored["state"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            columns = {}
            differences.append(FactDifference(position, "events.state", f"an event of ledger {code}", repr(error)))
        else:
            rows += [row] if row else []
            named += [(position, digest)] if digest else []
        differences += _unequal(position, "events.", {**columns, "leaf_hash": leaf}, stored)
        after = position
    differences += _missing(after, last + 1)
    return _Page(last, rows, leaves, found[-1]["recorded_at"] if found else None, differences, named)


def _read(code: str, position: int, state: bytes) -> tuple[Mapping[str, Any], Mapping[str, Any] | None, str | None]:
    """Return what the event's bytes say of its other columns, and the fact row and the document, if there are any.

    Of the document it is the SHA-256 that they name.
    """
    event = json.loads(state.decode())
    if event["ledger"] != code or event["type"] not in EVENTS:
        raise ValueError(f"an event {event['type']!r} of ledger {event['ledger']!r}")
    columns = {
        "stream": UUID(event["stream"]).bytes,
        "version": event["version"],
        "topic": event["type"],
        "recorded_at": recorded_microseconds(event["recorded_at"]),
    }
    row = {**_NO_FACT, **fact_row(position, event), "ledger": code} if event["type"] in ENTRIES else None
    return columns, row, _DOCUMENTS[event["type"]](event["data"]) if event["type"] in _DOCUMENTS else None


def _document_differences(connection: Connection, code: str, position: int, digest: str) -> Iterator[FactDifference]:
    content = cast(documents.c.content, LargeBinary)
    query = select(content).where(documents.c.ledger == code, documents.c.digest == bytes.fromhex(digest))
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        yield FactDifference(position, "documents.*", digest, None)
    elif sha256(found).hexdigest() != digest:
        yield FactDifference(position, "documents.content", digest, sha256(found).hexdigest())


def _missing(after: int, position: int) -> Iterator[FactDifference]:
    if position > after + 1:
        yield FactDifference(after + 1, "events.*", f"events {after + 1} to {position - 1}", None)


def _unequal(
    position: int, table: str, expected: Mapping[str, Any], found: Mapping[Any, Any]
) -> Iterator[FactDifference]:
    for column, value in expected.items():
        if found[column] != value:
            yield FactDifference(position, f"{table}{column}", _shown(value), _shown(found[column]))


def _shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _facts(connection: Connection, code: str, after: int, last: int) -> dict[tuple[int, int], RowMapping]:
    query = select(*_columns(facts)).where(facts.c.ledger == code, facts.c.position > after, facts.c.position <= last)
    return {(row["year"], row["position"]): row for row in connection.execute(query).mappings()}


def _facts_beyond(connection: Connection, code: str, last: int) -> Sequence[RowMapping]:
    """Return the rows beyond the ledger's end: what was recorded meanwhile has its events, and moved the head."""
    size = select(ledgers.c.size).where(ledgers.c.code == code).scalar_subquery()
    query = select(*_columns(facts)).where(facts.c.ledger == code, facts.c.position > last, facts.c.position > size)
    return connection.execute(query).mappings().all()


def _columns(table: Table) -> list[ColumnElement[Any]]:
    """Return the table's columns; what SQLite's shell has turned into text comes as its bytes again."""
    return [
        cast(column, LargeBinary).label(column.name) if isinstance(column.type, LargeBinary) else column
        for column in table.columns
    ]


def _surplus(row: RowMapping) -> FactDifference:
    return FactDifference(row["position"], "*", None, dict(row))


def _differences(expected: Mapping[str, Any], found: Mapping[Any, Any] | None) -> Iterator[FactDifference]:
    if found is None:
        yield FactDifference(expected["position"], "*", dict(expected), None)
    else:
        yield from _unequal(expected["position"], "", expected, found)


_NO_FACT: Final[Mapping[str, Any]] = dict.fromkeys(facts.c.keys())
_DOCUMENTS: Final[Mapping[str, Callable[[Any], str]]] = {
    SchemeRegistered.wire: lambda data: data["scheme"]["digest"],
    SchemeDocumentRegistered.wire: lambda data: data["digest"],
    YearClosed.wire: lambda data: data["sheets"],
}
