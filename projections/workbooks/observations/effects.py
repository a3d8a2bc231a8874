"""What recording the rows of a workbook together would do: totals, proposals, rows without effect, rows said before.

Told of many thousand rows too; why a row has no effect is told only where `projections.questions.previews` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger.commands import Observe
from ledger.events import Reading
from projections.admission import SchemeAdmission
from projections.questions.previews import MOST_EXPLAINED, preview
from projections.questions.what_ifs import unit_name
from projections.readings import renamed
from projections.scheme_files import vocabulary
from projections.years import YearView
from schemes.exact import plain
from schemes.fact import Fact
from schemes.questions.what_if import Supposition, what_if


@dataclass(frozen=True, slots=True)
class UnitEffect:
    """What is done to one unit: how many observations it gets, and its total and rank before and after."""

    unit: str
    observations: int
    before: str
    after: str
    difference: str
    rank_before: int
    rank_after: int


@dataclass(frozen=True, slots=True)
class Idle:
    """An observation, by its place among all, that moves no score beside the others, and why."""

    at: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """What recording does. `alike` are the places of observations that stand in the ledger in the same words.

    One that stands there once is alike once: of two such rows, the second is new.
    `units` are those that get observations or whose total moves; `proposed` counts what waits for a second person, and
    is counted into the totals as if it were approved.
    """

    units: tuple[UnitEffect, ...]
    proposed: int
    alike: tuple[int, ...]
    idle: tuple[Idle, ...]


def effects(view: YearView, observations: Sequence[Observe]) -> Effects:
    """Return what recording the observations, which the ledger has admitted, would do to the year of the view."""
    facts = [_fact(view, at, one) for at, one in enumerate(observations)]
    outcome = what_if(view.situation, Supposition(added=tuple(facts)), view.sheets())
    counts = Counter(fact.unit for fact in facts)
    admission = SchemeAdmission(lambda _: view.scheme)
    moved = {change.unit: change for change in outcome.changes}
    units = []
    for key, before in view.sheets().items():
        change = moved.get(key)
        after = before if change is None else change.after
        if counts[key] or after.total != before.total:
            difference = "0" if change is None else plain(change.difference)
            totals = (plain(before.total), plain(after.total), difference)
            units.append(UnitEffect(unit_name(view, key), counts[key], *totals, before.rank, after.rank))
    return Effects(
        tuple(units),
        sum(admission.weighs(view.state, _reading(one)) for one in observations),
        tuple(_alike(view, facts)),
        _idle(view, observations) if len(observations) <= MOST_EXPLAINED else (),
    )


def _alike(view: YearView, facts: Sequence[Fact]) -> Iterator[int]:
    left = Counter(_words(fact) for fact in view.facts)
    for at, fact in enumerate(facts):
        words = _words(fact)
        if left[words] > 0:
            left[words] -= 1
            yield at


def _idle(view: YearView, observations: Sequence[Observe]) -> tuple[Idle, ...]:
    return tuple(
        Idle(one.at, tuple(reason.sentence for reason in one.why_not))
        for one in preview(view, observations).observations
        if one.difference is not None and not Decimal(one.difference)
    )


def _reading(wish: Observe) -> Reading:
    return Reading.model_construct(
        unit=wish.unit, kind=wish.kind, occurred_on=wish.occurred_on, count=wish.count, attributes=wish.attributes
    )


def _fact(view: YearView, at: int, wish: Observe) -> Fact:
    values = vocabulary().typed(wish.kind, wish.attributes)
    position = view.position + 1 + at
    said = Fact(f"new/{at}", position, wish.unit, wish.kind, wish.occurred_on, wish.count, values)
    [fact] = renamed([said], view.state.keys_by_name)
    return fact


def _words(fact: Fact) -> tuple[object, ...]:
    """What a fact says, to tell whether another says the same."""
    return (fact.unit, fact.kind, fact.occurred_on, fact.count, tuple(sorted(fact.attributes.items())))
