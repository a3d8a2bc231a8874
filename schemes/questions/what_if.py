"""What would be if: observations left out, read otherwise or added, judgements given otherwise.

`supposed` says what is asked: the situation with the facts changed, of which late replies are derived afresh (a request
without its answer becomes late). `what_if` gives exactly what a full evaluation of it gives, but scores anew only what
the change can reach: the units whose facts differ, and of the others those rows that are compared across units.

`without_each` asks it of every observation of one unit, alone. The share of an observation in a loss has three names,
which are never mixed: the points that the rules name for it, what it took from the running total when it came, and
what leaving it out alone would change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from operator import attrgetter

from schemes.exact import ZERO, exact_arithmetic
from schemes.fact import AttributeValue, Fact
from schemes.grading import grades, ranks
from schemes.history import history
from schemes.problem import InvalidInput, Problem
from schemes.questions.why_not import Reason, why_not
from schemes.rules import ByRank, Shortfall, kinds_of
from schemes.scheme import Indicator
from schemes.sheets import ACROSS_UNITS, Score, Sheet, Situation, Year, counting_facts, sheet_of, sheets

Readings = Mapping[str, Sequence[Fact]]
"""The current readings of units, by unit, whatever their day."""


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed: observations left out, others that read otherwise or come on top, judgements given.

    An amended fact has the id of the observation whose place it takes; it keeps that one's place in the order of facts
    and its rectification. `judgements` are by unit and indicator, given on the last day that counts for the row.
    """

    without: tuple[str, ...] = ()
    amended: tuple[Fact, ...] = ()
    added: tuple[Fact, ...] = ()
    judgements: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row whose value differs; null where the row was not, or would not be, in the unit's sheet."""

    indicator: Indicator
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A unit whose sheet differs: as it is, and as it would be."""

    before: Sheet
    after: Sheet

    @property
    def unit(self) -> str:
        """The unit."""
        return self.before.unit

    @property
    def difference(self) -> Decimal:
        """The total as it would be less the total as it is."""
        with exact_arithmetic():
            return self.after.total - self.before.total

    @property
    def rows(self) -> tuple[RowChange, ...]:
        """The rows whose values differ, in the order of the sheet."""
        return row_changes(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a supposition would change: every unit whose sheet differs, in the order of groups and units."""

    changes: tuple[UnitChange, ...]

    def of(self, unit: str) -> UnitChange | None:
        """Return the change of that unit, or None when nothing of its sheet moves."""
        return next((change for change in self.changes if change.unit == unit), None)


@dataclass(frozen=True, slots=True)
class WithoutOne:
    """One observation of a unit and its share, under three names, and what leaving it out alone would give.

    `nominal` are the points that the rules name for it; `effective_in_order` is what the running total changed by when
    its turn came; `effect_of_removal` is the total as it is minus the total without it. The points of a derived late
    reply are those of the receipt. `why_not` says why the total would stay; it is empty when it would move.
    `others` are the other units whose total, rank or grade would move.
    """

    fact: Fact
    nominal: Decimal
    effective_in_order: Decimal
    effect_of_removal: Decimal
    total: Decimal
    rank: int
    grade: str | None
    others: tuple[str, ...]
    why_not: tuple[Reason, ...]


def row_changes(before: Sheet, after: Sheet) -> tuple[RowChange, ...]:
    """Return the rows whose values differ between two sheets of a unit, in the order of the first, then the second."""
    old = {row.indicator.id: row for row in before.score.rows}
    new = {row.indicator.id: row for row in after.score.rows}
    found = []
    for name, row in {**new, **old}.items():
        was, would = (rows[name].value if name in rows else None for rows in (old, new))
        if was != would:
            found.append(RowChange(row.indicator, was, would))
    return tuple(found)


def supposed(situation: Situation, supposition: Supposition) -> Situation:
    """Return the situation that is supposed; raises `InvalidInput` with everything that it supposes of nothing."""
    known = {fact.id: fact for fact in situation.facts if not fact.sources}
    problems = tuple(_problems(situation, supposition, known))
    if problems:
        raise InvalidInput(problems)
    amended = {
        fact.id: replace(fact, position=known[fact.id].position, rectified_on=known[fact.id].rectified_on)
        for fact in supposition.amended
    }
    kept = (fact for fact in situation.facts if fact.id not in supposition.without)
    facts = [*(amended.get(fact.id, fact) for fact in kept), *supposition.added]
    return replace(situation, facts=[*facts, *_judgements(situation, supposition)])


