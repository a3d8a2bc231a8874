"""How far a row can go: the most its rules can add and take away, whatever the facts; null is no bound.

What a rule's `max` or table allows is taken at its word: whether so many facts can occur is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from schemes.exact import ZERO
from schemes.rules import (
    Award,
    ByRank,
    ByValue,
    Checklist,
    Deduct,
    Discretion,
    Forfeit,
    IfTotal,
    MeanRating,
    Milestone,
    PriorGrade,
    Proportional,
    Rule,
    Shortfall,
    Tiers,
)
from schemes.scheme import Indicator

Bound = Decimal | None
_HIGHEST_RATING = Decimal(100)


def adds(rule: Rule, row: Indicator) -> Bound:
    """Return the most points the rule can add, without the `max` of a pool; null without bound."""
    match rule:
        case Award():
            return rule.max if rule.each else ZERO
        case Tiers():
            return max(step.points for step in rule.steps) if rule.direction == "award" else ZERO
        case Checklist():
            return sum(rule.items.values(), ZERO) if rule.mode == "earn" else ZERO
        case ByRank():
            return max(place.points for place in rule.places) if rule.direction == "award" else ZERO
        case Milestone() | IfTotal() | PriorGrade():
            return rule.points
        case MeanRating():
            return _HIGHEST_RATING
        case Discretion():
            return None if rule.section == "bonus" else ZERO
        case Proportional():
            return row.points
        case ByValue():
            return max(step.points for step in rule.steps)
        case _:
            return ZERO


def takes(rule: Rule) -> Bound:
    """Return the most points the rule can take away, without the `max` of a pool; null without bound."""
    match rule:
        case Deduct():
            return rule.max if rule.each else ZERO
        case Tiers():
            return max(step.points for step in rule.steps) if rule.direction == "deduct" else ZERO
        case Checklist():
            return sum(rule.items.values(), ZERO) if rule.mode == "lose" else ZERO
        case ByRank():
            return max(place.points for place in rule.places) if rule.direction == "deduct" else ZERO
        case Shortfall():
            return None if rule.each else ZERO
        case Discretion():
            return None if rule.section == "penalty" else ZERO
        case _:
            return ZERO


@dataclass(frozen=True)
class Reach:
    """The span of a row's value before and after its bounds."""

    row: Indicator

    @cached_property
    def starts(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest value before any rule adds or takes: the points, 0, or the judged range."""
        judged = self.row.judged
        if judged is not None:
            return judged.min, judged.max
        start = self.row.points if self.row.start == "full" else ZERO
        return start, start

    @cached_property
    def added(self) -> Bound:
        """The most all rules can add."""
        return _total(self.row.rules, lambda rule: adds(rule, self.row))

    @cached_property
    def taken(self) -> Bound:
        """The most all rules can take away; a forfeit is not counted."""
        return _total(self.row.rules, takes)

    @cached_property
    def unbounded_highest(self) -> Bound:
        """The highest value before the ceiling."""
        return None if self.added is None else self.starts[1] + self.added

    @cached_property
    def unbounded_lowest(self) -> Bound:
        """The lowest value before the floor, a forfeit not counted."""
        return None if self.taken is None else self.starts[0] - self.taken

    @cached_property
    def highest(self) -> Bound:
        """The highest value the row can have."""
        stated = [bound for bound in (self.unbounded_highest, self.row.ceiling) if bound is not None]
        if not stated:
            return None
        return min(stated) if self.row.floor is None else max(min(stated), self.row.floor)

    @cached_property
    def lowest(self) -> Bound:
        """The lowest value the row can have."""
        stated = [bound for bound in (self.unbounded_lowest, self.row.floor) if bound is not None]
        if not stated:
            return None
        lowest = max(stated)
        return min(lowest, ZERO) if any(isinstance(rule, Forfeit) for rule in self.row.rules) else lowest

    @cached_property
    def to_lose(self) -> Bound:
        """What deductions can take from the row at most, from its highest value down to its floor."""
        if self.row.floor is None or self.unbounded_highest is None:
            return None
        return self.unbounded_highest - self.row.floor

    @cached_property
    def to_gain(self) -> Bound:
        """What awards can add to the row at most, from its lowest value up to its ceiling."""
        if self.row.ceiling is None or self.unbounded_lowest is None:
            return None
        return self.row.ceiling - self.unbounded_lowest


def pools(rules: Sequence[Rule]) -> dict[str, list[int]]:
    """Return the places of the rules that share a `max`, by their pool."""
    found: dict[str, list[int]] = {}
    for at, rule in enumerate(rules):
        if isinstance(rule, Deduct | Award) and rule.pool is not None:
            found.setdefault(rule.pool, []).append(at)
    return found


def pool_max(rules: Iterable[Rule]) -> Bound:
    """Return the `max` that the rules of a pool share: the smallest stated."""
    return min((rule.max for rule in rules if isinstance(rule, Deduct | Award) and rule.max is not None), default=None)


def _total(rules: Sequence[Rule], limit: Callable[[Rule], Bound]) -> Bound:
    """Add up the limits; a pool counts once, with the `max` it shares."""
    pooled = pools(rules)
    together = {at for places in pooled.values() for at in places}
    limits = [limit(rule) for at, rule in enumerate(rules) if at not in together]
    for places in pooled.values():
        each = [limit(rules[at]) for at in places]
        if any(one != ZERO for one in each):
            limits.append(pool_max(rules[at] for at in places))
    return total_of(limits)


def total_of(bounds: Iterable[Bound]) -> Bound:
    """Return the sum; null where one of them has no bound."""
    listed = list(bounds)
    return None if None in listed else sum((one for one in listed if one is not None), ZERO)
