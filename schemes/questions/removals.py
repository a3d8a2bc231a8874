"""One unit's score by which of its own observations have fallen, and bounds on what any so many of them could do.

Observations that every row and veto of the sheet meets alike are interchangeable: they form a class, and a set of them
is known by how many of each class have fallen. Superseding facts, and requests with more than a receipt, are classes of
their own. Observations that nothing meets are in no class: they never move a score.

`bound` is sound: no set of that size takes the total further. Each row is taken to where its own best so many
observations would bring it; within a section, rows that share no observation share the number between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Literal

from schemes.exact import ZERO
from schemes.fact import REQUEST_KINDS, AttributeValue, Fact
from schemes.questions.what_if import Evaluated
from schemes.rules import Award, Checklist, Deduct, Forfeit, IfTotal, Inform, Judged, Milestone, Rule, Tiers
from schemes.scheme import Indicator, Veto, VetoFacts
from schemes.scoring import Circumstances, IndicatorScore, judgements, score_indicator, touching
from schemes.sheets import Score, Year
from schemes.subtotals import Subtotals, subtotals, total

Counts = tuple[int, ...]
"""How many of each class have fallen."""
Sign = Literal[1, -1]

Signature = tuple[tuple[tuple[int, ...], ...], int, str | None, str | None, AttributeValue | None]
"""What a row can tell of a fact: the rules (and conditions) it meets, its count, its item, account and value."""

MOST_CHOICES = 300
"""Choices of one size among the observations of one row, beyond which only the row's own bounds are used."""

_UNLIKE = frozenset({"judgement", "metric", "ranking", "prior_grade"})
_VALUED = {"discretion": "points", "rating": "value"}
_FAR = Decimal(10) ** 60
"""Beyond anything that a row can come to: points of 15 digits times counts of 16, however many facts there are."""


@dataclass(frozen=True)
class Row:
    """A row of the sheet, the stage it is in (by its place), and the classes of observations that it meets."""

    indicator: Indicator
    stage: int
    classes: tuple[int, ...]

    def key(self, counts: Counts) -> Counts:
        """Return what of the counts the row depends on."""
        return tuple(counts[at] for at in self.classes)


