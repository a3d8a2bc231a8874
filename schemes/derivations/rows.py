"""One row of a sheet as a node: its start, its rules, and what its bounds and forfeits did to their sum.

The value of a row is the sum of its start (or judgement), its rules and the cuts that its ceiling, its floor and a
forfeit made. A row scored per account is the lowest of its accounts, each with a tree of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from schemes.derivations.node import Input, Node, Operator, Telling, placed
from schemes.derivations.rules import Sight, did, pool_node, rule_node
from schemes.exact import ZERO, plain
from schemes.fact import Fact
from schemes.rules import Award, Basis, Deduct, FactsByKind
from schemes.scheme import Indicator
from schemes.scoring import Circumstances, IndicatorScore, of_account, touching
from schemes.wording import points_phrase

NOT_ADDED = frozenset({"forfeit", "inform"})
"""Rules that give a row no points."""


@dataclass(frozen=True)
class Surroundings:
    """What the rows of one stage are scored against, and the subtotals that their thresholds look at."""

    telling: Telling
    everybody: Mapping[str, FactsByKind]
    around: Circumstances
    seen: Callable[[Basis], Node]

    def facts(self, account: str | None) -> FactsByKind:
        """Return the unit's facts; of one account, its own and those that name none."""
        facts = self.everybody[self.around.unit]
        return facts if account is None else of_account(facts, account)


def row_node(score: IndicatorScore, within: Surroundings) -> Node:
    """Return the tree of one row."""
    row = score.indicator
    if score.accounts:
        node = _by_account(score, within)
    else:
        node = _scored(score, within, row.id, "row", f"“{row.titles[-1]}”")
    return placed(node, row.clause, row.id)


def row_value(score: IndicatorScore) -> Node:
    """Return a row as a threshold on a subtotal sees it: its value without any such threshold."""
    row = score.indicator
    node = Node(
        key=row.id,
        operator="row_value",
        label=row.titles[-1],
        value=score.value,
        sentence=f"“{row.titles[-1]}”不计按小计达线的加分时为{points_phrase(score.value)}。",
        inputs={"stage": row.stage, "points": row.points},
    )
    return placed(node, row.clause, row.id)


def _by_account(score: IndicatorScore, within: Surroundings) -> Node:
    row = score.indicator
    children = tuple(
        _scored(one, within, f"account{at}", "account", f"账号“{one.account}”")
        for at, one in enumerate(score.accounts, start=1)
    )
    return Node(
        key=row.id,
        operator="lowest_account",
        label=row.titles[-1],
        value=score.value,
        sentence=(
            f"“{row.titles[-1]}”{_got(row, score.value)}：{len(children)}个账号分别计分，"
            f"取最低的账号“{score.account}”。"
        ),
        inputs={"stage": row.stage, "points": row.points, "account": score.account},
        children=(*children, *_of_no_account(score, within)),
    )


def _of_no_account(score: IndicatorScore, within: Surroundings) -> tuple[Node, ...]:
    """Return the facts that do not count and name an account that no counting fact names: it has no tree."""
    named = {one.account for one in score.accounts}

    def met(fact: Fact) -> bool:
        account = fact.text("account")
        alone: FactsByKind = {fact.kind: [fact]}
        seen = (touching(rule, alone, within.around) for rule in score.indicator.rules)
        return account is not None and account not in named and any(seen)

    return within.telling.absent_where(met)


def _scored(score: IndicatorScore, within: Surroundings, key: str, operator: Operator, name: str) -> Node:
    row = score.indicator
    sight = Sight(
        within.telling,
        row,
        score,
        within.facts(score.account),
        within.everybody,
        within.around,
        within.seen,
        _left_before(score),
    )
    rules = _rules(sight)
    start = () if row.judged else (_start(row, score.start),)
    cuts = tuple(_cuts(score))
    inputs: dict[str, Input] = {
        "stage": row.stage,
        "points": row.points,
        "ceiling": row.ceiling,
        "floor": row.floor,
    }
    if score.account is not None:
        inputs["account"] = score.account
    return Node(
        key=key,
        operator=operator,
        label=score.account or row.titles[-1],
        value=score.value,
        sentence=f"{name}{_got(row, score.value)}：{_told(score, rules, cuts)}。",
        inputs=inputs,
        children=(*start, *rules, *cuts),
    )


def _got(row: Indicator, value: Decimal) -> str:
    if row.section == "penalty":
        return did("扣", value)
    return f"{did('得' if value >= 0 else '扣', value)}（分值{points_phrase(row.points)}）"


