"""A unit's total over the year, day by day, with what was entered on each; and what its total is put together from.

1. A total of the course is that of the sheet as of that day: facts up to its end, the units assessed on it, derived
   late replies and rectifications that hold by then. It is scored for the one unit, on the days on which anything it
   looks at can differ; of other units only the kinds of facts are looked at that the scheme compares units by.
2. The entries of a day are the lines of the unit's history, whose effective points follow the order of facts. Where
   units are compared, or a rectification or an answer comes later, a day's total may move by more, or without any.
3. A waterfall goes from the full points of the base rows to the total; its steps add up to it exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Literal

from ledger.decisions import Unit
from projections.answer_models import Answer, HistoryAnswer, LineAnswer, Points, SheetAnswer, Standing
from projections.answers import history_answer, standing
from projections.years import YearView
from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.fact import REQUEST_KINDS, Fact
from schemes.late_replies import derived_late_replies
from schemes.rules import kinds_of
from schemes.scheme import Scheme
from schemes.sheets import ACROSS_UNITS, Year, counting_facts

_OF_LATE_REPLIES = REQUEST_KINDS | {"late_reply"}


class CourseDay(Answer):
    """A day with entries, or on which the total moved: the total at its end, and what it moved by since the last one.

    `lines` are those of the history whose facts occurred on the day.
    """

    day: date
    total: Points
    difference: Points
    lines: list[LineAnswer]


class CourseAnswer(Standing):
    """A unit's total over the year, up to the day asked for.

    `first` is the day from which it is assessed; `days` begin with it, whether it has entries or not.
    """

    unit: str
    key: str
    first: date
    days: list[CourseDay]


class StepAnswer(Answer):
    """A step of a waterfall: what it changes, and where it leads to."""

    step: Literal["full", "rows", "adjustment", "bonus", "penalty", "limits", "total"]
    title: str
    points: Points
    running: Points


def course_answer(view: YearView, unit: Unit, history: HistoryAnswer | None = None) -> CourseAnswer:
    """Return the course of a unit assessed on the day of the view; `history` where it is at hand already."""
    first = max(view.scheme.period.first, unit.joined_on or view.scheme.period.first)
    lines: dict[date, list[LineAnswer]] = {}
    for line in (history or history_answer(view, unit)).lines:
        if line.day is not None:
            lines.setdefault(max(line.day, first), []).append(line)
    days: list[CourseDay] = []
    before: Decimal | None = None
    for day, total in _Scoring(view, unit).totals(first, lines):
        if total != before or day in lines:
            moved = ZERO if before is None else total - before
            days.append(CourseDay(day=day, total=plain(total), difference=plain(moved), lines=lines.get(day, [])))
        before = total
    return CourseAnswer(**standing(view), unit=unit.name_on(view.as_of), key=unit.key, first=first, days=days)


class _Scoring:
    """Scores one unit as of several days of a view."""

    def __init__(self, view: YearView, unit: Unit) -> None:
        self._view = view
        self._unit = unit
        self._scheme = view.situation.scheme
        compared = _compared_kinds(self._scheme)
        self._facts = [fact for fact in view.facts if fact.unit == unit.key or fact.kind in compared]

    def totals(self, first: date, days: Iterable[date]) -> Iterator[tuple[date, Decimal]]:
        """Yield the total as of the first day, these days and all others on which it may differ from the day before."""
        last = self._view.as_of
        turns = {first, *days, *_turning_days(self._facts, self._view.state.units.values(), last)}
        with exact_arithmetic():
            for day in sorted(turns):
                if first <= day <= last:
                    yield day, self._total(day)

    def _total(self, day: date) -> Decimal:
        state = self._view.state
        roster = {
            group: tuple(unit.key for unit in state.units.values() if unit.group == group and unit.assessed_on(day))
            for group in state.groups
        }
        facts = counting_facts(self._scheme, self._facts, day)
        return Year(self._scheme, roster, facts, self._view.claims).score(self._unit.key).total


def _compared_kinds(scheme: Scheme) -> frozenset[str]:
    """Return the kinds of others' facts that a unit's total depends on."""
    rules = (rule for group in scheme.groups for row in group.indicators for rule in row.rules)
    found = frozenset(kind for rule in rules if isinstance(rule, ACROSS_UNITS) for kind in kinds_of(rule))
    return found | _OF_LATE_REPLIES if "late_reply" in found else found


def _turning_days(facts: Sequence[Fact], units: Iterable[Unit], last: date) -> Iterator[date]:
    """Yield the days on which the facts that count may differ from those of the day before."""
    for fact in facts:
        yield fact.occurred_on
        if fact.rectified_on is not None:
            yield fact.rectified_on
    # Also those that a later one recorded by hand replaces: until then they count.
    requests = sorted((fact for fact in facts if fact.kind in REQUEST_KINDS), key=lambda fact: fact.order)
    yield from (late.occurred_on for late in derived_late_replies(requests, last))
    yield from chain.from_iterable((day for day in (unit.joined_on, unit.left_on) if day is not None) for unit in units)


def waterfall(sheet: SheetAnswer) -> list[StepAnswer]:
    """Return what the total of a sheet is put together from; the steps between the first and the last add up to it.

    First the full points of the base rows, weighed in a staged scheme; what each first title of the document left of
    them; the adjustment for rows that do not apply; bonus and penalty; what caps, the floor and vetoes made of it.
    """
    with exact_arithmetic():
        return list(_steps(sheet))


def _steps(sheet: SheetAnswer) -> Iterator[StepAnswer]:
    weights = {one.stage: Decimal(one.weight or 1) for one in sheet.sections}
    base = [row for row in sheet.rows if row.section == "base"]
    full = sum((weights[row.stage] * Decimal(row.points) for row in base), ZERO)
    yield StepAnswer(step="full", title="基础满分", points=plain(full), running=plain(full))
    titles: dict[str, Decimal] = {}
    for row in base:
        lost = weights[row.stage] * (Decimal(row.value) - Decimal(row.points))
        titles[row.titles[0]] = titles.get(row.titles[0], ZERO) + lost
    adjusted = sum((weights[one.stage] * (Decimal(one.base) - Decimal(one.base_rows)) for one in sheet.sections), ZERO)
    bonus = sum((weights[one.stage] * Decimal(one.bonus) for one in sheet.sections), ZERO)
    penalty = sum((weights[one.stage] * Decimal(one.penalty) for one in sheet.sections), ZERO)
    total = Decimal(sheet.total)
    limits = total - (full + sum(titles.values(), ZERO) + adjusted + bonus - penalty)
    changes: list[tuple[Literal["rows", "adjustment", "bonus", "penalty", "limits"], str, Decimal]] = [
        *(("rows", title, points) for title, points in titles.items()),
        ("adjustment", "不涉及指标折算", adjusted),
        ("bonus", "加分", bonus),
        ("penalty", "减分", -penalty),
        ("limits", "总分封顶、保底、否决", limits),
    ]
    running = full
    for step, title, points in changes:
        running += points
        if points or step in ("bonus", "penalty"):
            yield StepAnswer(step=step, title=title, points=plain(points), running=plain(running))
    yield StepAnswer(step="total", title="总分", points=plain(total), running=plain(total))
