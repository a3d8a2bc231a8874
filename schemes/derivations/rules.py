"""One rule of one row as a node: the points it gave, the facts it looked at, the figures it compared.

Points are the engine's own (`IndicatorScore.effects`); here they are only laid out so that each follows from what is
below it. A rule that found nothing is a node too, and so is a fact that would have met it but does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from schemes.derivations.node import Input, Node, Telling, Value, additive
from schemes.exact import ZERO, plain, rounded_half_up
from schemes.fact import Fact
from schemes.figures import latest
from schemes.rules import (
    Award,
    Basis,
    ByCount,
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
    Rule,
    Shortfall,
    Threshold,
    Tiers,
)
from schemes.scheme import Indicator
from schemes.scoring import Circumstances, Effect, IndicatorScore, judgements, touching
from schemes.wording import (
    basis_phrase,
    choice_label,
    item_label,
    measure_word,
    points_phrase,
    rule_sentence,
    source_phrase,
    threshold_phrase,
)

NAMED_UNITS = 5


@dataclass(frozen=True)
class Sight:
    """What the rules of one row see: the unit's facts (of one account, where it is so), and everybody's.

    `left` is what was left of the maximum of a rule or pool before each effect. `seen` gives the subtotal that a
    threshold looks at.
    """

    telling: Telling
    row: Indicator
    score: IndicatorScore
    facts: FactsByKind
    everybody: Mapping[str, FactsByKind]
    around: Circumstances
    seen: Callable[[Basis], Node]
    left: Mapping[int, Decimal]

    def effects(self, at: int) -> list[Effect]:
        """Return the effects of one rule, in the order of facts."""
        return [effect for effect in self.score.effects if effect.rule == at]

    def absent(self, rule: Rule) -> tuple[Node, ...]:
        """Return the facts that the rule would have looked at if they counted."""
        account = self.score.account

        def met(fact: Fact) -> bool:
            alone: FactsByKind = {fact.kind: [fact]}
            if account is not None and fact.attributes.get("account", account) != account:
                return False
            return bool(judgements(self.row, alone) if isinstance(rule, Judged) else touching(rule, alone, self.around))

        return self.telling.absent_where(met)

    def said(self, rule: Rule) -> str:
        """Return the rule in words, as a remark."""
        return f"（规则：{rule_sentence(rule, self.telling.words)}）"

    def node(
        self,
        at: int,
        value: Value,
        why: str,
        children: Iterable[Node],
        inputs: Mapping[str, Input] | None = None,
        fired: bool | None = None,
    ) -> Node:
        """Return the node of a rule; unless told otherwise it fired when it gave points."""
        rule = self.row.rules[at]
        return Node(
            key=f"rule{at + 1}",
            operator=rule.effect,
            label=choice_label("effect", rule.effect),
            value=value,
            sentence=f"{why}{self.said(rule)}。",
            inputs=inputs or {},
            children=(*children, *self.absent(rule)),
            fired=bool(value) if fired is None else fired,
            rule=at,
        )


def rule_node(sight: Sight, at: int) -> Node:
    """Return what one rule of the row did."""
    rule = sight.row.rules[at]
    match rule:
        case Deduct() | Award():
            return _counting(sight, at, rule)
        case Tiers():
            return _tiers(sight, at, rule)
        case Checklist():
            return _checklist(sight, at, rule)
        case Discretion():
            return _discretion(sight, at, rule)
        case Forfeit() | Inform():
            return _listing(sight, at, rule)
        case Judged():
            return _judged(sight, at, rule)
        case ByRank():
            return _by_rank(sight, at, rule)
        case Proportional() | ByValue():
            return _measured(sight, at, rule)
        case _:
            return _threshold_rule(sight, at, rule)


def did(act: str, value: Decimal) -> str:
    """Return points as what was done with them, without sign: 扣2分."""
    return f"{act}{points_phrase(abs(value))}"


def _act(positive: bool) -> str:
    return "加" if positive else "扣"


def _counting(sight: Sight, at: int, rule: Deduct | Award) -> Node:
    award = isinstance(rule, Award)
    act, each = _act(award), rule.each if award else -rule.each
    children = []
    for effect in sight.effects(at):
        if effect.fact is None:
            continue
        inputs: dict[str, Input] = {"each": each}
        left = sight.left.get(id(effect))
        if left is not None:
            inputs["left"] = left
        why = did(act, effect.effective)
        if effect.effective != effect.nominal:
            why = f"应{did(act, effect.nominal)}，封顶前只余{points_phrase(left or ZERO)}，实{why}"
        fired = bool(effect.effective)
        children.append(sight.telling.leaf(effect.fact, "times", effect.effective, why, inputs, fired))
    value = additive(children)
    nominal = sum((effect.nominal for effect in sight.effects(at)), ZERO)
    times = sum(effect.fact.count for effect in sight.effects(at) if effect.fact)
    found = f"共{times}{measure_word(rule.kinds)}" if times else "没有这样的事实"
    why = f"{found}，{did(act, value)}"
    if nominal != value:
        swallowed = points_phrase(abs(nominal - value))
        why = f"{found}，应{did(act, nominal)}，因封顶有{swallowed}不计，实{did(act, value)}"
    told: dict[str, Input] = {"each": each} if rule.pool else {"each": each, "max": rule.max}
    return sight.node(at, value, why, children, told)


def pool_node(key: str, maximum: Decimal, rules: tuple[Node, ...]) -> Node:
    """Return rules that share one maximum."""
    value = additive(rules)
    left = maximum - abs(value)
    nominal = sum((_nominal(fact) for rule in rules for fact in rule.children), ZERO)
    swallowed = abs(nominal) - abs(value)
    spent = f"有{points_phrase(swallowed)}因封顶不计" if swallowed else f"还余{points_phrase(left)}"
    act = _act(rules[0].operator == "award")
    return Node(
        key=f"pool-{key}",
        operator="pool",
        label="合并封顶",
        value=value,
        sentence=f"{len(rules)}条规则合计{did(act, value)}，合并封顶{points_phrase(maximum)}，{spent}。",
        inputs={"max": maximum},
        children=rules,
        fired=bool(value),
    )


def _nominal(fact: Node) -> Decimal:
    each, count = fact.inputs.get("each"), fact.inputs.get("count")
    return each * count if isinstance(each, Decimal) and isinstance(count, int) else ZERO


def _tiers(sight: Sight, at: int, rule: Tiers) -> Node:
    act, children, times = _act(rule.direction == "award"), [], 0
    measure = measure_word(rule.kinds)
    for effect in sight.effects(at):
        if effect.fact is not None:
            times += effect.fact.count
            less = "少" if effect.effective and (effect.effective > 0) != (rule.direction == "award") else ""
            why = f"累计{times}{measure}，{less}{did(act, effect.effective)}"
            children.append(
                sight.telling.leaf(effect.fact, "step", effect.effective, why, fired=bool(effect.effective))
            )
    value = additive(children)
    why = f"累计{times}{measure}，{did(act, value)}" if times else f"没有这样的事实，{did(act, value)}"
    steps: list[Input] = [{"times": step.times, "points": step.points} for step in rule.steps]
    return sight.node(at, value, why, children, {"direction": rule.direction, "steps": steps})


def _checklist(sight: Sight, at: int, rule: Checklist) -> Node:
    act, words = _act(rule.mode == "earn"), sight.telling.words
    children, seen = [], set()
    for effect in sight.effects(at):
        if effect.fact is not None:
            item = effect.fact.text("item") or ""
            why = did(act, effect.effective)
            if item in seen:
                why = f"{item_label(item, words)}已经计过，{why}"
            seen.add(item)
            children.append(
                sight.telling.leaf(effect.fact, "item", effect.effective, why, fired=bool(effect.effective))
            )
    value = additive(children)
    found = f"所列{len(rule.items)}项中{'有' if rule.mode == 'earn' else '出现'}{len(seen)}项"
    if rule.mode == "earn" and 0 < len(seen) < len(rule.items):
        found += f"，没有{'、'.join(item_label(item, words) for item in rule.items if item not in seen)}"
    items: Mapping[str, Input] = dict(rule.items)
    return sight.node(at, value, f"{found}，{did(act, value)}", children, {"mode": rule.mode, "items": items})


def _discretion(sight: Sight, at: int, rule: Discretion) -> Node:
    act = _act(rule.section == "bonus")
    children = [
        sight.telling.leaf(
            effect.fact,
            "reading",
            effect.nominal.copy_abs(),
            f"决定{did(act, effect.nominal)}",
            {"attribute": "points"},
        )
        for effect in sight.effects(at)
        if effect.fact is not None
    ]
    value = sum((effect.effective for effect in sight.effects(at)), ZERO)
    found = f"有{len(children)}项决定" if children else "没有这样的决定"
    return sight.node(at, value, f"{found}，{did(act, value)}", children, {"section": rule.section})


def _listing(sight: Sight, at: int, rule: Forfeit | Inform) -> Node:
    children = [sight.telling.counted(fact) for fact in rule.matching(sight.facts)]
    times = sum(child.value for child in children if isinstance(child.value, int))
    found = f"共{times}{measure_word(rule.kinds)}" if times else "没有这样的事实（0次）"
    if isinstance(rule, Forfeit):
        return sight.node(at, times, f"{found}，{'本项计0分' if times else '未触发'}", children)
    return sight.node(at, times, f"{found}，供评定参考", children)


def _judged(sight: Sight, at: int, rule: Judged) -> Node:
    last = sight.score.judged_by
    children = [sight.telling.reading(fact, "value", last) for fact in judgements(sight.row, sight.facts)]
    value = sight.score.start
    span = f"{points_phrase(rule.min)}至{points_phrase(rule.max)}"
    if last is None:
        why = f"考评组尚未评定，暂计{points_phrase(value)}，可能为{span}"
    elif last.decimal("value") == value:
        why = f"考评组评定{points_phrase(value)}"
    else:
        why = f"考评组评定{points_phrase(last.decimal('value'))}，超出{span}的范围，按{points_phrase(value)}计"
    inputs: dict[str, Input] = {"min": rule.min, "max": rule.max, "default": rule.default}
    return sight.node(at, value, why, children, inputs, fired=last is not None)


def _by_rank(sight: Sight, at: int, rule: ByRank) -> Node:
    place = _place(sight, rule)
    act = _act(rule.direction == "award")
    value = sum((effect.effective for effect in sight.effects(at)), ZERO)
    count = "倒数第" if rule.from_bottom else "第"
    why = "没有名次" if place.value is None else f"{count}{place.value}名"
    places: list[Input] = [{"rank": one.rank, "points": one.points} for one in rule.places]
    inputs: dict[str, Input] = {"direction": rule.direction, "places": places}
    return sight.node(at, value, f"{why}，{did(act, value)}", [place], inputs)


def _place(sight: Sight, rule: ByRank) -> Node:
    """Return the unit's rank with the figures of the other units that it came from."""
    telling, unit, figures = sight.telling, sight.around.unit, sight.around.figures
    rank = figures.rank(rule, unit)
    units = figures.units(rule.among, unit)
    source = source_phrase(rule.source, rule.among, telling.words)
    seen = touching(rule, sight.everybody[unit], sight.around)
    count = "倒数第" if rule.from_bottom else "第"
    told = f"{source}为{count}{rank}名" if rank is not None else f"{source}：没有名次"
    inputs: dict[str, Input] = {"from_bottom": int(rule.from_bottom), "units": len(units)}
    if isinstance(rule.source, ByRankingFact):
        last = seen[-1] if seen else None
        children = tuple(telling.reading(fact, "rank", last) for fact in seen)
        given = f"，外部给出第{last.integer('rank')}名，共{len(units)}个单位" if last else ""
        return Node("place", "given_place", "名次", rank, f"{told}{given}。", inputs, children, rank is not None)
    values: dict[str, Decimal]
    if isinstance(rule.source, ByCount):
        children = tuple(telling.counted(fact) for fact in seen)
        matches = {other: rule.source.count.matching(sight.everybody[other]) for other in units}
        values = {other: Decimal(sum(fact.count for fact in found)) for other, found in matches.items() if found}
    else:
        children = tuple(telling.reading(fact, "value", seen[-1]) for fact in seen)
        metrics = figures.metrics(rule.source.metric)
        values = {other: metrics[other] for other in units if other in metrics}
    own = values.get(unit)
    first = (rule.source.order == "highest_first") != rule.from_bottom
    ahead = [] if own is None else [one for one in values if (values[one] > own if first else values[one] < own)]
    if own is not None:
        told += f"：本单位{plain(own)}，{len(values)}个单位有数值，{_ahead(telling, ahead, values)}"
    inputs |= {"unit": telling.name(unit), "order": rule.source.order, **telling.figures("values", values)}
    return Node("place", "place", "名次", rank, f"{told}。", inputs, children, rank is not None)


