"""Which parts of two versions of a scheme are the same part: content without its order, rules paired by likeness."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from schemes.conditions import Where
from schemes.exact import plain
from schemes.rules import (
    ByRank,
    ByRankingFact,
    ByValue,
    Discretion,
    IfTotal,
    Judged,
    PriorGrade,
    Proportional,
    Rule,
    Selection,
    Shortfall,
    kinds_of,
)
from schemes.scheme import Indicator

T = TypeVar("T")
_VALUES = (Judged, Proportional, ByValue)
"""The rules that give a row its value; a row has one of them at most."""


def content_key(value: object) -> str:
    """Return a text that two values share exactly when they say the same, whatever the order of their lists."""
    return json.dumps(_unordered(value), ensure_ascii=False, sort_keys=True)


def _unordered(value: object) -> object:
    match value:
        case Where():
            tests = {
                name: _unordered(test if isinstance(test, tuple | BaseModel) else (test,))
                for name, test in value.tests.items()
            }
            return [tests, _unordered(value.all_of), _unordered(value.any_of), _unordered(value.none_of)]
        case BaseModel():
            fields = {name: _unordered(getattr(value, name)) for name in type(value).model_fields}
            return [type(value).__name__, fields]
        case dict():
            return {name: _unordered(one) for name, one in value.items()}
        case tuple():
            return sorted((_unordered(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
        case bool() | None | str():
            return value
        case int() | Decimal():
            return ["number", plain(Decimal(value))]
        case date():
            return value.isoformat()
        case _:
            pass
    raise TypeError(f"expected a value of a scheme, got {value!r}")


def same(name: str, old: object, new: object) -> bool:
    """Whether a field says the same in both; titles are a path, so their order counts."""
    return old == new or (name != "titles" and content_key(old) == content_key(new))


def row_content(row: Indicator) -> tuple[tuple[str, ...], str]:
    """Return what a row says, whatever its number, its place in the document and its remarks."""
    unnumbered = row.model_copy(update={"id": "", "titles": (), "clause": "", "note": None})
    return row.titles, content_key(unnumbered)


def rule_label(rule: Rule) -> str:
    """Return what a rule does to which facts, for ids of changes: deduct[circular], by_rank[third_party_q1]."""
    match rule:
        case Shortfall(metric=name) | Proportional(metric=name) | ByValue(metric=name) | PriorGrade(grade=name):
            subject = name
        case ByRank(source=source):
            counted = "+".join(kinds_of(rule))
            named = source.ranking if isinstance(source, ByRankingFact) else getattr(source, "metric", counted)
            subject = named
        case IfTotal(basis=name) | Discretion(section=name):
            subject = name
        case _:
            subject = "+".join(sorted(set(kinds_of(rule))))
    return f"{rule.effect}[{subject}]"


def rule_labels(rules: Sequence[Rule]) -> list[str]:
    """Return an id for each rule of a row: its label and which of those it is, whatever their order in the file."""
    alike: dict[str, list[int]] = defaultdict(list)
    for at, rule in enumerate(rules):
        alike[rule_label(rule)].append(at)
    found = [""] * len(rules)
    for label, places in alike.items():
        for number, at in enumerate(sorted(places, key=lambda at: content_key(rules[at])), start=1):
            found[at] = f"{label}/{number}"
    return found


class Matched(NamedTuple):
    """Places in two lists: pairs of the same part, those only in the old one, those only in the new one."""

    pairs: list[tuple[int, int]]
    removed: list[int]
    added: list[int]


def matched(old: Sequence[T], new: Sequence[T], *keys: Callable[[T], Hashable]) -> Matched:
    """Pair the parts of two lists that share a key: by the first key, the rest by the next, equals in their order.

    A key that is None pairs nothing.
    """
    pairs: list[tuple[int, int]] = []
    removed, added = list(range(len(old))), list(range(len(new)))
    for key in keys:
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for at in added:
            waiting[key(new[at])].append(at)
        for at in list(removed):
            wanted = key(old[at])
            if wanted is not None and waiting[wanted]:
                pairs.append((at, waiting[wanted].pop(0)))
                removed.remove(at)
                added.remove(pairs[-1][1])
    return Matched(sorted(pairs), removed, added)


def matched_rules(old: Sequence[Rule], new: Sequence[Rule]) -> Matched:
    """Pair the rules of a row in two versions.

    1. Rules that say the same. 2. The same effect on the same facts. 3. The rules that give the row its value,
    whatever their effect, because a row has one of them at most. 4. The same effect, in the order of the file.
    """
    return matched(old, new, content_key, _target, _gives_value, lambda rule: rule.effect)


def _target(rule: Rule) -> Hashable:
    if isinstance(rule, Selection):
        return rule.effect, content_key(tuple(rule.kinds)), content_key(rule.where)
    return rule_label(rule), rule.direction if isinstance(rule, ByRank) else None


def _gives_value(rule: Rule) -> Hashable:
    return "value" if isinstance(rule, _VALUES) else None