def what_if(situation: Situation, supposition: Supposition, known: Mapping[str, Sheet] | None = None) -> Outcome:
    """Return what the supposition would change; `known` are the situation's sheets where they are worked out already.

    Raises `InvalidInput` as `supposed` does.
    """
    with exact_arithmetic():
        evaluated = Evaluated(situation, known)
        old, new = evaluated.readings, _by_unit(supposed(situation, supposition).facts)
        differing = {
            unit: new.get(unit, ()) for unit in {**old, **new} if list(old.get(unit, ())) != list(new.get(unit, ()))
        }
        return evaluated.outcome(differing)


def without_each(
    situation: Situation,
    unit: str,
    known: Mapping[str, Sheet] | None = None,
    only: Collection[str] | None = None,
) -> tuple[WithoutOne, ...]:
    """Return what each observation of the unit is worth, in the order of facts; those that count for nothing too.

    `known` are the situation's sheets where they are worked out already; `only` names observations that are wanted.
    """
    with exact_arithmetic():
        evaluated = Evaluated(situation, known)
        wanted = [fact for fact in evaluated.own(unit) if only is None or fact.id in only]
        shares = _shares(situation, unit) if wanted else {}
        return tuple(_without(evaluated, unit, fact, shares.get(fact.id, (ZERO, ZERO))) for fact in wanted)


class Evaluated:
    """A situation with its sheets, from which the sheets of suppositions are worked out."""

    def __init__(self, situation: Situation, known: Mapping[str, Sheet] | None = None) -> None:
        self.situation = situation
        self.year = situation.year
        self.sheets: Mapping[str, Sheet] = sheets(situation) if known is None else known

    @cached_property
    def readings(self) -> Readings:
        """The readings of each unit that has any, in the order given."""
        return _by_unit(self.situation.facts)

    def own(self, unit: str) -> list[Fact]:
        """Return the unit's observations, in the order of facts; what is derived from elsewhere is none of them."""
        return sorted((fact for fact in self.readings.get(unit, ()) if not fact.sources), key=attrgetter("order"))

    def counting(self, readings: Iterable[Fact]) -> list[Fact]:
        """Return which of the readings of one unit count on the day, with its derived late replies."""
        return counting_facts(self.situation.scheme, readings, self.situation.as_of)

    def outcome(self, readings: Readings) -> Outcome:
        """Return what would change if these units had these readings instead."""
        after = self.sheets_with(self.year.replacing({unit: self.counting(own) for unit, own in readings.items()}))
        changes = (UnitChange(before, after[unit]) for unit, before in self.sheets.items())
        return Outcome(tuple(change for change in changes if _differ(change.before, change.after)))

    def sheets_with(self, year: Year) -> dict[str, Sheet]:
        """Return all sheets of a year in which the facts of some units have been replaced."""
        kinds = self._differing_kinds(year)
        compared = {group: self._compared_rows(group, kinds) for group in year.roster}
        scores = {}
        for unit, sheet in self.sheets.items():
            across, own = compared[sheet.group], kinds.get(unit, frozenset())
            if own or across:
                rows = ((row, row.indicator) for row in sheet.score.rows)
                settled = {of.id: row for row, of in rows if of.id not in across and of.kinds.isdisjoint(own)}
                scores[unit] = year.score(unit, settled=settled)
        found = dict(self.sheets)
        for group, units in year.roster.items():
            if not scores.keys().isdisjoint(units):
                found |= _placed(year, group, units, scores, self.sheets)
        return found

    def _differing_kinds(self, year: Year) -> dict[str, Set[str]]:
        """Return the kinds of which the facts that count differ, for each unit of which any do."""
        differing: dict[str, Set[str]] = {}
        for unit in self.year.group_of:
            old, new = self.year.facts_of(unit), year.facts_of(unit)
            if old is not new and (changed := set(old) ^ set(new)):
                differing[unit] = {fact.kind for fact in changed}
        return differing

    def _compared_rows(self, group: str, kinds: Mapping[str, Set[str]]) -> set[str]:
        """Return the group's rows in which units are compared by kinds of facts that differ, whosever they are."""
        reaching = [(self.year.group_of[unit], changed) for unit, changed in kinds.items()]
        return {
            row.id
            for row, rule in self._comparisons.get(group, ())
            for other, changed in reaching
            if (rule.among == "all" or other == group) and not changed.isdisjoint(kinds_of(rule))
        }

    @cached_property
    def _comparisons(self) -> dict[str, list[tuple[Indicator, ByRank | Shortfall]]]:
        """The rules of each group that compare units, with their rows."""
        return {
            group.id: [(row, rule) for row in group.indicators for rule in row.rules if isinstance(rule, ACROSS_UNITS)]
            for group in self.situation.scheme.groups
        }


