"""What a year's first page says: changes of scores, what waits, what was recorded last; and a unit's own part of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.commands import Amend, Rectify, Void
from ledger.events import Changes
from ledger.rejection import Rejection
from projections.overview_models import OverviewAnswer, OverviewPlace, OwnOverviewAnswer
from projections.overviews import earlier_day, overview
from projections.own_items import seen_mark
from projections.own_overviews import Released, own_overview
from projections.releases import released_view
from tests.projections.conftest import CODE, EVIDENCE, County
from tests.projections.proceedings import (
    OTHER,
    UNIT,
    YEAR,
    accepted,
    claimed,
    decided,
    filed,
    on_day,
    size,
    view,
)

TODAY = date(2021, 12, 31)
VOID = Void(reason="重复", evidence=EVIDENCE)


def shown(county: County, day: date = TODAY, group: str | None = None, today: date = TODAY) -> OverviewAnswer:
    then, earlier = (county.jurisdictions.view(CODE, YEAR, one) for one in (day, earlier_day(day)))
    return overview(view(county), then, earlier, (), today, group)


def own(county: County, unit: str = UNIT, today: date = TODAY) -> OwnOverviewAnswer:
    items = view(county)
    released = None
    if items.state.released is not None:
        days = (TODAY, earlier_day(TODAY))
        views = (released_view(county.jurisdictions, CODE, YEAR, day, None) for day in days)
        released = Released(*(one.seen_by((unit,), items.state) for one in views))
    return own_overview(items.seen_by((unit,), items.state), released, today)


def place(answer: OverviewAnswer, unit: str) -> OverviewPlace:
    return next(one for group in answer.groups for one in group.places if one.unit == unit)


def mark(county: County, unit: str = UNIT) -> str:
    found = view(county)
    return seen_mark(found.seen_by((unit,), found.state))


def judged(county: County, unit: str = UNIT, **more: Any) -> Any:
    return county.observe(unit, "judgement", attributes={"indicator": "1.2", "value": "3.5"}, **more)


def test_the_change_of_a_score_is_what_happened_in_the_thirty_days_up_to_the_day(county: County) -> None:
    county.observe(day=date(2021, 3, 31))
    county.observe(day=date(2021, 5, 10))
    county.observe(day=date(2021, 5, 11))

    found = place(shown(county, date(2021, 5, 10)), UNIT)
    assert (found.total, found.change) == ("88", "-6")
    assert shown(county, date(2021, 5, 10)).earlier == date(2021, 4, 10)
    assert place(shown(county, date(2021, 5, 10)), OTHER).change == "0"


def test_what_was_recorded_late_for_an_earlier_day_is_no_change(county: County) -> None:
    on_day(county, "2021-05-09")
    county.observe(day=date(2021, 2, 1))

    found = place(shown(county, date(2021, 5, 10)), UNIT)
    assert (found.total, found.change, found.rank, found.earlier_rank) == ("94", "0", 19, 19)


def test_a_unit_that_joined_since_has_no_change(county: County) -> None:
    county.ledger.join_unit(county.attempt(), YEAR, "新设街道", "township", date(2021, 5, 1), "区划调整")

    found = place(shown(county, date(2021, 5, 10)), "新设街道")
    assert (found.change, found.earlier_rank) == (None, None)


def test_one_group_alone_can_be_shown_and_none_that_is_not_there(county: County) -> None:
    assert [one.group for one in shown(county, group="township").groups] == ["township"]
    assert len(shown(county).groups) == 2
    with pytest.raises(Rejection, match="unknown-group"):
        shown(county, group="villages")


def test_what_cost_points_waits_to_be_put_right_until_it_is_by_the_day(county: County) -> None:
    county.observe(kind="merit", attributes={"item": "interpretation", "nature": "good_quality"})
    county.ledger.void(county.attempt(), county.observe(), VOID)
    observation = county.observe(day=date(2021, 4, 1))
    oldest = county.observe(OTHER)
    county.observe(OTHER)
    county.ledger.rectify(county.attempt(), observation, Rectify(on=date(2021, 4, 20)))

    def waiting(day: date) -> list[tuple[str, int]]:
        return [(one.unit, one.count) for one in shown(county, day).unrectified]

    assert waiting(date(2021, 4, 19)) == [(OTHER, 2), (UNIT, 1)]
    assert waiting(date(2021, 4, 20)) == [(OTHER, 2)]
    [first, *_] = shown(county).unrectified
    assert (first.oldest, first.path) == (date(2021, 3, 1), f"observations/{oldest}")


def test_a_row_waits_for_its_judgement_unit_by_unit(county: County) -> None:
    def waiting() -> set[str]:
        return {unit for row in shown(county, group="township").missing for unit in row.units if row.indicator == "1.2"}

    assert {UNIT, OTHER} <= waiting()
    judged(county)
    assert waiting() >= {OTHER}
    assert UNIT not in waiting()


def test_the_last_entries_are_told_newest_first_by_whom_and_about_whom(county: County) -> None:
    observations = [county.observe() for _ in range(16)]
    filed(county, observations[-1])
    county.ledger.rename_unit(county.attempt(), YEAR, OTHER, "大桥镇", date(2021, 6, 1), "撤街设镇")

    recent = shown(county).recent
    assert [one.position for one in recent] == [size(county) - at for at in range(15)]
    assert [(one.unit, one.sentence) for one in recent[:3]] == [
        (OTHER, "单位更名为大桥镇"),
        (UNIT, "申诉：提出"),
        (UNIT, "登记：2021年3月1日 被通报（设区市级，政务新媒体，月度）1次"),
    ]
    assert {one.actor for one in recent} == {"经济信息中心"}


def test_open_appeals_and_claims_stand_in_the_order_of_their_terms(county: County) -> None:
    on_day(county, "2021-03-10")
    decided(county, accepted(county, filed(county, county.observe())), outcome="dismissed")
    claim = claimed(county)
    on_day(county, "2021-03-20")
    appeal = filed(county, county.observe(OTHER), unit=OTHER)

    found = shown(county, today=date(2021, 3, 25)).proceedings
    assert [(one.id, one.kind, one.due, one.overdue) for one in found] == [
        (str(claim), "claim", date(2021, 3, 24), True),
        (str(appeal), "appeal", date(2021, 4, 2), False),
    ]


def test_a_unit_sees_its_own_matters_and_no_others_name(county: County) -> None:
    mine = county.observe()
    county.observe(OTHER)
    filed(county, mine)
    filed(county, county.observe(OTHER), unit=OTHER)
    judged(county)
    units = {unit.key for unit in view(county).units} - {UNIT}

    before = own(county)
    assert (before.as_of, before.scores) == (None, [])
    assert [one.sentence for one in before.recent if "评定" in one.sentence] == []
    assert len(before.proceedings) == 1
    assert before.unrectified == []

    county.ledger.release(county.attempt(), YEAR, TODAY, None, "反馈结果")
    after = own(county)
    [score] = after.scores
    assert (score.unit, score.total, score.change) == (UNIT, county.total(), "0")
    assert any("评定" in one.sentence for one in after.recent)
    assert [one.path for one in after.unrectified] == [f"observations/{mine}"]
    for answer in (before, after):
        assert [unit for unit in units if unit in answer.model_dump_json()] == []


def test_a_unit_is_told_what_cost_it_points_as_it_was_released_until_it_sees_that_settled(county: County) -> None:
    kept, rectified, void, moved = (county.observe() for _ in range(4))
    county.ledger.release(county.attempt(), YEAR, TODAY, None, "反馈结果")
    county.observe()
    assert len(own(county).unrectified) == 4

    county.ledger.rectify(county.attempt(), rectified, Rectify(on=date(2021, 4, 20)))
    county.ledger.void(county.attempt(), void, VOID)
    changes = Changes(unit=OTHER)
    county.ledger.amend(county.attempt(), moved, Amend(changes=changes, reason="另一单位", evidence=EVIDENCE))
    assert [one.path for one in own(county).unrectified] == [f"observations/{kept}"]


def test_a_points_decision_after_the_release_changes_nothing_of_what_a_unit_is_told(county: County) -> None:
    attributes = {"section": "penalty", "points": "2", "authority": "市政府办"}
    decision = county.observe(kind="discretion", attributes=attributes)
    county.ledger.release(county.attempt(), YEAR, TODAY, None, "反馈结果")
    before = own(county).unrectified
    assert [one.path for one in before] == [f"observations/{decision}"]

    county.ledger.void(county.attempt(), decision, VOID)
    county.observe(kind="discretion", attributes=attributes)
    assert own(county).unrectified == before


@pytest.mark.parametrize(("day", "before"), [("2021-03-31", "2021-03-01"), ("0001-01-01", "0001-01-01")])
def test_every_day_has_a_day_that_changes_are_counted_from(day: str, before: str) -> None:
    assert earlier_day(date.fromisoformat(day)) == date.fromisoformat(before)


def test_a_unit_sees_the_terms_that_end_in_the_next_thirty_days(county: County) -> None:
    on_day(county, "2021-03-02")
    observation = county.observe()

    [deadline] = own(county, today=date(2021, 3, 3)).deadlines
    assert (deadline.due, deadline.path) == (date(2021, 3, 23), f"observations/{observation}")
    assert own(county, today=date(2021, 3, 24)).deadlines == []


def test_a_units_mark_moves_with_its_own_matters_only(county: County) -> None:
    mine, others = county.observe(), county.observe(OTHER)
    before = mark(county)
    county.ledger.amend(county.attempt(), others, Amend(changes=Changes(count=2), reason="两次"))
    county.ledger.void(county.attempt(), others, VOID)
    filed(county, county.observe(OTHER), unit=OTHER)
    county.ledger.rename_unit(county.attempt(), YEAR, OTHER, "大桥镇", date(2021, 6, 1), "撤街设镇")
    judged(county)
    assert mark(county) == before

    county.ledger.rectify(county.attempt(), mine, Rectify(on=date(2021, 4, 20)))
    rectified = mark(county)
    filed(county, mine)
    appealed = mark(county)
    county.ledger.release(county.attempt(), YEAR, TODAY, None, "反馈结果")
    assert len({before, rectified, appealed, mark(county)}) == 4


def test_the_mark_of_those_who_see_everything_is_the_ledgers_length(county: County) -> None:
    county.observe(OTHER)
    assert seen_mark(view(county)) == str(size(county))