def _ahead(telling: Telling, units: Sequence[str], values: Mapping[str, Decimal]) -> str:
    if not units:
        return "没有排在前面的"
    if not telling.others:
        return f"排在前面的有{len(units)}个"
    listed = "、".join(f"{telling.name(unit)}{plain(values[unit])}" for unit in units[:NAMED_UNITS])
    return f"排在前面的有{len(units)}个（{listed}{'等' if len(units) > NAMED_UNITS else ''}）"


def _measured(sight: Sight, at: int, rule: Proportional | ByValue) -> Node:
    seen = touching(rule, sight.facts, sight.around)
    last = latest(sight.facts, "metric", "name", rule.metric)
    children = [sight.telling.reading(fact, "value", last) for fact in seen]
    value = sum((effect.effective for effect in sight.effects(at)), ZERO)
    inputs: dict[str, Input]
    if isinstance(rule, Proportional):
        highest = sight.row.points
        inputs = {"points": highest, "target": rule.target}
    else:
        highest = max(step.points for step in rule.steps)
        inputs = {"steps": [{"at_least": step.at_least, "points": step.points} for step in rule.steps]}
    if last is None:
        span = f"{points_phrase(ZERO)}至{points_phrase(highest)}"
        why = f"尚无数值，暂计{points_phrase(value)}，可能为{span}"
    else:
        why = f"数值为{plain(last.decimal('value'))}，计{points_phrase(value)}"
    return sight.node(at, value, why, children, inputs, fired=last is not None)


