"""Which streams a bundle of one unit needs: chosen from all events of the ledger. Pure.

Whole streams are taken, so that their versions have no gaps:

1. the year's own stream, and those of the schemes that it names;
2. every observation of the year that ever read as one of the unit, or as of a kind that rows of the unit's group
   compare across units; what a late reply is derived from counts as one;
3. the unit's appeals and claims, and every appeal whose decision ordered an entry taken;
4. erasures of files that entries taken name;
5. proposals whose approval recorded an entry taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from ledger.decisions import Unit, YearState, fold_year
from ledger.events import (
    AppealFiled,
    ClaimFiled,
    EvidenceErased,
    ObservationAmended,
    ObservationObserved,
    OfYear,
    ProposalApproved,
    SchemeAdopted,
    SchemeRegistered,
    YearOpened,
)
from projections.bundles.entries import LedgerEntry, evidence_of
from projections.years import YEAR_TOPICS
from schemes.rules import kinds_of
from schemes.scheme import Scheme
from schemes.sheets import ACROSS_UNITS

_REQUESTS = frozenset({"request_received", "request_extended", "request_answered"})


def entries_for(entries: Sequence[LedgerEntry], year: int, unit: Unit, scheme: Scheme) -> list[LedgerEntry]:
    """Return what a bundle of the unit holds, in ledger order; `entries` are all of the ledger."""
    of_year = [one for one in entries if isinstance(one.event, OfYear) and one.event.year == year]
    streams = set(_year_and_schemes(entries, of_year))
    streams |= set(_observations(of_year, _names(of_year, unit), compared_kinds(scheme, unit.group)))
    for one in of_year:
        if isinstance(one.event, AppealFiled | ClaimFiled) and one.event.unit == unit.key:
            streams.add(one.stream)
    streams |= {
        decision
        for one in of_year
        if one.stream in streams and (decision := getattr(one.event, "decision", None)) is not None
    }
    files = {evidence.file for one in entries if one.stream in streams for evidence in evidence_of(one.event)}
    streams |= {
        one.stream for one in entries if isinstance(one.event, EvidenceErased) and one.event.commitment in files
    }
    streams |= set(_proposals(entries, streams))
    return [one for one in entries if one.stream in streams]


def compared_kinds(scheme: Scheme, group: str) -> frozenset[str]:
    """Return the kinds of facts of other units that the rows of the group's sheets look at."""
    found = scheme.group(group)
    rules = (rule for row in (found.indicators if found else ()) for rule in row.rules)
    kinds = {kind for rule in rules if isinstance(rule, ACROSS_UNITS) for kind in kinds_of(rule)}
    return frozenset(kinds | _REQUESTS if "late_reply" in kinds else kinds)


def _names(of_year: Sequence[LedgerEntry], unit: Unit) -> frozenset[str]:
    """Return every name that the unit ever had this year, also those it got later than what is asked about."""
    state = YearState(0)
    for one in of_year:
        if one.event.wire in YEAR_TOPICS:
            state = fold_year(state, one.event)
    return frozenset({unit.key, *(name for _, name in state.units[unit.key].names)})


def _year_and_schemes(entries: Sequence[LedgerEntry], of_year: Sequence[LedgerEntry]) -> Iterator[UUID]:
    named = set()
    for one in of_year:
        if one.event.wire in YEAR_TOPICS:
            yield one.stream
        if isinstance(one.event, YearOpened | SchemeAdopted):
            named.add(one.event.scheme.digest)
    for one in entries:
        if isinstance(one.event, SchemeRegistered) and one.event.scheme.digest in named:
            yield one.stream


def _observations(of_year: Sequence[LedgerEntry], names: frozenset[str], kinds: frozenset[str]) -> Iterator[UUID]:
    for one in of_year:
        if isinstance(one.event, ObservationObserved | ObservationAmended):
            reading = one.event.reading
            if reading.unit in names or reading.kind in kinds:
                yield one.stream


def _proposals(entries: Sequence[LedgerEntry], streams: set[UUID]) -> Iterator[UUID]:
    """Yield the proposals whose approval recorded an entry of the streams, directly behind itself."""
    for at, one in enumerate(entries):
        if isinstance(one.event, ProposalApproved):
            behind = entries[at + 1 : at + 1 + one.event.recorded]
            if any(recorded.stream in streams for recorded in behind):
                yield one.stream
