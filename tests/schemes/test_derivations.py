"""Derivations: every node recomputes from what is below it, nothing falsified goes unseen, and sentences say why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.cases import Replay, read_case
from projections.scheme_files import load, vocabulary
from schemes.derivations.derivation import derivation
from schemes.derivations.node import Absence, Absent, Node, Operator, as_json
from schemes.derivations.recomputing import disagreements
from schemes.exact import parse_decimal, plain
from schemes.fact import AttributeValue, Fact
from schemes.reading import read_scheme
from schemes.rules import Selection, kinds_of
from schemes.scheme import Period, Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, a_day
from tests.schemes.strategies import facts as some_facts

CASES = {entry.name: entry.read_bytes() for entry in files("schemes").joinpath("cases").iterdir()}
LAST = date(2021, 12, 31)
WORDS = vocabulary()

MADE = """
id: made
version: "1"
document: {title: 示例, number: null, issuer: 示例县, issued_on: null}
jurisdiction: {code: "360982", name: 示例县}
year: 2021
period: {first: 2021-01-01, last: 2021-12-31}
full: 100
cap: 100
floor: 10
bonus_cap: 9
penalty_cap: 60
bonus_gate: {basis: base-penalty, at_least: 40}
not_applicable: rescale
items: {completion: 完成率, satisfaction: 满意率}
bands: [{grade: 优秀, at_least: 90}, {grade: 合格, at_least: 60}, {grade: 不合格, at_least: null}]
vetoes:
  - {id: line, title: 底线, clause: 第9条, when: {basis: base, below: 30}, grade: 不合格, total: 0}
  - {id: again, title: 屡次被通报, clause: 第10条, grade: 合格, total: 59,
     when: {kinds: [circular], min_count: 2, same: issue}}
  - {id: last, title: 总分过低, clause: 第11条, when: {basis: total, below: 20}, grade: 不合格}
outputs: [{id: o1, titles: [满意度], clause: 第12条, metric: satisfaction, factor: 0.1}]
groups:
  - id: town
    title: 乡镇
    units: [甲, 乙, 丙, 丁]
    indicators:
      - {id: "1", titles: [网站], clause: 第1行, points: 40, start: full, rules: [
          {effect: deduct, kinds: [stale], each: 3, max: 7}, {effect: forfeit, kinds: [adverse_event]}]}
      - {id: "2", titles: [通报], clause: 第2行, points: 20, start: full, floor: 5, rules: [
          {effect: deduct, kinds: [circular], where: {level: municipal}, each: 4, pool: a, max: 10},
          {effect: deduct, kinds: [criticism], each: 5, pool: a, max: 12},
          {effect: deduct, kinds: [fraud], each: 30}]}
      - {id: "3", titles: [完成率], clause: 第3行, points: 10, start: zero, rules: [
          {effect: proportional, metric: completion, target: 80}]}
      - {id: "4", titles: [满意率], clause: 第4行, points: 5, start: zero, rules: [
          {effect: by_value, metric: satisfaction, steps: [{at_least: 90, points: 3}, {at_least: 95, points: 5}]}]}
      - {id: "5", titles: [专区], clause: 第5行, points: 5, start: zero, applies_to: {all_but: [丁]}, rules: [
          {effect: checklist, kinds: [provision], mode: earn, items: {zone_equipment: 2, zone_paper_catalogue: 3}}]}
      - {id: "6", titles: [评定], clause: 第6行, points: 10, start: zero, rules: [
          {effect: judged, min: 0, max: 10, default: 8}, {effect: inform, kinds: [adoption]}]}
      - {id: "7", titles: [账号], clause: 第7行, points: 10, start: full, per_account: true, rules: [
          {effect: deduct, kinds: [account_irregularity], each: 2}]}
      - {id: b1, titles: [活动], clause: 第8行, points: 20, start: zero, section: bonus, rules: [
          {effect: tiers, kinds: [activity], direction: award, steps: [{times: 1, points: 2}, {times: 3, points: 6}]},
          {effect: if_total, basis: base, at_least: 60, points: 3}, {effect: prior_grade, grade: 优秀, points: 2},
          {effect: milestone, points: 2, conditions: [
            {kinds: [meeting], at_least: 2}, {kinds: [criticism], at_most: 0}]},
          {effect: discretion, section: bonus}]}
      - {id: b2, titles: [名次], clause: 第8行, points: 5, start: zero, section: bonus, rules: [
          {effect: by_rank, direction: award, source: {ranking: satisfaction}, among: group,
           places: [{rank: 1, points: 5}]},
          {effect: award, kinds: [commendation], each: 1},
          {effect: by_rank, direction: award, source: {count: {kinds: [adoption]}, order: highest_first}, among: group,
           places: [{rank: 1, points: 4}, {rank: 2, points: 1}]}]}
      - {id: p1, titles: [差距], clause: 第8行, points: 10, section: penalty, rules: [
          {effect: shortfall, metric: satisfaction, step: 0.1, each: 2, among: all},
          {effect: deduct, kinds: [late_reply], each: 1}]}
  - id: office
    title: 部门
    units: [戊]
    indicators:
      - {id: "1", titles: [互评], clause: 第13行, points: 100, start: zero, rules: [{effect: mean_rating}]}
