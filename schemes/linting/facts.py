"""What the rules do with facts and units: facts that hit two rows, words no rule uses, rows not for every unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

from schemes.conditions import Where
from schemes.exact import plain
from schemes.fact import AttributeValue, Fact
from schemes.linting.finding import Finding, Spot, group_spots, row_spots
from schemes.linting.satisfying import satisfying
from schemes.rules import (
    ByCount,
    ByMetric,
    ByRank,
    ByRankingFact,
    ByValue,
    Checklist,
    Discretion,
    Inform,
    MeanRating,
    Milestone,
    PriorGrade,
    Proportional,
    Rule,
    Selection,
    Shortfall,
    kinds_of,
)
from schemes.scheme import Group, Indicator, Scheme, Stage, VetoFacts
from schemes.vocabulary import CodeAttribute, CodesAttribute, ItemAttribute, Vocabulary
from schemes.wording import item_label

_REQUESTS = ("request_received", "request_extended", "request_answered")
"""What late replies are derived from."""


def facts_findings(scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Yield rows that one fact hits together, rows not for every unit, and words that no rule uses."""
    for spot, group, row in row_spots(scheme):
        if not any(row.applies(unit) for unit in group.units):
            yield spot.finding(
                "lint-row-without-unit",
                "the row applies to no unit of its group",
                "本组没有适用这项指标的单位",
                "applies_to",
            )
    for spot in group_spots(scheme):
        group = scheme.groups[int(spot.path[1])]
        yield from _for_some_units(spot, group)
        yield from _two_rows(spot, group, scheme, vocabulary)
    yield from _unused(scheme, vocabulary)


def _for_some_units(spot: Spot, group: Group) -> Iterator[Finding]:
    counts = {row.id: sum(row.applies(unit) for unit in group.units) for row in group.indicators}
    partly = [name for name, count in counts.items() if 0 < count < len(group.units)]
    if partly:
        found = spot.finding(
            "lint-rows-for-some-units",
            f"rows {', '.join(partly)} apply to some of the {len(group.units)} units only",
            f"指标{'、'.join(partly)}只适用于本组{len(group.units)}个单位中的一部分",
            "indicators",
        )
        yield replace(found, also_of=partly[0]) if len(partly) == 1 else found