def _placed(
    year: Year, group: str, units: Sequence[str], scores: Mapping[str, Score], known: Mapping[str, Sheet]
) -> Iterator[tuple[str, Sheet]]:
    """Yield the sheets of a group of which some units have been scored anew."""
    now = {unit: scores[unit] if unit in scores else known[unit].score for unit in units}
    totals = {unit: score.total for unit, score in now.items()}
    places = ranks(totals)
    given = grades(year.scheme, group, totals, {unit: score.vetoes for unit, score in now.items()})
    for unit in units:
        if unit in scores:
            yield unit, sheet_of(year, unit, scores[unit], places[unit], given[unit])
        else:
            yield unit, replace(known[unit], rank=places[unit], grade=given[unit])


def _differ(before: Sheet, after: Sheet) -> bool:
    return before is not after and (_shown(before) != _shown(after) or bool(row_changes(before, after)))


def _shown(sheet: Sheet) -> tuple[object, ...]:
    score = sheet.score
    left_open = (sheet.pending, sheet.lowest, sheet.highest)
    return (*_standing(sheet), *left_open, score.sections, score.vetoes, tuple(sheet.outputs.items()))


def _standing(sheet: Sheet) -> tuple[object, ...]:
    return (sheet.total, sheet.rank, sheet.grade)


def _by_unit(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.unit, []).append(fact)
    return found


def _problems(situation: Situation, supposition: Supposition, known: Mapping[str, Fact]) -> Iterator[Problem]:
    for place, names in (("without", supposition.without), ("amended", [fact.id for fact in supposition.amended])):
        for at, name in enumerate(names):
            if name not in known:
                message = f"found {name!r}, expected an observation that counts; a void one does not"
                yield Problem("unknown-observation", f"{place}[{at}]", message)
    amended = [fact.id for fact in supposition.amended]
    for at, name in enumerate(amended):
        if name in supposition.without or name in amended[:at]:
            message = f"{name!r} is left out or amended already; expected one supposition of each observation"
            yield Problem("observation-supposed-twice", f"amended[{at}]", message)
    for at, (unit, indicator) in enumerate(supposition.judgements):
        if _judged_row(situation, unit, indicator) is None:
            message = f"found {indicator!r}, expected a judged indicator of {unit}'s group"
            yield Problem("not-a-judged-indicator", f"judgements[{at}].indicator", message)


def _judged_row(situation: Situation, unit: str, indicator: str) -> Indicator | None:
    group = situation.scheme.group(situation.year.group_of.get(unit, ""))
    row = group.indicator(indicator) if group else None
    return row if row and row.judged else None


def _judgements(situation: Situation, supposition: Supposition) -> Iterator[Fact]:
    """Yield the supposed judgements: on the last day that counts for their rows, after everything else of it."""
    positions = (fact.position for fact in (*situation.facts, *supposition.added))
    last_position = max(positions, default=0)
    for at, ((unit, indicator), value) in enumerate(supposition.judgements.items(), start=1):
        row = _judged_row(situation, unit, indicator)
        windows = (stage.window for stage in situation.scheme.stages if row and stage.id == row.stage and stage.window)
        day = min(situation.as_of, situation.scheme.period.last, *(window.last for window in windows))
        attributes: Mapping[str, AttributeValue] = {"indicator": indicator, "value": value}
        yield Fact(f"judgement/{unit}/{indicator}", last_position + at, unit, "judgement", day, 1, attributes)


def _shares(situation: Situation, unit: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the nominal points and those effective in order, by observation."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    # A derived late reply has the ledger place of its receipt.
    names = {fact.position: fact.id for fact in situation.facts if fact.unit == unit}
    for line in history(situation, unit).lines:
        if line.fact is not None:
            name = names[line.fact.position]
            nominal, effective = found.get(name, (ZERO, ZERO))
            found[name] = nominal + (line.nominal or ZERO), effective + line.effective
    return found


def _without(evaluated: Evaluated, unit: str, fact: Fact, share: tuple[Decimal, Decimal]) -> WithoutOne:
    kept = [other for other in evaluated.readings[unit] if other is not fact]
    year = evaluated.year.replacing({unit: evaluated.counting(kept)})
    found = evaluated.sheets_with(year)
    before, after = evaluated.sheets[unit], found[unit]
    effect = before.total - after.total
    others = (
        other
        for other, sheet in evaluated.sheets.items()
        if other != unit and _standing(sheet) != _standing(found[other])
    )
    reasons = () if effect else why_not(evaluated.situation, year, unit, fact, before.score, after.score)
    return WithoutOne(fact, *share, effect, after.total, after.rank, after.grade, tuple(others), reasons)
