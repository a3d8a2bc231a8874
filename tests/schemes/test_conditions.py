"""Predicates on a fact's attributes, example by example."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemes.conditions import Where
from schemes.fact import Fact

DAY = date(2021, 3, 1)


def _fact(rectified: bool = False, **attributes: Any) -> Fact:
    return Fact("o1", 1, "福城街道", "defect", DAY, 1, attributes, DAY if rectified else None)


@pytest.mark.parametrize(
    ("where", "attributes", "holds"),
    [
        ({"item": "annual_report"}, {"item": "annual_report"}, True),
        ({"item": "annual_report"}, {"item": "overview"}, False),
        ({"item": "annual_report"}, {}, False),
        ({"nature": ["privacy", "typo"]}, {"nature": "typo"}, True),
        ({"nature": ["privacy", "typo"]}, {"nature": "harmful"}, False),
        ({"item": "a", "nature": "b"}, {"item": "a", "nature": "c"}, False),
        ({"days": {"at_least": 14}}, {"days": 14}, True),
        ({"days": {"at_least": 14}}, {"days": 13}, False),
        ({"days": {"at_least": 14}}, {}, False),
        ({"days": {"at_least": 14, "at_most": 20}}, {"days": 21}, False),
        ({"value": {"at_most": 2.5}}, {"value": Decimal("2.5")}, True),
        ({"forms": "chart"}, {"forms": ("text", "chart")}, True),
        ({"forms": ["audio", "video"]}, {"forms": ("text", "chart")}, False),
        ({"forms": {"size_at_least": 3}}, {"forms": ("text", "chart", "audio")}, True),
        ({"forms": {"size_at_least": 3}}, {"forms": ("text", "chart")}, False),
        ({"forms": {"size_at_least": 1}}, {"forms": "text"}, False),
        ({"any": [{"item": "a"}, {"item": "b"}]}, {"item": "b"}, True),
        ({"any": [{"item": "a"}, {"item": "b"}]}, {"item": "c"}, False),
        ({"all": [{"item": "a"}, {"nature": "b"}]}, {"item": "a"}, False),
        ({"not": {"item": "a"}}, {"item": "b"}, True),
        ({"not": {"item": "a"}}, {}, True),
        ({"not": {"days": {"at_least": 3}}}, {}, True),
        ({}, {}, True),
    ],
)
def test_a_predicate_holds_or_not(where: dict[str, Any], attributes: dict[str, Any], holds: bool) -> None:
    assert Where.model_validate(where).matches(_fact(**attributes)) is holds


@pytest.mark.parametrize(
    ("asked", "rectified", "holds"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_rectified_asks_about_the_day_of_the_query(asked: bool, rectified: bool, holds: bool) -> None:
    assert Where.model_validate({"rectified": asked}).matches(_fact(rectified)) is holds
