"""Suppositions about a ledger's year: admitted as the ledger would admit them, and recorded nowhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.commands import Void
from ledger.rejection import Rejection
from projections.cases import Replay, read_case
from projections.jurisdictions import scheme_version
from projections.questions.models import ReplayAnswer, ReplayChoice, Suppositions, WhatIfAnswer, WithoutEachAnswer
from projections.questions.revised_replays import chosen_version, replay_answer
from projections.questions.what_ifs import what_if_answer, without_each_answer
from projections.scheme_files import load, source, vocabulary
from projections.years import YearView
from schemes.problem import InvalidInput
from schemes.questions.what_if import Supposition, what_if
from schemes.sheets import sheets
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County
from tests.projections.test_cases import CASES

MONTHLY = {"level": "municipal", "subject": "open_government", "period": "monthly"}
DEARER = (
    source("zhangshu-2021")
    .replace('version: "1"', 'version: "2"', 1)
    .replace("where: {period: monthly}, each: 5, max: 10}", "where: {period: monthly}, each: 5, max: 15}")
)
UNIT, OTHER = "福城街道", "大桥街道"


@pytest.mark.parametrize("name", sorted(CASES))
def test_leaving_out_any_observation_of_a_case_is_the_case_without_it(name: str) -> None:
    case = read_case(CASES[name], name)
    replay = Replay(case, load(case.scheme), vocabulary())
    for query in case.queries:
        situation = replay.situation(query)
        known = sheets(situation)
        for fact in situation.facts:
            without = (*query.without, fact.id)
            expected = replay.answer(query.model_copy(update={"without": without}))
            outcome = what_if(situation, Supposition(without=(fact.id,)), known)
            for unit, sheet in expected.items():
                change = outcome.of(unit)
                found = change.after if change else known[unit]
                assert (found.total, found.rank, found.grade) == (sheet.total, sheet.rank, sheet.grade)
                rows, others = ({row.indicator.id: row.value for row in one.score.rows} for one in (found, sheet))
                assert rows == others


def _each(county: County, unit: str = UNIT, **asked: Any) -> WithoutEachAnswer:
    view = county.jurisdictions.view(CODE, 2021, **asked)
    return without_each_answer(view, view.unit(unit))


def _asked(county: County, unit: str = UNIT, **supposed: Any) -> WhatIfAnswer:
    view = county.jurisdictions.view(CODE, 2021)
    return what_if_answer(view, view.unit(unit), Suppositions.model_validate(supposed))


def _view(county: County) -> YearView:
    return county.jurisdictions.view(CODE, 2021)


def test_where_the_cap_is_reached_nothing_moves_and_it_says_how_many_must_fall(county: County) -> None:
    """p1 takes 5 a monthly circular, 10 at the most. Of four, three must fall until it takes 5: 100 − 5."""
    ids = [str(county.observe(attributes=MONTHLY, day=date(2021, month, 1))) for month in (2, 3, 4, 5)]
    found = _each(county)
    assert [one.observation for one in found.observations] == ids
    assert [one.nominal for one in found.observations] == ["-5"] * 4
    assert [one.effective_in_order for one in found.observations] == ["-5", "-5", "0", "0"]
    assert [one.effect_of_removal for one in found.observations] == ["0"] * 4
    for one in found.observations:
        assert [reason.code for reason in one.why_not] == ["maximum"]
        assert "已达上限10分" in one.why_not[0].sentence
        assert one.smallest is not None
        assert (len(one.smallest.observations), one.smallest.total, one.smallest.proved) == (3, "95", True)
        assert one.observation in one.smallest.observations
    assert (len(found.total_rises.observations), found.total_rises.total) == (3, "95")
    assert found.next_grade.why_none == "no_grades"


def test_leaving_out_what_must_fall_moves_the_unit_and_those_it_passes(county: County) -> None:
    ids = [str(county.observe(attributes=MONTHLY, day=date(2021, month, 1))) for month in (2, 3, 4)]
    county.observe(OTHER, attributes=MONTHLY)
    answer = _asked(county, without=ids)
    assert (answer.unit.before.total, answer.unit.after.total, answer.unit.difference) == ("90", "100", "10")
    assert [(row.indicator, row.before, row.after) for row in answer.unit.rows] == [("p1", "-10", "0")]
    assert [(one.unit, one.before.rank, one.after.rank) for one in answer.others] == [(OTHER, 18, 19)]
    assert answer.summary == [
        "福城街道：总分由90变为100（+10），名次由第19名变为第1名。",
        "大桥街道：名次由第18名变为第19名。",
    ]
    assert answer.unmoved == []


def test_one_amended_one_added_and_a_judgement_given(county: County) -> None:
    known = county.observe(attributes=MONTHLY)
    row = next(row for row in load("zhangshu-2021").groups[0].indicators if row.judged)
    assert row.judged is not None
    amended = {"observation": str(known), "changes": {"attributes": MONTHLY | {"period": "quarterly"}}}
    assert _asked(county, amended=[amended]).unit.after.total == "100"
    added = {"kind": "circular", "occurred_on": "2021-06-01", "attributes": MONTHLY}
    assert _asked(county, added=[added]).unit.after.total == "90"
    moved = _asked(county, added=[added | {"unit": OTHER}])
    assert (moved.unit.difference, [(one.unit, one.after.total) for one in moved.others]) == ("0", [(OTHER, "95")])
    judged = _asked(county, judgements=[{"indicator": row.id, "value": str(row.judged.min)}])
    assert [(one.indicator, one.after) for one in judged.unit.rows] == [(row.id, str(row.judged.min))]
    assert row.id in judged.unit.before.pending
    assert row.id not in judged.unit.after.pending


def test_a_request_without_its_answer_becomes_late(county: County) -> None:
    asked = {"request": "依申请〔2021〕1号"}
    county.observe(kind="request_received", day=date(2021, 3, 1), attributes=asked)
    answer = str(county.observe(kind="request_answered", day=date(2021, 3, 10), attributes=asked))
    found = _asked(county, without=[answer])
    assert found.unit.difference.startswith("-")


def test_what_the_ledger_would_refuse_is_refused_with_every_reason(county: County) -> None:
    gone = county.observe(attributes=MONTHLY)
    county.ledger.void(county.attempt(), gone, Void(reason="重复", evidence=EVIDENCE))
    kept = county.observe(attributes=MONTHLY)
    size = _view(county).position
    with pytest.raises(Rejection) as refused:
        _asked(
            county,
            without=["o1", str(gone)],
            amended=[{"observation": str(kept), "changes": {"attributes": CIRCULAR | {"level": "city"}}}],
            added=[{"kind": "circular", "occurred_on": "2031-06-01", "attributes": MONTHLY, "unit": "某街道"}],
            judgements=[{"indicator": "2.2", "value": "4"}, {"indicator": "1.2", "value": "400"}],
        )
    assert [(one.code, one.where) for one in refused.value.refusals] == [
        ("unknown-observation", "without[0]"),
        ("observation-void", "without[1]"),
        ("invalid-attribute", "amended[0].changes.attributes.level"),
        ("unknown-unit", "added[0].unit"),
        ("date-outside-year", "added[0].occurred_on"),
        ("not-a-judged-indicator", "judgements[0].indicator"),
        ("judgement-out-of-range", "judgements[1].value"),
    ]
    with pytest.raises(InvalidInput, match="observation-supposed-twice"):
        _asked(county, without=[str(kept)], amended=[{"observation": str(kept), "changes": {"count": 2}}])
    with pytest.raises(Rejection, match="indicator-supposed-twice"):
        _asked(county, judgements=[{"indicator": "1.2", "value": "3"}, {"indicator": "1.2", "value": "4"}])
    assert _view(county).position == size


def test_a_void_observation_is_listed_and_says_so(county: County) -> None:
    gone = county.observe(attributes=MONTHLY)
    county.ledger.void(county.attempt(), gone, Void(reason="重复", evidence=EVIDENCE))
    [one] = _each(county).observations
    assert (one.observation, one.status, one.effect_of_removal) == (str(gone), "void", "0")
    assert [reason.code for reason in one.why_not] == ["void"]


def _replayed(county: County, **choice: Any) -> ReplayAnswer:
    version = chosen_version(county.jurisdictions, CODE, 2021, ReplayChoice.model_validate(choice))
    return replay_answer(_view(county), version, kept="scheme_id" in choice)


def test_a_draft_is_replayed_with_what_each_change_causes_and_nothing_is_stored(county: County) -> None:
    """With 15 at the most instead of 10 in p1 three monthly circulars cost 15; each group's row is its own change."""
    for month in (2, 3, 4):
        county.observe(attributes=MONTHLY, day=date(2021, month, 1))
    position = _view(county).position
    answer = _replayed(county, document=DEARER)
    township, *_ = answer.groups
    last = township.units[-1]
    assert (last.unit, last.before.total, last.after.total, last.difference, last.remainder) == (
        UNIT,
        "90",
        "85",
        "-5",
        "0",
    )
    [cause] = last.alone
    change = next(one for one in answer.changes if one.id == cause.change)
    assert (cause.points, change.indicator, change.units, change.points) == ("-5", "p1", 1, "-5")
    assert [(row.indicator, row.difference, row.remainder) for row in last.rows] == [("p1", "-5", "0")]
    assert len(answer.changes) == 2
    assert (answer.revised.version, answer.revised.kept, answer.scheme.version) == ("2", False, "1")
    assert _view(county).position == position
    assert county.total() == "90"


