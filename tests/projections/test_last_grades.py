"""Last year's grade, from last year's closed cycle in the same ledger; on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from ledger.application import LedgerApplication
from ledger.commands import Observe, Void
from projections.answers import history_answer, sheet_answer
from projections.jurisdictions import scheme_units, scheme_version
from projections.proceedings.closings import close_year
from projections.scheme_files import source
from projections.years import YearView
from schemes.exact import plain
from tests.projections.conftest import EVIDENCE, County

LINYI = "140821"
ROW = "b3"


def _ledger(county: County) -> LedgerApplication:
    return county.jurisdictions.ledger(LINYI)


def _open(county: County, year: int) -> None:
    scheme, version = scheme_version(source("linyi-2023").replace("2023", str(year)), f"linyi-{year}")
    _ledger(county).open_year(county.attempt(), year, version, scheme_units(scheme))


def _close(county: County, year: int) -> None:
    close_year(county.jurisdictions, LINYI, year, county.attempt(), "考核结束")


def _observe(county: County, of: int, unit: str, kind: str, day: date, **attributes: object) -> UUID:
    wish = Observe.model_validate(
        {"unit": unit, "kind": kind, "occurred_on": day, "attributes": attributes, "evidence": EVIDENCE}
    )
    [receipt] = _ledger(county).observe(county.attempt(), of, [wish])
    return receipt.event.originator_id


def _bonus(view: YearView) -> dict[str, str]:
    """What the row for last year's grade gives to each unit that it gives something."""
    values = {
        unit: plain(row.value)
        for unit, sheet in view.sheets().items()
        for row in sheet.score.rows
        if row.indicator.id == ROW
    }
    return {unit: value for unit, value in values.items() if value != "0"}


@pytest.fixture
def linyi(county: County) -> County:
    """Linyi with the years 2022 and 2023 open; in 2022 one unit of each group stands before all others."""
    for year in (2022, 2023):
        _open(county, year)
    return county


@pytest.fixture
def best(linyi: County) -> list[str]:
    """The units that 2022 is about to grade 优秀: those that are praised most."""
    view = linyi.jurisdictions.view(LINYI, 2022)
    units = [unit for group in view.state.groups for unit in view.roster[group][:2]]
    for unit in units:
        attributes = {"level": "municipal", "form": "endorsement"}
        _observe(linyi, 2022, unit, "commendation", date(2022, 3, 1), **attributes)
    sheets = linyi.jurisdictions.view(LINYI, 2022).sheets()
    return [unit for unit, sheet in sheets.items() if sheet.grade == "优秀"]


def _view(county: County, **asked: object) -> YearView:
    return county.jurisdictions.view(LINYI, 2023, **asked)  # type: ignore[arg-type]  # each test names what it asks


def test_a_closed_year_gives_the_next_one_its_grades(linyi: County, best: list[str]) -> None:
    assert best
    before = linyi.now
    assert _bonus(_view(linyi)) == {}
    _close(linyi, 2022)
    assert _bonus(_view(linyi)) == dict.fromkeys(best, "2")
    assert _bonus(_view(linyi, known_at=before)) == {}
    assert _bonus(_view(linyi, known_at=linyi.now - timedelta(microseconds=1))) == {}
    assert _bonus(_view(linyi, as_of=date(2023, 1, 1))) == dict.fromkeys(best, "2")


def test_a_recorded_grade_wins_and_without_it_the_frozen_one_serves_again(linyi: County, best: list[str]) -> None:
    _close(linyi, 2022)
    day = date(2022, 12, 31)
    recorded = _observe(linyi, 2023, best[0], "prior_grade", day, year=2022, grade="良好")
    assert _bonus(_view(linyi)) == dict.fromkeys(best[1:], "2")
    _ledger(linyi).void(linyi.attempt(), recorded, Void(reason="记错", evidence=EVIDENCE))
    assert _bonus(_view(linyi)) == dict.fromkeys(best, "2")


def test_a_year_that_is_reopened_gives_no_grades_until_it_is_closed_again(linyi: County, best: list[str]) -> None:
    _close(linyi, 2022)
    _ledger(linyi).reopen_year(linyi.attempt(), 2022, "漏登通报")
    closed_then = linyi.now - timedelta(microseconds=1)
    assert _bonus(_view(linyi)) == {}
    assert _bonus(_view(linyi, known_at=closed_then)) == dict.fromkeys(best, "2")
    _close(linyi, 2022)
    assert _bonus(_view(linyi)) == dict.fromkeys(best, "2")


