"""What a unit is told: which entries, in which words, leading where; and nothing of other units."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.commands import Amend, Rectify, Return, SetTerms, Void
from ledger.events import Changes
from projections.notices import Notice, filing_deadlines, notices
from projections.years import YearView
from tests.projections.conftest import EVIDENCE, County
from tests.projections.proceedings import (
    OTHER,
    UNIT,
    YEAR,
    accepted,
    claimed,
    closed,
    decided,
    filed,
    granted,
    on_day,
    size,
    view,
)

VOID = Void(reason="重复", evidence=EVIDENCE)
JUDGED = {"indicator": "1.2", "value": "3.5"}
LATER = date(2022, 6, 1)


def seen(county: County, unit: str = UNIT) -> YearView:
    found = view(county)
    return found.seen_by((unit,), found.state)


def told(county: County, unit: str = UNIT, today: date = LATER) -> list[Notice]:
    return notices(seen(county, unit), today).notices


def sentences(county: County, unit: str = UNIT, today: date = LATER) -> list[str]:
    return [one.sentence for one in told(county, unit, today)]


def released(county: County, day: date = date(2021, 12, 31)) -> None:
    county.ledger.release(county.attempt(), YEAR, day, None, "反馈结果")


def test_a_unit_is_told_what_happens_to_an_observation_about_it_the_newest_first(county: County) -> None:
    observation = county.observe()
    county.ledger.amend(county.attempt(), observation, Amend(changes=Changes(count=2), reason="通报两次"))
    county.ledger.rectify(county.attempt(), observation, Rectify(on=date(2021, 3, 20)))
    county.ledger.void(county.attempt(), observation, VOID)

    reading = "2021年3月1日 被通报（设区市级，政务新媒体，月度）"
    assert sentences(county) == [
        f"作废：{reading}2次",
        f"整改：2021年3月20日已整改，{reading}2次",
        f"更正：现为{reading}2次",
        f"登记：{reading}1次",
    ]
    assert {one.path for one in told(county)} == {f"observations/{observation}"}
    assert [one.id for one in told(county)] == [f"360982/{size(county) - at}" for at in range(4)]
    assert sentences(county, OTHER) == []


def test_an_observation_that_is_another_units_by_correction_is_told_to_both_without_the_other(county: County) -> None:
    observation = county.observe()
    county.ledger.amend(county.attempt(), observation, Amend(changes=Changes(unit=OTHER), reason="应为大桥街道"))

    left, first = told(county)
    [arrived] = told(county, OTHER)
    assert left.sentence == "更正：一条记录经更正不再是本单位的事项"
    assert (left.path, first.path, arrived.path) == (None, None, f"observations/{observation}")
    assert arrived.sentence.startswith("更正：一条记录经更正记为本单位的事项，2021年3月1日 被通报")
    assert OTHER not in repr((left, first))
    assert UNIT not in repr(arrived)


def test_the_brief_sentence_tells_codes_of_closed_lists_and_nothing_written_freely(county: County) -> None:
    on_day(county, "2021-03-02")
    observation = county.observe(
        kind="account_irregularity", attributes={"account": "张三的公众号", "nature": "unreported"}
    )
    county.ledger.amend(county.attempt(), observation, Amend(changes=Changes(count=2), reason="两个"))
    appeal = filed(county, county.observe())
    county.ledger.step(county.attempt(), YEAR, "appeal", appeal, Return(reason="请张三补交"))

    found = told(county, today=date(2021, 3, 20))
    assert {one.kind for one in found} == {"recorded", "amended", "returned", "due"}
    about = [one for one in found if one.event == str(observation)]
    assert [("张三的公众号" in one.sentence, "漏报、未报备" in one.brief) for one in about] == [(True, True)] * 3
    assert "张三" not in "".join(one.brief for one in found)


def test_points_given_to_a_row_are_told_with_their_release_and_not_one_by_one(county: County) -> None:
    county.observe(kind="judgement", attributes=JUDGED)
    assert sentences(county) == []

    released(county)

    assert sentences(county) == ["考核得分已公布（截至2021年12月31日的事项）"]


def test_a_return_and_a_decision_are_told_with_where_to_go(county: County) -> None:
    appeal = filed(county, county.observe())
    county.ledger.step(county.attempt(), YEAR, "appeal", appeal, Return(reason="请附网页存档"))
    second = accepted(county, filed(county, county.observe()))
    decided(county, second, outcome="dismissed")
    claim = accepted(county, claimed(county), "claim")
    granted(county, claim)

    found = [one for one in told(county) if one.kind in ("returned", "decided")]
    assert [(one.sentence, one.path) for one in found] == [
        ("不涉及认定已决定：准予", f"claims/{claim}"),
        ("申诉已决定：不成立", f"appeals/{second}"),
        ("申诉被退回，请补正后再提交：请附网页存档", f"appeals/{appeal}"),
    ]
    assert all(one.kind == "due" for one in told(county, OTHER))


def test_a_term_to_appeal_is_told_in_its_last_seven_days(county: County) -> None:
    on_day(county, "2021-03-02")
    observation = county.observe()

    # Fifteen working days after Tuesday, 2 March.
    def due_on(day: int) -> list[date | None]:
        return [one.due for one in told(county, today=date(2021, 3, day)) if one.kind == "due"]

    assert (due_on(15), due_on(16), due_on(23), due_on(24)) == ([], [date(2021, 3, 23)], [date(2021, 3, 23)], [])
    [term, _] = told(county, today=date(2021, 3, 16))
    assert term.sentence.endswith("的申诉，提出期限到2021年3月23日为止")
    assert (term.event, term.path) == (str(observation), f"observations/{observation}")
    assert term.id == f"360982/{size(county)}/due"


def test_what_is_void_or_appealed_against_has_no_term_left_to_tell(county: County) -> None:
    on_day(county, "2021-03-02")
    void, disputed, left = county.observe(), county.observe(), county.observe()
    county.ledger.void(county.attempt(), void, VOID)
    filed(county, disputed)

    assert [one.observation for one in filing_deadlines(seen(county), date(2021, 3, 20))] == [str(left)]


def test_a_correction_begins_the_term_anew_under_the_terms_then_in_force(county: County) -> None:
    on_day(county, "2021-03-02")
    observation = county.observe()
    county.ledger.set_terms(county.attempt(), YEAR, SetTerms(days_to_file=5, days_to_decide=5, reason="细则第九条"))
    on_day(county, "2021-03-10")
    county.ledger.amend(county.attempt(), observation, Amend(changes=Changes(count=2), reason="两次"))

    assert [one.due for one in filing_deadlines(seen(county), date(2021, 3, 10))] == [date(2021, 3, 17)]


def test_the_rows_of_a_closed_year_have_a_term_from_the_close_on(county: County) -> None:
    on_day(county, "2021-03-02")
    county.observe()
    on_day(county, "2021-11-01")
    closed(county)
    close = size(county)

    rows, observation = filing_deadlines(seen(county), date(2021, 11, 20))
    assert (rows.due, observation.due) == (date(2021, 11, 22), date(2021, 11, 22))
    assert {rows.position, observation.position} == {close, close - 1}
    assert "对各行得分的申诉和不涉及认定，提出期限到2021年11月22日为止" in sentences(county, today=date(2021, 11, 20))


def test_a_term_that_no_holiday_notice_tells_is_not_told(county: County) -> None:
    on_day(county, "2026-12-28")
    county.observe()

    assert filing_deadlines(seen(county), date(2026, 12, 29), within=60) == []


def test_entries_about_another_unit_change_no_notice(county: County) -> None:
    county.observe()
    before = told(county)
    other = county.observe(OTHER)
    county.ledger.amend(county.attempt(), other, Amend(changes=Changes(count=3), reason="三次"))
    appeal = accepted(county, filed(county, other, unit=OTHER))
    decided(county, appeal, outcome="dismissed")
    county.ledger.void(county.attempt(), other, VOID)

    assert told(county) == before


def test_notices_are_those_of_somebody(county: County) -> None:
    with pytest.raises(LookupError, match="who speak for units"):
        notices(view(county), LATER)
