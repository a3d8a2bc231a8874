"""Decide what a batch of appends puts into one ledger. Pure: the ledger's head and requests in, rows and outcomes out.

Rules kept here, in this order for each request:

1. A key that was used answers with what it recorded then, or is refused when the content differs.
2. The ledger's size, and the streams that the decision depended on, still are as it saw them.
3. Each event is the next version of its stream; a new stream may start with any.
4. Time does not go back within the ledger.
5. Positions are dense, and the tree's edge grows by one leaf for each event.

A refused request changes nothing, and later requests of a batch see the earlier ones. Reading, writing and locking
are left to `ledger.recorder`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    OperationalError,
    PersistenceError,
    StoredEvent,
)

from ledger.merkle import Edge, leaf_hash

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class AppendRefused(PersistenceError):
    """Nothing of the request was recorded by it: a stable `code`, and a message."""

    code: ClassVar[str]


class AlreadyRecorded(AppendRefused):
    """The key was used for the same content: its events stand at `first_position`..`last_position`."""

    code = "key-already-recorded"

    def __init__(self, key: str, first_position: int, last_position: int) -> None:
        super().__init__(f"key {key!r} has recorded positions {first_position} to {last_position} already")
        self.first_position = first_position
        self.last_position = last_position


class KeyReused(AppendRefused):
    """The key was used for other content."""

    code = "key-reused"

    def __init__(self, key: str, first_position: int) -> None:
        message = f"key {key!r} has recorded other content at position {first_position}; use a new key for new content"
        super().__init__(message)
        self.first_position = first_position


class StreamMoved(AppendRefused):
    """A stream that the decision depended on has another version now: read it again and decide again."""

    code = "stream-moved"

    def __init__(self, stream: UUID, expected: int, found: int) -> None:
        super().__init__(f"stream {stream} was expected at version {expected}, found {found}; decide again")
        self.stream = stream
        self.expected = expected
        self.found = found


class LedgerGrown(AppendRefused):
    """The ledger has another size now than the whole of it that the decision looked at: look and decide again."""

    code = "ledger-grown"

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"the ledger was expected to hold {expected} events, found {found}; decide again")


class ClockBehind(AppendRefused):
    """The moment given lies before the ledger's `last`: record with a moment that does not."""

    code = "clock-behind"

    def __init__(self, given: datetime, last: datetime) -> None:
        super().__init__(f"moment {given.isoformat()} lies before the ledger's last, {last.isoformat()}")
        self.last = last


class LedgerUnavailable(OperationalError):
    """The database could not be reached, or the ledger's lock not be had: nothing was recorded; try again later."""

    code: ClassVar[str] = "ledger-unavailable"


class CommitUnknown(PersistenceError):
    """The database failed while it committed: whether the events were recorded is unknown; ask by the key."""

    code: ClassVar[str] = "commit-unknown"


class Idempotency(NamedTuple):
    """A request's key, and a digest of what it asks for."""

    key: str
    digest: bytes


class KeyRecord(NamedTuple):
    """What was recorded under a key."""

    digest: bytes
    first_position: int
    last_position: int


class Head(NamedTuple):
    """A ledger's end: its number of events, the moment of the last one (UTC) and the tree's right edge."""

    size: int
    last_recorded_at: datetime
    edge: Edge


@dataclass(frozen=True, slots=True)
class Request:
    """Events to append together, or not at all, and what must hold for that.

    `expects` maps streams to the version each must still have, 0 for one that must not exist; `expected_size` is the
    number of events that the whole ledger must still hold.
    """

    events: Sequence[StoredEvent]
    recorded_at: int | None = None
    idempotency: Idempotency | None = None
    expects: Mapping[UUID, int] = field(default_factory=dict)
    documents: Sequence[bytes] = ()
    expected_size: int | None = None


Values = dict[str, object]
Outcome = Sequence[int] | Exception