def _threshold_rule(sight: Sight, at: int, rule: Shortfall | MeanRating | Milestone | IfTotal | PriorGrade) -> Node:
    value = sum((effect.effective for effect in sight.effects(at)), ZERO)
    match rule:
        case Shortfall():
            steps = _steps_below(sight, rule)
            below = f"低于平均值{steps.value}档" if steps.value else "没有低于平均值满一档"
            why = f"{below}，{did('扣', value)}"
            return sight.node(at, value, why, [steps], {"each": rule.each})
        case MeanRating():
            children = _ratings(sight)
            counting = sum(child.operator == "reading" for child in children)
            shown = children if sight.telling.others else []
            return sight.node(at, value, f"其他组有{counting}份打分，平均{points_phrase(value)}", shown)
        case Milestone():
            conditions = [_condition(sight, number, one) for number, one in enumerate(rule.conditions, start=1)]
            met = sum(one.fired for one in conditions)
            why = f"{len(conditions)}个条件中满足{met}个，{did('加', value)}"
            return sight.node(at, value, why, conditions, {"points": rule.points})
        case IfTotal():
            seen = sight.seen(rule.basis)
            why = f"{basis_phrase(rule.basis)}为{points_phrase(_points(seen))}，{did('加', value)}"
            return sight.node(at, value, why, [seen], {"at_least": rule.at_least, "points": rule.points})
        case PriorGrade():
            facts = touching(rule, sight.facts, sight.around)
            children = [sight.telling.reading(fact, "grade", facts[-1]) for fact in facts]
            grade = f"上年度等次为“{children[-1].value}”" if children else "没有上年度等次"
            inputs: dict[str, Input] = {"grade": rule.grade, "points": rule.points}
            return sight.node(at, value, f"{grade}，{did('加', value)}", children, inputs)