class Removals:
    """The scores of one unit by which of its observations have fallen; each is worked out once."""

    def __init__(self, evaluated: Evaluated, unit: str) -> None:
        self.evaluated = evaluated
        self.unit = unit
        self.sheet = evaluated.sheets[unit]
        self.own = evaluated.own(unit)
        self._counting = evaluated.year.facts_of(unit)
        self._seen = {fact.id: fact for fact in self._counting}
        self._around = [
            Circumstances(unit, evaluated.situation.scheme.year, figures) for _, _, figures in evaluated.year.stages
        ]
        self._sheet_rows = [
            (at, row)
            for at, (stage, _, _) in enumerate(evaluated.year.stages)
            for row in evaluated.year.rows(unit, stage)[0]
        ]
        met = self._classes()
        self.classes = [facts for facts, _ in met]
        self.none: Counts = (0,) * len(met)
        self.rows = [
            Row(row, at, tuple(place for place, (_, rows) in enumerate(met) if row.id in rows))
            for at, row in self._sheet_rows
        ]
        self._scores: dict[Counts, Score] = {self.none: self.sheet.score}
        self._row_scores: dict[tuple[str, Counts], IndicatorScore] = {}
        self._best: dict[tuple[str, int, Sign], tuple[Decimal, Counts]] = {}
        self._shared: dict[tuple[int, str, Sign, int, int], Decimal] = {}
        self._parts: dict[tuple[int, str], list[list[Row]]] = {}
        self._keep(self.none, self.sheet.score)

    @property
    def evaluations(self) -> int:
        """How many whole scores have been worked out so far."""
        return len(self._scores) - 1

    @property
    def size(self) -> int:
        """How many observations can move anything."""
        return sum(map(len, self.classes))

    def named(self, counts: Counts, including: Fact | None = None) -> tuple[str, ...]:
        """Return the observations that have fallen, in the order of facts; `including` is one of them."""
        chosen: list[Fact] = []
        for facts, number in zip(self.classes, counts, strict=True):
            first = [including] if including is not None and including in facts else []
            chosen += [*first, *(fact for fact in facts if fact is not including)][:number]
        return tuple(fact.id for fact in sorted(chosen, key=lambda fact: fact.order))

    def year(self, counts: Counts) -> Year:
        """Return the year without the observations."""
        gone = set(self.named(counts))
        removed = [fact for fact in self.own if fact.id in gone]
        if any(fact.kind in REQUEST_KINDS or fact.kind == "late_reply" for fact in removed):
            readings = self.evaluated.readings[self.unit]
            counting = self.evaluated.counting([fact for fact in readings if fact.id not in gone])
        else:
            counting = [fact for fact in self._counting if fact.id not in gone]
        return self.evaluated.year.replacing({self.unit: counting})

    def score(self, counts: Counts) -> Score:
        """Return the unit's score without the observations."""
        if counts not in self._scores:
            keys = ((row.indicator.id, row.key(counts)) for row in self.rows)
            settled = {key[0]: self._row_scores[key] for key in keys if key in self._row_scores}
            self._scores[counts] = self.year(counts).score(self.unit, settled=settled)
            self._keep(counts, self._scores[counts])
        return self._scores[counts]

    def bound(self, size: int, sign: Sign) -> Decimal:
        """Return a total that no set of up to that many observations passes, upwards (1) or downwards (-1)."""
        scheme, year = self.evaluated.situation.scheme, self.evaluated.year
        sections = []
        for at, (stage, _, _) in enumerate(year.stages):
            rows = [row for row in self.rows if row.stage == at]
            _, left_out = year.rows(self.unit, stage)
            moved = self._moved(rows, at, size, sign)
            part = subtotals(scheme, stage, moved, left_out)
            given = [(row.indicator, _threshold_points(row.indicator, part, sign)) for row in rows]
            if any(points for _, points in given):
                moved = [(row, value + points) for (row, value), (_, points) in zip(moved, given, strict=True)]
                part = subtotals(scheme, stage, moved, left_out)
            sections.append(part)
        return self._with_vetoes(total(scheme, sections), size, sign)

    def persisting(self, size: int) -> list[Veto]:
        """Return the vetoes on facts that still fire, whichever so many observations fall."""
        fired = self.sheet.score.vetoes
        return [veto for veto in fired if isinstance(veto.when, VetoFacts) and size < self._needed(veto.when)]

    def _with_vetoes(self, found: Decimal, size: int, sign: Sign) -> Decimal:
        """Return the bound when vetoes that fix the total may fire, or must."""
        fixed = [
            veto.total
            for veto in self.evaluated.situation.scheme.vetoes
            if veto.total is not None and (veto in self.sheet.score.vetoes or not _on_recorded_facts(veto))
        ]
        kept = [veto.total for veto in self.persisting(size) if veto.total is not None]
        if kept:
            return min(kept) if sign > 0 else min(fixed)
        return max([found, *fixed]) if sign > 0 else min([found, *fixed])

    def _needed(self, condition: VetoFacts) -> int:
        """Return how many observations must fall at least until the facts do not meet the condition."""
        found = [fact for fact in self._counting if fact.kind in condition.kinds and condition.where.matches(fact)]
        alike: dict[object, list[int]] = {}
        for fact in found:
            value = fact.attributes.get(condition.same) if condition.same else None
            if condition.same is None or value is not None:
                alike.setdefault(value, []).append(fact.count)
        return sum(_fallen_until(sorted(counts, reverse=True), condition.min_count) for counts in alike.values())

    def _moved(self, rows: Sequence[Row], stage: int, size: int, sign: Sign) -> list[tuple[Indicator, Decimal]]:
        """Return the rows' values, what a section could gain put on its first row: only sums are looked at."""
        given: set[str] = set()
        moved = []
        for row in rows:
            section, value = row.indicator.section, self.value(row, self.none)
            if section not in given:
                given.add(section)
                value += sign * self._gain(stage, section, size, sign)
            moved.append((row.indicator, value))
        return moved

    def best(self, row: Row, size: int, sign: Sign) -> tuple[Decimal, Counts]:
        """Return the row's highest (1) or lowest (-1) value without up to that many observations, and which.

        Where there are too many choices, the row's own bound stands for the value.
        """
        size = min(size, sum(len(self.classes[at]) for at in row.classes))
        key = (row.indicator.id, size, sign)
        if key not in self._best:
            if size == 0:
                self._best[key] = self.value(row, self.none), self.none
            else:
                self._best[key] = self._better(row, size, sign, self.best(row, size - 1, sign))
        return self._best[key]

    def _better(self, row: Row, size: int, sign: Sign, so_far: tuple[Decimal, Counts]) -> tuple[Decimal, Counts]:
        limit = row.indicator.ceiling if sign > 0 else row.indicator.floor
        limit = sign * _FAR if limit is None else limit
        if so_far[0] == limit:
            return so_far
        chains = self._chains(row, sign)
        listed = list(islice(choices([len(chain) for chain in chains], size), MOST_CHOICES + 1))
        if len(listed) > MOST_CHOICES:
            return limit, so_far[1]
        for numbers in listed:
            fallen = Counter(at for chain, number in zip(chains, numbers, strict=True) for at in chain[:number])
            counts = tuple(fallen[at] for at in range(len(self.classes)))
            value = self.value(row, counts)
            if sign * value > sign * so_far[0]:
                so_far = value, counts
        return so_far

    def _chains(self, row: Row, sign: Sign) -> list[list[int]]:
        """Return the row's classes in chains, one entry an observation; earlier ones do at least as much as later.

        What a row only deducts for raises it the more, the more it counts; it never lowers the row, and the same
        the other way round for what it only awards.
        """
        idle = Award if sign > 0 else Deduct
        chains: dict[object, list[int]] = {}
        for at in row.classes:
            fact = self._seen.get(self.classes[at][0].id)
            key: object = at
            # What speaks of a request does more than its own rules say: a late reply comes or goes with it.
            if fact is not None and fact.text("request") is None:
                signature = self._signature(row.indicator, row.stage, fact)
                rules = [row.indicator.rules[place] for place, *_ in signature[0]] if signature else []
                if rules and all(isinstance(rule, idle) for rule in rules) and not row.indicator.per_account:
                    continue
                if signature and all(_does_more_by_count(rule, sign) for rule in rules):
                    key = (signature[0], *signature[2:])
            chains.setdefault(key, []).extend([at] * len(self.classes[at]))
        return [sorted(chain, key=lambda at: -self.classes[at][0].count) for chain in chains.values()]

    def _gain(self, stage: int, section: str, size: int, sign: Sign) -> Decimal:
        """Return the most that the rows of a section could gain (or, downwards, lose) together."""
        parts = self._parts_of(stage, section)
        return self._shared_gain(stage, section, sign, len(parts), size)

    def _shared_gain(self, stage: int, section: str, sign: Sign, first: int, size: int) -> Decimal:
        if first == 0 or size == 0:
            return ZERO
        key = (stage, section, sign, first, size)
        if key not in self._shared:
            part = self._parts_of(stage, section)[first - 1]
            most = min(size, sum(len(self.classes[at]) for at in {at for row in part for at in row.classes}))
            self._shared[key] = max(
                self._shared_gain(stage, section, sign, first - 1, size - taken)
                + sum((sign * (self.best(row, taken, sign)[0] - self.value(row, self.none)) for row in part), ZERO)
                for taken in range(most + 1)
            )
        return self._shared[key]

    def _parts_of(self, stage: int, section: str) -> list[list[Row]]:
        """Return the rows of a section in parts that share no observation with each other."""
        if (stage, section) not in self._parts:
            parts: list[list[Row]] = []
            for row in self.rows:
                if row.stage == stage and row.indicator.section == section and row.classes:
                    joined = [part for part in parts if any(set(one.classes) & set(row.classes) for one in part)]
                    parts = [part for part in parts if part not in joined]
                    parts.append([row, *(one for part in joined for one in part)])
            self._parts[stage, section] = parts
        return self._parts[stage, section]

    def value(self, row: Row, counts: Counts) -> Decimal:
        """Return the row's value without the observations, as if no threshold on a subtotal were reached."""
        key = (row.indicator.id, row.key(counts))
        if key not in self._row_scores:
            year = self.year(counts)
            _, facts, figures = year.stages[row.stage]
            around = Circumstances(self.unit, year.scheme.year, figures)
            self._row_scores[key] = score_indicator(row.indicator, facts[self.unit], around)
        return self._row_scores[key].value

    def _keep(self, counts: Counts, score: Score) -> None:
        found = {row.indicator.id: row for row in score.rows}
        for row in self.rows:
            if not row.indicator.sees_subtotals:
                self._row_scores[row.indicator.id, row.key(counts)] = found[row.indicator.id]

    def _classes(self) -> list[tuple[list[Fact], set[str]]]:
        """Return the classes of observations, each with the rows that meet it."""
        entries = Counter(
            fact.text("request") for fact in self.own if fact.kind in REQUEST_KINDS or fact.kind == "late_reply"
        )
        asked = {fact.text("request") for fact in self.own if fact.kind in REQUEST_KINDS}
        found: dict[object, tuple[list[Fact], set[str]]] = {}
        for fact in self.own:
            speaks = fact.kind in REQUEST_KINDS or (fact.kind == "late_reply" and fact.text("request") in asked)
            if speaks and entries[fact.text("request")] > 1:
                rows = {row.id for _, row in self._sheet_rows if not row.kinds.isdisjoint({"late_reply", fact.kind})}
                found[fact.id] = [fact], rows
                continue
            seen = [self._seen[name] for name in (fact.id, f"{fact.id}/late_reply") if name in self._seen]
            signatures = [signature for one in seen for signature in self._signatures(one).items()]
            vetoes = tuple(veto for one in seen for veto in self._vetoes(one))
            if signatures or vetoes:
                key = (tuple(signatures), vetoes, fact.id if fact.kind in _UNLIKE else None)
                facts, _ = found.setdefault(key, ([], {row for row, _ in signatures}))
                facts.append(fact)
        return list(found.values())

    def _signatures(self, fact: Fact) -> dict[str, Signature]:
        return {
            row.id: signature
            for at, row in self._sheet_rows
            if (signature := self._signature(row, at, fact)) is not None
        }

    def _signature(self, row: Indicator, stage: int, fact: Fact) -> Signature | None:
        """Return all that the row can tell of the fact, the rules it meets first; None when it meets none."""
        within, _, _ = self.evaluated.year.stages[stage]
        window = within.window if within else None
        if fact.kind not in row.kinds or (window is not None and fact.occurred_on not in window):
            return None
        alone: Mapping[str, Sequence[Fact]] = {fact.kind: [fact]}
        met: list[tuple[int, ...]] = []
        for at, rule in enumerate(row.rules):
            match rule:
                case Inform() if not row.per_account:
                    seen = False
                case Judged():
                    seen = bool(judgements(row, alone))
                case _:
                    seen = bool(touching(rule, alone, self._around[stage]))
            if seen:
                conditions = rule.conditions if isinstance(rule, Milestone) else ()
                met.append((at, *(place for place, one in enumerate(conditions) if one.matching(alone))))
        if not met:
            return None
        listed = any(isinstance(row.rules[at], Checklist) for at, *_ in met)
        named = fact.text("item") if listed else None
        value = fact.attributes.get(_VALUED.get(fact.kind, ""))
        return tuple(met), fact.count, named, fact.text("account") if row.per_account else None, value

    def _vetoes(self, fact: Fact) -> tuple[object, ...]:
        return tuple(
            (veto.id, fact.count, fact.attributes.get(veto.when.same or ""))
            for veto in self.evaluated.situation.scheme.vetoes
            if isinstance(veto.when, VetoFacts) and fact.kind in veto.when.kinds and veto.when.where.matches(fact)
        )


