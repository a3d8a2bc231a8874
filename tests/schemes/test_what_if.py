"""What would be if: always what a full evaluation of the changed year gives, and why where that is nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.scheme_files import load
from schemes.fact import AttributeValue, Fact
from schemes.history import history
from schemes.problem import InvalidInput
from schemes.questions.smallest_sets import SmallestSet, smallest_sets, smallest_sets_with
from schemes.questions.what_if import Outcome, Supposition, WithoutOne, supposed, what_if, without_each
from schemes.scheme import Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, a_day, facts

any_scheme = pytest.mark.parametrize("name", SCHEMES)


def _situation(scheme: Scheme, given_facts: list[Fact], day: date | None = None) -> Situation:
    return Situation(scheme, default_roster(scheme), given_facts, day or scheme.period.last)


def _shown(found: Iterable[Sheet]) -> dict[str, object]:
    return {
        sheet.unit: (
            {row.indicator.id: (row.value, row.unbounded, row.pending) for row in sheet.score.rows},
            sheet.score.sections,
            sheet.score.vetoes,
            (sheet.total, sheet.rank, sheet.grade, sheet.pending, sheet.lowest, sheet.highest),
            sheet.outputs,
        )
        for sheet in found
    }


def _agrees(situation: Situation, supposition: Supposition, outcome: Outcome) -> None:
    """The outcome names exactly the units that a full evaluation finds changed, as it finds them."""
    before, after = sheets(situation), sheets(supposed(situation, supposition))
    moved = _shown(change.after for change in outcome.changes)
    unmoved = {unit: shown for unit, shown in _shown(before.values()).items() if unit not in moved}
    assert moved | unmoved == _shown(after.values())
    assert _shown(change.before for change in outcome.changes) == _shown(before[unit] for unit in moved)


@any_scheme
@settings(max_examples=20)
@given(data=st.data())
def test_a_supposition_is_what_a_full_evaluation_of_it_is(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, others = data.draw(facts(name)), data.draw(facts(name, most=4))
    situation = _situation(scheme, drawn, data.draw(a_day(scheme)))
    names = [fact.id for fact in drawn]
    without = tuple(data.draw(st.lists(st.sampled_from(names), unique=True))) if names else ()
    left = [fact.id for fact in drawn if fact.id not in without]
    places = dict(zip(left, others, strict=False))
    amended = tuple(replace(other, id=place) for place, other in places.items() if data.draw(st.booleans()))
    added = tuple(replace(fact, id=f"new-{fact.id}", position=fact.position + 100) for fact in others[len(left) :])
    supposition = Supposition(without, amended, added)
    _agrees(situation, supposition, what_if(situation, supposition))


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_each_observation_alone_is_a_replay_without_it(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    situation = _situation(scheme, drawn, day)
    before = sheets(situation)
    for unit in {fact.unit for fact in drawn}:
        found = without_each(situation, unit)
        assert {one.fact.id for one in found} == {fact.id for fact in drawn if fact.unit == unit}
        effective = sum(line.effective for line in history(situation, unit).lines if line.fact is not None)
        assert sum(one.effective_in_order for one in found) == effective
        for one in found:
            after = sheets(_situation(scheme, [fact for fact in drawn if fact is not one.fact], day))
            assert (one.total, one.rank, one.grade) == (after[unit].total, after[unit].rank, after[unit].grade)
            assert one.effect_of_removal == before[unit].total - after[unit].total
            assert bool(one.why_not) == (not one.effect_of_removal)
            moved = {
                other
                for other, sheet in after.items()
                if (sheet.total, sheet.rank, sheet.grade)
                != (before[other].total, before[other].rank, before[other].grade)
            }
            assert set(one.others) == moved - {unit}


@any_scheme
@settings(max_examples=12)
@given(data=st.data())
def test_a_smallest_set_is_what_trying_every_set_finds(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(crowded(name)), data.draw(a_day(scheme))
    situation = _situation(scheme, drawn, day)
    before = sheets(situation)
    unit = drawn[0].unit
    own = [fact.id for fact in drawn if fact.unit == unit]
    without = {
        gone: sheets(_situation(scheme, [fact for fact in drawn if fact.id not in gone], day))[unit]
        for size in range(len(own) + 1)
        for gone in map(frozenset, combinations(own, size))
    }
    order = _grades(scheme, unit)
    found = smallest_sets(situation, unit)
    _is_smallest(found.total, [gone for gone, sheet in without.items() if sheet.total > before[unit].total])
    better = [gone for gone, sheet in without.items() if order and order[sheet.grade] < order[before[unit].grade]]
    _is_smallest(found.next_grade, better)
    still = [one for one in own if without[frozenset([one])].total == before[unit].total]
    for one, answer in smallest_sets_with(situation, unit, still).items():
        moving = [
            gone
            for gone, sheet in without.items()
            if one in gone and sheet.total not in (before[unit].total, without[gone - {one}].total)
        ]
        _is_smallest(answer, moving)
        assert not answer.observations or one in answer.observations


def _is_smallest(found: SmallestSet, doing: list[frozenset[str]]) -> None:
    least = min(map(len, doing), default=None)
    assert found.proved
    assert len(found.observations) == (least or 0)
    assert least is None or frozenset(found.observations) in doing
    assert bool(found.why_none) == (least is None)


def _grades(scheme: Scheme, unit: str) -> dict[str | None, int]:
    quotas = next(group.quotas for group in scheme.groups if unit in group.units)
    names = [band.grade for band in scheme.bands]
    if quotas is not None:
        names = [quotas.top.grade, quotas.middle, quotas.bottom.grade]
    forced = [veto.grade for veto in scheme.vetoes if veto.grade not in names]
    return {grade: at for at, grade in enumerate([*names, *forced])} if names else {}


@st.composite
def crowded(draw: st.DrawFn, name: str) -> list[Fact]:
    """Draw a year in which one unit has up to six observations, several of them alike, and others a few."""
    drawn = draw(facts(name, most=6).filter(bool))
    unit = drawn[0].unit
    own = [fact for fact in drawn if fact.unit == unit]
    more = draw(st.lists(st.sampled_from(own), max_size=6 - len(own)))
    alike = [replace(fact, id=f"again-{at}", position=100 + at) for at, fact in enumerate(more)]
    return [*drawn, *alike]


Told = tuple[str, dict[str, AttributeValue], int]
MONTHLY: Told = ("circular", {"level": "municipal", "subject": "open_government", "period": "monthly"}, 1)
QUARTERLY: Told = ("circular", {"level": "municipal", "subject": "new_media", "period": "quarterly"}, 1)
NO_GUIDE: Told = ("omission", {"item": "disclosure_guide"}, 1)
RECEIVED: Told = ("request_received", {"request": "甲"}, 1)


def _year(name: str, *told: Told) -> tuple[Situation, str]:
    """A year in which the scheme's first unit has these facts, one a day from the second month on."""
    scheme = load(name)
    unit, first = scheme.groups[0].units[0], scheme.period.first
    days = [first + timedelta(days=30 + at) for at in range(len(told))]
    listed = [
        Fact(f"o{at}", at, unit, kind, day, count, attributes)
        for at, (day, (kind, attributes, count)) in enumerate(zip(days, told, strict=True), start=1)
    ]
    return _situation(scheme, listed), unit


