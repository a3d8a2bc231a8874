"""One indicator of one unit: from the facts that match its rules to its value, with every step kept.

Order of work (the contract's §2): the start (or the judged value) → the effects of all rules, in the order of
facts, each under the `max` of its rule or pool → the ceiling, then the floor → a forfeit, which is exactly 0.
A row scored per account goes through this once for each account and takes the lowest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from operator import attrgetter

from schemes.exact import ZERO, rounded_half_up
from schemes.fact import Fact
from schemes.figures import Figures, latest
from schemes.rules import (
    Award,
    ByCount,
    ByMetric,
    ByRank,
    ByRankingFact,
    ByValue,
    Checklist,
    Deduct,
    Discretion,
    FactsByKind,
    Forfeit,
    IfTotal,
    Inform,
    Judged,
    MeanRating,
    Milestone,
    PriorGrade,
    Proportional,
    RankSource,
    Rule,
    Selection,
    Shortfall,
    Threshold,
    Tiers,
)
from schemes.scheme import Indicator
from schemes.subtotals import Subtotals


class Pending(Enum):
    """What a row that waits for a judgement or a metric shows."""

    DEFAULT = "default"
    LOWEST = "lowest"
    HIGHEST = "highest"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one rule did, for one fact where it was one fact that did it.

    `nominal` are the signed points the rule names, `effective` what is left of them under the rule's `max`.
    """

    rule: int
    fact: Fact | None
    nominal: Decimal
    effective: Decimal


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """The value of one indicator and how it came about.

    `start` is the start or the judged value, `unbounded` the sum before ceiling and floor, `forfeits` the facts
    that set it to 0, `informing` those listed for the one who judges. `accounts` holds the score of each
    account of a row scored per account; the lowest of them gave the value.
    """

    indicator: Indicator
    value: Decimal
    start: Decimal
    unbounded: Decimal
    pending: bool
    effects: tuple[Effect, ...]
    forfeits: tuple[Fact, ...]
    informing: tuple[Fact, ...]
    judged_by: Fact | None = None
    account: str | None = None
    accounts: tuple[IndicatorScore, ...] = field(default=())

    @property
    def nominal(self) -> Decimal:
        """What the value would be if nothing had bounded it: no max, no ceiling, no floor, no forfeit."""
        return self.start + sum((effect.nominal for effect in self.effects), ZERO)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an indicator is scored against besides its own facts.

    `untouched` keeps the scores of a group's rows that no fact touches: they are the same for all its units.
    """

    unit: str
    year: int
    figures: Figures
    pending: Pending = Pending.DEFAULT
    subtotals: Subtotals | None = None
    untouched: dict[tuple[str, Pending], IndicatorScore] = field(default_factory=dict)


def score_indicator(row: Indicator, facts: FactsByKind, around: Circumstances) -> IndicatorScore:
    """Return the score of the row for these facts of one unit (already narrowed to day, period and window).

    Without `subtotals` in the circumstances every `if_total` rule gives nothing: that is how the subtotals it
    looks at are worked out.
    """
    if row.per_account:
        accounts = _accounts(row, facts)
        if accounts:
            scores = tuple(_score(row, of_account(facts, account), around, account=account) for account in accounts)
            lowest = min(scores, key=lambda score: score.value)
            return IndicatorScore(
                row,
                lowest.value,
                lowest.start,
                lowest.unbounded,
                any(score.pending for score in scores),
                lowest.effects,
                lowest.forfeits,
                lowest.informing,
                lowest.judged_by,
                lowest.account,
                scores,
            )
    if around.subtotals is None and row.kinds.isdisjoint(facts):
        key = (row.id, around.pending)
        if key not in around.untouched:
            around.untouched[key] = _score(row, {}, around)
        return around.untouched[key]
    return _score(row, facts, around)


def touching(rule: Rule, facts: FactsByKind, around: Circumstances) -> list[Fact]:
    """Return the unit's own facts that the rule looks at, in the order of facts."""
    match rule:
        case Selection():
            found = rule.matching(facts)
            return [f for f in found if f.text("item") in rule.items] if isinstance(rule, Checklist) else found
        case Milestone():
            return [fact for condition in rule.conditions for fact in condition.matching(facts)]
        case ByRank():
            return _ranking_facts(rule.source, facts)
        case Shortfall() | Proportional() | ByValue():
            return _named(facts, "metric", rule.metric)
        case PriorGrade():
            wanted = around.year - 1
            return [fact for fact in facts.get("prior_grade", ()) if fact.attributes["year"] == wanted]
        case Discretion():
            return [f for f in facts.get("discretion", ()) if f.attributes["section"] == rule.section]
        case MeanRating():
            return around.figures.outside_ratings(around.unit, facts)
        case Judged() | IfTotal():
            return []