def _told(score: IndicatorScore, rules: tuple[Node, ...], cuts: tuple[Node, ...]) -> str:
    judged = score.indicator.judged is not None
    began = "暂计" if score.pending and judged else "评定" if judged else "从"
    parts = [f"{began}{points_phrase(score.start)}{'' if judged else '起'}"]
    points = [rule.value for rule in rules if rule.operator not in NOT_ADDED | {"judged"}]
    added = sum((one for one in points if isinstance(one, Decimal) and one > 0), ZERO)
    taken = sum((one for one in points if isinstance(one, Decimal) and one < 0), ZERO)
    parts += [did("加", added)] if added else []
    parts += [did("扣", taken)] if taken else []
    parts += ["没有加减"] if not added and not taken else []
    parts += [cut.sentence.removesuffix("。") for cut in cuts]
    return "，".join(parts)


def _start(row: Indicator, start: Decimal) -> Node:
    told = f"从满分{points_phrase(start)}起算" if row.start == "full" else "从0分起算"
    inputs: dict[str, Input] = {"start": row.start, "points": row.points}
    return Node("start", "start", "起算", start, f"{told}。", inputs)


def _cuts(score: IndicatorScore) -> list[Node]:
    """Return what the ceiling, the floor and a forfeit changed, each only where it did."""
    row, value, cuts = score.indicator, score.unbounded, []
    if row.ceiling is not None and value > row.ceiling:
        over = value - row.ceiling
        told = f"合计{points_phrase(value)}，超过上限{points_phrase(row.ceiling)}，{plain(over)}分不计。"
        cuts.append(Node("ceiling", "cap", "上限", -over, told, {"cap": row.ceiling, "before": value}))
        value = row.ceiling
    if row.floor is not None and value < row.floor:
        under = row.floor - value
        told = f"合计{points_phrase(value)}，低于下限{points_phrase(row.floor)}，{plain(under)}分不再扣。"
        cuts.append(Node("floor", "floor", "下限", under, told, {"floor": row.floor, "before": value}))
        value = row.floor
    if score.forfeits:
        told = f"有一票归零的情形，原计{points_phrase(value)}全部不计，本项为0分。"
        cuts.append(Node("forfeited", "forfeited", "一票归零", -value, told, {"before": value}))
    return cuts


def _rules(sight: Sight) -> tuple[Node, ...]:
    """Return the rules in their order, those that share a maximum under one node at the first of them."""
    nodes: list[Node] = []
    pools: dict[str, int] = {}
    maxima = _pool_maxima(sight.row)
    pooled: dict[str, list[Node]] = {}
    for at, rule in enumerate(sight.row.rules):
        node = placed(rule_node(sight, at), sight.row.clause, sight.row.id, at)
        pool = rule.pool if isinstance(rule, Deduct | Award) else None
        if pool is None or pool not in maxima:
            nodes.append(node)
            continue
        if pool not in pools:
            pools[pool] = len(nodes)
            nodes.append(node)
        pooled.setdefault(pool, []).append(node)
    for pool, at in pools.items():
        nodes[at] = pool_node(pool, maxima[pool], tuple(pooled[pool]))
    return tuple(nodes)


def _pool_maxima(row: Indicator) -> dict[str, Decimal]:
    """Return the maximum of each pool that states one: the smallest, should they differ."""
    stated: dict[str, Decimal] = {}
    for rule in row.rules:
        if isinstance(rule, Deduct | Award) and rule.pool is not None and rule.max is not None:
            stated[rule.pool] = min(rule.max, stated.get(rule.pool, rule.max))
    return stated


def _left_before(score: IndicatorScore) -> dict[int, Decimal]:
    """Return what was left of the maximum before each effect that is under one, by the effect's identity."""
    maxima: dict[str | int, Decimal] = dict(_pool_maxima(score.indicator).items())
    rules = score.indicator.rules
    for at, rule in enumerate(rules):
        if isinstance(rule, Deduct | Award) and rule.pool is None and rule.max is not None:
            maxima[at] = rule.max
    left = {}
    for effect in score.effects:
        rule = rules[effect.rule]
        pool = (rule.pool or effect.rule) if isinstance(rule, Deduct | Award) else None
        if pool is not None and pool in maxima:
            left[id(effect)] = maxima[pool]
            maxima[pool] -= abs(effect.effective)
    return left
