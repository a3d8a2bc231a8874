"""What recording would do, told before it is done: the same scores as after it, and reasons where nothing moves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.commands import Observe
from ledger.rejection import Rejection
from projections.questions.previews import PreviewAnswer, preview
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County

UNIT, OTHER = "福城街道", "大桥街道"
MONTHLY = {"level": "municipal", "subject": "open_government", "period": "monthly"}


def _observe(unit: str = UNIT, kind: str = "circular", day: date = date(2021, 6, 1), **more: Any) -> Observe:
    attributes = more.pop("attributes", CIRCULAR)
    return Observe(unit=unit, kind=kind, occurred_on=day, attributes=attributes, evidence=EVIDENCE, **more)


def _preview(county: County, *observations: Observe) -> PreviewAnswer:
    return preview(county.jurisdictions.view(CODE, 2021), observations)


def test_each_row_that_moves_is_told_with_the_rule_that_moves_it(county: County) -> None:
    answer = _preview(county, _observe())

    [unit] = answer.units
    assert unit.before is not None
    assert (unit.unit, unit.difference) == (UNIT, "-6")
    assert [(row.indicator, row.difference, row.rules) for row in unit.rows] == [
        ("2.2", "-1", ["每有1次“被通报”（通报对象为政务新媒体）扣1分"]),
        ("p1", "-5", ["每有1次“被通报”（周期为月度）扣5分，最多扣10分"]),
    ]
    [one] = answer.observations
    assert (one.difference, one.why_not, one.proposed) == ("-6", [], False)
    assert [met.indicator for met in one.met] == ["2.2", "p1"]


def test_a_cap_that_is_reached_is_said_as_the_reason_why_nothing_moves(county: County) -> None:
    county.observe(attributes=MONTHLY, count=2)

    answer = _preview(county, _observe(attributes=MONTHLY))

    [unit], [one] = answer.units, answer.observations
    assert (unit.difference, unit.rows, one.difference) == ("0", [], "0")
    assert [(reason.code, reason.sentence) for reason in one.why_not] == [
        ("maximum", "“p1 月度通报”按本条规则计的分已达上限10分，登记这一条后仍然达到上限。")
    ]


def test_a_fact_that_no_row_looks_at_is_told_as_such(county: County) -> None:
    [one] = _preview(county, _observe(kind="fraud", attributes={"stage": "assessment"})).observations

    assert one.met == []
    assert [reason.sentence for reason in one.why_not] == ["考核方案没有哪一项对这一条计分。"]


@pytest.mark.parametrize(
    "added",
    [
        [_observe()],
        [_observe(attributes=MONTHLY, count=3), _observe(OTHER)],
        [_observe(kind="request_received", day=date(2021, 4, 6), attributes={"request": "1号"})],
        [_observe(kind="judgement", attributes={"indicator": "1.2", "value": "2.5"})],
    ],
)
def test_what_was_previewed_is_what_comes_about(county: County, added: list[Observe]) -> None:
    county.observe(attributes=MONTHLY)
    answer = _preview(county, *added)

    county.ledger.observe(county.attempt(), 2021, added)

    told = {unit.unit: unit.after.total for unit in answer.units if unit.after}
    assert told == {unit: county.total(unit) for unit in told}
    assert len(told) == len({one.unit for one in added})


def test_a_request_moves_the_row_of_the_late_reply_that_is_derived_from_it(county: County) -> None:
    request = _observe(kind="request_received", day=date(2021, 4, 6), attributes={"request": "1号"})

    [unit] = _preview(county, request).units

    assert [(row.indicator, row.after) for row in unit.rows] == [("1.11", "0")]
    assert unit.rows[0].rules == ["有“超期答复”（事由为依申请公开）的，本项计0分"]


def test_an_answer_in_time_is_told_with_the_row_of_the_late_reply_that_it_ends(county: County) -> None:
    request = {"request": "R-77"}
    county.observe(kind="request_received", day=date(2021, 4, 6), attributes=request)

    answer = _preview(county, _observe(kind="request_answered", day=date(2021, 4, 12), attributes=request))

    [unit], [one] = answer.units, answer.observations
    assert [(row.indicator, row.difference) for row in unit.rows] == [("1.11", "3")]
    assert [met.indicator for met in one.met] == ["1.11"]


def test_what_was_recorded_already_is_told_by_its_place_in_the_ledger(county: County) -> None:
    county.observe(attributes=MONTHLY)
    position = county.jurisdictions.view(CODE, 2021).position
    same, later = _observe(attributes=MONTHLY, day=date(2021, 3, 1)), _observe(attributes=MONTHLY)
    twice = _observe(attributes=MONTHLY, day=date(2021, 3, 1), count=2)

    told = _preview(county, same, later, twice).observations

    assert [one.same_as for one in told] == [position, None, None]


def test_of_several_that_reach_a_cap_together_each_is_told_what_it_adds_beside_the_others(county: County) -> None:
    answer = _preview(county, *[_observe(attributes=MONTHLY)] * 3)

    assert answer.units[0].difference == "-10"
    assert [one.difference for one in answer.observations] == ["0", "0", "0"]
    assert {reason.code for one in answer.observations for reason in one.why_not} == {"maximum"}


def test_what_takes_a_second_person_is_told(county: County) -> None:
    decided = {"section": "penalty", "points": "2", "authority": "领导小组"}
    weighing, plain = _preview(county, _observe(kind="discretion", attributes=decided), _observe(OTHER)).observations

    assert (weighing.proposed, plain.proposed) == (True, False)
    assert weighing.difference == "-2"


def test_all_refusals_come_together_with_their_places(county: County) -> None:
    late, unknown = _observe(day=date(2022, 1, 1)), _observe("无此街道", attributes={"level": "local"})

    with pytest.raises(Rejection) as refused:
        _preview(county, _observe(), late, unknown)

    found = {(one.code, one.where) for one in refused.value.refusals}
    assert {("date-outside-year", "observations[1].occurred_on"), ("unknown-unit", "observations[2].unit")} <= found


def test_nothing_is_recorded(county: County) -> None:
    before = county.jurisdictions.view(CODE, 2021).position
    _preview(county, _observe())

    assert county.jurisdictions.view(CODE, 2021).position == before
