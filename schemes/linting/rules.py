"""Rules and bounds of a row that can never matter: maxima nothing reaches, deductions with nothing left to take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemes.conditions import Where
from schemes.exact import ZERO, plain
from schemes.linting.finding import Finding, Spot, row_spots
from schemes.linting.reach import Bound, Reach, adds, pool_max, pools, takes
from schemes.linting.satisfying import contradictory
from schemes.rules import (
    Award,
    ByCount,
    ByRank,
    Checklist,
    Deduct,
    Forfeit,
    Judged,
    Milestone,
    Rule,
    Selection,
    Shortfall,
    Step,
    Tiers,
)
from schemes.scheme import Group, Indicator, Scheme, VetoFacts
from schemes.vocabulary import Vocabulary
from schemes.wording import item_label, points_phrase


def rules_findings(scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Yield what can never matter: vetoes first, then row by row of its bounds and of each of its rules."""
    for at, veto in enumerate(scheme.vetoes):
        if isinstance(veto.when, VetoFacts):
            yield from _selection(Spot(), veto.when, ("vetoes", at, "when"), vocabulary)
    for spot, group, row in row_spots(scheme):
        reach = Reach(row)
        yield from _bounds(spot, row, reach)
        yield from _maxima(spot, row, reach)
        for at, rule in enumerate(row.rules):
            yield from _without_points(spot, rule, at)
            yield from _without_room(spot, rule, at, row, reach)
            yield from _steps(spot, rule, at, reach)
            yield from _places(spot, rule, at, group, scheme)
            yield from _whole_steps(spot, rule, at)
            yield from _selections(spot, rule, at, vocabulary)


def _bounds(spot: Spot, row: Indicator, reach: Reach) -> Iterator[Finding]:
    """A ceiling above the highest value the rules can give, a floor below the lowest: points nobody gets or loses.

    A forfeit loses them all, and a judged range begins where its authors want it to.
    """
    highest, lowest = reach.unbounded_highest, reach.unbounded_lowest
    lost_otherwise = any(isinstance(rule, Forfeit | Judged) for rule in row.rules)
    if row.ceiling is not None and highest is not None and highest < row.ceiling:
        yield spot.finding(
            "lint-ceiling-out-of-reach",
            f"the rules give at most {plain(highest)} points, the ceiling is {plain(row.ceiling)}",
            f"各条规则最多得{points_phrase(highest)}，达不到上限{points_phrase(row.ceiling)}",
        )
    if row.floor is not None and lowest is not None and lowest > row.floor and not lost_otherwise:
        left = plain(lowest - row.floor)
        yield spot.finding(
            "lint-floor-out-of-reach",
            f"the rules leave at least {plain(lowest)} points, the floor is {plain(row.floor)}: "
            f"no rule takes the last {left}",
            f"各条规则扣到底仍有{points_phrase(lowest)}，下限为{points_phrase(row.floor)}，余下{left}分没有扣分情形",
        )


def _maxima(spot: Spot, row: Indicator, reach: Reach) -> Iterator[Finding]:
    """The `max` of a rule or pool matters only when it is not above all that the row can lose or gain."""
    pooled = pools(row.rules)
    single = [[at] for at, rule in enumerate(row.rules) if isinstance(rule, Deduct | Award) and rule.pool is None]
    for places in (*single, *pooled.values()):
        rules = [row.rules[at] for at in places]
        limit = pool_max(rules)
        room = reach.to_lose if isinstance(rules[0], Deduct) else reach.to_gain
        if limit is not None and room is not None and ZERO < room < limit:
            act = "lose" if isinstance(rules[0], Deduct) else "gain"
            yield spot.finding(
                "lint-cap-never-binds",
                f"max {plain(limit)} is above the {plain(room)} points that the row can {act}",
                f"规则的封顶{points_phrase(limit)}高于本项可{'扣' if act == 'lose' else '加'}的{points_phrase(room)}，"
                "不会起作用",
                "rules",
                places[0],
                "max",
            )


def _without_points(spot: Spot, rule: Rule, at: int) -> Iterator[Finding]:
    if isinstance(rule, Deduct | Award) and ZERO in (rule.each, rule.max):
        name, number = ("each", "每次的分值") if rule.each == ZERO else ("max", "上限")
        yield spot.finding(
            f"lint-{'deduction' if isinstance(rule, Deduct) else 'award'}-out-of-reach",
            f"{rule.effect} never does anything: its {name} is 0",
            f"{number}为0，这条规则不会起作用",
            "rules",
            at,
            name,
        )


def _without_room(spot: Spot, rule: Rule, at: int, row: Indicator, reach: Reach) -> Iterator[Finding]:
    losing = isinstance(rule, Forfeit) and reach.highest == ZERO == reach.lowest
    if losing or (takes(rule) != ZERO and _none(reach.to_lose)):
        yield spot.finding(
            "lint-deduction-out-of-reach",
            f"{rule.effect} finds nothing to take: the row never stands above {plain(row.floor or ZERO)}",
            f"本项始终不高于{points_phrase(row.floor or ZERO)}，没有分可扣，这条规则不会起作用",
            "rules",
            at,
        )
    if adds(rule, row) != ZERO and _none(reach.to_gain):
        yield spot.finding(
            "lint-award-out-of-reach",
            f"{rule.effect} can add nothing: the row never stands below its ceiling {plain(row.ceiling or ZERO)}",
            f"本项始终不低于上限{points_phrase(row.ceiling or ZERO)}，这条加分规则不会起作用",
            "rules",
            at,
        )


