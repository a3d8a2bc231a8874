"""The five schemes hold every number of their documents: rows, points, bounds, rules, units, printed labels."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from projections.scheme_files import load
from schemes.exact import plain
from schemes.rules import Inform, Judged
from schemes.scheme import AppliesTo, Group, Indicator, VetoFacts
from tests.schemes.printed_tables import COUNTS, LABELS, ROWS

SCHEMES = ("zhangshu-2021", "langxi-2019", "linyi-2023", "yanjiang-2021", "changshu-2020")

GROUPS = list(COUNTS)


def group_of(key: tuple[str, str]) -> Group:
    group = load(key[0]).group(key[1])
    assert group is not None
    return group


def row_of(scheme_id: str, group_id: str, row_id: str) -> Indicator:
    row = group_of((scheme_id, group_id)).indicator(row_id)
    assert row is not None
    return row


def numbers(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield plain(Decimal(value))


def line(row: Indicator) -> str:
    floor, ceiling = ("none" if bound is None else plain(bound) for bound in (row.floor, row.ceiling))
    rules = [rule for rule in row.rules if not isinstance(rule, Inform)]
    effects = "; ".join(" ".join([rule.effect, *numbers(rule.model_dump())]) for rule in rules)
    return f"{row.id} {row.section} {row.start} {plain(row.points)} {floor}..{ceiling}: {effects}"


def base_points(group: Group) -> Decimal:
    return sum((row.points for row in group.indicators if row.section == "base"), Decimal(0))


@pytest.mark.parametrize("key", GROUPS, ids="/".join)
def test_every_row_of_the_document_with_all_its_numbers(key: tuple[str, str]) -> None:
    assert [line(row) for row in group_of(key).indicators] == ROWS[key].splitlines()


@pytest.mark.parametrize("key", GROUPS, ids="/".join)
def test_units_rows_and_points_add_up_as_counted_in_the_document(key: tuple[str, str]) -> None:
    group = group_of(key)
    sections = Counter(row.section for row in group.indicators)
    found = (len(group.units), sections["base"], sections["bonus"], sections["penalty"], plain(base_points(group)))
    sys.stdout.write(f"\n{key[0]} {group.title}: {found[0]} units, base rows add up to {found[4]}\n")
    assert found == COUNTS[key]


@pytest.mark.parametrize("key", GROUPS, ids="/".join)
def test_labels_are_as_printed_whether_or_not_their_rows_add_up_to_them(key: tuple[str, str]) -> None:
    group = group_of(key)
    found = {}
    for label in group.labels:
        rows = [row for row in group.indicators if row.titles[: len(label.titles)] == label.titles]
        name, total = " / ".join(label.titles), plain(sum((row.points for row in rows), Decimal(0)))
        sys.stdout.write(f"\n{key[0]} {group.title} {name}: printed {label.points}, rows {total}\n")
        found[name] = (plain(label.points), total)
    assert found == LABELS[key]


def test_no_other_group_than_those_counted_here() -> None:
    assert [(scheme_id, group.id) for scheme_id in SCHEMES for group in load(scheme_id).groups] == GROUPS


@pytest.mark.parametrize(
    ("scheme_id", "cap", "cap_after", "bonus_cap", "not_applicable"),
    [
        ("zhangshu-2021", 100, "bonus", 10, "rescale"),
        ("langxi-2019", None, "bonus", 5, "full_credit"),
        ("linyi-2023", None, "bonus", None, "drop"),
        ("yanjiang-2021", None, "bonus", 10, "rescale"),
        ("changshu-2020", 100, "all", None, "full_credit"),
    ],
)
def test_parameters_of_the_total(
    scheme_id: str, cap: int | None, cap_after: str, bonus_cap: int | None, not_applicable: str
) -> None:
    scheme = load(scheme_id)
    assert (scheme.full, scheme.floor) == (Decimal(100), Decimal(0))
    assert (scheme.penalty_cap, scheme.bonus_gate) == (None, None)
    assert (scheme.cap, scheme.cap_after, scheme.bonus_cap) == (cap, cap_after, bonus_cap)
    assert scheme.not_applicable == not_applicable


@pytest.mark.parametrize(
    ("scheme_id", "code", "number", "first", "last"),
    [
        ("zhangshu-2021", "360982", "樟府办发〔2021〕49号", date(2021, 1, 1), date(2021, 12, 31)),
        ("langxi-2019", "341821", None, date(2019, 1, 1), date(2020, 1, 31)),
        ("linyi-2023", "140821", "临政办函〔2023〕33号", date(2023, 1, 1), date(2023, 12, 31)),
        ("yanjiang-2021", "512002", None, date(2021, 1, 1), date(2021, 12, 31)),
        ("changshu-2020", "320581", "常政办发〔2020〕120号", date(2020, 1, 1), date(2020, 12, 31)),
    ],
)
def test_jurisdiction_document_and_period(
    scheme_id: str, code: str, number: str | None, first: date, last: date
) -> None:
    scheme = load(scheme_id)
    assert (scheme.jurisdiction.code, scheme.document.number) == (code, number)
    assert (scheme.period.first, scheme.period.last) == (first, last)


def test_stages_of_langxi() -> None:
    agency, daily, mutual = load("langxi-2019").stages
    assert [(plain(stage.weight), plain(stage.full)) for stage in (agency, daily, mutual)] == [
        ("0.4", "100"),
        ("1", "30"),
        ("0.3", "100"),
    ]
    assert agency.window is None
    assert daily.window is not None
    assert (daily.window.first, daily.window.last) == (date(2019, 1, 1), date(2019, 12, 31))
    assert mutual.window is not None
    assert (mutual.window.first, mutual.window.last) == (date(2020, 1, 2), date(2020, 1, 31))
    points = Counter[str | None]()
    for row in group_of(("langxi-2019", "township")).indicators:
        points[row.stage] += int(row.points)
    assert points == {"agency": 97, "daily": 30, "mutual": 100}


def test_grades() -> None:
    shares = {}
    for group in load("linyi-2023").groups:
        assert group.quotas is not None
        names = (group.quotas.top.grade, group.quotas.middle, group.quotas.bottom.grade)
        assert names == ("优秀", "良好", "一般或较差")
        shares[group.id] = (group.quotas.top.share, group.quotas.bottom.share)
    assert shares == {"A": (Decimal("0.3"), Decimal("0.2")), "B": (Decimal("0.3"), Decimal("0.1"))}
    assert [(band.grade, band.at_least) for band in load("changshu-2020").bands] == [
        ("优秀", 90),
        ("良好", 80),
        ("合格", 60),
        ("不合格", None),
    ]
    for scheme_id in ("zhangshu-2021", "langxi-2019", "yanjiang-2021"):
        scheme = load(scheme_id)
        assert not scheme.bands
        assert all(group.quotas is None for group in scheme.groups)


def test_vetoes_stand_in_changshu_only() -> None:
    same_issue, fraud = load("changshu-2020").vetoes
    assert isinstance(same_issue.when, VetoFacts)
    assert isinstance(fraud.when, VetoFacts)
    assert (same_issue.when.min_count, same_issue.when.same, same_issue.grade) == (2, "issue", "不合格")
    assert (fraud.when.kinds, fraud.when.min_count, fraud.grade) == (("fraud",), 1, "不合格")
    assert (same_issue.total, fraud.total) == (None, None)
    assert [scheme_id for scheme_id in SCHEMES if load(scheme_id).vetoes] == ["changshu-2020"]


def test_the_points_lost_in_another_assessment_are_reported_five_times_over() -> None:
    (output,) = load("yanjiang-2021").outputs
    assert (output.id, output.metric, output.factor) == ("12b", "performance_points_lost", Decimal(5))


def test_rows_that_apply_to_some_units_only() -> None:
    limited = {
        (scheme_id, group.id, row.id): row.applies_to
        for scheme_id in SCHEMES
        for group in load(scheme_id).groups
        for row in group.indicators
        if row.applies_to is not None
    }
    only = {
        ("linyi-2023", "B", "2.5"): ("发改局",),
        ("linyi-2023", "B", "2.16"): ("财政局",),
        ("linyi-2023", "B", "2.17"): ("自然资源局",),
        ("linyi-2023", "B", "2.18"): ("市场监管局",),
        ("linyi-2023", "B", "2.19"): ("人社局",),
        ("linyi-2023", "B", "2.20"): ("民政局",),
        ("linyi-2023", "B", "2.21"): ("教育局",),
        ("linyi-2023", "B", "2.22"): ("农业农村局",),
        ("linyi-2023", "B", "2.23"): ("文化旅游局",),
        ("linyi-2023", "B", "2.24"): ("民政局",),
        ("yanjiang-2021", "department", "5.1"): ("区行政审批局",),
        ("yanjiang-2021", "department", "6"): (),
    }
    all_but = {("yanjiang-2021", "department", "5.2"): ("区行政审批局",)}
    assert limited == {key: AppliesTo(only=units) for key, units in only.items()} | {
        key: AppliesTo(all_but=units) for key, units in all_but.items()
    }


def test_only_the_accounts_row_of_changshu_is_scored_per_account() -> None:
    found = {(key, row.id) for key in GROUPS for row in group_of(key).indicators if row.per_account}
    assert found == {(("changshu-2020", group), "3.1") for group in ("department", "township")}


def test_judged_rows_and_only_they_list_the_facts_that_speak_to_them() -> None:
    for key in GROUPS:
        for row in group_of(key).indicators:
            informed = any(isinstance(rule, Inform) for rule in row.rules)
            assert informed == any(isinstance(rule, Judged) for rule in row.rules), (key, row.id)


def test_unit_lists_are_marked_as_examples_where_the_document_prints_none() -> None:
    assert [key for key in GROUPS if group_of(key).example_units] == [
        ("yanjiang-2021", "township"),
        ("yanjiang-2021", "department"),
        ("changshu-2020", "department"),
        ("changshu-2020", "township"),
    ]


@pytest.mark.parametrize(
    ("place", "titles", "clause"),
    [
        (("zhangshu-2021", "township", "3.2"), ("标准化规范化", "公开专区"), "附件一 第15行"),
        (("zhangshu-2021", "department", "p3"), ("扣分", "第三方季度排名后三"), "附件二 扣分项3"),
        (("langxi-2019", "township", "p1"), ("专业机构测评", "加分项", "市测评扣分"), "附件3 加分项 第1行后半"),
        (("langxi-2019", "department", "6.1"), ("双向互评", "互评均分"), "正文 三(三)"),
        (("linyi-2023", "A", "6.1"), ("日常监管", "监管责任", "未批私开账号"), "附件2 新媒体开设"),
        (("linyi-2023", "B", "2.15.4"), ("主动公开", "重点领域", "民营经济", "收费典型案例"), "附件3 民营经济 第4项"),
        (("yanjiang-2021", "department", "5.2"), ("政务开放日", "领导进大厅"), "附件 序号5第2项"),
        (("changshu-2020", "township", "2.1"), ("政府网站", "报送、内容安全、栏目更新"), "附件 序号5–7"),
    ],
)
def test_titles_and_clauses(place: tuple[str, str, str], titles: tuple[str, ...], clause: str) -> None:
    row = row_of(*place)
    assert (row.titles, row.clause) == (titles, clause)