def _does_more_by_count(rule: Rule, sign: Sign) -> bool:
    """Whether what falls of the rule moves the row that way, and the more so the more it counted."""
    match rule:
        case Tiers():
            points = [step.points for step in rule.steps]
            return rule.direction == ("deduct" if sign > 0 else "award") and points == sorted(points)
        case Forfeit():
            return sign > 0
        case _:
            return isinstance(rule, Deduct if sign > 0 else Award)


def choices(capacities: Sequence[int], size: int) -> Iterator[Counts]:
    """Yield every way to take that many out of kinds of which there are so many each."""
    if not capacities:
        if size == 0:
            yield ()
        return
    rest = sum(capacities[1:])
    for taken in range(min(capacities[0], size), max(0, size - rest) - 1, -1):
        for others in choices(capacities[1:], size - taken):
            yield taken, *others


def _threshold_points(row: Indicator, part: Subtotals, sign: Sign) -> Decimal:
    """Return what the row's thresholds could add at the most (1) or add at the least (-1) to what else it holds."""
    reached = sum(
        (rule.points for rule in row.rules if isinstance(rule, IfTotal) and part.of(rule.basis) >= rule.at_least), ZERO
    )
    if row.start == "zero" and all(isinstance(rule, IfTotal) for rule in row.rules):
        return reached if row.ceiling is None else min(reached, row.ceiling)
    return reached if sign > 0 else ZERO


def _on_recorded_facts(veto: Veto) -> bool:
    """Whether the veto is on facts of which none can come about by leaving others out."""
    return isinstance(veto.when, VetoFacts) and "late_reply" not in veto.when.kinds


def _fallen_until(counts: Sequence[int], least: int) -> int:
    """Return how many of the counts, largest first, must fall until the rest is less than the least."""
    left = sum(counts)
    for fallen, each in enumerate(counts):
        if left < least:
            return fallen
        left -= each
    return len(counts)