"""


def _made() -> Scheme:
    return read_scheme(MADE, "made.yaml", WORDS)


def _fact(at: int, kind: str, **said: Any) -> Fact:
    day, unit, count = (
        said.pop(name, usual) for name, usual in (("day", date(2021, 6, 1)), ("unit", "甲"), ("count", 1))
    )
    return Fact(f"o{at}", at, unit, kind, day, count, said)


CIRCULAR = {"level": "municipal", "subject": "website", "period": "monthly", "issue": "7号"}
TOLD = [
    _fact(1, "stale", channel="website", days=9, count=2),
    _fact(2, "stale", channel="website", days=9),
    _fact(3, "circular", count=2, **CIRCULAR),
    _fact(4, "criticism", level="county"),
    _fact(5, "metric", name="completion", value=Decimal("33.35")),
    _fact(6, "metric", name="satisfaction", value=Decimal(80)),
    _fact(7, "metric", name="satisfaction", value=Decimal(91), day=date(2021, 7, 1)),
    _fact(8, "metric", name="satisfaction", value=Decimal(99), unit="乙"),
    _fact(9, "metric", name="satisfaction", value=Decimal(20), unit="丙"),
    _fact(10, "provision", item="zone_equipment"),
    _fact(11, "provision", item="zone_equipment", day=date(2021, 7, 1)),
    _fact(12, "judgement", indicator="6", value=Decimal(4)),
    _fact(13, "judgement", indicator="6", value=Decimal(9), day=date(2021, 7, 2)),
    _fact(14, "adoption", level="municipal", count=3),
    _fact(15, "adoption", level="municipal", count=5, unit="乙"),
    _fact(16, "account_irregularity", account="甲一", nature="concealed"),
    _fact(17, "account_irregularity", account="甲二", nature="concealed", count=2),
    _fact(18, "activity", item="open_day", count=3),
    _fact(19, "prior_grade", year=2020, grade="优秀", day=date(2020, 12, 20)),
    _fact(20, "discretion", section="bonus", points=Decimal(2), authority="领导小组", count=4),
    _fact(21, "ranking", name="satisfaction", rank=2),
    _fact(22, "request_received", request="12号", day=date(2021, 4, 6)),
    _fact(23, "request_answered", request="12号", day=date(2021, 5, 20)),
    _fact(24, "adverse_event", nature="other", unit="乙"),
    _fact(25, "fraud", stage="assessment", unit="丙"),
    _fact(26, "rating", value=Decimal(81), rater="甲", unit="戊"),
    _fact(27, "rating", value=Decimal("90.5"), rater="乙", unit="戊"),
    _fact(28, "rating", value=Decimal(10), rater="戊", unit="戊"),
    _fact(29, "stale", channel="website", days=9, day=date(2020, 12, 31)),
    _fact(30, "stale", channel="website", days=9, count=30, unit="丙"),
    _fact(31, "adverse_event", nature="other", unit="丙"),
]


def _situation(*more: Fact, as_of: date = LAST, claims: frozenset[tuple[str, str]] = frozenset()) -> Situation:
    scheme = _made()
    return Situation(scheme, default_roster(scheme), [*TOLD, *more], as_of, claims)


def _tree(situation: Situation, unit: str, *absent: Absent) -> dict[str, Any]:
    return as_json(derivation(situation, unit, WORDS, absent))


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from _nodes(child)


def _at(tree: dict[str, Any], path: str) -> dict[str, Any]:
    for key in path.split("/"):
        [tree] = [child for child in tree["children"] if child["key"] == key]
    return tree


def _sentences(tree: dict[str, Any], path: str) -> list[str]:
    return [child["sentence"] for child in _at(tree, path)["children"]]


def _held(tree: dict[str, Any], sheet: Sheet) -> None:
    """Hold a tree against itself, against the sheet, and against what every node must say."""
    assert disagreements(tree) == []
    assert tree["value"] == plain(sheet.total)
    assert [tree["children"][at]["value"] for at in (1, 2)] == [sheet.rank, sheet.grade]
    rows = {
        (node["inputs"]["stage"], node["indicator"]): node["value"]
        for node in _nodes(tree)
        if node["operator"] in ("row", "lowest_account")
    }
    assert rows == {(row.indicator.stage, row.indicator.id): plain(row.value) for row in sheet.score.rows}
    for node in _nodes(tree):
        told = "" if node["value"] is None else str(node["value"]).removeprefix("-")
        assert told in node["sentence"]
        assert node["sentence"].endswith("。")
        assert node["label"]
        if node["indicator"] is not None:
            assert node["clause"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_node_of_every_case_recomputes(name: str) -> None:
    case = read_case(CASES[name], name)
    replay = Replay(case, load(case.scheme), WORDS)
    for query in case.queries:
        situation = replay.situation(query)
        found = sheets(situation)
        others = [group.units[-1] for group in situation.scheme.groups]
        for unit in {**dict.fromkeys(query.expect), **dict.fromkeys(others)}:
            _held(_tree(situation, unit), found[unit])


@pytest.mark.parametrize("name", SCHEMES)
@settings(max_examples=20)
@given(data=st.data())
def test_every_node_of_a_generated_year_recomputes(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(some_facts(name)), data.draw(a_day(scheme))
    rows = [(unit, row.id) for group in scheme.groups for unit in group.units[:1] for row in group.indicators]
    claims = frozenset(data.draw(st.lists(st.sampled_from(rows), max_size=3)))
    gone = [fact for fact in drawn if data.draw(st.booleans())][:3]
    kept = [fact for fact in drawn if fact not in gone]
    situation = Situation(scheme, default_roster(scheme), kept, day, claims)
    found = sheets(situation)
    for group in scheme.groups:
        for unit in group.units[:2]:
            absent = [Absent(fact, data.draw(st.sampled_from(get_args(Absence)))) for fact in gone if fact.unit == unit]
            tree = _tree(situation, unit, *absent)
            _held(tree, found[unit])
            node = data.draw(st.sampled_from(list(_nodes(tree))))
            _falsify(node)
            assert disagreements(tree) != [], node


@pytest.mark.parametrize("unit", ["甲", "乙", "丙", "丁", "戊"])
@pytest.mark.parametrize("as_of", [LAST, date(2021, 6, 30), date(2021, 1, 1)])
def test_every_node_of_a_scheme_with_all_kinds_recomputes(unit: str, as_of: date) -> None:
    situation = _situation(as_of=as_of, claims=frozenset({("丙", "4")}))
    _held(_tree(situation, unit), sheets(situation)[unit])


def _falsify(node: dict[str, Any]) -> None:
    value = node["value"]
    if value is None or isinstance(value, int):
        node["value"] = 1 if value is None else value + 1
    elif parse_decimal(value) is not None:
        node["value"] = plain(Decimal(value) + 1)
    elif node["operator"] in ("event", "due_day"):
        node["value"] = (date.fromisoformat(value) + timedelta(days=1)).isoformat()
    else:
        node["value"] = f"{value}?"


def test_a_falsified_value_is_found_anywhere() -> None:
    """Each node of trees in which every operator that the engine uses occurs, one after the other."""
    seen = set()
    for unit in ("甲", "乙", "丙", "丁", "戊"):
        tree = _tree(_situation(claims=frozenset({("丙", "4")})), unit)
        for node in list(_nodes(tree)):
            seen.add(node["operator"])
            kept = node["value"]
            _falsify(node)
            assert disagreements(tree) != [], node
            node["value"] = kept
        assert disagreements(tree) == []
    others = {"stage", "quota", "ungraded", "entry", "evidence"}
    assert seen == set(get_args(Operator)) - others


def test_stages_quotas_and_schemes_without_grades_are_held_too() -> None:
    seen = set()
    for name in ("langxi-2019", "linyi-2023", "zhangshu-2021"):
        scheme = load(name)
        situation = Situation(scheme, default_roster(scheme), [], scheme.period.last)
        tree = _tree(situation, scheme.groups[0].units[0])
        for node in list(_nodes(tree)):
            if node["operator"] in ("stage", "quota", "ungraded"):
                seen.add(node["operator"])
                kept = node["value"]
                _falsify(node)
                assert disagreements(tree) != [], node
                node["value"] = kept
    assert seen == {"stage", "quota", "ungraded"}


def test_a_falsified_figure_of_a_gate_or_an_adjustment_is_found_wherever_it_stands() -> None:
    """Both stand in the sheet and in the subtotal that a threshold sees; 丁's row that does not apply is adjusted."""
    tree = _tree(_situation(), "丁")
    told = {"gate": ("subtotal", "before"), "adjustment": ("full", "before", "applying", "missing")}
    found = [(node, name) for node in _nodes(tree) for name in told.get(node["operator"], ())]
    assert len(found) == 2 * 6
    for node, name in found:
        kept = node["inputs"][name]
        node["inputs"][name] = plain(Decimal(kept) + Decimal("0.001"))
        assert disagreements(tree) != [], (node["key"], name)
        node["inputs"][name] = kept


