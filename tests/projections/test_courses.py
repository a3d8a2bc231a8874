"""A unit's course over the year: each total is that of the sheet as of its day; a waterfall adds up to the total."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.commands import Attempt, Void
from ledger.database import migrate, open_engine
from ledger.decisions import Unit
from projections.answers import history_answer, sheet_answer
from projections.courses import CourseAnswer, course_answer, waterfall
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.readings import Entry
from projections.scheme_files import source
from projections.years import FactEntry, YearView
from schemes.exact import exact_arithmetic, plain
from schemes.fact import Fact
from tests.projections.conftest import CODE, EVIDENCE, County
from tests.schemes.strategies import SCHEMES, facts

OPENED = datetime(2019, 1, 2, 1, 0, tzinfo=UTC)
any_scheme = pytest.mark.parametrize("name", SCHEMES)


@cache
def _opened(name: str) -> YearView:
    """The scheme's year in a ledger that holds nothing else."""
    scheme, version = scheme_version(source(name), name)
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ledger.db'}")
        migrate(engine)
        jurisdictions = Jurisdictions(engine, secrets.token_bytes)
        ledger = jurisdictions.ledger(scheme.jurisdiction.code)
        ledger.open_year(Attempt("office", OPENED, "open"), scheme.year, version, scheme_units(scheme))
        view = jurisdictions.view(scheme.jurisdiction.code, scheme.year)
        jurisdictions.close()
        engine.dispose()
    return view


def _view(name: str, said: Sequence[Fact], as_of: date | None = None) -> YearView:
    """The year as of the day, with these facts recorded and nothing else."""
    opened = _opened(name)
    entries = []
    for fact in said:
        observed = Fact(fact.id, fact.position, fact.unit, fact.kind, fact.occurred_on, fact.count, fact.attributes)
        entries.append(_entry(Entry("observe", fact.id, OPENED, observed, None), fact.position))
        if fact.rectified_on is not None:
            entries.append(_entry(Entry("rectify", fact.id, OPENED, None, fact.rectified_on), 100 + fact.position))
    return YearView(opened.state, opened.scheme, entries, 200, as_of, None, opened.turns, None)


def _entry(said: Entry, position: int) -> FactEntry:
    return FactEntry(position, said.observation, said.entry, {}, (), None, None, OPENED, "office", said)


def _total_on(course: CourseAnswer, day: date) -> str:
    return [one.total for one in course.days if one.day <= day][-1]


def _scored(view: YearView, unit: Unit) -> str:
    with exact_arithmetic():
        return plain(view.situation.year.score(unit.key).total)


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_a_course_says_of_every_day_what_the_sheet_of_that_day_says(name: str, data: st.DataObject) -> None:
    said = data.draw(facts(name, most=15))
    view = _view(name, said)
    unit = view.unit(data.draw(st.sampled_from([fact.unit for fact in said])) if said else view.units[0].key)
    course = course_answer(view, unit)
    first, last = course.first, view.as_of

    drawn = data.draw(st.lists(st.integers(0, (last - first).days), max_size=8))
    days = {first, last, *(first + timedelta(days=at) for at in drawn)}
    for fact in said:
        turns = (fact.occurred_on, fact.occurred_on - timedelta(days=1), fact.rectified_on)
        days |= {day for day in turns if day is not None and first <= day <= last}
    wrong = {day for day in days if _scored(_view(name, said, day), unit) != _total_on(course, day)}
    assert wrong == set()
    assert course.days[-1].total == sheet_answer(view, unit).total
    assert [one.day for one in course.days] == sorted({one.day for one in course.days})


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_every_line_of_a_history_stands_on_one_day_of_the_course(name: str, data: st.DataObject) -> None:
    view = _view(name, data.draw(facts(name, most=15)))
    unit = view.units[0]
    lines = [line for line in history_answer(view, unit).lines if line.fact is not None]
    assert [line for one in course_answer(view, unit).days for line in one.lines] == lines


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_the_steps_of_a_waterfall_add_up_to_the_total(name: str, data: st.DataObject) -> None:
    said = data.draw(facts(name, most=15))
    view = _view(name, said)
    sheet = sheet_answer(view, view.unit(said[0].unit) if said else view.units[0])
    steps = waterfall(sheet)
    assert steps[-1].points == steps[-1].running == sheet.total
    with exact_arithmetic():
        assert sum(Decimal(one.points) for one in steps[:-1]) == Decimal(sheet.total)
        running = Decimal(0)
        for one in steps[:-1]:
            running += Decimal(one.points)
            assert Decimal(one.running) == running