def _none(room: Bound) -> bool:
    return room is not None and room <= 0


def _steps(spot: Spot, rule: Rule, at: int, reach: Reach) -> Iterator[Finding]:
    """A step of a table of times matters when it gives more than the one before, and the row can still move."""
    if not isinstance(rule, Tiers):
        return
    room = reach.to_gain if rule.direction == "award" else reach.to_lose
    before = Step.model_construct(times=0, points=ZERO)
    for number, step in enumerate(rule.steps):
        spent = room is not None and room > 0 and before.points >= room
        if step.points <= before.points or spent:
            why = "the row has no more to move" if spent else "it gives no more than the step before"
            said = "此前各档已经用完本项的分值" if spent else "分值不高于前一档"
            yield spot.finding(
                "lint-step-without-effect",
                f"the step from {step.times} times on changes nothing: {why}",
                f"达到{step.times}次的一档不起作用：{said}",
                "rules",
                at,
                "steps",
                number,
            )
        before = step


def _places(spot: Spot, rule: Rule, at: int, group: Group, scheme: Scheme) -> Iterator[Finding]:
    """A place in a table of ranks matters when there are units for it; groups of example units are not counted."""
    if not isinstance(rule, ByRank):
        return
    counted = scheme.groups if rule.among == "all" else (group,)
    if any(one.example_units for one in counted):
        return
    units = sum(len(one.units) for one in counted)
    for number, place in enumerate(rule.places[1:], start=1):
        if rule.places[number - 1].rank >= units:
            yield spot.finding(
                "lint-step-without-effect",
                f"the place up to rank {place.rank} is never taken: there are {units} units",
                f"至第{place.rank}名的一档不起作用：参加排名的只有{units}个单位",
                "rules",
                at,
                "places",
                number,
            )


def _whole_steps(spot: Spot, rule: Rule, at: int) -> Iterator[Finding]:
    """A step is a fraction of the mean: no value above 0 lies the whole mean below it."""
    if isinstance(rule, Shortfall) and rule.step >= 1:
        share = plain(rule.step * 100)
        yield spot.finding(
            "lint-shortfall-step",
            f"a step of {plain(rule.step)} is {share}% of the mean, which no value above 0 lies below it; "
            "0.2 is meant for 20%",
            f"步长{plain(rule.step)}是平均值的{share}%，数值大于0就低不到一个步长，不会扣分；20%写作0.2",
            "rules",
            at,
            "step",
        )


def _selections(spot: Spot, rule: Rule, at: int, vocabulary: Vocabulary) -> Iterator[Finding]:
    if isinstance(rule, Milestone):
        for number, condition in enumerate(rule.conditions):
            yield from _selection(spot, condition, ("rules", at, "conditions", number), vocabulary)
            yield from _contradiction(spot, condition.at_least, condition.at_most, ("rules", at, "conditions", number))
    if isinstance(rule, ByRank) and isinstance(rule.source, ByCount):
        yield from _selection(spot, rule.source.count, ("rules", at, "source", "count"), vocabulary)
    if isinstance(rule, Selection):
        yield from _selection(spot, rule, ("rules", at), vocabulary)
    if isinstance(rule, Checklist):
        for item in rule.items:
            named = Where.model_validate({"item": item})
            if all(contradictory(kind, [rule.where, named], vocabulary) for kind in rule.kinds):
                yield spot.finding(
                    "lint-rule-never-matches",
                    f"no fact of {', '.join(rule.kinds)} that the rule selects can have the item {item}",
                    f"规则所选的事实中不会有事项{item_label(item, vocabulary)}",
                    "rules",
                    at,
                    "items",
                    item,
                )


def _contradiction(spot: Spot, low: int | None, high: int | None, path: Sequence[str | int]) -> Iterator[Finding]:
    if low is not None and high is not None and low > high:
        yield spot.finding(
            "lint-rule-never-matches",
            f"the condition asks for at least {low} and at most {high}",
            f"条件要求不少于{low}次又不超过{high}次，不可能成立",
            *path,
        )


def _selection(
    spot: Spot, selection: Selection, path: Sequence[str | int], vocabulary: Vocabulary
) -> Iterator[Finding]:
    never = [kind for kind in selection.kinds if contradictory(kind, [selection.where], vocabulary)]
    if never:
        every = len(never) == len(selection.kinds)
        kinds = "、".join(f"“{vocabulary.kinds[kind].label}”" for kind in never)
        yield spot.finding(
            "lint-rule-never-matches",
            f"no {' or '.join(never)} can meet the predicate{'' if every else '; the other kinds of the rule can'}",
            f"没有{kinds}能符合规则的限定条件",
            *path,
            "where",
        )