def test_an_operator_nobody_knows_is_no_agreement() -> None:
    tree = _tree(_situation(), "甲")
    tree["children"][0]["operator"] = "guess"
    assert any("unknown operator 'guess'" in line for line in disagreements(tree))


def test_a_maximum_says_what_it_swallowed() -> None:
    tree = _tree(_situation(), "甲")
    assert _at(tree, "total/base/1")["sentence"] == "“网站”得33分（分值40分）：从40分起，扣7分。"
    rule = _at(tree, "total/base/1/rule1")
    assert (rule["value"], rule["clause"], rule["indicator"], rule["rule"]) == ("-7", "第1行", "1", 0)
    assert rule["sentence"] == "共3次，应扣9分，因封顶有2分不计，实扣7分（规则：每有1次“更新不及时”扣3分，最多扣7分）。"
    assert _sentences(tree, "total/base/1/rule1") == [
        "2021年6月1日 更新不及时（政府网站，未更新天数：9）2次：扣6分。",
        "2021年6月1日 更新不及时（政府网站，未更新天数：9）1次：应扣3分，封顶前只余1分，实扣1分。",
        "2020年12月31日 更新不及时（政府网站，未更新天数：9）1次：发生在考核期间之前，计0分。",
    ]
    assert [child["fired"] for child in rule["children"]] == [True, True, False]


