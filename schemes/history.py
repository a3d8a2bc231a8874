"""A unit's history: how its score came about, one line for each fact and indicator it touched.

The facts are laid down one after the other, in the order of facts, with everybody else's as they are; after each
one the rows it touched are scored again. A line's `effective` points are what the running total changed by, so
the effective points of all lines, the opening among them, add up to the total: always, by construction.

`nominal` are the points the rules name for the fact; `swallowed_by` says what stood between them and the score: the
rule's own max, the row's bounds, a forfeit, an account that is not the lowest, a cap or gate of the section, a cap,
floor or veto of the total. A stage's weight or a rescaling changes points too, but swallows none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from schemes.exact import ZERO, exact_arithmetic
from schemes.fact import REQUEST_KINDS, Fact
from schemes.figures import Figures
from schemes.grading import fired_vetoes, vetoed_total
from schemes.rules import FactsByKind, IfTotal, Inform, Judged, kinds_of
from schemes.scheme import Indicator, Stage
from schemes.scoring import Circumstances, IndicatorScore, judgements, score_indicator, touching
from schemes.sheets import ACROSS_UNITS, Situation, Year
from schemes.subtotals import Subtotals, subtotals, total, unbounded_total

Swallower = Literal["maximum", "bounds", "forfeit", "account", "section", "total"]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One fact's effect through one indicator.

    `rules` are the rules (counted from 0) that the fact met in the indicator. A line without rules is a consequence
    elsewhere (a threshold on a subtotal that the fact crossed; without an indicator a veto it met), or the opening,
    which has no fact either. `nominal` is null where no rule met the fact. `running_indicator` and
    `running_total` are the values after the line.
    """

    fact: Fact | None
    indicator: Indicator | None
    rules: tuple[int, ...]
    nominal: Decimal | None
    indicator_points: Decimal
    effective: Decimal
    swallowed_by: tuple[Swallower, ...]
    running_indicator: Decimal | None
    running_total: Decimal


@dataclass(frozen=True, slots=True)
class History:
    """All lines of a unit, the total they add up to, and the facts that no row of its sheet scores or lists."""

    lines: tuple[HistoryLine, ...]
    total: Decimal
    untouched: tuple[Fact, ...]


def history(situation: Situation, unit: str) -> History:
    """Return the unit's history in the situation."""
    with exact_arithmetic():
        year = situation.year
        laying = _Laying(year, unit)
        lines = [laying.opening()]
        untouched = []
        for fact in year.facts_of(unit):
            added = list(laying.lay(fact))
            lines += added
            if not added and not laying.informs(fact):
                untouched.append(fact)
        return History(tuple(lines), lines[-1].running_total, tuple(untouched))


class _Laying:
    """The unit's sheet as its facts are laid down one by one."""

    def __init__(self, year: Year, unit: str) -> None:
        self._year = year
        self._unit = unit
        self._laid: list[Fact] = []
        self._sections: list[Subtotals] = []
        self._sheets = [_StageSheet(year, unit, stage, figures) for stage, _, figures in year.stages]

    def opening(self) -> HistoryLine:
        opening = self._total()
        self._running = opening
        return HistoryLine(None, None, (), None, ZERO, opening, (), None, opening)

    def lay(self, fact: Fact) -> Iterator[HistoryLine]:
        """Put the fact down and yield a line for each indicator it touched, and for thresholds it crossed.

        A veto that fixes the total shows in the line that met it, or in a line of its own when no row did.
        """
        self._laid.append(fact)
        for sheet in self._sheets:
            if not sheet.add(fact):
                continue
            for row, rules in sheet.touched(fact):
                before = sheet.values[row.id]
                sheet.rescore(row)
                yield self._line(sheet, fact, row, rules, before)
            for row in sheet.rescore_thresholds():
                yield self._line(sheet, fact, row, (), sheet.before[row.id])
        total_now = self._total()
        if total_now != self._running:
            effective, self._running = total_now - self._running, total_now
            yield HistoryLine(fact, None, (), None, ZERO, effective, (), None, total_now)

    def informs(self, fact: Fact) -> bool:
        """Whether some row lists the fact for the one who judges, or a late reply is derived from its like."""
        return fact.kind in REQUEST_KINDS or any(sheet.informed_by(fact) for sheet in self._sheets)

    def _line(
        self, sheet: _StageSheet, fact: Fact, row: Indicator, rules: tuple[int, ...], before: IndicatorScore
    ) -> HistoryLine:
        after = sheet.values[row.id]
        nominal = _nominal(fact, before, after) if rules else None
        swallowed = list(_swallowed_in_row(fact, before, after, nominal)) if rules else []
        earlier, running = self._sections, self._total()
        effective, self._running = running - self._running, running
        if any(part.capped != old.capped for part, old in zip(self._sections, earlier, strict=True)):
            swallowed.append("section")
        scheme = self._year.scheme
        if effective != unbounded_total(scheme, self._sections) - unbounded_total(scheme, earlier):
            swallowed.append("total")
        changed = after.value - before.value
        return HistoryLine(fact, row, rules, nominal, changed, effective, tuple(swallowed), after.value, running)

    def _total(self) -> Decimal:
        self._sections = [sheet.subtotals() for sheet in self._sheets]
        before_veto = total(self._year.scheme, self._sections)
        return vetoed_total(fired_vetoes(self._year.scheme, self._laid, self._sections, before_veto), before_veto)