def _points(node: Node) -> Decimal:
    return node.value if isinstance(node.value, Decimal) else ZERO


def _steps_below(sight: Sight, rule: Shortfall) -> Node:
    """Return how many whole steps the unit lies below the mean, with the figures that the mean is of."""
    telling, unit, figures = sight.telling, sight.around.unit, sight.around.figures
    metrics = figures.metrics(rule.metric)
    values = {other: metrics[other] for other in figures.units(rule.among, unit) if other in metrics}
    seen = touching(rule, sight.everybody[unit], sight.around)
    children = tuple(telling.reading(fact, "value", seen[-1]) for fact in seen)
    steps = figures.whole_steps_below_mean(rule, unit)
    told = f"{len(values)}个单位有{item_label(rule.metric, telling.words)}"
    mean = None
    if values:
        mean = rounded_half_up(Fraction(sum(values.values(), ZERO)) / len(values))
        own = f"本单位{plain(values[unit])}" if unit in values else "本单位没有数值"
        told += f"，平均约{plain(mean)}，{own}"
    share = f"{plain(rule.step * 100)}%"
    inputs: dict[str, Input] = {"unit": telling.name(unit), "step": rule.step, **telling.figures("values", values)}
    if not telling.others:
        inputs["mean"] = mean
    sentence = f"{told}，低满平均值{share}的有{steps}档。"
    return Node("steps", "steps_below_mean", "低于平均值的档数", steps, sentence, inputs, children, steps > 0)


def _ratings(sight: Sight) -> list[Node]:
    telling = sight.telling
    outside = {fact.id for fact in sight.around.figures.outside_ratings(sight.around.unit, sight.facts)}
    return [
        telling.reading(fact, "value", None)
        if fact.id in outside
        else telling.leaf(
            fact, "set_aside", fact.decimal("value"), "打分单位不属于其他组，不计", {"attribute": "value"}, fired=False
        )
        for fact in sight.facts.get("rating", ())
    ]


def _condition(sight: Sight, number: int, condition: Threshold) -> Node:
    facts: list[Fact] = condition.matching(sight.facts)
    times = sum(fact.count for fact in facts)
    low, high = condition.at_least, condition.at_most
    holds = (low is None or times >= low) and (high is None or times <= high)
    return Node(
        key=f"condition{number}",
        operator="condition",
        label="条件",
        value=times,
        sentence=(
            f"{threshold_phrase(condition, sight.telling.words)}：有{times}{measure_word(condition.kinds)}，"
            f"{'满足' if holds else '不满足'}。"
        ),
        inputs={"at_least": low, "at_most": high},
        children=tuple(sight.telling.counted(fact) for fact in facts),
        fired=holds,
    )