def test_a_pool_shares_the_smallest_maximum() -> None:
    tree = _tree(_situation(), "甲")
    pool = _at(tree, "total/base/2/pool-a")
    assert pool["sentence"] == "2条规则合计扣10分，合并封顶10分，有3分因封顶不计。"
    assert [child["value"] for child in pool["children"]] == ["-8", "-2"]
    assert _at(tree, "total/base/2/rule3")["fired"] is False


def test_a_forfeit_says_what_it_overrode() -> None:
    tree = _tree(_situation(_fact(40, "stale", unit="乙", channel="website", days=9)), "乙")
    assert _at(tree, "total/base/1/forfeited")["sentence"] == "有一票归零的情形，原计37分全部不计，本项为0分。"
    assert _at(tree, "total/base/1/forfeited")["value"] == "-37"
    assert _at(tree, "total/base/1/rule1")["value"] == "-3"


def test_superseded_readings_stand_beside_the_one_that_counts() -> None:
    tree = _tree(_situation(), "甲")
    assert _sentences(tree, "total/base/6/rule1") == [
        "2021年6月1日 考评组评定（指标编号：6，评定分：4）：已被后来的取代，不计。",
        "2021年7月2日 考评组评定（指标编号：6，评定分：9）：以此为准。",
    ]
    assert _at(tree, "total/base/5/rule1/o11")["sentence"] == (
        "2021年7月1日 机构、人员、经费、制度到位（“专区电脑和打印机”）1项：“专区电脑和打印机”已经计过，加0分。"
    )
    assert _at(tree, "total/base/4/rule1/o6")["fired"] is False


def test_a_pending_row_says_what_is_still_possible() -> None:
    tree = _tree(_situation(), "丁")
    assert _at(tree, "total/base/6/rule1")["sentence"] == (
        "考评组尚未评定，暂计8分，可能为0分至10分（规则：由考评组在0分至10分之间评定，评定前暂计8分）。"
    )
    assert tree["inputs"]["pending"] == ["3", "4", "6"]
    assert "有3项待定，总分可能为" in tree["sentence"]