class _StageSheet:
    """The rows of one stage, with the facts laid down so far."""

    def __init__(self, year: Year, unit: str, stage: Stage | None, figures: Figures) -> None:
        self._scheme = year.scheme
        self._stage = stage
        self._unit = unit
        self._everybody = figures
        self._facts: dict[str, list[Fact]] = {}
        self._rows, self._left_out = year.rows(unit, stage)
        self.values: dict[str, IndicatorScore] = {}
        self.before: dict[str, IndicatorScore] = {}
        self._figures = figures.replacing(unit, self._facts)
        kinds = dict.fromkeys(kind for row in self._rows for kind in row.kinds)
        self._rows_by_kind = {kind: [row for row in self._rows if kind in row.kinds] for kind in kinds}
        rules = [rule for row in self._rows for rule in row.rules]
        self._ranked_kinds = {kind for rule in rules if isinstance(rule, ACROSS_UNITS) for kind in kinds_of(rule)}
        for row in self._rows:
            self.rescore(row)
        self.rescore_thresholds()

    def add(self, fact: Fact) -> bool:
        """Put the fact among the facts; false when it lies outside the stage's window."""
        if self._stage and self._stage.window and fact.occurred_on not in self._stage.window:
            return False
        self._facts.setdefault(fact.kind, []).append(fact)
        if fact.kind in self._ranked_kinds:
            self._figures = self._everybody.replacing(self._unit, self._facts)
        return True

    def touched(self, fact: Fact) -> list[tuple[Indicator, tuple[int, ...]]]:
        """Return the rows that the fact just added touches, with the rules that see it."""
        found = []
        alone: FactsByKind = {fact.kind: [fact]}
        for row in self._rows_by_kind.get(fact.kind, ()):
            rules = tuple(
                at
                for at, rule in enumerate(row.rules)
                if (judgements(row, alone) if isinstance(rule, Judged) else touching(rule, alone, self._around()))
                and not isinstance(rule, Inform)
            )
            if rules:
                found.append((row, rules))
        return found

    def informed_by(self, fact: Fact) -> bool:
        """Whether a row of the sheet lists the fact beside a judgement."""
        alone: FactsByKind = {fact.kind: [fact]}
        rules = (rule for row in self._rows for rule in row.rules if isinstance(rule, Inform))
        return any(rule.matching(alone) for rule in rules)

    def rescore(self, row: Indicator) -> None:
        """Score the row anew, as if no threshold on a subtotal were reached."""
        self.values[row.id] = score_indicator(row, self._facts, self._around())

    def rescore_thresholds(self) -> list[Indicator]:
        """Score the rows with thresholds on subtotals, and return those whose value changed."""
        rows = [row for row in self._rows if any(isinstance(rule, IfTotal) for rule in row.rules)]
        if not rows:
            return []
        self.before = {row.id: self.values[row.id] for row in rows}
        for row in rows:
            self.rescore(row)
        seeing = replace(self._around(), subtotals=self.subtotals())
        for row in rows:
            self.values[row.id] = score_indicator(row, self._facts, seeing)
        return [row for row in rows if self.values[row.id].value != self.before[row.id].value]

    def subtotals(self) -> Subtotals:
        """Return the sections of the sheet as it stands."""
        rows = ((row, self.values[row.id].value) for row in self._rows)
        return subtotals(self._scheme, self._stage, rows, self._left_out)

    def _around(self) -> Circumstances:
        return Circumstances(self._unit, self._scheme.year, self._figures)


def _nominal(fact: Fact, before: IndicatorScore, after: IndicatorScore) -> Decimal:
    """The points that rules name for this fact: what the row would have changed by without any bound."""
    if fact in after.forfeits:
        return -before.value
    if after.accounts:
        named = [[effect.nominal for effect in one.effects if effect.fact is fact] for one in after.accounts]
        return sum(next((points for points in named if points), []), ZERO)
    return after.nominal - before.nominal


def _swallowed_in_row(
    fact: Fact, before: IndicatorScore, after: IndicatorScore, nominal: Decimal | None
) -> Iterator[Swallower]:
    """Name what stood in the row between the nominal points and the change of its value, from the rule outwards."""
    changed = after.value - before.value
    if after.accounts:
        if changed != nominal:
            yield "account"
    elif fact not in after.forfeits:
        if after.unbounded - before.unbounded != nominal:
            yield "maximum"
        if changed != after.unbounded - before.unbounded:
            yield "forfeit" if after.forfeits else "bounds"
