"""From an event's exact bytes to what can be worked with: strictly, so that no bytes have two readings. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from ledger.canonical import JsonProblem
from ledger.event_bytes import EventMapper
from ledger.events import Event, Evidence, EvidenceErased, OfYear
from ledger.facts import ENTRIES, fact_row
from ledger.merkle import leaf_hash
from projections.bundles.format import EvidenceNamed
from projections.years import PROCEEDING_TOPICS, YEAR_TOPICS, FactEntry, Recorded, fact_entry

_NO_STREAM = UUID(int=0)
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading values of an unexpected shape raises."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One event of a ledger: its position, its exact bytes, their hash as a leaf, and what they say."""

    position: int
    state: bytes
    leaf: bytes
    content: Mapping[str, Any]
    event: Event

    @property
    def stream(self) -> UUID:
        """The stream of the event."""
        return self.event.originator_id


def ledger_entry(position: int, state: bytes, mapper: EventMapper) -> LedgerEntry:
    """Return what the bytes say; raises ValueError for all that a ledger would not have written just so."""
    try:
        event = mapper.to_domain_event(StoredEvent(_NO_STREAM, 0, "", state))
        again = mapper.to_stored_event(event).state
    except JsonProblem as problem:
        raise ValueError(f"{problem.where}: {problem.message}") from None
    except UNREADABLE as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"no event of this ledger: {said}") from None
    if again != state:
        raise ValueError("written again, the event has other bytes: they are not its canonical form")
    return LedgerEntry(position, state, leaf_hash(state), json.loads(state), event)


def fact_entries(entries: Iterable[LedgerEntry], year: int) -> list[FactEntry]:
    """Return what the entries say of the year's observations, as the `facts` table would hold it."""
    return [
        fact_entry(fact_row(one.position, one.content))
        for one in entries
        if one.event.wire in ENTRIES and cast("OfYear", one.event).year == year
    ]


def turns(entries: Iterable[LedgerEntry], year: int) -> list[Recorded]:
    """Return the events of the year's own stream and of its appeals and claims."""
    topics = {*YEAR_TOPICS, *PROCEEDING_TOPICS}
    return [
        Recorded(one.position, one.event)
        for one in entries
        if isinstance(one.event, OfYear) and one.event.wire in topics and one.event.year == year
    ]


def evidence_of(event: Event) -> Sequence[Evidence]:
    """Return the evidence that an event names."""
    return cast("Sequence[Evidence]", getattr(event, "evidence", ()))


def evidence_named(entries: Sequence[LedgerEntry]) -> list[EvidenceNamed]:
    """Return the commitments that the entries name, in their order, with their titles and which were erased."""
    titles: dict[str, set[str]] = {}
    for one in entries:
        for evidence in evidence_of(one.event):
            if evidence.file is not None:
                titles.setdefault(evidence.file, set()).add(evidence.title)
    erased = {one.event.commitment for one in entries if isinstance(one.event, EvidenceErased)}
    return [
        EvidenceNamed(commitment=commitment, titles=sorted(titles[commitment]), erased=commitment in erased)
        for commitment in sorted(titles)
    ]