def test_a_rank_names_the_units_it_came_from() -> None:
    tree = _tree(_situation(), "甲")
    assert _at(tree, "total/bonus/b2/rule1/place")["sentence"] == (
        "外部给出的“满意率”名次为第2名，外部给出第2名，共4个单位。"
    )
    place = _at(tree, "total/bonus/b2/rule3/place")
    assert place["sentence"] == (
        "“信息被采用”的次数在本组由多到少的名次为第2名：本单位3，2个单位有数值，排在前面的有1个（乙5）。"
    )
    assert place["inputs"]["values"] == {"甲": "3", "乙": "5"}


def test_a_mean_names_the_figures_it_came_from() -> None:
    """(91 + 99 + 20) ÷ 3 = 70; 丙 lies 50 below, which is 7 whole tenths of 70."""
    steps = _at(_tree(_situation(), "丙"), "total/penalty/p1/rule1/steps")
    assert steps["value"] == 7
    assert steps["inputs"]["values"] == {"甲": "91", "乙": "99", "丙": "20"}
    assert steps["sentence"] == "3个单位有“满意率”，平均约70，本单位20，低满平均值10%的有7档。"
    rule = _at(_tree(_situation(), "戊"), "total/base/1/rule1")
    assert rule["value"] == "85.75"
    assert rule["children"][2]["sentence"].endswith("打分单位不属于其他组，不计。")


def test_a_late_reply_nobody_recorded_shows_the_days_it_comes_from() -> None:
    tree = _tree(_situation(), "甲")
    [late] = _at(tree, "total/penalty/p1/rule2")["children"]
    due = late["children"][0]
    assert (late["fact"], late["value"], due["value"]) == ("o22/late_reply", "-1", "2021-05-06")
    assert due["sentence"] == (
        "2021年4月6日收到申请，20个工作日（未延期，收到当日不计），期限为2021年5月6日（2021-05-06），2021年5月20日才答复。"
    )
    assert due["inputs"]["working_days"] == 20
    assert "2021-05-04" in due["inputs"]["days_off"]
    assert [child["fact"] for child in due["children"]] == ["o22", "o23"]


def test_a_veto_says_how_far_it_is() -> None:
    tree = _tree(_situation(), "甲")
    assert _at(tree, "total/veto-line")["sentence"] == (
        f"否决情形“底线”：基础分为{_at(tree, 'total/base')['value']}分，低于30分时触发，未触发。"
    )
    again = _at(tree, "total/veto-again")
    assert (again["value"], again["fired"], again["clause"]) == (2, True, "第10条")
    assert again["sentence"].endswith("同一内容的有2次，满2次触发，已触发，等次定为合格，总分定为59分。")
    assert tree["value"] == "59"
    assert _at(tree, "grade")["sentence"] == "因否决情形“屡次被通报”，等次为合格，不论按分数应得的等次。"


def test_caps_gates_and_floors_say_what_they_took() -> None:
    tree = _tree(_situation(), "甲")
    assert _at(tree, "total/bonus/cap")["sentence"] == "各项合计14分，超过加分封顶9分，5分不计。"
    assert _at(tree, "total/bonus/gate")["fired"] is False
    lost = _tree(_situation(_fact(40, "activity", unit="丙", item="open_day")), "丙")
    assert _at(lost, "total/bonus/gate")["sentence"].endswith("未达到加分门槛40分，加分2分不计。")
    assert _at(lost, "total/base/2/floor")["sentence"] == "合计-10分，低于下限5分，15分不再扣。"


def test_rows_that_do_not_apply_say_why() -> None:
    tree = _tree(_situation(claims=frozenset({("丁", "4")})), "丁")
    assert _at(tree, "total/base/5")["sentence"] == "“专区”（分值5分）：方案规定不适用于本单位，计0分。"
    assert _at(tree, "total/base/4")["sentence"] == "“满意率”（分值5分）：已批准本单位本年度不适用，计0分。"
    assert _at(tree, "total/base/adjustment")["inputs"]["missing"] == "10"


def test_each_account_has_a_tree_of_its_own() -> None:
    row = _at(_tree(_situation(), "甲"), "total/base/7")
    assert row["sentence"] == "“账号”得6分（分值10分）：2个账号分别计分，取最低的账号“甲二”。"
    assert [(one["label"], one["value"]) for one in row["children"]] == [("甲一", "8"), ("甲二", "6")]


def test_a_voided_fact_of_an_account_stands_where_the_account_does() -> None:
    gone = [
        _fact(at, "account_irregularity", account=account, nature="concealed")
        for at, account in ((50, "甲一"), (51, "甲三"))
    ]
    row = _at(_tree(_situation(), "甲", *(Absent(fact, "voided") for fact in gone)), "total/base/7")
    assert [node["key"] for node in row["children"]] == ["account1", "account2", "o51:voided"]
    assert _at(row, "account1/rule1")["children"][-1]["fact"] == "o50"


