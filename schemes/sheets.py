"""A year's sheets: facts × scheme → the score of every unit, its rank and grade, and what is still open.

The module takes values and returns values. It does not know how facts came to be known (that is the caller's
choice of readings), nor clocks, files or permissions.

1. `counting_facts`: readings up to the day, with derived late replies, without what lies outside the period.
2. Each unit's applicable rows are scored (`schemes.scoring`), first without `if_total` rules, then with them.
3. Sections and totals (`schemes.subtotals`), vetoes, ranks and grades (`schemes.grading`).
4. Units with pending rows are scored twice more, with those rows at their lowest and highest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain
from operator import attrgetter

from schemes.exact import ZERO, exact_arithmetic
from schemes.fact import Fact
from schemes.figures import Figures, Roster
from schemes.grading import fired_vetoes, grades, ranks, vetoed_total
from schemes.late_replies import derived_late_replies
from schemes.rules import ByRank, FactsByKind, Shortfall, kinds_of
from schemes.scheme import Indicator, Scheme, Stage, Veto
from schemes.scoring import Circumstances, IndicatorScore, Pending, score_indicator
from schemes.subtotals import Subtotals, subtotals, total

Claims = frozenset[tuple[str, str]]
"""Granted claims: (unit, indicator) pairs that are not applicable this year."""

FactsByUnit = dict[str, FactsByKind]

ACROSS_UNITS = (ByRank, Shortfall)
"""Rules whose points depend on other units' facts beside the unit's own."""


@dataclass(frozen=True, slots=True)
class Score:
    """One unit's rows, sections and total for one set of facts; `total` is after vetoes."""

    rows: tuple[IndicatorScore, ...]
    sections: tuple[Subtotals, ...]
    vetoes: tuple[Veto, ...]
    total: Decimal

    def section(self, name: str) -> Decimal:
        """Return base, bonus or penalty: the plain sum over the stages."""
        with exact_arithmetic():
            return sum((getattr(part, name) for part in self.sections), ZERO)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The score sheet of one unit: its score, its place in the group, and what pending rows leave open."""

    unit: str
    group: str
    score: Score
    rank: int
    grade: str | None
    pending: tuple[str, ...]
    lowest: Decimal
    highest: Decimal
    outputs: Mapping[str, Decimal | None]

    @property
    def total(self) -> Decimal:
        """The total after vetoes."""
        return self.score.total


def counting_facts(scheme: Scheme, facts: Iterable[Fact], as_of: date) -> list[Fact]:
    """Return the facts that count on that day, in the order of facts, derived late replies among them.

    A day after the period is as of its last day. Facts before the period do not count, except `prior_grade`;
    requests from before it are only looked at for late replies.
    """
    last_day = min(as_of, scheme.period.last)
    seen = sorted((fact for fact in facts if fact.occurred_on <= last_day), key=attrgetter("order"))
    first_day = scheme.period.first
    counting = [fact for fact in seen if fact.occurred_on >= first_day or fact.kind == "prior_grade"]
    derived = [late for late in derived_late_replies(seen, last_day) if late.occurred_on >= first_day]
    known = [_rectified_by(fact, last_day) for fact in counting]
    return sorted([*known, *derived], key=attrgetter("order")) if derived else known


def _rectified_by(fact: Fact, day: date) -> Fact:
    if fact.rectified_on is None or fact.rectified_on <= day:
        return fact
    return replace(fact, rectified_on=None)


def by_unit(facts: Iterable[Fact], units: Iterable[str], stage: Stage | None) -> FactsByUnit:
    """Return the facts of each unit by kind, narrowed to the stage's window; units without facts included."""
    found: dict[str, dict[str, list[Fact]]] = {unit: {} for unit in units}
    window = stage.window if stage else None
    for fact in facts:
        if fact.unit in found and (window is None or fact.occurred_on in window):
            found[fact.unit].setdefault(fact.kind, []).append(fact)
    return dict(found)


