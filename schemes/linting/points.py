"""Points that do not add up: printed labels, the full points, shares of bonuses, ranges of judged rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from schemes.exact import ZERO, plain
from schemes.linting.finding import Finding, Spot, group_spots, row_spots, staged_rows
from schemes.linting.reach import Reach, adds, total_of
from schemes.rules import ByRank, ByValue, Checklist, Judged, Tiers
from schemes.scheme import Group, Indicator, Label, Scheme, Stage
from schemes.wording import points_phrase


def points_findings(scheme: Scheme) -> Iterator[Finding]:
    """Yield what does not add up, stages first, then group by group; then rows whose ranges do not fit their points."""
    yield from _weights(scheme)
    for spot in group_spots(scheme):
        group = scheme.groups[int(spot.path[1])]
        yield from _labels(spot, group)
        for stage, rows in staged_rows(scheme, group):
            yield from _full(spot, scheme, group, stage, rows)
            yield from _over_full(spot, scheme, group, stage, rows)
    for spot, _, row in row_spots(scheme):
        for at, rule in enumerate(row.rules):
            if isinstance(rule, Judged):
                yield from _judged(spot, row, rule, at)
            elif isinstance(rule, ByValue):
                yield from _by_value(spot, row, rule, at)
            elif isinstance(rule, Tiers | ByRank | Checklist):
                yield from _table(spot, row, rule, at)


def _weights(scheme: Scheme) -> Iterator[Finding]:
    """The stages' full points, each times its weight, add up to those of the scheme."""
    total = sum((stage.weight * stage.full for stage in scheme.stages), ZERO)
    if scheme.stages and total != scheme.full:
        yield Spot().finding(
            "lint-weights-sum",
            f"the full points of the stages, each times its weight, add up to {plain(total)}, "
            f"full is {plain(scheme.full)}",
            f"各阶段满分乘以权重合计{points_phrase(total)}，满分为{points_phrase(scheme.full)}",
            "stages",
        )


def _labels(spot: Spot, group: Group) -> Iterator[Finding]:
    for at, label in enumerate(group.labels):
        rows = _under(label, group)
        yield from _label_sum(spot, label, rows, at)
        yield from _bonus_share(spot, label, rows, at, group.units)


def _under(label: Label, group: Group) -> list[Indicator]:
    depth = len(label.titles)
    return [row for row in group.indicators if row.section == "base" and row.titles[:depth] == label.titles]


def _label_sum(spot: Spot, label: Label, rows: list[Indicator], at: int) -> Iterator[Finding]:
    total = sum((row.points for row in rows), ZERO)
    if total != label.points:
        printed, title = plain(label.points), " / ".join(label.titles)
        yield spot.finding(
            "lint-label-sum",
            f"{title} is printed with {printed} points, its {len(rows)} rows add up to {plain(total)}; "
            "the rows are used",
            f"“{title}”印{printed}分，其下{len(rows)}项指标合计{plain(total)}分，计分以各项为准",
            "labels",
            at,
        )


def _bonus_share(spot: Spot, label: Label, rows: list[Indicator], at: int, units: Sequence[str]) -> Iterator[Finding]:
    """What a unit's rows can give above their own points is within the share that the document allows."""
    if label.bonus_share is None:
        return
    allowed = label.points * label.bonus_share
    above = {row.id: highest - row.points if (highest := Reach(row).highest) is not None else None for row in rows}
    raised = [
        {row.id: points for row in rows if row.applies(unit) and ((points := above[row.id]) is None or points > 0)}
        for unit in units
    ]
    most, rising = max(
        ((total_of(one.values()), one) for one in raised), key=lambda one: (one[0] is None, one[0] or ZERO)
    )
    if most is None or most > allowed:
        title, share = " / ".join(label.titles), f"{plain(label.bonus_share * 100)}%"
        bound = "no bound" if most is None else f"up to {plain(most)} points"
        bound_said = "没有上限" if most is None else f"最多{points_phrase(most)}"
        yield spot.finding(
            "lint-bonus-share",
            f"awards in the rows of {title} ({', '.join(rising)}) have {bound} above the rows' own points; "
            f"the document allows {share} of {plain(label.points)}, which is {plain(allowed)}",
            f"“{title}”各项中的加分（指标{'、'.join(rising)}）{bound_said}，"
            f"文件规定不超过{points_phrase(label.points)}的{share}，即{points_phrase(allowed)}",
            "labels",
            at,
            "bonus_share",
        )