@pytest.mark.parametrize(
    ("name", "told", "which", "code"),
    [
        ("zhangshu-2021", [MONTHLY] * 3, 0, "maximum"),
        ("zhangshu-2021", [QUARTERLY] * 7, 6, "floor"),
        ("zhangshu-2021", [NO_GUIDE] * 2, 0, "forfeited"),
        ("zhangshu-2021", [("review_outcome", {"forum": "litigation", "outcome": "lost"}, 9)] * 3, 0, "total_floor"),
        (
            "zhangshu-2021",
            [("discretion", {"section": "bonus", "points": Decimal(9), "authority": "甲"}, 1)],
            0,
            "total_cap",
        ),
        ("zhangshu-2021", [("judgement", {"indicator": "1.2", "value": Decimal(4)}, 1)] * 2, 0, "superseded"),
        ("zhangshu-2021", [("judgement", {"indicator": "1.2", "value": Decimal(5)}, 1)], 0, "same_value"),
        ("zhangshu-2021", [("meeting", {"role": "principal", "topic": "deployment"}, 1)], 0, "informs_only"),
        ("zhangshu-2021", [("fraud", {"stage": "assessment"}, 1)], 0, "not_scored"),
        ("zhangshu-2021", [RECEIVED, ("request_answered", {"request": "甲"}, 1)], 0, "no_late_reply"),
        (
            "zhangshu-2021",
            [RECEIVED, ("late_reply", {"matter": "disclosure_request", "request": "甲"}, 1)],
            1,
            "derived_instead",
        ),
        ("yanjiang-2021", [("provision", {"item": "support_agency"}, 1)] * 2, 1, "duplicate_item"),
        ("yanjiang-2021", [("activity", {"item": "open_day"}, 1)] * 4, 0, "tier"),
        (
            "changshu-2020",
            [
                ("stale", {"channel": "new_media", "days": 20, "account": "甲"}, 3),
                ("stale", {"channel": "new_media", "days": 20, "account": "乙"}, 1),
            ],
            1,
            "other_account",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_nothing_moves_it_says_why(name: str, told: list[Told], which: int, code: str) -> None:
    found = without_each(*_year(name, *told))[which]
    assert found.effect_of_removal == 0
    assert [reason.code for reason in found.why_not] == [code]
    assert found.why_not[0].sentence.endswith("。")


def _situation_of(row: dict[str, Any], *told: Told, **scheme: Any) -> Situation:
    """A year in which this is the only row, of 10 points, and one unit has these facts."""
    number = {"id": "1", "titles": ["通报"], "clause": "第1行", "points": 10, "start": "full"}
    document = {
        "id": "sample",
        "version": "1",
        "document": {"title": "示例", "number": None, "issuer": "示例市", "issued_on": None},
        "jurisdiction": {"code": "360982", "name": "示例市"},
        "year": 2021,
        "period": {"first": "2021-01-01", "last": "2021-12-31"},
        "full": 10,
        "not_applicable": "drop",
        "groups": [{"id": "township", "title": "乡镇", "units": ["甲镇"], "indicators": [number | row]}],
    }
    found = [
        Fact(f"o{at}", at, "甲镇", kind, date(2021, 3, at), count, attributes)
        for at, (kind, attributes, count) in enumerate(told, start=1)
    ]
    return _situation(Scheme.model_validate(document | scheme), found)


def _told(row: dict[str, Any], *told: Told, **scheme: Any) -> list[WithoutOne]:
    return list(without_each(_situation_of(row, *told, **scheme), "甲镇"))


def _reasons(one: WithoutOne) -> list[tuple[str, str]]:
    assert one.effect_of_removal == 0
    return [(reason.code, reason.sentence) for reason in one.why_not]


COUNTY: Told = ("circular", {"level": "county", "subject": "website", "period": "monthly"}, 1)
FRAUD: Told = ("fraud", {"stage": "assessment"}, 1)


def test_a_veto_that_forces_only_a_grade_is_told_by_its_name() -> None:
    [one] = without_each(*_year("changshu-2020", FRAUD))
    assert one.grade == "良好"
    assert _reasons(one) == [("veto", "否决条款“弄虚作假”因这一条成立，只影响等次，总分不变。")]


def test_a_veto_that_fixes_a_total_which_would_be_the_same_is_told_by_its_name() -> None:
    """The row is at 10; the veto fixes 10."""
    veto = {"id": "v", "title": "造假", "clause": "第2行", "when": {"kinds": ["fraud"]}, "total": 10}
    [one] = _told({"rules": []}, FRAUD, vetoes=[veto])
    assert _reasons(one) == [("veto", "否决条款“造假”因这一条成立，有无这一条总分同为10分，总分不变。")]


def test_a_maximum_is_only_told_where_it_is_reached() -> None:
    """One circular takes 1 of at most 10 and brings 1 back: the two even out, no maximum is reached."""
    rules = [
        {"effect": "deduct", "kinds": ["circular"], "each": 1, "max": 10},
        {"effect": "award", "kinds": ["circular"], "each": 1},
    ]
    [one] = _told({"rules": rules}, COUNTY)
    assert [code for code, _ in _reasons(one)] == ["balanced"]


def test_a_maximum_is_that_of_the_rule_or_its_own_pool() -> None:
    """Circulars share 2 with criticism; that 1 is the most for stale content is another matter."""
    rules = [
        {"effect": "deduct", "kinds": ["stale"], "each": 1, "max": 1},
        {"effect": "deduct", "kinds": ["circular"], "each": 2, "pool": "a"},
        {"effect": "deduct", "kinds": ["criticism"], "each": 2, "pool": "a", "max": 2},
    ]
    both = _told({"rules": rules}, COUNTY, ("criticism", {"level": "county"}, 1))
    assert [_reasons(one) for one in both] == [
        [("maximum", "“1 通报”按本条规则计的分已达上限2分，去掉这一条后仍然达到上限。")]
    ] * 2


@pytest.mark.parametrize("name", ["zhangshu-2021", "changshu-2020", "linyi-2023"])
def test_a_second_receipt_of_the_same_request_keeps_the_late_reply(name: str) -> None:
    first, second = without_each(*_year(name, RECEIVED, RECEIVED))
    assert [code for code, _ in _reasons(first)] == ["derived_again"]
    assert [code for code, _ in _reasons(second)] == ["no_late_reply"]


def test_where_nothing_scores_late_replies_none_is_said_to_stay() -> None:
    first, _ = without_each(*_year("yanjiang-2021", RECEIVED, RECEIVED))
    assert [code for code, _ in _reasons(first)] == ["no_late_reply"]


def test_of_two_accounts_alike_the_other_is_the_lowest_then() -> None:
    row = {"per_account": True, "rules": [{"effect": "deduct", "kinds": ["account_irregularity"], "each": 1}]}
    told: list[Told] = [("account_irregularity", {"account": one, "nature": "concealed"}, 1) for one in "甲乙"]
    sentence = "“1 通报”按账号分别计分取最低，最低的是“{}”账号，这一条不影响结果。"
    first, second = _told(row, *told)
    assert _reasons(first) == [("other_account", sentence.format("乙"))]
    assert _reasons(second) == [("other_account", sentence.format("甲"))]


@pytest.mark.parametrize("floor", [None, 0])
def test_a_forfeit_of_a_row_at_nothing_says_that_nothing_was_there(floor: int | None) -> None:
    row = {"start": "zero", "floor": floor, "rules": [{"effect": "forfeit", "kinds": ["fraud"]}]}
    [one] = _told(row, FRAUD)
    assert [code for code, _ in _reasons(one)] == ["zero_already"]


def test_points_of_many_digits_are_within_no_bound_of_the_search() -> None:
    """50 of 105 circulars take 40 of 50 trillion: without the five heaviest, which are 60, all are back."""
    points = Decimal(50_000_000_000_000)
    steps = [{"times": 50, "points": Decimal(40_000_000_000_000)}]
    rules = [{"effect": "tiers", "kinds": ["circular"], "direction": "deduct", "steps": steps}]
    row = {"points": points, "floor": None, "ceiling": None, "rules": rules}
    told = [(COUNTY[0], COUNTY[1], count) for count in range(1, 15)]
    found = smallest_sets(_situation_of(row, *told), "甲镇").total
    assert (found.total, found.observations, found.proved) == (points, ("o10", "o11", "o12", "o13", "o14"), True)


def test_a_difference_of_many_digits_is_exact() -> None:
    """2^53 − 1 times 123456789012345.123456789."""
    each, count = Decimal("123456789012345.123456789"), 2**53 - 1
    row = {"floor": None, "ceiling": None, "rules": [{"effect": "deduct", "kinds": ["circular"], "each": each}]}
    [change] = what_if(_situation_of(row, (*COUNTY[:2], count), floor=None), Supposition(without=("o1",))).changes
    assert change.difference == Decimal("1111999897984710762337574407410.775537899")


def test_what_lies_outside_the_day_or_the_period_says_so() -> None:
    situation, unit = _year("zhangshu-2021", MONTHLY, MONTHLY)
    first, second = situation.facts
    early = replace(first, occurred_on=situation.scheme.period.first - timedelta(days=1))
    found = without_each(replace(situation, facts=[early, second], as_of=first.occurred_on), unit)
    assert [[reason.code for reason in one.why_not] for one in found] == [["outside_period"], ["after_day"]]


def test_a_hundred_alike_are_answered_by_their_class() -> None:
    """Of 100 monthly circulars at 5, 10 at the most, 99 must fall for the total to rise, to 95."""
    situation, unit = _year("zhangshu-2021", *[MONTHLY] * 100)
    found = smallest_sets(situation, unit)
    assert (len(found.total.observations), found.total.total, found.total.proved) == (99, Decimal(95), True)
    assert found.evaluations < 10
    ids = [fact.id for fact in situation.facts]
    each = smallest_sets_with(situation, unit, ids)
    assert {(len(one.observations), one.proved) for one in each.values()} == {(99, True)}
    assert all(name in one.observations for name, one in each.items())


def test_a_better_grade_may_be_out_of_reach_held_already_or_one_observation_away() -> None:
    """Linyi gives 优秀 to the best three in ten: all alike are 良好, one alone before all others is 优秀."""
    no_agency: Told = ("omission", {"item": "support_agency"}, 1)
    situation, unit = _year("linyi-2023", no_agency)
    [own] = situation.facts
    others = [
        replace(own, id=f"b{at}", position=100 + at, unit=other)
        for at, other in enumerate(situation.roster[situation.scheme.groups[0].id][1:])
    ]
    assert smallest_sets(replace(situation, facts=[]), unit).next_grade.why_none == "quota_taken"
    assert smallest_sets(replace(situation, facts=others), unit).next_grade.why_none == "best_already"
    found = smallest_sets(replace(situation, facts=[own, *others]), unit).next_grade
    assert (found.observations, found.grade, found.proved) == (("o1",), "优秀", True)


def test_an_unknown_observation_or_one_supposed_twice_is_refused() -> None:
    situation, unit = _year("zhangshu-2021", MONTHLY)
    [known] = situation.facts
    supposition = Supposition(("o9", "o1"), (known,), judgements={(unit, "2.2"): Decimal(3)})
    with pytest.raises(InvalidInput) as refused:
        what_if(situation, supposition)
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [
        ("unknown-observation", "without[0]"),
        ("observation-supposed-twice", "amended[0]"),
        ("not-a-judged-indicator", "judgements[0].indicator"),
    ]