@dataclass(frozen=True)
class Situation:
    """Everything one question is asked about: the scheme, the units, the readings, the day, the granted claims.

    `facts` are the current readings of all observations, whatever their day; what counts of them is worked out once.
    """

    scheme: Scheme
    roster: Roster
    facts: Sequence[Fact]
    as_of: date
    claims: Claims = frozenset()

    @cached_property
    def year(self) -> Year:
        """The facts that count on the day, by stage and unit, with the figures across units."""
        return Year(self.scheme, self.roster, counting_facts(self.scheme, self.facts, self.as_of), self.claims)


class Year:
    """What is scored: a scheme, the units, the facts that count, the granted claims."""

    def __init__(self, scheme: Scheme, roster: Roster, facts: list[Fact], claims: Claims = frozenset()) -> None:
        self.scheme = scheme
        self.roster = roster
        self.claims = claims
        self._facts_by_unit: dict[str, list[Fact]] = {}
        for fact in facts:
            self._facts_by_unit.setdefault(fact.unit, []).append(fact)
        self._rows = {group.id: group.indicators for group in scheme.groups}
        self.group_of = {unit: group for group, units in roster.items() for unit in units}
        self._untouched: dict[str, dict[tuple[str, Pending], IndicatorScore]] = {group: {} for group in roster}
        stages: tuple[Stage | None, ...] = scheme.stages or (None,)
        self.stages = tuple(
            (stage, stage_facts, Figures(stage_facts, roster))
            for stage in stages
            for stage_facts in (by_unit(facts, self.group_of, stage),)
        )

    def rows(self, unit: str, stage: Stage | None) -> tuple[list[Indicator], list[Indicator]]:
        """Return the rows of the unit's sheet in this stage: those that apply and those left out."""
        applying: list[Indicator] = []
        left_out: list[Indicator] = []
        for row in self._rows[self.group_of[unit]]:
            if stage is None or row.stage == stage.id:
                applies = row.applies(unit) and (unit, row.id) not in self.claims
                (applying if applies else left_out).append(row)
        return applying, left_out

    def replacing(self, facts: Mapping[str, list[Fact]]) -> Year:
        """Return the year with the facts of these units that count exchanged, everybody else's as they are.

        Figures across units are only worked out anew where a kind that they look at differs.
        """
        kinds = {fact.kind for unit, found in facts.items() for fact in set(found) ^ set(self.facts_of(unit))}
        compared = not kinds.isdisjoint(self._compared_kinds)
        other = copy(self)
        other.__dict__.pop("facts", None)
        other._facts_by_unit = {**self._facts_by_unit, **facts}  # noqa: SLF001  # another of this class
        assessed = [unit for unit in facts if unit in self.group_of]
        stages = []
        for stage, old, figures in self.stages:
            new = {**old, **by_unit(chain.from_iterable(facts.values()), assessed, stage)}
            stages.append((stage, new, Figures(new, self.roster) if compared else figures))
        other.stages = tuple(stages)
        return other

    def under(self, scheme: Scheme) -> Year:
        """Return the same facts under another version of the scheme, which has the same year, period and stages."""
        other = copy(self)
        other.__dict__.pop("_compared_kinds", None)
        other.scheme = scheme
        other._rows = {group.id: group.indicators for group in scheme.groups}  # noqa: SLF001  # another of this class
        other._untouched = {group: {} for group in self.roster}  # noqa: SLF001
        # Figures know a rule by its identity, which rules of versions that are gone may leave to others.
        other.stages = tuple((stage, facts, Figures(facts, self.roster)) for stage, facts, _ in self.stages)
        return other

    @cached_property
    def _compared_kinds(self) -> frozenset[str]:
        """The kinds of facts that figures across units are worked out from."""
        rules = (rule for group in self.scheme.groups for row in group.indicators for rule in row.rules)
        kinds = {kind for rule in rules if isinstance(rule, ACROSS_UNITS) for kind in kinds_of(rule)}
        return frozenset(kinds | {"metric"} if self.scheme.outputs else kinds)

    def score(
        self, unit: str, pending: Pending = Pending.DEFAULT, settled: Mapping[str, IndicatorScore] | None = None
    ) -> Score:
        """Return the unit's score with its pending rows at their default, lowest or highest.

        `settled` are scores by row that are known already: they are taken as they are.
        """
        settled = settled or {}
        rows: list[IndicatorScore] = []
        sections: list[Subtotals] = []
        for stage, facts, figures in self.stages:
            untouched = self._untouched[self.group_of[unit]]
            around = Circumstances(unit, self.scheme.year, figures, pending, untouched=untouched)
            applying, left_out = self.rows(unit, stage)
            scores, part = score_stage(self.scheme, stage, applying, left_out, facts[unit], around, settled)
            rows += scores
            sections.append(part)
        before_veto = total(self.scheme, sections)
        vetoes = fired_vetoes(self.scheme, self.facts_of(unit), sections, before_veto)
        return Score(tuple(rows), tuple(sections), vetoes, vetoed_total(vetoes, before_veto))

    def facts_of(self, unit: str) -> list[Fact]:
        """Return the unit's facts that count, in the order of facts, whatever the stage."""
        return self._facts_by_unit.get(unit, [])

    @cached_property
    def facts(self) -> list[Fact]:
        """The facts of all units that count, in the order of facts."""
        return sorted(chain.from_iterable(self._facts_by_unit.values()), key=attrgetter("order"))

    def outputs(self, unit: str) -> dict[str, Decimal | None]:
        """Return the figures reported beside the score, null without their metric."""
        _, _, figures = self.stages[0]
        return {
            output.id: value * output.factor
            if (value := figures.metrics(output.metric).get(unit)) is not None
            else None
            for output in self.scheme.outputs
        }