def test_the_same_version_replayed_differs_in_nothing(county: County) -> None:
    county.observe(attributes=MONTHLY)
    answer = _replayed(county, scheme="zhangshu-2021")
    assert answer.changes == []
    assert answer.summary == ["两个版本没有不同，所有单位的总分、名次、等次都不变。"]
    units = [unit for group in answer.groups for unit in group.units]
    assert {(unit.difference, unit.remainder, len(unit.rows), unit.edge) for unit in units} == {("0", "0", 0, None)}
    assert all(unit.before == unit.after for unit in units)


def test_a_version_adopted_on_a_day_changes_nothing_known_before_it(county: County) -> None:
    for month in (2, 3, 4):
        county.observe(attributes=MONTHLY, day=date(2021, month, 1))
    before, drafted = county.now, _replayed(county, document=DEARER)
    county.now += timedelta(days=1)
    _, version = scheme_version(DEARER, "dearer")
    county.ledger.adopt_scheme(county.attempt(), 2021, version, "修订")
    assert (county.total(known_at=before), county.total()) == ("90", "85")
    assert _each(county, known_at=before).score.total == "90"
    kept = _replayed(county, scheme_id="zhangshu-2021", scheme_version="1")
    now = {unit.unit: unit.after.total for group in kept.groups for unit in group.units}
    was = {unit.unit: unit.before.total for group in drafted.groups for unit in group.units}
    assert (now, kept.revised.kept) == (was, True)


def test_a_draft_with_errors_is_refused_with_all_of_them(county: County) -> None:
    broken = DEARER.replace("full: 100", "full: lots", 1).replace("year: 2021", "year: soon", 1)
    with pytest.raises(InvalidInput) as refused:
        _replayed(county, document=broken)
    places = [problem.where for problem in refused.value.problems]
    assert len(places) == 2
    assert all(place.startswith("document") for place in places)
    with pytest.raises(Rejection) as elsewhere:
        _replayed(county, scheme="linyi-2023")
    assert elsewhere.value.refusals[0].code == "scheme-jurisdiction"
