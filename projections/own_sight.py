"""What those see of a year who speak for some of its units only.

Rules kept here:

1. A unit is theirs by every name that it has now, whatever day or moment is looked at.
2. What gives a row its points by itself (`WITHHELD`) is not there until it is part of a release.
3. Of an observation that was amended from one unit to another, each side sees the entries made while it was its own,
   and of the one that moved it no more than that: not the reason, the note, the evidence, nor the other's reading.
4. Who rated a unit, and how, is not told, nor on what: ratings are told together, by what they come to.

Scores are those of all units together, and are worked out elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ledger.decisions import Released, YearState
from schemes.exact import ZERO
from schemes.fact import Fact
from schemes.history import HistoryLine

if TYPE_CHECKING:
    from projections.years import FactEntry

WITHHELD: Final = frozenset({"judgement", "discretion", "rating", "prior_grade", "ranking"})
"""The kinds whose facts are points, a rank or a grade: units see them with their scores, not before."""
_RATER: Final = frozenset({"rater", "value"})


@dataclass(frozen=True, slots=True)
class OwnSight:
    """The units' keys, their keys by all their names, and what of the year was released."""

    keys: frozenset[str]
    names: Mapping[str, str]
    released: Released | None

    @classmethod
    def of(cls, present: YearState, names: Iterable[str]) -> OwnSight:
        """Return the sight of those who speak for the units of these names; `present` is the year as it is now."""
        units = {unit.key: unit for unit in map(present.unit, names) if unit is not None}
        by_name = {name: key for key, unit in units.items() for name in (key, *(name for _, name in unit.names))}
        return cls(frozenset(units), by_name, present.released)

    def shows(self, name: str) -> bool:
        """Whether the unit that has or had this name is one of theirs."""
        return name in self.names

    def shows_reading(self, fact: Fact, position: int) -> bool:
        """Whether what an entry at that ledger position says, or leaves standing, is theirs to see."""
        if not self.shows(fact.unit):
            return False
        if fact.kind not in WITHHELD:
            return True
        released = self.released
        return released is not None and position <= released.position and fact.occurred_on <= released.as_of

    def entries(self, entries: Sequence[FactEntry]) -> Iterator[FactEntry]:
        """Yield what they see of all that was said of one observation, oldest first."""
        standing: Fact | None = None
        for entry in entries:
            before, standing = standing, entry.said.fact or standing
            if standing is None:
                continue
            seen_before = before is None or self.shows_reading(before, entry.position)
            seen_now = self.shows_reading(standing, entry.position)
            if seen_before and seen_now:
                yield self._without_rater(entry, standing)
            elif seen_now:
                yield self._without_rater(replace(entry, reason=None, note=None, evidence=()), standing)
            elif seen_before and before is not None and not self.shows(standing.unit):
                said = replace(entry.said, fact=None)
                yield replace(entry, attributes=None, reason=None, note=None, evidence=(), said=said)

    def _without_rater(self, entry: FactEntry, standing: Fact) -> FactEntry:
        if standing.kind != "rating":
            return entry
        fact = entry.said.fact
        said = replace(entry.said, fact=None if fact is None else without_rater(fact))
        attributes = None if entry.attributes is None else _without(entry.attributes)
        return replace(entry, attributes=attributes, reason=None, note=None, evidence=(), said=said)


def without_rater(fact: Fact) -> Fact:
    """Return a rating without who gave it and what; any other fact as it is."""
    return replace(fact, attributes=_without(fact.attributes)) if fact.kind == "rating" else fact


def _without(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in _RATER}


def ratings_together(lines: Sequence[HistoryLine]) -> Iterator[HistoryLine]:
    """Yield a history's lines, of each row's ratings only the last, with what all of them changed.

    The running totals are those without what is not told yet, so that the lines still add up.
    """
    last = {_rated(line): at for at, line in enumerate(lines)}
    held: dict[object, HistoryLine] = {}
    for at, line in enumerate(lines):
        row = _rated(line)
        told = line
        if row is not None:
            told = _added(held.pop(row), line) if row in held else line
            if at < last[row]:
                held[row] = told
                continue
        untold = sum((one.effective for one in held.values()), ZERO)
        yield replace(told, running_total=told.running_total - untold)


def _rated(line: HistoryLine) -> object:
    """Return the row of a line about a rating, null of any other line."""
    if line.fact is None or line.fact.kind != "rating":
        return None
    return ("total", "") if line.indicator is None else (line.indicator.stage, line.indicator.id)


def _added(earlier: HistoryLine, line: HistoryLine) -> HistoryLine:
    return replace(
        line,
        nominal=_sum_or_none(earlier.nominal, line.nominal),
        indicator_points=earlier.indicator_points + line.indicator_points,
        effective=earlier.effective + line.effective,
        swallowed_by=tuple(dict.fromkeys((*earlier.swallowed_by, *line.swallowed_by))),
    )


def _sum_or_none(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second
