"""The events of a ledger read back from their rows, each held against its own bytes.

Rules kept here:

1. Positions are whole numbers 1, 2, 3… without a hole.
2. The leaf hash is that of the bytes.
3. The bytes are strict JSON of an event of this ledger that this program knows, in exactly the form that it writes:
   canonical, with nothing more and nothing less.
4. Stream, version, type and moment are what the bytes say.

What one event says of another is left to `ledger.checking.sequence`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from sqlalchemy import RowMapping

from ledger.appends import microseconds
from ledger.canonical import canonical_bytes, read_json
from ledger.checking.findings import Finding, finding
from ledger.checking.snapshots import Rows
from ledger.event_bytes import EventMapper
from ledger.events import Event
from ledger.merkle import leaf_hash
from ledger.tables import events

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading bytes that are no event raises."""
_NOWHERE: Final = UUID(int=0)
_EXCERPT: Final = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its position: the exact bytes, their leaf hash, and the event they are, if they are one."""

    position: int
    state: bytes
    leaf: bytes
    event: Event | None


class Read(NamedTuple):
    """One row read: the entry, unless its position is none, and what is wrong with it."""

    entry: Entry | None
    findings: list[Finding]


def read_entries(rows: Rows, code: str) -> Iterator[Read]:
    """Yield the ledger's rows of the table `events` by position; a hole is told with the row behind it."""
    mapper, after = EventMapper(code), 0
    for row in rows.of(events, code, events.c.position):
        position = row["position"]
        if type(position) is not int or position <= after:
            yield Read(None, [finding(None, "position-invalid", "events.position", "1, 2, 3…", position)])
            continue
        missing = missing_between(after, position)
        entry, found = _read(mapper, position, row)
        yield Read(entry, missing + found)
        after = position


def missing_between(after: int, position: object) -> list[Finding]:
    """Return the finding that there is no event between two positions; none where they are neighbours."""
    if not isinstance(position, int) or position <= after + 1:
        return []
    return [finding(after + 1, "position-missing", "events.*", f"events {after + 1} to {position - 1}", None)]


def _read(mapper: EventMapper, position: int, row: RowMapping) -> tuple[Entry, list[Finding]]:
    found: list[Finding] = []
    state = row["state"]
    if type(state) is not bytes:
        found.append(finding(position, "cell-type", "events.state", "bytes", f"{type(state).__name__} {state!r}"))
        # What SQLite's shell has turned into text has the same bytes.
        state = state.encode("utf-8", "surrogateescape") if isinstance(state, str) else b""
    leaf = leaf_hash(state)
    if row["leaf_hash"] != leaf:
        found.append(finding(position, "leaf-hash", "events.leaf_hash", leaf, row["leaf_hash"]))
    try:
        event = mapper.to_domain_event(StoredEvent(_NOWHERE, 0, "", state))
        written = mapper.to_stored_event(event)
    except UNREADABLE as error:
        expected = "an event of this ledger that this program knows"
        found.append(
            finding(position, "event-unreadable", "events.state", expected, f"{_first_line(error)}: {state!r}")
        )
        return Entry(position, state, leaf, None), found
    if written.state != state:
        found.append(_form(position, state, written.state))
    columns = {
        "stream": event.originator_id.bytes,
        "version": event.originator_version,
        "topic": event.wire,
        "recorded_at": microseconds(event.recorded_at),
    }
    found += [
        finding(position, "column-differs", f"events.{name}", value, row[name])
        for name, value in columns.items()
        if row[name] != value
    ]
    return Entry(position, state, leaf, event), found


def _form(position: int, state: bytes, written: bytes) -> Finding:
    """Tell whether the bytes are not canonical, or are not all that the event says and nothing else."""
    canonical = canonical_bytes(read_json(state))
    code, expected = ("event-not-canonical", canonical) if canonical != state else ("event-form", written)
    at = next((at for at, (one, other) in enumerate(zip(expected, state, strict=False)) if one != other), len(state))
    start = max(0, at - _EXCERPT // 2)
    shown = [repr(one[start : start + _EXCERPT]) for one in (expected, state)]
    return finding(position, code, "events.state", f"at byte {at} {shown[0]}", shown[1])


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