def test_a_unit_that_was_renamed_last_year_keeps_its_grade(county: County) -> None:
    _open(county, 2022)
    unit = county.jurisdictions.view(LINYI, 2022).units[0].key
    _ledger(county).rename_unit(county.attempt(), 2022, unit, "新名称镇政府", date(2022, 6, 1), "更名")
    _observe(county, 2022, "新名称镇政府", "commendation", date(2022, 7, 1), level="municipal", form="endorsement")
    assert county.jurisdictions.view(LINYI, 2022).sheets()[unit].grade == "优秀"
    _close(county, 2022)
    text = source("linyi-2023").replace(unit, "新名称镇政府")
    scheme, version = scheme_version(text, "linyi-2023")
    _ledger(county).open_year(county.attempt(), 2023, version, scheme_units(scheme))
    assert _bonus(_view(county))["新名称镇政府"] == "2"


def test_a_frozen_grade_is_shown_as_derived_from_the_close(linyi: County, best: list[str]) -> None:
    _close(linyi, 2022)
    view = _view(linyi)
    unit = view.unit(best[0])
    [row] = [row for row in sheet_answer(view, unit).rows if row.indicator == ROW]
    [fact] = [effect.fact for effect in row.effects]
    assert fact is not None
    assert (fact.observation, fact.derived_from, fact.attributes["grade"]) == (None, ["closing/2022"], "优秀")
    history = history_answer(view, unit)
    assert [line.effective for line in history.lines if line.indicator == ROW] == ["2"]


def test_a_closed_year_keeps_the_grades_of_the_year_before_that_it_was_closed_with(
    linyi: County, best: list[str]
) -> None:
    _close(linyi, 2023)
    _close(linyi, 2022)
    assert _bonus(_view(linyi)) == {}
    _ledger(linyi).reopen_year(linyi.attempt(), 2023, "补上年度等次")
    assert _bonus(_view(linyi)) == dict.fromkeys(best, "2")
    _close(linyi, 2023)
    _ledger(linyi).reopen_year(linyi.attempt(), 2022, "漏登通报")
    assert _bonus(_view(linyi)) == dict.fromkeys(best, "2")


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_unit_that_takes_the_name_of_another_does_not_take_its_grade(county: County, is_listed: bool) -> None:
    """`is_listed`: whether the unit renamed was assessed last year, without any merit."""
    text = source("linyi-2023")
    scheme, _ = scheme_version(text, "linyi-2023")
    other, best = scheme.groups[0].units[:2]
    _open(county, 2022)
    _observe(county, 2022, best, "commendation", date(2022, 3, 1), level="municipal", form="endorsement")
    _close(county, 2022)
    successor = other if is_listed else "新设镇政府"
    listed = text.replace(f"{best}, ", "" if is_listed else f"{successor}, ")
    scheme, version = scheme_version(listed, "linyi-2023")
    _ledger(county).open_year(county.attempt(), 2023, version, scheme_units(scheme))
    assert (best in scheme.groups[0].units, successor in scheme.groups[0].units) == (False, True)
    before = _bonus(_view(county))
    assert successor not in before
    _ledger(county).rename_unit(county.attempt(), 2023, successor, best, date(2023, 6, 1), "撤并后更名")
    # Nothing but the name tells a unit that was not there last year from the one that had the name.
    assert _bonus(_view(county)) == (before if is_listed else {**before, successor: "2"})


def test_a_year_that_lists_a_unit_by_its_older_name_finds_its_grade(county: County) -> None:
    _open(county, 2022)
    unit = county.jurisdictions.view(LINYI, 2022).units[0].key
    _observe(county, 2022, unit, "commendation", date(2022, 3, 1), level="municipal", form="endorsement")
    _ledger(county).rename_unit(county.attempt(), 2022, unit, "新名称镇政府", date(2022, 12, 1), "更名")
    _close(county, 2022)
    _open(county, 2023)
    assert _bonus(_view(county))[unit] == "2"
    _ledger(county).rename_unit(county.attempt(), 2023, unit, "新名称镇政府", date(2023, 1, 1), "更名")
    assert _bonus(_view(county))[unit] == "2"
