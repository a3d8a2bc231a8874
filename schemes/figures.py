"""Figures that need every unit's facts: latest metrics and rankings, ranks worked out, means, ratings.

One `Figures` serves one stage of one query. `replacing` gives the same figures with one unit's facts exchanged,
which is how a history asks 'and how was it before this fact?'.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from schemes.exact import ZERO, rounded_half_up
from schemes.fact import Fact
from schemes.rules import Among, ByCount, ByMetric, ByRank, ByRankingFact, FactsByKind, Order, Shortfall

Roster = Mapping[str, tuple[str, ...]]
"""The units of each group, by group id."""


def latest(facts: FactsByKind, kind: str, attribute: str, value: object) -> Fact | None:
    """Return the last fact of a superseding kind whose attribute has the value, in the order of facts."""
    for fact in reversed(facts.get(kind, ())):
        if fact.attributes.get(attribute) == value:
            return fact
    return None


class Figures:
    """Cross-unit figures of one stage; results are kept, so each is worked out once a query."""

    def __init__(self, facts: Mapping[str, FactsByKind], roster: Roster) -> None:
        self._facts = facts
        self._roster = roster
        self._group_of = {unit: group for group, units in roster.items() for unit in units}
        self._metrics: dict[str, dict[str, Decimal]] = {}
        self._ranks: dict[tuple[int, str], dict[str, int]] = {}

    def replacing(self, unit: str, facts: FactsByKind) -> Figures:
        """Return these figures with the facts of one unit exchanged."""
        return Figures({**self._facts, unit: facts}, self._roster)

    def units(self, among: Among, unit: str) -> tuple[str, ...]:
        """Return the units of the unit's group, or of all groups."""
        if among == "group":
            return self._roster[self._group_of[unit]]
        return tuple(unit for units in self._roster.values() for unit in units)

    def metrics(self, name: str) -> dict[str, Decimal]:
        """Return the latest value of the metric for every unit that has it."""
        if name not in self._metrics:
            found = {unit: latest(facts, "metric", "name", name) for unit, facts in self._facts.items()}
            self._metrics[name] = {unit: fact.decimal("value") for unit, fact in found.items() if fact}
        return self._metrics[name]

    def rank(self, rule: ByRank, unit: str) -> int | None:
        """Return the unit's place by the rule (from the bottom if it counts so), or None when it has none."""
        key = (id(rule), self._group_of[unit] if rule.among == "group" else "")
        if key not in self._ranks:
            self._ranks[key] = self._places(rule, self.units(rule.among, unit))
        return self._ranks[key].get(unit)

    def _places(self, rule: ByRank, units: tuple[str, ...]) -> dict[str, int]:
        match rule.source:
            case ByRankingFact(ranking=name):
                found = {unit: latest(self._facts[unit], "ranking", "name", name) for unit in units}
                given = {unit: fact.integer("rank") for unit, fact in found.items() if fact}
                if not rule.from_bottom:
                    return given
                places = {unit: len(units) + 1 - rank for unit, rank in given.items()}
                # Units may have left since the rank was given: beyond those that remain there is no place to count.
                return {unit: place for unit, place in places.items() if place > 0}
            case ByMetric(metric=name, order=order):
                metrics = self.metrics(name)
                values = {unit: metrics[unit] for unit in units if unit in metrics}
                return _ranked(values, order, rule.from_bottom)
            case ByCount(count=selection, order=order):
                matches = {unit: selection.matching(self._facts[unit]) for unit in units}
                counts = {unit: Decimal(sum(f.count for f in found)) for unit, found in matches.items() if found}
                return _ranked(counts, order, rule.from_bottom)

    def whole_steps_below_mean(self, rule: Shortfall, unit: str) -> int:
        """Return how many whole steps the unit's metric lies below the mean.

        0 where the unit has no metric, lies at or above the mean, or the mean is 0 or negative.
        """
        metrics = self.metrics(rule.metric)
        values = [metrics[other] for other in self.units(rule.among, unit) if other in metrics]
        if unit not in metrics or not values:
            return 0
        mean = Fraction(sum(values, ZERO)) / len(values)
        if mean <= 0:
            return 0
        return max(0, (mean - Fraction(metrics[unit])) // (Fraction(rule.step) * mean))

    def mean_rating(self, unit: str, facts: FactsByKind) -> Decimal:
        """Return the mean of the ratings from outside the unit's group, rounded half up to 2 decimals; 0 without."""
        ratings = [fact.decimal("value") for fact in self.outside_ratings(unit, facts)]
        if not ratings:
            return ZERO
        return rounded_half_up(Fraction(sum(ratings, ZERO)) / len(ratings))

    def outside_ratings(self, unit: str, facts: FactsByKind) -> list[Fact]:
        """Return the ratings of the unit whose rater belongs to another group."""
        own = self._group_of[unit]
        return [
            fact for fact in facts.get("rating", ()) if self._group_of.get(str(fact.attributes["rater"]), own) != own
        ]


def _ranked(values: Mapping[str, Decimal], order: Order, from_bottom: bool) -> dict[str, int]:
    """Rank by value, equal values sharing the better rank; from the bottom the worst value has place 1."""
    highest_is_first = (order == "highest_first") != from_bottom
    ordered = sorted(values.values(), reverse=highest_is_first)
    first_place: dict[Decimal, int] = {}
    for place, value in enumerate(ordered, start=1):
        first_place.setdefault(value, place)
    return {unit: first_place[value] for unit, value in values.items()}
