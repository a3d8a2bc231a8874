"""Which change of a scheme causes how much of the difference between two versions of a year.

Each scoring change is made alone in the old version and the year scored under it; what all of them do together is the
new version's sheet less the old one's. What single changes do not explain is what only their combination does: the
remainder. So for every unit, and for every row of it, the parts and the remainder add up to the difference: always.

A change in a row is only worked out for the units of its group, and only that row of them; a change of caps, floors or
gates takes every row as it is. The facts that count are worked out once, unless a change is of the period or stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from schemes.comparing.changes import Change
from schemes.comparing.differences import with_changes
from schemes.exact import ZERO, exact_arithmetic
from schemes.problem import refuse
from schemes.questions.smallest_sets import grade_order
from schemes.scheme import Indicator, Scheme
from schemes.sheets import Score, Sheet, Situation, sheets

Edge = Literal["up", "down", "other"]
Parts = tuple[Decimal, ...]
"""What each scoring change does alone, in the order of the changes."""


@dataclass(frozen=True, slots=True)
class RowAttribution:
    """What the new version does to one row of one unit; a value is null where that version's sheet has no such row.

    `difference` counts a missing row as 0; it is the sum of `alone` and the `remainder`.
    """

    indicator: Indicator
    before: Decimal | None
    after: Decimal | None
    difference: Decimal
    alone: Parts
    remainder: Decimal


@dataclass(frozen=True, slots=True)
class UnitAttribution:
    """What the new version does to one unit: both sheets, and how much of the difference each change causes.

    `difference` is the sum of `alone` and the `remainder`. `edge` says that the unit crosses into a better grade, a
    worse one, or one that the two versions do not order; null where the grade stays. `rows` are those that any
    version or change moves.
    """

    unit: str
    before: Sheet
    after: Sheet
    difference: Decimal
    alone: Parts
    remainder: Decimal
    edge: Edge | None
    rows: tuple[RowAttribution, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The scoring changes, and what they do to every unit, in the order of groups and units."""

    changes: tuple[Change, ...]
    units: tuple[UnitAttribution, ...]


def single_changes(old: Scheme, new: Scheme, changes: Sequence[Change]) -> tuple[Scheme, ...]:
    """Return the old version with each scoring change made alone; the same for every year that is replayed so."""
    return tuple(with_changes(old, new, [change]) for change in changes if change.scoring)


def attribution(
    situation: Situation,
    revised: Situation,
    changes: Sequence[Change],
    known: Mapping[str, Sheet] | None = None,
    versions: Sequence[Scheme] | None = None,
) -> Attribution:
    """Return what the revised situation, which differs in its scheme alone, does to every unit, change by change.

    `changes` are those that `schemes.comparing.differences` finds between the two schemes; `known` are the situation's
    sheets, and `versions` what `single_changes` returns, where they are worked out already. Raises `InvalidInput` when
    the versions are for other groups of units.
    """
    groups = [group.id for group in situation.scheme.groups]
    if set(groups) != {group.id for group in revised.scheme.groups} or situation.roster != revised.roster:
        raise refuse(
            "replay-groups", "scheme", f"expected a version for the same units and groups: {', '.join(groups)}"
        )
    with exact_arithmetic():
        scoring = tuple(change for change in changes if change.scoring)
        before = sheets(situation) if known is None else known
        after = sheets(revised)
        single = single_changes(situation.scheme, revised.scheme, scoring) if versions is None else versions
        alone = [_scores(situation, before, version) for version in single]
        return Attribution(scoring, tuple(_units(situation.scheme, revised.scheme, before, after, alone)))


def _scores(situation: Situation, known: Mapping[str, Sheet], scheme: Scheme) -> Mapping[str, Score]:
    """Return the scores of the units that the version may score otherwise than the situation's."""
    old = situation.scheme
    if (scheme.year, scheme.period, scheme.stages) != (old.year, old.period, old.stages):
        year = replace(situation, scheme=scheme).year
        return {unit: year.score(unit) for unit in year.group_of}
    year = situation.year.under(scheme)
    everywhere = _totalled(scheme) != _totalled(old)
    found = {}
    for group, units in situation.roster.items():
        rows, new_rows = _rows_by_id(old, group), _rows_by_id(scheme, group)
        same = {name for name, row in new_rows.items() if name in rows and (row is rows[name] or row == rows[name])}
        if everywhere or len(same) < max(len(rows), len(new_rows)):
            for unit in units:
                settled = {row.indicator.id: row for row in known[unit].score.rows if row.indicator.id in same}
                found[unit] = year.score(unit, settled=settled)
    return found


def _rows_by_id(scheme: Scheme, group: str) -> dict[str, Indicator]:
    found = scheme.group(group)
    return {row.id: row for row in found.indicators} if found else {}


def _totalled(scheme: Scheme) -> tuple[object, ...]:
    """Return what of a version makes totals from rows."""
    caps = (scheme.full, scheme.cap, scheme.cap_after, scheme.floor, scheme.bonus_cap, scheme.penalty_cap)
    return (*caps, scheme.bonus_gate, scheme.not_applicable, scheme.vetoes)


def _units(
    old: Scheme,
    new: Scheme,
    before: Mapping[str, Sheet],
    after: Mapping[str, Sheet],
    alone: Sequence[Mapping[str, Score]],
) -> Iterator[UnitAttribution]:
    for unit, was in before.items():
        becomes = after[unit]
        scores = [found.get(unit, was.score) for found in alone]
        parts = tuple(score.total - was.total for score in scores)
        difference = becomes.total - was.total
        rows = tuple(_rows(was.score, becomes.score, scores))
        edge = _edge(grade_order(old, was.group), grade_order(new, was.group), was.grade, becomes.grade)
        yield UnitAttribution(unit, was, becomes, difference, parts, difference - sum(parts, ZERO), edge, rows)


def _rows(before: Score, after: Score, alone: Sequence[Score]) -> Iterator[RowAttribution]:
    scores = [before, after, *alone]
    if all(score.rows == before.rows for score in scores):
        return
    values = [{row.indicator.id: row.value for row in score.rows} for score in scores]
    indicators = {row.indicator.id: row.indicator for score in reversed(scores) for row in score.rows}
    for name in dict.fromkeys(row.indicator.id for score in scores for row in score.rows):
        was, becomes, *others = (found.get(name) for found in values)
        if any(value != was for value in (becomes, *others)):
            difference = (becomes or ZERO) - (was or ZERO)
            parts = tuple((value or ZERO) - (was or ZERO) for value in others)
            remainder = difference - sum(parts, ZERO)
            yield RowAttribution(indicators[name], was, becomes, difference, parts, remainder)


def _edge(old: Sequence[str], new: Sequence[str], was: str | None, becomes: str | None) -> Edge | None:
    if was == becomes:
        return None
    for order in (new, old):
        if was in order and becomes in order:
            return "up" if order.index(becomes) < order.index(was) else "down"
    return "other"
