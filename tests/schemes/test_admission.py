"""What cannot be recorded under a scheme, and what each refusal says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from projections.scheme_files import load, vocabulary
from schemes.admission import admit
from schemes.sheets import default_roster

DAY = date(2021, 3, 1)
CIRCULAR = {"level": "municipal", "subject": "website", "period": "monthly"}


def _refusals(scheme: str, unit: str, kind: str, **raw: Any) -> list[tuple[str, str]]:
    _, problems = admit(load(scheme), vocabulary(), default_roster(load(scheme)), unit, kind, DAY, raw)
    return [(problem.code, problem.where) for problem in problems]


@pytest.mark.parametrize(
    ("scheme", "unit", "kind", "raw", "refusals"),
    [
        ("zhangshu-2021", "福城街道", "circular", CIRCULAR, []),
        ("zhangshu-2021", "福城", "circular", CIRCULAR, [("unknown-unit", "unit")]),
        ("zhangshu-2021", "福城街道", "circulars", {}, [("unknown-kind", "kind")]),
        (
            "zhangshu-2021",
            "福城街道",
            "circular",
            CIRCULAR | {"level": "x"},
            [("invalid-attribute", "attributes.level")],
        ),
        ("zhangshu-2021", "福城街道", "circular", CIRCULAR | {"a": "b"}, [("unknown-attribute", "attributes.a")]),
        ("zhangshu-2021", "福城街道", "omission", {}, [("missing-attribute", "attributes.item")]),
        ("zhangshu-2021", "福城街道", "omission", {"item": "nothing"}, [("invalid-attribute", "attributes.item")]),
        (
            "zhangshu-2021",
            "福城街道",
            "stale",
            {"channel": "website", "days": -1},
            [("invalid-attribute", "attributes.days")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "stale",
            {"channel": "website", "days": 2**53},
            [("invalid-attribute", "attributes.days")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "stale",
            {"channel": "website", "days": True},
            [("invalid-attribute", "attributes.days")],
        ),
        ("zhangshu-2021", "福城街道", "judgement", {"indicator": "1.2", "value": "5"}, []),
        (
            "zhangshu-2021",
            "福城街道",
            "judgement",
            {"indicator": "1.2", "value": "5.1"},
            [("judgement-out-of-range", "attributes.value")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "judgement",
            {"indicator": "1.1", "value": "5"},
            [("not-a-judged-indicator", "attributes.indicator")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "judgement",
            {"indicator": "9", "value": "5"},
            [("not-a-judged-indicator", "attributes.indicator")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "judgement",
            {"indicator": "1.2", "value": "1e0"},
            [("invalid-attribute", "attributes.value")],
        ),
        (
            "zhangshu-2021",
            "福城街道",
            "judgement",
            {"indicator": "1.2", "value": "NaN"},
            [("invalid-attribute", "attributes.value")],
        ),
        ("zhangshu-2021", "市公安局", "ranking", {"name": "third_party_q1", "rank": 35}, []),
        (
            "zhangshu-2021",
            "市公安局",
            "ranking",
            {"name": "third_party_q1", "rank": 36},
            [("rank-out-of-range", "attributes.rank")],
        ),
        (
            "zhangshu-2021",
            "市公安局",
            "discretion",
            {"section": "bonus", "points": "0", "authority": "市政府办"},
            [("invalid-attribute", "attributes.points")],
        ),
        ("langxi-2019", "涛城镇", "rating", {"value": "100", "rater": "县教体局"}, []),
        (
            "langxi-2019",
            "涛城镇",
            "rating",
            {"value": "100.5", "rater": "县教体局"},
            [("invalid-attribute", "attributes.value")],
        ),
        (
            "langxi-2019",
            "涛城镇",
            "rating",
            {"value": "90", "rater": "县教育局"},
            [("unknown-unit", "attributes.rater")],
        ),
        ("linyi-2023", "水务局", "judgement", {"indicator": "2.13", "value": "-3"}, []),
        (
            "linyi-2023",
            "猗氏镇政府",
            "publication",
            {"item": "interpretation", "forms": []},
            [("invalid-attribute", "attributes.forms")],
        ),
        (
            "linyi-2023",
            "猗氏镇政府",
            "publication",
            {"item": "interpretation", "forms": ["text", "text"]},
            [("invalid-attribute", "attributes.forms")],
        ),
    ],
)
def test_refusals(scheme: str, unit: str, kind: str, raw: dict[str, Any], refusals: list[tuple[str, str]]) -> None:
    assert _refusals(scheme, unit, kind, **raw) == refusals


def test_values_are_typed() -> None:
    scheme = load("zhangshu-2021")
    raw = {"indicator": "1.2", "value": "4.5"}
    values, problems = admit(scheme, vocabulary(), default_roster(scheme), "福城街道", "judgement", DAY, raw)
    assert not problems
    assert values == {"indicator": "1.2", "value": Decimal("4.5")}


def test_a_refusal_says_what_is_near() -> None:
    scheme = load("zhangshu-2021")
    _, problems = admit(scheme, vocabulary(), default_roster(scheme), "福城街", "circular", DAY, CIRCULAR)
    assert problems[0].message == "found '福城街', expected one of the 54 units of this year; similar: 福城街道"


@pytest.mark.parametrize(("year", "refused"), [(1999, True), (2003, True), (2004, False), (2021, False), (2099, True)])
def test_a_request_is_refused_in_a_year_whose_working_days_nobody_has_published(year: int, refused: bool) -> None:
    """Once recorded, its due day could not be worked out, and no sheet of the year be shown."""
    scheme, day = load("zhangshu-2021"), date(year, 1, 4)
    _, problems = admit(
        scheme, vocabulary(), default_roster(scheme), "福城街道", "request_received", day, {"request": "R1"}
    )
    expected = [("calendar-unknown-year", "occurred_on")] if refused else []
    assert [(problem.code, problem.where) for problem in problems] == expected


def test_an_unknown_calendar_is_told_together_with_what_else_is_wrong() -> None:
    scheme = load("zhangshu-2021")
    _, problems = admit(
        scheme, vocabulary(), default_roster(scheme), "福城街", "request_received", date(1999, 1, 4), {}
    )
    assert [problem.code for problem in problems] == ["missing-attribute", "unknown-unit", "calendar-unknown-year"]


def test_other_facts_need_no_calendar() -> None:
    scheme = load("zhangshu-2021")
    roster, raw = default_roster(scheme), {"year": 1998, "grade": "优秀"}
    assert admit(scheme, vocabulary(), roster, "福城街道", "prior_grade", date(1999, 1, 4), raw)[1] == ()