def judgements(row: Indicator, facts: FactsByKind) -> list[Fact]:
    """Return the judgements of this row, in the order of facts; the last one counts."""
    return [fact for fact in facts.get("judgement", ()) if fact.attributes["indicator"] == row.id]


def _ranking_facts(source: RankSource, facts: FactsByKind) -> list[Fact]:
    match source:
        case ByCount():
            return source.count.matching(facts)
        case ByRankingFact():
            return _named(facts, "ranking", source.ranking)
        case ByMetric():
            return _named(facts, "metric", source.metric)


def _named(facts: FactsByKind, kind: str, name: str) -> list[Fact]:
    return [fact for fact in facts.get(kind, ()) if fact.attributes["name"] == name]


def _accounts(row: Indicator, facts: FactsByKind) -> list[str]:
    named: dict[str, None] = {}
    for rule in row.rules:
        if isinstance(rule, Selection):
            for fact in rule.matching(facts):
                account = fact.text("account")
                if account is not None:
                    named[account] = None
    return list(named)


def of_account(facts: FactsByKind, account: str) -> FactsByKind:
    """Return the facts of one account: its own, and those that name none."""
    return {
        kind: [fact for fact in listed if fact.attributes.get("account", account) == account]
        for kind, listed in facts.items()
    }


def _score(row: Indicator, facts: FactsByKind, around: Circumstances, account: str | None = None) -> IndicatorScore:
    start = row.points if row.start == "full" else ZERO
    pending = False
    judged_by = None
    effects: list[Effect] = []
    forfeits: list[Fact] = []
    informing: list[Fact] = []
    for at, rule in enumerate(row.rules):
        match rule:
            case Judged():
                judged_by = latest(facts, "judgement", "indicator", row.id)
                pending = judged_by is None
                start = _judged_value(rule, judged_by, around.pending)
            case Forfeit():
                forfeits += rule.matching(facts)
            case Inform():
                informing += rule.matching(facts)
            case Proportional() | ByValue():
                measured = latest(facts, "metric", "name", rule.metric)
                pending = measured is None
                points = _measured_points(rule, row, measured, around.pending)
                effects.append(Effect(at, measured, points, points))
            case _:
                effects += _effects(at, rule, facts, around)
    if effects:
        effects = _under_maxima(row.rules, effects)
    unbounded = start + sum((effect.effective for effect in effects), ZERO)
    value = ZERO if forfeits else _bounded(row, unbounded)
    return IndicatorScore(
        row,
        value,
        start,
        unbounded,
        pending,
        tuple(effects),
        tuple(forfeits),
        tuple(informing),
        judged_by,
        account,
    )


def _bounded(row: Indicator, value: Decimal) -> Decimal:
    if row.ceiling is not None:
        value = min(value, row.ceiling)
    return value if row.floor is None else max(value, row.floor)


def _judged_value(rule: Judged, judgement: Fact | None, pending: Pending) -> Decimal:
    if judgement is not None:
        return max(rule.min, min(rule.max, judgement.decimal("value")))
    return {Pending.DEFAULT: rule.default, Pending.LOWEST: rule.min, Pending.HIGHEST: rule.max}[pending]


def _measured_points(rule: Proportional | ByValue, row: Indicator, measured: Fact | None, pending: Pending) -> Decimal:
    if measured is None:
        if pending is not Pending.HIGHEST:
            return ZERO
        return row.points if isinstance(rule, Proportional) else max(step.points for step in rule.steps)
    value = measured.decimal("value")
    if isinstance(rule, Proportional):
        share = Fraction(row.points) * Fraction(value) / Fraction(rule.target)
        return max(ZERO, min(row.points, rounded_half_up(share)))
    return max(((step.at_least, step.points) for step in rule.steps if value >= step.at_least), default=(0, ZERO))[1]


