"""Random but valid facts of a year under one of the shipped schemes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from projections.scheme_files import load, vocabulary
from schemes.fact import AttributeValue, Fact
from schemes.rules import Selection
from schemes.scheme import Group, Scheme
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    DecimalAttribute,
    IntegerAttribute,
    ItemAttribute,
)

SCHEMES = ("changshu-2020", "langxi-2019", "linyi-2023", "yanjiang-2021", "zhangshu-2021")


@cache
def items_of(name: str) -> list[str]:
    """The item codes that the scheme's rules name: random ones would hardly ever match."""
    found: dict[str, None] = {}
    for group in load(name).groups:
        for row in group.indicators:
            for rule in row.rules:
                if isinstance(rule, Selection):
                    test = rule.where.tests.get("item", ())
                    names = test if isinstance(test, tuple) else (test,)
                    found |= dict.fromkeys(name for name in names if isinstance(name, str))
                found |= dict.fromkeys(getattr(rule, "items", {}))
                found |= dict.fromkeys(filter(None, [getattr(rule, "metric", None)]))
                found |= dict.fromkeys(filter(None, [getattr(getattr(rule, "source", None), "ranking", None)]))
    return list(found)


def _value(attribute: Attribute, items: list[str]) -> st.SearchStrategy[AttributeValue]:
    match attribute:
        case CodeAttribute():
            return st.sampled_from(list(attribute.values))
        case CodesAttribute():
            return st.lists(st.sampled_from(list(attribute.values)), min_size=1, unique=True).map(tuple)
        case ItemAttribute():
            return st.sampled_from(items)
        case IntegerAttribute():
            return st.integers(max(1, attribute.at_least), max(200, attribute.at_least))
        case DecimalAttribute():
            return st.integers(1, 1000).map(lambda tenths: Decimal(tenths) / 10)
        case _:
            return st.sampled_from(["甲", "乙", "丙"])


@st.composite
def facts(draw: st.DrawFn, name: str, most: int = 12) -> list[Fact]:
    """Draw up to `most` facts of a few units under the named scheme, some of them just outside the period."""
    scheme = load(name)
    items = items_of(name)
    units = [(group, unit) for group in scheme.groups for unit in group.units[:3]]
    span = (scheme.period.last - scheme.period.first).days
    found = []
    for position in range(1, draw(st.integers(0, most)) + 1):
        group, unit = draw(st.sampled_from(units))
        kinds = [kind for kind in vocabulary().kinds if kind != "judgement" or any(r.judged for r in group.indicators)]
        kind = draw(st.sampled_from(kinds))
        day = scheme.period.first + timedelta(days=draw(st.integers(-20, span + 20)))
        attributes: dict[str, AttributeValue] = {}
        for name, attribute in vocabulary().kinds[kind].attributes.items():
            if attribute.required or draw(st.booleans()):
                attributes[name] = draw(_value(attribute, items))
        _make_fitting(draw, scheme, group, kind, attributes)
        count = draw(st.integers(1, 4))
        rectified = draw(st.none() | st.just(day + timedelta(days=5)))
        found.append(Fact(f"o{position}", position, unit, kind, day, count, attributes, rectified))
    return found


def _make_fitting(draw: st.DrawFn, scheme: Scheme, group: Group, kind: str, attributes: dict[str, Any]) -> None:
    match kind:
        case "judgement":
            row = draw(st.sampled_from([row for row in group.indicators if row.judged]))
            assert row.judged is not None
            low, high = int(row.judged.min * 2), int(row.judged.max * 2)
            attributes |= {"indicator": row.id, "value": Decimal(draw(st.integers(low, high))) / 2}
        case "ranking":
            attributes["rank"] = draw(st.integers(1, len(group.units)))
        case "rating":
            raters = [unit for other in scheme.groups for unit in other.units[:3]]
            attributes |= {"rater": draw(st.sampled_from(raters)), "value": Decimal(draw(st.integers(0, 100)))}
        case "prior_grade":
            attributes |= {"year": draw(st.sampled_from([scheme.year - 1, scheme.year - 2])), "grade": "优秀"}
        case _:
            pass


def a_day(scheme: Scheme) -> st.SearchStrategy[date]:
    """Draw a day of the period, or one after it."""
    return st.dates(scheme.period.first, scheme.period.last + timedelta(days=10))