def _two_rows(spot: Spot, group: Group, scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    stages = {stage.id: stage for stage in scheme.stages}
    reading = [(at, row, list(_reads(row))) for at, row in enumerate(group.indicators)]
    for (_, first, ones), (at, second, others) in combinations(reading, 2):
        if not _meet(first, second, group, stages):
            continue
        fact = next(
            (
                found
                for rule, one in ones
                for other_rule, other in others
                if _both(rule, other_rule)
                for kind in one.kinds
                if kind in other.kinds and (found := satisfying(kind, [one.where, other.where], vocabulary))
            ),
            None,
        )
        if fact is not None:
            there = Spot((*spot.path, "indicators", at), group, second)
            both = there.finding(
                "lint-fact-hits-two-rows",
                f"one fact can count here and in row {first.id}: {_named(fact)}",
                f"同一事实会同时计入指标{first.id}“{first.titles[-1]}”，例如{_told(fact, vocabulary)}",
                "rules",
            )
            yield replace(both, also_of=first.id)


def _meet(first: Indicator, second: Indicator, group: Group, stages: Mapping[str, Stage]) -> bool:
    """Whether some unit has both rows, and some day is in the windows of both."""
    windows = [stages[row.stage].window for row in (first, second) if row.stage is not None]
    known = sorted((window for window in windows if window is not None), key=lambda window: window.first)
    apart = len(known) == 2 and known[0].last < known[1].first
    return not apart and any(first.applies(unit) and second.applies(unit) for unit in group.units)


def _reads(row: Indicator) -> Iterator[tuple[Rule, Selection]]:
    """Yield which facts each rule takes points for; rules that only list, or ask whether enough occurred, take none."""
    for rule in row.rules:
        match rule:
            case Inform():
                continue
            case Checklist():
                where = Where.model_validate({"all": [rule.where, {"item": list(rule.items)}]})
                yield rule, Selection(kinds=rule.kinds, where=where)
            case Selection():
                yield rule, rule
            case ByRank(source=ByCount() as source):
                yield rule, source.count
            case ByRank(source=ByRankingFact() as source):
                yield rule, _with("ranking", name=source.ranking)
            case ByRank(source=ByMetric() as source):
                yield rule, _with("metric", name=source.metric)
            case Shortfall() | Proportional() | ByValue():
                yield rule, _with("metric", name=rule.metric)
            case Discretion():
                yield rule, _with("discretion", section=rule.section)
            case MeanRating():
                yield rule, _with("rating")
            case PriorGrade():
                yield rule, _with("prior_grade", grade=rule.grade)
            case _:
                continue


def _with(kind: str, **values: str) -> Selection:
    return Selection(kinds=(kind,), where=Where.model_validate(values))


def _both(rule: Rule, other: Rule) -> bool:
    """Whether both rules can act on one fact: of one ranking, the best places and the last are of different units."""
    if isinstance(rule, ByRank) and isinstance(other, ByRank):
        return rule.from_bottom == other.from_bottom
    return True


def _named(fact: Fact) -> str:
    values = [f"{name}={_plainly(value)}" for name, value in fact.attributes.items()]
    return f"{fact.kind} {', '.join(values)}".rstrip()


def _plainly(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return "+".join(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def _told(fact: Fact, vocabulary: Vocabulary) -> str:
    """The fact in Chinese: its kind, and what both rules ask of it."""
    kind = vocabulary.kinds[fact.kind]
    told = []
    for name, value in fact.attributes.items():
        attribute = kind.attributes[name]
        codes = attribute.values if isinstance(attribute, CodeAttribute | CodesAttribute) else {}
        if isinstance(attribute, ItemAttribute):
            said = item_label(str(value), vocabulary)
        elif isinstance(value, tuple):
            said = "、".join(codes.get(one, one) for one in value)
        else:
            said = codes.get(str(value), _plainly(value))
        told.append(f"{attribute.label}{said}")
    return f"“{kind.label}”（{'，'.join(told)}）" if told else f"“{kind.label}”"


def _unused(scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    rules = [rule for group in scheme.groups for row in group.indicators for rule in row.rules]
    conditions = [veto.when for veto in scheme.vetoes if isinstance(veto.when, VetoFacts)]
    used = {kind for rule in rules for kind in kinds_of(rule)}
    used |= {kind for condition in conditions for kind in condition.kinds}
    used |= {"metric"} if scheme.outputs else set()
    used |= set(_REQUESTS) if "late_reply" in used else set()
    kinds = [kind for kind in vocabulary.kinds if kind not in used]
    if kinds:
        labels = "、".join(f"“{vocabulary.kinds[kind].label}”" for kind in kinds)
        yield Spot().finding(
            "lint-kinds-unused",
            f"no rule looks at {len(kinds)} kinds of facts: {', '.join(kinds)}",
            f"有{len(kinds)}种事实没有任何规则使用：{labels}",
        )
    words = {word for rule in (*rules, *conditions) for word in _words(rule)} | {one.metric for one in scheme.outputs}
    for item in scheme.items:
        if item not in words:
            yield Spot().finding(
                "lint-item-unused",
                f"no rule names the scheme's own item {item}",
                f"方案自设的事项{item_label(item, vocabulary)}没有任何规则使用",
                "items",
                item,
            )


def _words(value: object) -> Iterator[str]:
    """Yield every text and name within a rule."""
    match value:
        case str():
            yield value
        case dict():
            for key, one in value.items():
                yield str(key)
                yield from _words(one)
        case list() | tuple():
            for one in value:
                yield from _words(one)
        case Selection() | ByRank() | Milestone() | Shortfall() | Proportional() | ByValue():
            yield from _words(value.model_dump(by_alias=True))
        case _:
            return