def _course(county: County, unit: str = "福城街道", **asked: Any) -> CourseAnswer:
    view = county.jurisdictions.view(CODE, 2021, **asked)
    return course_answer(view, view.unit(unit))


def _steps(course: CourseAnswer) -> list[tuple[str, str, str]]:
    return [(one.day.isoformat(), one.total, one.difference) for one in course.days]


def test_a_course_steps_on_the_days_of_its_entries(county: County) -> None:
    county.observe(day=date(2021, 3, 1))
    county.observe(day=date(2021, 5, 1))
    third = county.observe(day=date(2021, 6, 1))
    before_void = county.now

    # Row 2.2 loses 1 for each; the third finds the penalties' 10 points taken.
    whole = [("2021-01-01", "100", "0"), ("2021-03-01", "94", "-6"), ("2021-05-01", "88", "-6")]
    assert _steps(_course(county)) == [*whole, ("2021-06-01", "87", "-1")]
    assert _steps(_course(county, as_of=date(2021, 5, 31))) == whole
    county.ledger.void(county.attempt(), third, Void(reason="重复", evidence=EVIDENCE))
    assert _steps(_course(county)) == whole
    assert _steps(_course(county, known_at=before_void))[-1] == ("2021-06-01", "87", "-1")


def test_a_day_without_effect_stands_in_the_course_with_its_entries(county: County) -> None:
    for day in (1, 2, 3):
        stale = {"channel": "website", "days": 20, "column": "政策"}
        county.observe(kind="stale", day=date(2021, 4, day), count=5, attributes=stale)
    last = _course(county).days[-1]
    assert (last.day, last.difference) == (date(2021, 4, 3), "0")
    assert [(line.indicator, line.nominal, line.effective, line.swallowed_by) for line in last.lines] == [
        ("p3", "-5", "0", ["maximum"])
    ]


def test_a_request_left_unanswered_counts_until_a_late_reply_replaces_it(county: County) -> None:
    county.observe(kind="request_received", day=date(2021, 9, 13), attributes={"request": "R1"})
    late = {"matter": "mailbox", "request": "R1"}
    county.observe(kind="late_reply", day=date(2021, 11, 1), attributes=late)
    # Due on 2021-10-15: row 1.11 is forfeited from the day after, until what was recorded by hand is of another matter.
    assert _steps(_course(county)) == [
        ("2021-01-01", "100", "0"),
        ("2021-10-16", "97", "-3"),
        ("2021-11-01", "100", "3"),
    ]


def test_a_unit_that_joins_later_begins_on_that_day(county: County) -> None:
    county.ledger.join_unit(county.attempt(), 2021, "新城街道", "township", date(2021, 4, 1), "区划调整")
    assert _steps(_course(county, "新城街道")) == [("2021-04-01", "100", "0")]


def test_a_waterfall_names_what_caps_took(county: County) -> None:
    county.observe(kind="merit", attributes={"item": "interpretation", "nature": "good_quality"})
    view = county.jurisdictions.view(CODE, 2021)
    steps = waterfall(sheet_answer(view, view.unit("福城街道")))
    assert [(one.step, one.title, one.points) for one in steps] == [
        ("full", "基础满分", "100"),
        ("bonus", "加分", "3"),
        ("penalty", "减分", "0"),
        ("limits", "总分封顶、保底、否决", "-3"),
        ("total", "总分", "100"),
    ]
