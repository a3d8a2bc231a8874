"""Tables whose rows follow from the events, walked beside them in the order of positions.

Rules kept here:

1. The rows of `facts` are those that the events give, and no others.
2. The ranges of the idempotency keys cover each event once: every append has a key.
3. A stream that was named by its append's key is named by that key.

What was asked for under a key (its digest), and a key that named no stream, do not follow from the events: of these
only the form is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import uuid5

from sqlalchemy import RowMapping

from ledger.appending import STREAMS
from ledger.checking.entries import Entry
from ledger.checking.findings import Finding, finding
from ledger.events import AppealFiled, Event, ObservationObserved, ProposalMade
from ledger.facts import ENTRIES, fact_row
from ledger.tables import facts

_NO_FACT: Final[Mapping[str, Any]] = dict.fromkeys(facts.c.keys())
_DIGEST_SIZE: Final = 32
_KEY: Final = re.compile(r"[\x21-\x7e]{1,256}")
_NAMED_BY_KEY: Final[Mapping[type[Event], str]] = {
    ObservationObserved: "observation",
    ProposalMade: "proposal",
    AppealFiled: "appeal",
}


def expected_fact(code: str, entry: Entry) -> Mapping[str, Any] | None:
    """Return the row of the table `facts` that the entry gives, if it is an entry of an observation."""
    if entry.event is None or entry.event.wire not in ENTRIES:
        return None
    return {**_NO_FACT, **fact_row(entry.position, json.loads(entry.state)), "ledger": code}


class Facts:
    """The ledger's rows of the table `facts`, given in the order of positions."""

    def __init__(self, code: str, rows: Iterator[RowMapping]) -> None:
        self._code = code
        self._rows = rows
        self._next = next(rows, None)

    def follow(self, entry: Entry) -> Iterator[Finding]:
        """Yield what is wrong with the rows up to the entry's position."""
        expected = expected_fact(self._code, entry)
        while (
            self._next is not None and type(self._next["position"]) is int and self._next["position"] <= entry.position
        ):
            row, self._next = self._next, next(self._rows, None)
            if expected is not None and (row["position"], row["year"]) == (expected["position"], expected["year"]):
                yield from _differences(entry.position, expected, row)
                expected = None
            else:
                yield _surplus(row)
        if expected is not None:
            yield finding(entry.position, "fact-missing", "facts.*", expected, None)

    def end(self) -> Iterator[Finding]:
        """Yield the rows behind the last event."""
        while self._next is not None:
            yield _surplus(self._next)
            self._next = next(self._rows, None)


def _differences(position: int, expected: Mapping[str, Any], row: RowMapping) -> Iterator[Finding]:
    for name, value in expected.items():
        found = row[name]
        if found != value:
            yield finding(position, "fact-differs", f"facts.{name}", value, found)


def _surplus(row: RowMapping) -> Finding:
    position = row["position"] if type(row["position"]) is int else None
    return finding(position, "fact-surplus", "facts.*", None, dict(row))


class Keys:
    """The ledger's rows of the table `idempotency_keys`, given in the order of their ranges."""

    def __init__(self, code: str, rows: Iterator[RowMapping]) -> None:
        self._code = code
        self._rows = rows
        self._next = next(rows, None)
        self._key: object = None
        self._first = self._until = self._uncovered = 0

    def follow(self, entry: Entry) -> Iterator[Finding]:
        """Yield what is wrong with the key of the entry, and with those before it."""
        while self._next is not None and (not _is_range(self._next) or self._next["first_position"] <= entry.position):
            yield from self._take()
        if entry.position <= self._until:
            yield from self._name(entry)
        elif self._uncovered < entry.position - 1 or not self._uncovered:
            # Of neighbours without a key the first is told.
            yield finding(entry.position, "key-missing", "idempotency_keys.*", "a key that recorded it", None)
        if entry.position > self._until:
            self._uncovered = entry.position

    def end(self, last: int) -> Iterator[Finding]:
        """Yield what is wrong with the keys behind the last event."""
        while self._next is not None:
            yield from self._take()
        if self._until > last:
            found = f"{self._first} to {self._until} of the key {self._key}"
            yield finding(None, "key-range", "idempotency_keys.last_position", f"at most {last}", found)

    def _take(self) -> Iterator[Finding]:
        row = self._next
        self._next = next(self._rows, None)
        if row is None:
            return
        position = row["first_position"] if type(row["first_position"]) is int else None
        if type(row["digest"]) is not bytes or len(row["digest"]) != _DIGEST_SIZE:
            yield finding(position, "key-form", "idempotency_keys.digest", "32 bytes", row["digest"])
        if type(row["key"]) is not str or not _KEY.fullmatch(row["key"]):
            expected = "1 to 256 visible ASCII characters"
            yield finding(position, "key-form", "idempotency_keys.key", expected, row["key"])
        told = f"{row['first_position']} to {row['last_position']} of the key {row['key']}"
        if not _is_range(row):
            yield finding(position, "key-range", "idempotency_keys.*", "positions from 1 that rise", told)
            return
        if row["first_position"] <= self._until:
            expected = f"positions after {self._until}, the last of the key {self._key}"
            yield finding(position, "key-overlap", "idempotency_keys.*", expected, told)
        if row["last_position"] > self._until:
            self._key, self._first, self._until = row["key"], row["first_position"], row["last_position"]

    def _name(self, entry: Entry) -> Iterator[Finding]:
        """Hold a stream's id against the key: directly, or by its place among what a decision or approval ordered."""
        event = entry.event
        kind = _NAMED_BY_KEY.get(type(event)) if event is not None else None
        if event is None or kind is None or event.originator_version != 1:
            return
        place = entry.position - self._first
        ends: tuple[str, ...] = ("",)
        if kind != "appeal":
            ends = tuple(f"/{one}" for one in (place, place - 1, place - 2))
        key = self._key if isinstance(self._key, str) else ""
        named = (uuid5(STREAMS, _encodable(f"{self._code}/{kind}/{key}{end}")) for end in ends)
        if not any(one == event.originator_id for one in named):
            expected = f"the key that named the stream {event.originator_id}"
            yield finding(entry.position, "key-differs", "idempotency_keys.key", expected, self._key)


def _encodable(text: str) -> str:
    """Return the text with what no UTF-8 can hold replaced: no stream is named so."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_range(row: RowMapping) -> bool:
    first, last = row["first_position"], row["last_position"]
    return type(first) is int and type(last) is int and 1 <= first <= last