def test_a_fact_in_no_stages_window_is_told_as_such() -> None:
    scheme = load("langxi-2019")
    quarter = Period(first=date(2019, 1, 1), last=date(2019, 3, 31))
    stages = tuple(stage.model_copy(update={"window": quarter}) for stage in scheme.stages)
    scheme = scheme.model_copy(update={"stages": stages})
    unit = scheme.groups[0].units[0]
    fact = _fact(1, "defect", day=date(2019, 9, 1), unit=unit, item="annual_report", nature="data_error")
    rules = [rule for row in scheme.groups[0].indicators for rule in row.rules if "defect" in kinds_of(rule)]
    tree = _tree(Situation(scheme, default_roster(scheme), [fact], scheme.period.last), unit)
    assert disagreements(tree) == []
    reasons = [node["inputs"]["reason"] for node in _nodes(tree) if node["operator"] == "absent"]
    matching = [rule for rule in rules if isinstance(rule, Selection) and rule.matching({"defect": [fact]})]
    assert reasons == ["outside_window"] * len(matching)
    assert reasons


def test_a_threshold_on_a_subtotal_shows_the_rows_it_saw() -> None:
    tree = _tree(_situation(), "甲")
    seen = _at(tree, "total/bonus/b1/rule2/subtotal")
    assert seen["value"] == _at(tree, "total/base")["value"]
    saw = next(row for row in _nodes(seen) if row["operator"] == "row_value" and row["indicator"] == "b1")
    assert Decimal(_at(tree, "total/bonus/b1")["value"]) - Decimal(saw["value"]) == 3


@pytest.mark.parametrize(
    ("reason", "words"),
    [("voided", "已作废"), ("not_yet_known", "当时尚未登记"), ("amended_away", "已更正为别的内容")],
)
def test_a_reading_that_does_not_count_stands_under_each_rule_it_would_have_met(reason: Absence, words: str) -> None:
    gone = _fact(50, "criticism", level="county", day=date(2021, 9, 1))
    tree = _tree(_situation(), "甲", Absent(gone, reason))
    found = [node for node in _nodes(tree) if node["fact"] == "o50"]
    assert [(node["indicator"], node["rule"], node["value"], node["fired"]) for node in found] == [
        ("2", 1, "0", False),
        ("b1", 3, "0", False),
    ]
    assert found[0]["sentence"] == f"2021年9月1日 批评问责（县（市、区）级）1次：{words}，计0分。"


def test_an_earlier_reading_is_not_told_where_the_present_one_counts() -> None:
    earlier = replace(TOLD[3], count=3)
    tree = _tree(_situation(), "甲", Absent(earlier, "amended_away"))
    assert not [node for node in _nodes(tree) if node["operator"] == "absent" and node["fact"] == earlier.id]


def test_days_outside_are_told_apart() -> None:
    tree = _tree(_situation(as_of=date(2021, 6, 30)), "甲")
    late = [node["sentence"] for node in _nodes(tree) if node["inputs"].get("reason") == "after_day"]
    assert "2021年7月1日 外部测得的数值（“满意率”，数值：91）：发生在截止日之后，计0分。" in late


def test_a_grade_from_last_years_close_is_no_late_reply() -> None:
    said: dict[str, AttributeValue] = {"year": 2020, "grade": "优秀"}
    closed = Fact("closing/2020/丁", 0, "丁", "prior_grade", date(2021, 1, 1), 1, said, sources=("closing/2020",))
    rule = _at(_tree(_situation(closed), "丁"), "total/bonus/b1/rule3")
    assert rule["value"] == "2"
    assert rule["children"][0]["inputs"]["derived_from"] == ["closing/2020"]


def test_the_same_question_gives_the_same_tree() -> None:
    assert json.dumps(_tree(_situation(), "甲")) == json.dumps(_tree(_situation(), "甲"))


def test_units_are_told_under_the_names_they_have_now() -> None:
    node: Node = derivation(_situation(), "甲", WORDS, names={"甲": "新甲", "乙": "新乙"})
    tree = as_json(node)
    assert disagreements(tree) == []
    assert tree["sentence"].startswith("新甲得59分")
    assert set(_at(tree, "rank")["inputs"]["totals"]) == {"新甲", "新乙", "丙", "丁"}
