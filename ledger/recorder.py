"""The recorder of one ledger in SQLite or PostgreSQL.

Rules kept here: every append holds the lock of its ledger's row from its first read to its commit, so that positions
are dense and become visible in their order; one transaction holds events, keys, documents, facts and the new head, and
takes the key of a file with the event that erases it; nothing is reported before the commit returned. `ledger.appends`
decides what an append puts into the ledger, `ledger.groups` which requests share a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

from eventsourcing import persistence
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent
from sqlalchemy import Connection, Engine, Row, Table, bindparam, func, insert, select, text, update
from sqlalchemy import exc as database_errors

from ledger.appends import (
    Batch,
    CommitUnknown,
    Head,
    Idempotency,
    KeyRecord,
    LedgerUnavailable,
    Outcome,
    Request,
    Values,
    looked_up,
    microseconds,
    moment,
    stream_of,
)
from ledger.database import for_writing
from ledger.evidence.erasures import erase_rows, erased_files
from ledger.groups import GroupCommit, Prepare
from ledger.merkle import Edge
from ledger.rejection import rejected
from ledger.subscriptions import Appended, PollingSubscription
from ledger.tables import documents, events, facts, idempotency_keys, ledgers

Derive = Callable[[Sequence[Notification]], Iterable[Mapping[str, object]]]
"""Turns appended events, with their positions as `id`, into rows of `facts` without the column `ledger`."""

T = TypeVar("T")

LOOK_UP: Final = 1_000
"""Most streams or keys looked up by one statement: both databases bound its parameters."""


class LedgerRecorder(ApplicationRecorder):
    """Appends to and reads the ledger of one code. Safe to share between threads; `close` it when done.

    `derive` runs inside the append's transaction; an error that it raises fails the request, and nothing is recorded.
    Errors of the database come as the library's own (`eventsourcing.persistence`).
    """

    def __init__(self, engine: Engine, ledger: str, derive: Derive | None = None) -> None:
        self.ledger = ledger
        self._derive = derive
        self._engine = engine
        self._writing = for_writing(engine)
        self._inserts = {table: _insert_statement(table, engine) for table in (events, idempotency_keys, facts)}
        self._insert_document = f"{_insert_statement(documents, engine)} ON CONFLICT DO NOTHING"
        self._appended = Appended()
        self._groups = GroupCommit(f"ledger {ledger}", self._append)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        recorded_at: datetime | None = None,
        idempotency: Idempotency | None = None,
        expects: Mapping[UUID, int] | None = None,
        documents: Sequence[bytes] = (),
        **unknown: Any,
    ) -> Sequence[int] | None:
        """Append the events together, or not at all, and return their positions once they are committed.

        Args:
            stored_events: the events; none appends nothing.
            recorded_at: the moment of recording, not before the ledger's last; left out, the ledger's last moment.
            idempotency: the request's key and digest.
            expects: the version that each stream must still have, 0 for one that must not exist.
            documents: contents to keep by their SHA-256.
            unknown: refused with TypeError.

        Raises:
            AlreadyRecorded, KeyReused, StreamMoved, ClockBehind: nothing was recorded by this request.
            IntegrityError: a version is not the next of its stream; nothing was recorded.
            LedgerUnavailable: no connection or no lock; nothing was recorded.
            CommitUnknown: the commit failed; ask by the key whether the events were recorded.
            PersistenceError: the database failed before the commit; nothing was recorded.
        """
        if unknown:
            raise TypeError(f"insert_events takes no argument {', '.join(sorted(unknown))}")
        return self.submit(
            stored_events,
            recorded_at=recorded_at,
            idempotency=idempotency,
            expects=expects,
            documents=documents,
        ).result()

    def submit(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        recorded_at: datetime | None = None,
        idempotency: Idempotency | None = None,
        expects: Mapping[UUID, int] | None = None,
        documents: Sequence[bytes] = (),
    ) -> Future[Sequence[int]]:
        """Do as `insert_events` does without waiting: the future gives its result or raises its error.

        Requests are decided in the order of their submission. Raises InterfaceError after `close`, TypeError for a
        stream that is no UUID, and ValueError for a moment without a zone, or a key or documents without an event.
        """
        for event in stored_events:
            stream_of(event.originator_id)
        if stored_events:
            since_epoch = None if recorded_at is None else microseconds(recorded_at)
            request = Request(stored_events, since_epoch, idempotency, expects or {}, documents)
            return self.submit_prepared(lambda: request)
        if idempotency is not None or documents:
            raise ValueError("a key or documents come with at least one event")
        nothing: Future[Sequence[int]] = Future()
        nothing.set_result([])
        return nothing

    def submit_prepared(self, prepare: Prepare) -> Future[Sequence[int]]:
        """Do as `submit` does with a request that is only worked out when its turn to be written has come.

        One is prepared at a time, and in the order in which they are written: clients that decide one after the other
        need no lock for it. What `prepare` raises, the future raises.
        """
        return self._groups.submit(prepare)

    def close(self) -> None:
        """Write what was submitted and end the writing thread; the engine stays open."""
        self._groups.close()

    def head(self) -> Head:
        """Return the ledger's end; of a ledger without events, size 0 and the first moment of 1970 UTC."""
        with _connection(self._engine) as connection:
            return _head(connection.execute(_HEAD, {"of": self.ledger}).one_or_none())

    def find_key(self, key: str) -> KeyRecord | None:
        """Return what was recorded under the key, if anything was."""
        with _connection(self._engine) as connection:
            return self._keys(connection, [key]).get(key)

    def document(self, digest: bytes) -> bytes | None:
        """Return the document with this SHA-256, if the ledger has it.

        Raises Rejection (`ledger-damaged`) when its content has another one.
        """
        query = select(documents.c.content).where(documents.c.ledger == self.ledger, documents.c.digest == digest)
        with _connection(self._engine) as connection:
            content = connection.execute(query).scalar_one_or_none()
        if content is not None and sha256(content).digest() != digest:
            message = f"the document {digest.hex()} was altered in the database; restore a backup"
            raise rejected("ledger-damaged", "documents", message)
        return content

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """Return a stream's events with versions above `gt` up to `lte`, in their order or backwards."""
        stream = stream_of(originator_id)
        version = events.c.version
        query = select(version, events.c.topic, events.c.state).where(
            events.c.ledger == self.ledger, events.c.stream == stream.bytes
        )
        if gt is not None:
            query = query.where(version > gt)
        if lte is not None:
            query = query.where(version <= lte)
        query = query.order_by(version.desc() if desc else version).limit(limit)
        with _connection(self._engine) as connection:
            return [StoredEvent(stream, *row) for row in connection.execute(query)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """Return at most `limit` events from position `start` to `stop` in their order; `id` is the position."""
        position = events.c.position
        query = select(events.c.stream, events.c.version, events.c.topic, events.c.state, position).where(
            events.c.ledger == self.ledger
        )
        if start is not None:
            query = query.where(position >= start if inclusive_of_start else position > start)
        if stop is not None:
            query = query.where(position <= stop)
        if topics:
            query = query.where(events.c.topic.in_(topics))
        with _connection(self._engine) as connection:
            rows = connection.execute(query.order_by(position).limit(limit))
            return [Notification(UUID(bytes=stream), *rest) for stream, *rest in rows]

    def max_notification_id(self) -> int | None:
        """Return the last position, or None for a ledger without events."""
        return self.head().size or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> PollingSubscription:
        """Return an iterator over the events after position `gt`, of any or the named topics, that waits for more."""
        return PollingSubscription(self, self._appended, gt, topics)

    def _append(self, requests: Sequence[Request]) -> list[Outcome]:
        """Append what can be appended of the requests in one transaction, and return each one's outcome."""
        with _connection(self._writing) as connection:
            head = self._locked_head(connection)
            batch = Batch(
                self.ledger,
                head,
                self._versions(connection, requests),
                self._keys(connection, (request.idempotency.key for request in requests if request.idempotency)),
            )
            outcomes = [batch.outcome(request) for request in requests]
            if batch.event_rows:
                self._write(connection, batch)
                _commit(connection)
        if batch.event_rows:
            self._appended.tell()
        return outcomes

    def _locked_head(self, connection: Connection) -> Head:
        """Read the ledger's head and keep others from appending until the transaction ends."""
        ledger = {"of": self.ledger}
        try:
            row = connection.execute(_LOCKED_HEAD, ledger).one_or_none()
            if row is None:
                connection.execute(_ADD_LEDGER, {"code": self.ledger, "edge": Edge().to_bytes()})
                row = connection.execute(_LOCKED_HEAD, ledger).one()
        except database_errors.DBAPIError as error:
            raise LedgerUnavailable(f"ledger {self.ledger} cannot be locked: {_reason(error)}") from error
        return _head(row)

    def _versions(self, connection: Connection, requests: Sequence[Request]) -> dict[UUID, int]:
        versions: dict[UUID, int] = {}
        for some in _portions(stream.bytes for stream in looked_up(requests)):
            rows = connection.execute(_VERSIONS, {"of": self.ledger, "some": some})
            versions.update((UUID(bytes=stream), version) for stream, version in rows)
        return versions

    def _keys(self, connection: Connection, keys: Iterable[str]) -> dict[str, KeyRecord]:
        found: dict[str, KeyRecord] = {}
        for some in _portions(keys):
            rows = connection.execute(_KEYS, {"of": self.ledger, "some": some})
            found.update((key, KeyRecord(*record)) for key, *record in rows)
        return found

    def _write(self, connection: Connection, batch: Batch) -> None:
        head = batch.head()
        connection.exec_driver_sql(self._inserts[events], batch.event_rows)
        if batch.key_rows:
            connection.exec_driver_sql(self._inserts[idempotency_keys], batch.key_rows)
        if batch.document_rows:
            connection.exec_driver_sql(self._insert_document, batch.document_rows)
        connection.execute(
            _SET_HEAD,
            {"of": self.ledger, "size": head.size, "last_recorded_at": batch.last, "edge": head.edge.to_bytes()},
        )
        erase_rows(connection, self.ledger, erased_files(batch.event_rows))
        if self._derive is not None:
            rows: list[Values] = [
                {**_NO_FACT, **row, "ledger": self.ledger} for row in self._derive(batch.notifications())
            ]
            if rows:
                connection.exec_driver_sql(self._inserts[facts], rows)


_LIBRARY_ERRORS: Final[Mapping[type[database_errors.DBAPIError], type[persistence.DatabaseError]]] = {
    database_errors.DataError: persistence.DataError,
    database_errors.IntegrityError: persistence.IntegrityError,
    database_errors.InternalError: persistence.InternalError,
    database_errors.NotSupportedError: persistence.NotSupportedError,
    database_errors.OperationalError: persistence.OperationalError,
    database_errors.ProgrammingError: persistence.ProgrammingError,
}
_NO_FACT: Final[Values] = dict.fromkeys(facts.c.keys())
# Built once: an append is short enough for the building of its queries to count.
_HEAD: Final = select(ledgers.c.size, ledgers.c.last_recorded_at, ledgers.c.edge).where(
    ledgers.c.code == bindparam("of")
)
_LOCKED_HEAD: Final = _HEAD.with_for_update()
_SET_HEAD: Final = (
    update(ledgers)
    .where(ledgers.c.code == bindparam("of"))
    .values({name: bindparam(name) for name in ("size", "last_recorded_at", "edge")})
)
_VERSIONS: Final = (
    select(events.c.stream, func.max(events.c.version))
    .where(events.c.ledger == bindparam("of"), events.c.stream.in_(bindparam("some", expanding=True)))
    .group_by(events.c.stream)
)
_KEYS: Final = select(
    idempotency_keys.c.key,
    idempotency_keys.c.digest,
    idempotency_keys.c.first_position,
    idempotency_keys.c.last_position,
).where(idempotency_keys.c.ledger == bindparam("of"), idempotency_keys.c.key.in_(bindparam("some", expanding=True)))
_ADD_LEDGER: Final = text(
    "INSERT INTO ledgers (code, size, last_recorded_at, edge) VALUES (:code, 0, 0, :edge) ON CONFLICT DO NOTHING"
)


def _insert_statement(table: Table, engine: Engine) -> str:
    """Return the table's INSERT in the driver's own form, for rows given as mappings of all its columns.

    The hot path goes to the driver directly: every column's Python value is what both drivers store as it is.
    """
    return str(insert(table).inline().compile(dialect=engine.dialect, column_keys=table.c.keys()))


def _head(row: Row[int, int, bytes] | None) -> Head:
    if row is None:
        return Head(0, moment(0), Edge())
    size, last_recorded_at, data = row
    edge = Edge.from_bytes(data)
    if edge.size != size:
        raise persistence.InternalError(f"the ledger's row is damaged: size {size}, but an edge of {edge.size}")
    return Head(size, moment(last_recorded_at), edge)


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection; what goes wrong with it comes as the library's own errors, without the statement's values."""
    try:
        connection = engine.connect()
    except (database_errors.DBAPIError, database_errors.TimeoutError) as error:
        raise LedgerUnavailable(f"no connection to the database: {_reason(error)}") from error
    try:
        with connection:
            yield connection
    except database_errors.DBAPIError as error:
        if error.connection_invalidated:
            raise LedgerUnavailable(f"the connection to the database was lost: {_reason(error)}") from error
        raise _LIBRARY_ERRORS.get(type(error), persistence.DatabaseError)(_reason(error)) from error


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except database_errors.DBAPIError as error:
        # Whatever state the transaction is in, nobody may go on with it.
        connection.invalidate()
        raise CommitUnknown(f"the commit failed, ask by the key whether it was done: {_reason(error)}") from error


def _reason(error: database_errors.SQLAlchemyError) -> str:
    return str(error.orig if isinstance(error, database_errors.DBAPIError) else error)


def _portions(values: Iterable[T]) -> Iterator[list[T]]:
    remaining = list(values)
    for start in range(0, len(remaining), LOOK_UP):
        yield remaining[start : start + LOOK_UP]
