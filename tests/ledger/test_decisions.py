"""The ledger's own rules, on states made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from ledger.decisions import (
    BEFORE_THE_PERIOD,
    YearState,
    decide_leave,
    decide_observe,
    decide_rename,
    fold_year,
)
from ledger.events import Event, GroupOfUnits, Period, Reading, SchemeReference, UnitJoined, UnitRenamed, YearOpened
from ledger.rejection import Refusal, Rejection, rejected
from tests.ledger.store import KnowsEveryWord

STREAM = UUID(int=1)
UNITS = ("福城街道", "大桥街道")
FIRST, LAST = date(2021, 1, 1), date(2021, 12, 31)


def _head(version: int) -> dict[str, object]:
    return {
        "originator_id": STREAM,
        "originator_version": version,
        "recorded_at": datetime(2021, 1, 4, tzinfo=UTC),
        "actor": "经济信息中心",
        "nonce": "0" * 32,
        "year": 2021,
    }


def _opened(first: date = FIRST, last: date = LAST) -> YearState:
    event = YearOpened.model_validate(
        _head(1)
        | {
            "period": Period(first=first, last=last),
            "scheme": SchemeReference(id="scheme", version="1", digest="a4" * 32),
            "groups": (GroupOfUnits(id="township", units=UNITS),),
        }
    )
    return fold_year(YearState(2021), event)


def _after(state: YearState, *events: Event) -> YearState:
    for event in events:
        state = fold_year(state, event)
    return state


def _renamed(version: int, name: str, on: date) -> Event:
    return UnitRenamed.model_validate(_head(version) | {"unit": "福城街道", "name": name, "on": on, "reason": "更名"})


def _reading(day: date, kind: str = "circular", unit: str = "福城街道") -> Reading:
    return Reading(unit=unit, kind=kind, occurred_on=day)


class _KnowsUnits(KnowsEveryWord):
    def reading(self, year: YearState, reading: Reading) -> None:
        if year.unit(reading.unit) is None:
            raise rejected("unknown-unit", "unit", "no such unit")


def _refusals(year: YearState, reading: Reading) -> list[Refusal]:
    try:
        decide_observe(year, reading, _KnowsUnits())
    except Rejection as rejection:
        return list(rejection.refusals)
    return []


@pytest.mark.parametrize("kind", sorted(BEFORE_THE_PERIOD))
def test_what_came_before_the_period_is_recorded_for_one_year_and_no_longer(kind: str) -> None:
    year = _opened()
    assert _refusals(year, _reading(date(2020, 1, 1), kind)) == []
    assert _refusals(year, _reading(FIRST, kind)) == []
    for day in (date(2019, 12, 31), date(1999, 1, 4), date(2022, 1, 1)):
        [refusal] = _refusals(year, _reading(day, kind))
        assert (refusal.code, refusal.where) == ("date-outside-year", "occurred_on")
        assert "expected a day from 2020-01-01 to 2021-12-31" in refusal.message
        assert "one year before the period" in refusal.message


def test_other_kinds_lie_in_the_period() -> None:
    [refusal] = _refusals(_opened(), _reading(date(2020, 12, 31)))
    assert refusal.message == "found 2020-12-31, expected a day from 2021-01-01 to 2021-12-31"


def test_a_year_before_a_leap_day_begins_on_the_28th() -> None:
    year = _opened(date(2020, 2, 29), date(2020, 12, 31))
    assert _refusals(year, _reading(date(2019, 2, 28), "late_reply")) == []
    assert _refusals(year, _reading(date(2019, 2, 27), "late_reply")) != []


def test_a_wrong_unit_and_a_wrong_day_are_both_told() -> None:
    refusals = _refusals(_opened(), _reading(date(2022, 1, 1), unit="福城镇"))
    assert [(one.code, one.where) for one in refusals] == [
        ("unknown-unit", "unit"),
        ("date-outside-year", "occurred_on"),
    ]


def test_of_two_names_from_one_day_the_later_entry_is_in_use() -> None:
    on = date(2021, 6, 1)
    year = _after(
        _opened(), _renamed(2, "甲街道", on), _renamed(3, "乙街道", date(2021, 3, 1)), _renamed(4, "丙街道", on)
    )
    in_use = {day: year.units["福城街道"].name_on(day) for day in (date(2021, 2, 1), date(2021, 4, 1), on)}
    assert in_use == {date(2021, 2, 1): "福城街道", date(2021, 4, 1): "乙街道", on: "丙街道"}
    other_way = _after(_opened(), _renamed(2, "丙街道", on), _renamed(3, "甲街道", on))
    assert other_way.units["福城街道"].name_on(on) == "甲街道"


def test_a_unit_may_have_an_earlier_name_of_its_own_again() -> None:
    on, back = date(2021, 6, 1), date(2021, 9, 1)
    year = _after(_opened(), _renamed(2, "福城新区", on))
    assert decide_rename(year, "福城新区", "福城街道", back) == "福城街道"
    again = _after(year, _renamed(3, "福城街道", back))
    assert [again.units["福城街道"].name_on(day) for day in (FIRST, on, back)] == ["福城街道", "福城新区", "福城街道"]
    refused = []
    for name, new, day in (
        ("大桥街道", "福城新区", back),
        ("福城新区", "大桥街道", back),
        ("福城街道", "福城街道", FIRST),
        ("福城街道", "福城新区", on),
    ):
        with pytest.raises(Rejection) as rejection:
            decide_rename(again, name, new, day)
        refused.append(rejection.value.refusals[0].code)
    assert refused == ["unit-name-taken", "unit-name-taken", "unit-name-unchanged", "unit-name-unchanged"]


def test_a_unit_does_not_leave_before_it_joined() -> None:
    joined = UnitJoined.model_validate(
        _head(2) | {"unit": "新城街道", "group": "township", "on": date(2021, 7, 1), "reason": "区划调整"}
    )
    year = _after(_opened(), joined)
    with pytest.raises(Rejection) as rejection:
        decide_leave(year, "新城街道", date(2021, 6, 30))
    assert [(one.code, one.where) for one in rejection.value.refusals] == [("unit-leaves-before-joining", "on")]
    # A unit that joined by mistake can still be taken back.
    assert decide_leave(year, "新城街道", date(2021, 7, 1)) == "新城街道"