def _effects(at: int, rule: Rule, facts: FactsByKind, around: Circumstances) -> Iterator[Effect]:
    """Yield what a rule does before any `max`; rules on counts give each fact what it changed."""
    match rule:
        case Deduct() | Award():
            each = rule.each if isinstance(rule, Award) else -rule.each
            for fact in rule.matching(facts):
                yield _whole(at, fact, each * fact.count)
        case Tiers():
            yield from _tier_effects(at, rule, facts)
        case Checklist():
            yield from _checklist_effects(at, rule, facts)
        case Discretion():
            sign = 1 if rule.section == "bonus" else -1
            for fact in touching(rule, facts, around):
                yield _whole(at, fact, sign * fact.decimal("points"))
        case IfTotal():
            if around.subtotals is not None and around.subtotals.of(rule.basis) >= rule.at_least:
                yield _whole(at, None, rule.points)
        case ByRank() | Shortfall() | MeanRating() | Milestone() | PriorGrade():
            points = _points_of_all(rule, facts, around)
            if points:
                seen = touching(rule, facts, around)
                yield _whole(at, max(seen, key=attrgetter("order"), default=None), points)
        case Judged() | Forfeit() | Inform() | Proportional() | ByValue():
            return


def _points_of_all(
    rule: ByRank | Shortfall | MeanRating | Milestone | PriorGrade, facts: FactsByKind, around: Circumstances
) -> Decimal:
    """Return the signed points of a rule that no single fact earns; they are shown at the last fact it looks at."""
    match rule:
        case ByRank():
            rank = around.figures.rank(rule, around.unit)
            points = next((place.points for place in rule.places if rank is not None and rank <= place.rank), ZERO)
            return points if rule.direction == "award" else -points
        case Shortfall():
            return -rule.each * around.figures.whole_steps_below_mean(rule, around.unit)
        case MeanRating():
            return around.figures.mean_rating(around.unit, facts)
        case Milestone():
            return rule.points if all(_holds(condition, facts) for condition in rule.conditions) else ZERO
        case PriorGrade():
            last = latest(facts, "prior_grade", "year", around.year - 1)
            return rule.points if last is not None and last.attributes["grade"] == rule.grade else ZERO


def _whole(at: int, fact: Fact | None, points: Decimal) -> Effect:
    return Effect(at, fact, points, points)


def _holds(condition: Threshold, facts: FactsByKind) -> bool:
    times = sum(fact.count for fact in condition.matching(facts))
    enough = condition.at_least is None or times >= condition.at_least
    return enough and (condition.at_most is None or times <= condition.at_most)


def _tier_effects(at: int, rule: Tiers, facts: FactsByKind) -> Iterator[Effect]:
    times = 0
    reached = ZERO
    sign = 1 if rule.direction == "award" else -1
    for fact in rule.matching(facts):
        times += fact.count
        points = next((step.points for step in reversed(rule.steps) if times >= step.times), ZERO)
        yield _whole(at, fact, sign * (points - reached))
        reached = points


def _checklist_effects(at: int, rule: Checklist, facts: FactsByKind) -> Iterator[Effect]:
    sign = 1 if rule.mode == "earn" else -1
    seen: set[str | None] = set()
    for fact in rule.matching(facts):
        item = fact.text("item")
        if item in rule.items:
            points = sign * rule.items[item]
            yield Effect(at, fact, points, ZERO if item in seen else points)
            seen.add(item)


def _under_maxima(rules: tuple[Rule, ...], effects: Iterable[Effect]) -> list[Effect]:
    """Put the effects in the order of facts and cut them where the `max` of their rule or pool is reached."""
    ordered = sorted(effects, key=lambda effect: (effect.fact is None, effect.fact and effect.fact.order, effect.rule))
    left = _maxima(rules)
    result = []
    for effect in ordered:
        rule, left_over = rules[effect.rule], effect.effective
        if isinstance(rule, Deduct | Award) and (pool := rule.pool or effect.rule) in left:
            allowed = min(left[pool], abs(effect.nominal))
            left[pool] -= allowed
            left_over = allowed.copy_sign(effect.nominal)
        result.append(Effect(effect.rule, effect.fact, effect.nominal, left_over))
    return result


def _maxima(rules: tuple[Rule, ...]) -> dict[str | int, Decimal]:
    stated: dict[str | int, list[Decimal]] = defaultdict(list)
    for at, rule in enumerate(rules):
        if isinstance(rule, Deduct | Award) and rule.max is not None:
            stated[rule.pool or at].append(rule.max)
    return {pool: min(maxima) for pool, maxima in stated.items()}