def _full(spot: Spot, scheme: Scheme, group: Group, stage: Stage | None, rows: list[Indicator]) -> Iterator[Finding]:
    """The base rows that apply to a unit add up to the full points, unless the scheme says what becomes of others."""
    full = stage.full if stage else scheme.full
    base = [row for row in rows if row.section == "base"]
    sums = set()
    for unit in group.units:
        applying = sum((row.points for row in base if row.applies(unit)), ZERO)
        if scheme.not_applicable == "drop" or applying > full or all(row.applies(unit) for row in base):
            sums.add(applying)
    wrong = sorted(sums - {full})
    if wrong:
        name = stage.title if stage else ""
        span = plain(wrong[0]) if len(wrong) == 1 else f"{plain(wrong[0])} to {plain(wrong[-1])}"
        said = plain(wrong[0]) if len(wrong) == 1 else f"{plain(wrong[0])}至{plain(wrong[-1])}"
        yield spot.finding(
            "lint-full-sum",
            f"the base rows {f'of {stage.id} ' if stage else ''}that apply to a unit add up to {span} points, "
            f"full is {plain(full)}",
            f"{name}一个单位适用的基础分各项合计{said}分，满分为{plain(full)}分",
            "indicators",
        )


def _over_full(
    spot: Spot, scheme: Scheme, group: Group, stage: Stage | None, rows: list[Indicator]
) -> Iterator[Finding]:
    """The points printed at the base and bonus rows that apply to a unit are more than the full points."""
    full = stage.full if stage else scheme.full
    counted = [row for row in rows if row.section != "penalty"]
    bonus = sum((row.points for row in counted if row.section == "bonus"), ZERO)
    most = max(sum((row.points for row in counted if row.applies(unit)), ZERO) for unit in group.units)
    if bonus and most > full:
        cap = "the total has no cap" if scheme.cap is None else f"the total is capped at {plain(scheme.cap)}"
        cap_said = "总分不封顶" if scheme.cap is None else f"总分以{points_phrase(scheme.cap)}封顶"
        yield spot.finding(
            "lint-points-over-full",
            f"the base and bonus rows that apply to a unit add up to {plain(most)} points, "
            f"full is {plain(full)}; {cap}",
            f"一个单位适用的基础分和加分各项合计{points_phrase(most)}，超过满分{points_phrase(full)}；{cap_said}",
            "indicators",
        )


def _judged(spot: Spot, row: Indicator, rule: Judged, at: int) -> Iterator[Finding]:
    low, high, default = plain(rule.min), plain(rule.max), plain(rule.default)
    if rule.min == rule.max:
        yield spot.finding(
            "lint-judged-without-range",
            f"the judged range is {low} only: there is nothing to judge",
            f"评定范围只有{low}分，没有评定的余地",
            "rules",
            at,
        )
    if not rule.min <= rule.default <= rule.max:
        yield spot.finding(
            "lint-default-outside-range",
            f"the default {default} is outside the judged range {low} to {high}",
            f"评定前暂计{default}分，不在评定范围{low}至{high}分之内",
            "rules",
            at,
            "default",
        )
    if outside := _outside(row, rule.min, rule.max):
        yield spot.finding(
            "lint-range-outside-points",
            f"the judged range {low} to {high} is cut at the row's {outside[0]}",
            f"评定范围{low}至{high}分超出本项{outside[1]}，超出部分不起作用",
            "rules",
            at,
        )


def _by_value(spot: Spot, row: Indicator, rule: ByValue, at: int) -> Iterator[Finding]:
    most = max(step.points for step in rule.steps)
    if outside := _outside(row, ZERO, most):
        yield spot.finding(
            "lint-range-outside-points",
            f"the table gives up to {plain(most)} points and is cut at the row's {outside[0]}",
            f"分档最高{plain(most)}分，超出本项{outside[1]}，超出部分不起作用",
            "rules",
            at,
        )


def _table(spot: Spot, row: Indicator, rule: Tiers | ByRank | Checklist, at: int) -> Iterator[Finding]:
    """A table's most points fit into the row, from the lowest that its other rules leave up to its ceiling."""
    most, room = adds(rule, row), Reach(row).to_gain
    if most is not None and room is not None and ZERO < room < most:
        yield spot.finding(
            "lint-range-outside-points",
            f"the table gives up to {plain(most)} points, the row can gain {plain(room)} at most",
            f"各档最多得{points_phrase(most)}，本项最多只能加{points_phrase(room)}，超出部分不起作用",
            "rules",
            at,
        )


def _outside(row: Indicator, low: Decimal, high: Decimal) -> tuple[str, str] | None:
    if row.ceiling is not None and high > row.ceiling:
        return f"ceiling {plain(row.ceiling)}", f"上限{plain(row.ceiling)}分"
    if row.floor is not None and low < row.floor:
        return f"floor {plain(row.floor)}", f"下限{plain(row.floor)}分"
    return None