class Batch:
    """Requests for one ledger, admitted one after the other, and the rows to insert for those admitted.

    Args:
        ledger: the ledger's code.
        head: the ledger's head, read under its lock.
        versions: the present version of each stream that `looked_up` names; absent where there is none.
        keys: what was recorded under the keys of the requests.
    """

    def __init__(self, ledger: str, head: Head, versions: dict[UUID, int], keys: dict[str, KeyRecord]) -> None:
        self.ledger = ledger
        self.event_rows: list[Values] = []
        self.key_rows: list[Values] = []
        self.last = microseconds(head.last_recorded_at)
        self._leaves: list[bytes] = []
        self._events: list[StoredEvent] = []
        self._documents: dict[bytes, Values] = {}
        self._first = head
        self._size = head.size
        self._versions = versions
        self._keys = keys

    def head(self) -> Head:
        """Return the ledger's head after the admitted requests."""
        return Head(self._size, moment(self.last), self._first.edge.extend(self._leaves))

    def admit(self, request: Request) -> Sequence[int]:
        """Take in one request and return the positions of its events.

        Raises AlreadyRecorded, KeyReused, LedgerGrown, StreamMoved, ClockBehind, or IntegrityError for a version that
        is not the next one; then the batch is as it was.
        """
        # 1. The key.
        if request.idempotency is not None:
            self._check_key(request.idempotency)
        # 2. What the decision depended on.
        if request.expected_size is not None and request.expected_size != self._size:
            raise LedgerGrown(request.expected_size, self._size)
        for stream, expected in request.expects.items():
            found = self._versions.get(stream, 0)
            if found != expected:
                raise StreamMoved(stream, expected, found)
        # 3. Versions.
        moved = self._next_versions(request.events)
        # 4. Time.
        recorded_at = self.last if request.recorded_at is None else request.recorded_at
        if recorded_at < self.last:
            raise ClockBehind(moment(recorded_at), moment(self.last))
        # 5. Nothing can be refused from here on.
        self.last = recorded_at
        self._versions.update(moved)
        return self._add(request, recorded_at)

    def notifications(self) -> list[Notification]:
        """Return the admitted requests' events with their positions."""
        return [
            Notification(event.originator_id, event.originator_version, event.topic, event.state, position)
            for position, event in enumerate(self._events, self._first.size + 1)
        ]

    @property
    def document_rows(self) -> list[Values]:
        """The admitted requests' documents, each once."""
        return list(self._documents.values())

    def outcome(self, request: Request) -> Outcome:
        """Admit one request: the positions of its events, or why it was refused."""
        try:
            return self.admit(request)
        except (AppendRefused, IntegrityError) as refusal:
            return refusal

    def _check_key(self, idempotency: Idempotency) -> None:
        used = self._keys.get(idempotency.key)
        if used is None:
            return
        if used.digest != idempotency.digest:
            raise KeyReused(idempotency.key, used.first_position)
        raise AlreadyRecorded(idempotency.key, used.first_position, used.last_position)

    def _next_versions(self, events: Sequence[StoredEvent]) -> dict[UUID, int]:
        moved: dict[UUID, int] = {}
        for event in events:
            stream, version = stream_of(event.originator_id), event.originator_version
            present = moved[stream] if stream in moved else self._versions.get(stream)
            if present is not None and version != present + 1:
                raise IntegrityError(f"stream {stream} has version {present}: expected {present + 1}, got {version}")
            moved[stream] = version
        return moved

    def _add(self, request: Request, recorded_at: int) -> Sequence[int]:
        ledger, first = self.ledger, self._size + 1
        leaves = [leaf_hash(event.state) for event in request.events]
        self._leaves += leaves
        self.event_rows += [
            {
                "ledger": ledger,
                "position": position,
                "stream": stream_of(event.originator_id).bytes,
                "version": event.originator_version,
                "topic": event.topic,
                "state": event.state,
                "leaf_hash": leaf,
                "recorded_at": recorded_at,
            }
            for position, (event, leaf) in enumerate(zip(request.events, leaves, strict=True), first)
        ]
        self._events += request.events
        self._size += len(request.events)
        if request.idempotency is not None:
            self._add_key(request.idempotency, first)
        for content in request.documents:
            digest = sha256(content).digest()
            self._documents[digest] = {"ledger": ledger, "digest": digest, "content": content}
        return list(range(first, self._size + 1))

    def _add_key(self, idempotency: Idempotency, first: int) -> None:
        record = KeyRecord(idempotency.digest, first, self._size)
        self._keys[idempotency.key] = record
        self.key_rows.append({"ledger": self.ledger, "key": idempotency.key, **record._asdict()})


def looked_up(requests: Iterable[Request]) -> set[UUID]:
    """Return the streams whose present version has to be known to admit the requests.

    A stream that begins with version 1, and that no decision depended on, is almost always new: the table's own
    constraint finds the rare one that is not, and saves a look-up for each observation.
    """
    streams = {stream for request in requests for stream in request.expects}
    for request in requests:
        begun: set[UUID | str] = set()
        for event in request.events:
            if event.originator_version == 1:
                begun.add(event.originator_id)
            elif event.originator_id not in begun:
                streams.add(stream_of(event.originator_id))
    return streams


def stream_of(originator_id: UUID | str) -> UUID:
    """Return the stream's UUID; raises TypeError for text, which no stream of a ledger is named by."""
    if isinstance(originator_id, UUID):
        return originator_id
    raise TypeError(f"expected a UUID as the name of a stream, got {originator_id!r}")


def microseconds(when: datetime) -> int:
    """Return whole microseconds since 1970 UTC; raises ValueError for a moment without a zone."""
    if when.utcoffset() is None:
        raise ValueError(f"the moment {when.isoformat()} has no time zone; give one")
    return (when - EPOCH) // _MICROSECOND


def moment(since_epoch: int) -> datetime:
    """Return the moment (UTC) that lies so many microseconds after 1970 UTC."""
    return EPOCH + timedelta(microseconds=since_epoch)
