"""Rule kinds that the five schemes do not use, and the bounds of those they do, on a scheme made for it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from projections.scheme_files import vocabulary
from schemes.exact import plain
from schemes.fact import Fact
from schemes.history import history
from schemes.reading import read_scheme
from schemes.scheme import Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets

HEAD = """
id: sample
version: "1"
document: {title: 示例, number: null, issuer: 示例县, issued_on: null}
jurisdiction: {code: "360982", name: 示例县}
year: 2021
period: {first: 2021-01-01, last: 2021-12-31}
full: 100
items: {completion: 完成率, hearing: 听证}
"""
ONE_GROUP = """
groups:
  - id: only
    title: 全部
    units: [甲, 乙, 丙, 丁]
    indicators:
"""
DAY = date(2021, 12, 31)


def _scheme(rows: str, parameters: str = "not_applicable: drop\n", group: str = ONE_GROUP) -> Scheme:
    return read_scheme(HEAD + parameters + group + rows, "sample.yaml", vocabulary())


def _row(rule: str, identifier: str = "1", more: str = "points: 10, start: zero") -> str:
    return f'      - {{id: "{identifier}", titles: [甲], clause: 第1行, {more}, rules: [{rule}]}}\n'


def _facts(*told: tuple[str, str, dict[str, Any]]) -> list[Fact]:
    return [
        Fact(f"o{at}", at, unit, kind, date(2021, 6, at), attributes.pop("count", 1), attributes)
        for at, (unit, kind, attributes) in enumerate(told, start=1)
    ]


def _metric(unit: str, value: str) -> tuple[str, str, dict[str, Any]]:
    return (unit, "metric", {"name": "completion", "value": Decimal(value)})


def _sheets(scheme: Scheme, facts: list[Fact], claims: frozenset[tuple[str, str]] = frozenset()) -> dict[str, Sheet]:
    found = sheets(Situation(scheme, default_roster(scheme), facts, DAY, claims))
    for unit, sheet in found.items():
        told = history(Situation(scheme, default_roster(scheme), facts, DAY, claims), unit)
        assert sum(line.effective for line in told.lines) == sheet.total
    return found


def _values(found: dict[str, Sheet], identifier: str = "1") -> list[str]:
    return [plain(row.value) for sheet in found.values() for row in sheet.score.rows if row.indicator.id == identifier]


def test_proportional_is_rounded_half_up_and_stays_within_the_points() -> None:
    """10 × 33.35 ÷ 80 = 4.16875 → 4.17; above the target 10; below zero 0; without the metric pending at 0."""
    scheme = _scheme(_row("{effect: proportional, metric: completion, target: 80}"))
    found = _sheets(scheme, _facts(_metric("甲", "33.35"), _metric("乙", "96"), _metric("丙", "-4")))
    assert _values(found) == ["4.17", "10", "0", "0"]
    assert found["丁"].pending == ("1",)
    assert (found["丁"].lowest, found["丁"].highest) == (Decimal(0), Decimal(10))


def test_by_value_takes_the_highest_threshold_reached() -> None:
    rule = "{effect: by_value, metric: completion, steps: [{at_least: 90, points: 3}, {at_least: 95, points: 5}]}"
    found = _sheets(_scheme(_row(rule)), _facts(_metric("甲", "95"), _metric("乙", "94.9"), _metric("丙", "89")))
    assert _values(found) == ["5", "3", "0", "0"]
    assert (found["丁"].lowest, found["丁"].highest) == (Decimal(0), Decimal(5))


def test_ranks_share_the_better_place_and_skip_the_next() -> None:
    """Values 9, 8, 8, 1: places 1, 2, 2, 4; from the bottom 4, 2, 2, 1."""
    facts = _facts(_metric("甲", "9"), _metric("乙", "8"), _metric("丙", "8"), _metric("丁", "1"))
    source = "source: {metric: completion, order: highest_first}, among: group"
    places = "places: [{rank: 1, points: 5}, {rank: 2, points: 3}, {rank: 3, points: 1}]"
    top = f"{{effect: by_rank, direction: award, {source}, {places}}}"
    bottom = f"{{effect: by_rank, direction: award, from_bottom: true, {source}, {places}}}"
    assert _values(_sheets(_scheme(_row(top)), facts)) == ["5", "3", "3", "0"]
    assert _values(_sheets(_scheme(_row(bottom)), facts)) == ["0", "3", "3", "5"]


def test_a_ranking_given_from_outside_counts_from_the_bottom_of_all_units() -> None:
    rule = (
        "{effect: by_rank, direction: deduct, from_bottom: true, source: {ranking: completion}, among: group, "
        "places: [{rank: 1, points: 2}]}"
    )
    facts = _facts(
        ("甲", "ranking", {"name": "completion", "rank": 4}), ("乙", "ranking", {"name": "completion", "rank": 3})
    )
    assert _values(_sheets(_scheme(_row(rule, more="points: 10, start: full")), facts)) == ["8", "10", "10", "10"]


def test_a_forfeit_wins_over_a_floor_and_everything_else() -> None:
    rules = "{effect: forfeit, kinds: [fraud]}, {effect: award, kinds: [activity], each: 3}"
    facts = _facts(("甲", "fraud", {"stage": "assessment"}), ("甲", "activity", {"item": "hearing"}))
    found = _sheets(_scheme(_row(rules, more="points: 10, start: full, floor: 2, ceiling: null")), facts)
    assert _values(found) == ["0", "10", "10", "10"]


def test_effects_are_summed_first_and_bounded_once() -> None:
    """10 − 14 + 5 = 1: not bounded in between."""
    rules = "{effect: deduct, kinds: [stale], each: 7}, {effect: award, kinds: [activity], each: 5}"
    stale = {"channel": "website", "days": 9, "count": 2}
    facts = _facts(("甲", "stale", stale), ("甲", "activity", {"item": "hearing"}))
    assert _values(_sheets(_scheme(_row(rules, more="points: 10, start: full")), facts))[0] == "1"


def test_rules_of_a_pool_share_the_smallest_max() -> None:
    rules = (
        "{effect: deduct, kinds: [stale], each: 2, pool: a, max: 5}, "
        "{effect: deduct, kinds: [criticism], each: 4, pool: a, max: 3}"
    )
    facts = _facts(("甲", "stale", {"channel": "website", "days": 9}), ("甲", "criticism", {"level": "county"}))
    scheme = _scheme(_row(rules, more="points: 10, start: full"))
    assert _values(_sheets(scheme, facts))[0] == "7"
    lines = history(Situation(scheme, default_roster(scheme), facts, DAY), "甲").lines
    assert [(line.nominal, line.effective) for line in lines[1:]] == [
        (Decimal(-2), Decimal(-2)),
        (Decimal(-4), Decimal(-1)),
    ]
    assert [line.swallowed_by for line in lines[1:]] == [(), ("maximum",)]


BONUS = _row(
    "{effect: award, kinds: [activity], each: 6}", "b", "points: 0, section: bonus, start: zero, ceiling: null"
)
FULL_ROW = _row("{effect: deduct, kinds: [stale], each: 5}", "1", "points: 90, start: full")


@pytest.mark.parametrize(("stale", "bonus"), [(1, "6"), (2, "0")])
def test_a_gate_lets_the_bonus_count_only_from_its_threshold(stale: int, bonus: str) -> None:
    """90 − 5 = 85 reaches the gate of 85; 80 does not."""
    scheme = _scheme(FULL_ROW + BONUS, "not_applicable: drop\nbonus_gate: {basis: base, at_least: 85}\n")
    told = {"channel": "website", "days": 9, "count": stale}
    found = _sheets(scheme, _facts(("甲", "stale", told), ("甲", "activity", {"item": "hearing"})))["甲"]
    assert plain(found.score.section("bonus")) == bonus


@pytest.mark.parametrize(("cap_after", "total"), [("bonus", "85"), ("all", "90")])
def test_the_cap_is_put_on_before_or_after_the_penalties(cap_after: str, total: str) -> None:
    """90 + 6 capped at 90, minus 5 = 85; or 91 capped at 90."""
    penalty = _row("{effect: deduct, kinds: [criticism], each: 5}", "p", "points: 0, section: penalty")
    scheme = _scheme(FULL_ROW + BONUS + penalty, f"not_applicable: drop\ncap: 90\ncap_after: {cap_after}\n")
    facts = _facts(("甲", "activity", {"item": "hearing"}), ("甲", "criticism", {"level": "county"}))
    assert plain(_sheets(scheme, facts)["甲"].total) == total


@pytest.mark.parametrize(("mode", "base"), [("drop", "55"), ("rescale", "91.67"), ("full_credit", "95")])
def test_rows_that_do_not_apply(mode: str, base: str) -> None:
    """60 points apply of 100: 55; 55 × 100 ÷ 60 = 91.666…; 55 + min(40, 100 − 60)."""
    rows = _row("{effect: deduct, kinds: [stale], each: 5}", "1", "points: 60, start: full")
    rows += _row("{effect: deduct, kinds: [circular], each: 5}", "2", "points: 40, start: full")
    facts = _facts(("甲", "stale", {"channel": "website", "days": 9}))
    found = _sheets(_scheme(rows, f"not_applicable: {mode}\n"), facts, frozenset({("甲", "2")}))
    assert plain(found["甲"].total) == base
    assert [row.indicator.id for row in found["甲"].score.rows] == ["1"]
    assert plain(found["乙"].total) == "100"


def test_a_fail_line_fixes_the_total_and_keeps_the_place_it_gives() -> None:
    veto = (
        "not_applicable: drop\nvetoes:\n"
        "  - {id: v, title: 底线, clause: 第9条, when: {basis: base, below: 86}, grade: 不合格, total: 59}\n"
        "bands: [{grade: 优秀, at_least: 90}, {grade: 合格, at_least: null}]\n"
    )
    found = _sheets(_scheme(FULL_ROW, veto), _facts(("甲", "stale", {"channel": "website", "days": 9})))
    assert (plain(found["甲"].total), found["甲"].grade, found["甲"].rank) == ("59", "不合格", 4)
    assert (plain(found["乙"].total), found["乙"].grade, found["乙"].rank) == ("90", "优秀", 1)


QUOTAS = ONE_GROUP.replace(
    "    indicators:\n",
    "    quotas: {top: {grade: 优秀, share: 0.3}, middle: 良好, bottom: {grade: 较差, share: 0.3}}\n    indicators:\n",
)


@pytest.mark.parametrize(
    ("stale", "grades"),
    [
        ({"甲": 1, "乙": 2, "丙": 3, "丁": 4}, ["优秀", "良好", "良好", "较差"]),
        ({"甲": 1, "乙": 1, "丙": 3, "丁": 3}, ["良好", "良好", "良好", "良好"]),
        ({}, ["良好", "良好", "良好", "良好"]),
    ],
)
def test_a_tie_over_the_edge_of_a_quota_falls_to_the_middle(stale: dict[str, int], grades: list[str]) -> None:
    """0.3 × 4 = 1.2: one unit at each end, never more."""
    told = [(unit, "stale", {"channel": "website", "days": 9, "count": count}) for unit, count in stale.items()]
    found = _sheets(_scheme(FULL_ROW, group=QUOTAS), _facts(*told))
    assert [found[unit].grade for unit in ("甲", "乙", "丙", "丁")] == grades


def test_thresholds_on_subtotals_do_not_feed_each_other() -> None:
    """Base 90 earns b1; b2 asks for 92 with the bonus, and does not see b1's 3."""
    rows = FULL_ROW
    rows += _row(
        "{effect: if_total, basis: base, at_least: 90, points: 3}", "b1", "points: 3, section: bonus, start: zero"
    )
    rows += _row(
        "{effect: if_total, basis: base+bonus, at_least: 92, points: 3}", "b2", "points: 3, section: bonus, start: zero"
    )
    found = _sheets(_scheme(rows), [])["甲"]
    assert plain(found.total) == "93"


def test_a_rule_may_ask_whether_the_matter_was_put_right() -> None:
    rule = "{effect: deduct, kinds: [stale], where: {rectified: false}, each: 5}"
    scheme = _scheme(_row(rule, more="points: 90, start: full"))
    fact = Fact("o1", 1, "甲", "stale", date(2021, 6, 1), 1, {"channel": "website", "days": 9}, date(2021, 7, 1))
    by_day = {
        day: plain(sheets(Situation(scheme, default_roster(scheme), [fact], day))["甲"].total)
        for day in (date(2021, 6, 30), date(2021, 7, 1))
    }
    assert by_day == {date(2021, 6, 30): "85", date(2021, 7, 1): "90"}