def score_stage(
    scheme: Scheme,
    stage: Stage | None,
    applying: list[Indicator],
    left_out: list[Indicator],
    facts: FactsByKind,
    around: Circumstances,
    settled: Mapping[str, IndicatorScore],
) -> tuple[list[IndicatorScore], Subtotals]:
    """Return the rows and sections of one stage; `if_total` rules see the subtotals without any of them.

    `settled` are scores by row that are known already; those of rows with an `if_total` rule never are.
    """
    scores = [
        settled[row.id] if row.id in settled and not row.sees_subtotals else score_indicator(row, facts, around)
        for row in applying
    ]
    part = subtotals(scheme, stage, ((score.indicator, score.value) for score in scores), left_out)
    if any(row.sees_subtotals for row in applying):
        seeing = replace(around, subtotals=part)
        scores = [
            score_indicator(score.indicator, facts, seeing) if score.indicator.sees_subtotals else score
            for score in scores
        ]
        part = subtotals(scheme, stage, ((score.indicator, score.value) for score in scores), left_out)
    return scores, part


def default_roster(scheme: Scheme) -> Roster:
    """Return the scheme's own unit lists."""
    return {group.id: group.units for group in scheme.groups}


def sheets(situation: Situation) -> dict[str, Sheet]:
    """Return the sheet of every unit of the year, in the order of groups and units."""
    with exact_arithmetic():
        year = situation.year
        scores = {unit: year.score(unit) for unit in year.group_of}
        found: dict[str, Sheet] = {}
        for group, units in year.roster.items():
            totals = {unit: scores[unit].total for unit in units}
            places = ranks(totals)
            given = grades(year.scheme, group, totals, {unit: scores[unit].vetoes for unit in units})
            for unit in units:
                found[unit] = sheet_of(year, unit, scores[unit], places[unit], given[unit])
        return found


def sheet_of(year: Year, unit: str, score: Score, rank: int, grade: str | None) -> Sheet:
    """Return the unit's sheet from its score, its rank and its grade, with what its pending rows leave open."""
    pending = tuple(row.indicator.id for row in score.rows if row.pending)
    settled = {row.indicator.id: row for row in score.rows if not row.pending} if pending else {}
    lowest = year.score(unit, Pending.LOWEST, settled).total if pending else score.total
    highest = year.score(unit, Pending.HIGHEST, settled).total if pending else score.total
    group = year.group_of[unit]
    return Sheet(unit, group, score, rank, grade, pending, lowest, highest, year.outputs(unit))
