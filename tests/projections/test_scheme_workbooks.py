"""A scheme as a workbook: the round trip, and every error with its cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from projections.scheme_files import load, shipped, vocabulary
from projections.workbooks.columns import SCHEME_LINES, SCHEME_SHEET, SHEETS, WAYS
from projections.workbooks.files import LARGEST_FILE, LARGEST_UNPACKED, address
from projections.workbooks.importing import Imported, import_workbook, scheme_file, template
from schemes.problem import InvalidInput, Problem
from schemes.reading import read_scheme
from schemes.rules import Rule
from schemes.scheme import Scheme
from tests.projections.scheme_workbooks import SKELETON, Formula, changed, filled, imported, refused, skeleton


@pytest.mark.parametrize("scheme_id", shipped())
def test_a_shipped_scheme_goes_into_the_workbook_and_comes_back_the_same(scheme_id: str) -> None:
    scheme = load(scheme_id)
    data = template(vocabulary(), scheme)
    read = import_workbook(data, "s.xlsx", vocabulary())
    assert read.scheme == scheme
    assert template(vocabulary(), read.scheme) == data
    assert read_scheme(read.text, "again", vocabulary()) == scheme


LEVELS = ["national", "provincial", "municipal", "county"]
POINTS = st.integers(0, 400).map(lambda quarters: quarters / 4)
FACTS = st.fixed_dictionaries(
    {
        "kinds": st.lists(st.sampled_from(["circular", "commendation"]), min_size=1, unique=True),
        "where": st.fixed_dictionaries(
            {},
            optional={
                "level": st.sampled_from(LEVELS) | st.lists(st.sampled_from(LEVELS), min_size=1, unique=True),
                "rectified": st.booleans(),
                "not": st.sampled_from([{"level": "county"}, {"level": ["county", "national"]}]),
            },
        ),
    }
)
STALE = st.fixed_dictionaries(
    {
        "kinds": st.just(["stale"]),
        "where": st.fixed_dictionaries(
            {"channel": st.sampled_from(["website", "new_media"])},
            optional={
                "days": st.fixed_dictionaries(
                    {"at_least": st.integers(0, 9)}, optional={"at_most": st.integers(9, 99)}
                ),
                "column": st.sampled_from(["政策 解读", "2024"]),
            },
        ),
    }
)
PUBLISHED = st.just({"kinds": ["publication"], "where": {"forms": {"size_at_least": 3}, "item": "interpretation"}})
AMOUNT = st.fixed_dictionaries({"each": POINTS}, optional={"max": POINTS, "pool": st.sampled_from(["a", "b"])})
ONE_OF_FACTS = FACTS | STALE | PUBLISHED


def _steps(name: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    bounds = st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True).map(sorted)
    return bounds.map(lambda listed: [{name: bound, "points": bound / 4} for bound in listed])


def _rule(effect: str, **parameters: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "effect": st.just(effect),
            **{name: one if isinstance(one, st.SearchStrategy) else st.just(one) for name, one in parameters.items()},
        }
    )


def _with(effect: str, *parts: st.SearchStrategy[dict[str, Any]], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(_rule(effect, **more), *parts).map(lambda found: {k: v for part in found for k, v in part.items()})


THRESHOLD = st.tuples(ONE_OF_FACTS, st.sampled_from([{"at_least": 2}, {"at_most": 0}])).map(lambda two: two[0] | two[1])
AMONG = st.sampled_from(["group", "all"])
ORDER = st.sampled_from(["highest_first", "lowest_first"])
SOURCE = (
    st.just({"ranking": "third_party_q1"})
    | st.fixed_dictionaries({"metric": st.just("mailbox_satisfaction"), "order": ORDER})
    | st.fixed_dictionaries({"count": ONE_OF_FACTS, "order": ORDER})
)
LOSING = (
    _with("deduct", ONE_OF_FACTS, AMOUNT)
    | _with("forfeit", ONE_OF_FACTS)
    | _with("tiers", ONE_OF_FACTS, direction="deduct", steps=_steps("times"))
    | _rule("checklist", kinds=["omission"], mode="lose", items={"overview": 1, "annual_report": 0.5})
    | _rule("by_rank", direction="deduct", source=SOURCE, among=AMONG, places=_steps("rank"), from_bottom=st.booleans())
    | _rule("shortfall", metric="mailbox_satisfaction", step=0.2, each=POINTS, among=AMONG)
    | _with("inform", ONE_OF_FACTS)
)
EARNING = (
    _with("award", ONE_OF_FACTS, AMOUNT)
    | _rule("mean_rating")
    | _rule("milestone", points=POINTS, conditions=st.lists(THRESHOLD, min_size=1, max_size=3))
    | _rule("if_total", basis=st.sampled_from(["base", "base-penalty"]), at_least=90, points=POINTS)
    | _rule("prior_grade", grade="优秀", points=POINTS)
    | _rule("discretion", section="bonus")
)
VALUED = (
    _rule("judged", min=-1, max=5, default=0)
    | _rule("proportional", metric="mailbox_satisfaction", target=95)
    | _rule("by_value", metric="mailbox_satisfaction", steps=_steps("at_least"))
)


@settings(max_examples=25)
@given(
    st.lists(LOSING, max_size=4, unique_by=lambda rule: rule.get("pool", object())),
    st.lists(EARNING, max_size=4, unique_by=lambda rule: rule.get("pool", object())),
    VALUED,
    st.sampled_from([{"floor": None}, {"ceiling": None}, {"floor": -3, "ceiling": 30.25}, {"per_account": True}, {}]),
    st.sampled_from([{"applies_to": {"only": []}}, {"applies_to": {"all_but": ["甲镇", "乙镇"]}}, {}]),
)
def test_rules_of_every_kind_come_back_the_same(
    losing: list[Any], earning: list[Any], valued: Any, bounds: dict[str, Any], applies: dict[str, Any]
) -> None:
    values = yaml.safe_load(SKELETON)
    row = values["groups"][0]["indicators"][0]
    row |= {"rules": [*losing, valued], "floor": 0, "ceiling": 100} | bounds | applies
    bonus = {"id": "b2", "titles": ["加分"], "clause": "第2行", "points": 5, "section": "bonus", "start": "zero"}
    values["groups"][0]["indicators"].append({**bonus, "rules": earning})
    scheme = Scheme.model_validate(yaml_as_read(values))
    assert import_workbook(template(vocabulary(), scheme), "s.xlsx", vocabulary()).scheme == scheme


def yaml_as_read(values: Any) -> dict[str, Any]:
    """Numbers as the text says them: floats of the test become decimals."""
    text = yaml.safe_dump(values, allow_unicode=True)
    return read_scheme(text, "drawn", vocabulary()).model_dump(by_alias=True)


def test_every_way_of_scoring_and_every_rule_kind_is_in_the_workbook() -> None:
    effects = TypeAdapter[Any](Rule).json_schema()["discriminator"]["mapping"]
    assert {way.fixed["effect"] for way in WAYS.values()} == set(effects)


def test_every_parameter_of_a_scheme_has_a_place_in_the_workbook() -> None:
    lines = {line.field.split(".")[0] for line in SCHEME_LINES}
    lists = {sheet.list_field for sheet in SHEETS if sheet.list_field}
    assert lines | lists | {"items"} == set(Scheme.model_fields)


def test_the_blank_template_asks_for_what_is_missing_and_nothing_else() -> None:
    found = refused(template(vocabulary()))
    assert {code for code, _, _ in found} == {"workbook-missing", "workbook-empty-sheet"}
    assert ("方案!B10", "年度 is empty, expected a whole number like 3") in [found[1:] for found in found]


def test_a_nested_predicate_is_beyond_the_workbook_and_said_so() -> None:
    nested = SKELETON.replace("where: {item: disclosure_guide}, each", "where: {any: [{nature: typo}]}, each")
    with pytest.raises(InvalidInput) as caught:
        template(vocabulary(), read_scheme(nested, "nested", vocabulary()))
    [problem] = caught.value.problems
    assert (problem.code, problem.where) == ("workbook-beyond", "规则!E4")


@pytest.mark.parametrize(
    ("place", "value", "code", "said"),
    [
        ("评分项!H3", Formula("=60+40", 100), "workbook-formula", "copy the cell and paste it as a value"),
        ("评分项!H3", Formula("=NA()", "#N/A"), "workbook-formula", "found a formula"),
        ("评分项!H3", "100分", "workbook-not-a-number", "without unit"),
        ("评分项!H3", "95%", "workbook-not-a-number", "percent sign"),
        ("评分项!H3", True, "workbook-not-a-number", "found True"),
        ("评分项!H3", None, "workbook-missing", "分值 is empty"),
        ("评分项!H3", -1, "scheme-greater-than-equal", "greater than or equal to 0"),
        ("评分项!B3", 1.1, "workbook-not-text", "set the format of the cell to text"),
        ("评分项!B3", date(2024, 1, 1), "workbook-not-text", "found a date"),
        ("评分项!I3", "基楚", "workbook-unknown-word", "did you mean '基础'?"),
        ("评分项!K3", None, "scheme-missing", "起评 is empty, expected one of 满分起扣, 零分起加"),
        ("评分项!K3", "满分", "workbook-unknown-word", "did you mean '满分起扣'?"),
        ("评分项!A3", "townships", "workbook-unknown-group", "did you mean 'township'?"),
        ("评分项!O3", "甲鎮", "scheme-unknown-unit", "甲鎮 is not a unit"),
        ("单位!B4", "乙 镇", "workbook-stray-space", "space as character 2"),
        ("单位!B4", "乙\u3000镇", "workbook-stray-space", "ideographic space"),
        ("单位!B4", "乙\u00a0镇", "workbook-stray-space", "no-break space"),
        ("单位!B4", "乙\u200b镇", "workbook-stray-space", "zero width space"),
        ("单位!B4", "甲镇", "workbook-duplicate", "stands already in 单位!A3"),
        ("规则!C3", "不得份", "workbook-unknown-word", "did you mean '不得分'?"),
        ("规则!D3", "应做未做", "workbook-unknown-word", "did you mean '应做未做、应公开未公开'?"),
        ("规则!E3", "事项=公开指", "workbook-unknown-word", "did you mean '公开指南'?"),
        ("规则!E3", "性质=错别字", "workbook-unknown-word", "found '性质'"),
        ("规则!E3", "公开指南", "workbook-condition", "expected conditions like"),
        ("规则!F3", 2, "workbook-column-not-used", "不得分 does not use the column 分值"),
        ("规则!F4", None, "workbook-missing", "分值 is empty"),
        ("规则!B3", "2", "workbook-unknown-row", "expected a row of group township"),
        ("规则!G4", "-20", "scheme-greater-than-equal", "greater than or equal to 0"),
        ("方案!B11", 45292, "workbook-not-a-day", "if 2024-01-01 is meant"),
        ("方案!B11", "2024-13-01", "workbook-not-a-day", "expected a day like"),
        (
            "方案!B11",
            datetime(2024, 1, 1, 9, 30, tzinfo=None),  # noqa: DTZ001  # a cell has no zone
            "workbook-not-a-day",
            "found the moment",
        ),
        ("方案!B11", date(2025, 1, 1), "scheme-value-error", "is after the last day"),
        ("方案!B2", "Shili", "scheme-string-pattern-mismatch", "expected lower-case letters, digits and hyphens"),
        ("方案!B10", 2023, "scheme-year-outside-period", "no day of 2023"),
        ("方案!A10", "年庋", "workbook-unknown-line", "did you mean '年度'?"),
        ("方案!E1", "备注", "workbook-unknown-column", "expected only 项目, 内容, 说明"),
        ("评分项!G1", "依剧", "workbook-unknown-column", "did you mean '依据'?"),
        ("评分项!Z1", "联系人", "workbook-unknown-column", "found '联系人'"),
        ("评分项!Z9", "张三", "workbook-unknown-column", "'张三' in a column without heading"),
        ("评分项!F1", "备注", "workbook-duplicate", "stands twice"),
        ("评分项!A2", "1", "workbook-explanations", "Put that row back"),
        ("等次!A8", "末等", "workbook-row-after-gap", "below an empty one (row 7)"),
        ("等次!B4", 95, "scheme-bands", "expected lower bounds that fall"),
        ("否决!D3", None, "scheme-missing", "the condition is missing"),
        ("否决!H3", "基础分", "scheme-extra-forbidden", "either on 事实种类, or on 小计 and 低于"),
        ("否决!J3", None, "scheme-value-error", "定为等次 and 总分定为 are both empty"),
        ("否决!G3", "问题", "workbook-unknown-word", "found '问题'"),
        ("规则!D3", "被通报、应做未做、应公开未公开", "workbook-separator", "separate several with a comma (,)"),
        ("规则!E3", "事项=公开指南,已整改=否", "workbook-separator", "separate conditions with a semicolon (;)"),
        ("评分项!O3", "甲镇、乙镇", "workbook-separator", "separate several names with a comma (,)"),
        ("单位!B3", "甲镇、乙镇", "scheme-name", "write a half-width comma between units"),
        ("自定义事项!A3", "村务公开", "workbook-missing", "名称 is empty"),
        ("Sheet1!A1", "草稿", "workbook-unknown-sheet", "found a sheet 'Sheet1'"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_address(place: str, value: object, code: str, said: str) -> None:
    found = refused(changed({place: value}))
    assert [(found_code, said in message) for found_code, _, message in found if found_code == code] == [(code, True)]
    where = next(where for found_code, where, _ in found if found_code == code)
    sheet = place.partition("!")[0]
    assert where == sheet or (
        where.startswith(f"{sheet}!") and re.sub("[A-Z]", "", where) == re.sub("[A-Z]", "", place)
    )


def test_the_address_is_that_of_the_very_cell() -> None:
    found = refused(changed({"规则!D3": "处罚通报", "规则!F4": "五", "评分项!H3": "满", "方案!B13": "一百"}))
    assert sorted(where for _, where, _ in found) == ["方案!B13", "规则!D3", "规则!F4", "评分项!H3"]


def test_errors_of_the_workbook_and_of_the_scheme_are_told_together() -> None:
    found = refused(changed({"单位!B3": "甲　镇", "等次!B4": 95, "规则!G4": -1, "评分项!O3": "甲镇"}))
    assert [(code, where) for code, where, _ in found] == [
        ("workbook-stray-space", "单位!B3"),
        ("scheme-greater-than-equal", "规则!G4"),
    ]
    found = refused(changed({"单位!B3": "甲　镇", "等次!B4": 95, "评分项!O3": "甲镇"}))
    assert [(code, where) for code, where, _ in found] == [
        ("workbook-stray-space", "单位!B3"),
        ("scheme-bands", "等次!B4"),
    ]


def test_merged_cells_are_refused_with_their_range() -> None:
    found = refused(changed({"单位!A4": None, "单位!A5": None}, merged="单位!A4:A5"))
    assert ("workbook-merged-cells", "单位!A4:A5") in [(code, where) for code, where, _ in found]


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"单位!B3": "　甲镇\u00a0 "}, "unit", "甲镇"),
        ({"方案!B13": "１００"}, "full", "100"),
        ({"方案!B13": " 100 "}, "full", "100"),
        ({"方案!B14": 0.1 + 0.2}, "cap", "0.3"),
        ({"方案!B14": None}, "cap", "None"),
        ({"方案!B16": "不设"}, "floor", "None"),
        ({"方案!B11": "2024年1月1日"}, "first", "2024-01-01"),
        ({"方案!B11": "2024/1/1"}, "first", "2024-01-01"),
        ({"方案!B8": 999900}, "code", "999900"),
        ({"方案!B3": 2}, "version", "2"),
    ],
)
def test_what_nobody_sees_and_how_excel_keeps_a_value_make_no_difference(
    changes: dict[str, object], field: str, value: str
) -> None:
    scheme = imported(changes)
    shown = {
        "unit": scheme.groups[0].units[0],
        "full": scheme.full,
        "cap": scheme.cap,
        "floor": scheme.floor,
        "first": scheme.period.first,
        "code": scheme.jurisdiction.code,
        "version": scheme.version,
    }
    assert str(shown[field]) == value


def test_one_line_may_hold_a_row_of_several_groups() -> None:
    scheme = imported(
        {"分组!A4": "department", "分组!B4": "部门", "单位!A6": "department", "单位!B6": "财政局"}
        | {"评分项!A3": "township，department", "规则!A3": "township，department", "规则!A4": "department, township"}
    )
    township, department = scheme.groups
    assert township.indicators[:1] == department.indicators


def test_conditions_are_written_as_people_write_them() -> None:
    where = "渠道＝政府网站；未更新天数≥14; 账号 不含 政务发布，掌上县；已整改=否"
    scheme = imported({"规则!D4": "更新不及时", "规则!E4": where})
    rule = scheme.groups[0].indicators[0].rules[1]
    assert rule.model_dump(by_alias=True, exclude_defaults=True)["where"] == {
        "channel": "website",
        "days": {"at_least": 14},
        "rectified": False,
        "not": {"account": ("政务发布", "掌上县")},
    }


def test_a_scheme_file_states_numbers_as_they_are() -> None:
    text = import_workbook(changed({"规则!F4": 0.1 + 0.2}), "s.xlsx", vocabulary()).text
    assert "each: 0.3," in text
    assert scheme_file({"id": "no", "version": "1", "full": load("linyi-2023").full}).startswith(
        "id: 'no'\nversion: '1'"
    )


PLACES = [address(name, at, across) for name, cells in filled().items() for at, across in cells if name != "词汇"]
TYPED = (
    st.text(st.sampled_from("公开=;,<>不含1.-\n 　\u200b分%年"), max_size=8)
    | st.integers(-5, 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.dates(date(1990, 1, 1), date(2100, 1, 1))
    | st.sampled_from(
        ["township", "不设", "是", "扣分", "并且", "达标加分", "层级=省", "1=2", "=1", "1e5", "+3", "#REF!"]
    )
)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(PLACES), st.none() | TYPED, min_size=1, max_size=4))
def test_whatever_is_typed_gives_a_scheme_or_errors_with_their_sheets(changes: dict[str, object]) -> None:
    data = changed(changes)
    outcome = read_or_problems(data)
    if isinstance(outcome, Imported):
        assert read_scheme(outcome.text, "again", vocabulary()) == outcome.scheme
    else:
        sheets = {SCHEME_SHEET, *(sheet.name for sheet in SHEETS)}
        assert {problem.where.partition("!")[0] for problem in outcome} <= sheets
        assert len(set(outcome)) == len(outcome)


def read_or_problems(data: bytes) -> Imported | tuple[Problem, ...]:
    try:
        return import_workbook(data, "s.xlsx", vocabulary())
    except InvalidInput as invalid:
        return invalid.problems


def _zip(**parts: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name.replace("__", "/"), part)
    return target.getvalue()


def _part_replaced(name: str, old: bytes, new: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(BytesIO(changed({}))) as source, ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for one in source.namelist():
            part = source.read(one)
            packed.writestr(one, part.replace(old, new, 1) if one == name else part)
    return target.getvalue()


_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": ("组,编号\n".encode, "workbook-type"),
    "empty": (lambda: b"", "workbook-type"),
    "old workbook": (lambda: _OLE + b"Workbook", "workbook-type"),
    "password": (lambda: _OLE + "EncryptedPackage".encode("utf-16-le"), "workbook-encrypted"),
    "document": (lambda: _zip(word__document=b"<x/>"), "workbook-type"),
    "macros": (lambda: _part_added("xl/vbaProject.bin", b"x"), "workbook-type"),
    "cut off": (lambda: changed({})[:-500], "workbook-type"),
    "too large": (lambda: bytes(LARGEST_FILE + 1), "workbook-too-large"),
    "bomb": (lambda: _part_added("xl/bomb.xml", bytes(LARGEST_UNPACKED)), "workbook-too-large"),
    "far cell": (lambda: changed({"规则!A5002": "x"}), "workbook-too-large"),
    "long text": (lambda: changed({"规则!D3": "长" * 2_001}), "workbook-too-large"),
    "entities": (
        lambda: _part_replaced("xl/sharedStrings.xml", b"<sst", b'<!DOCTYPE s [<!ENTITY a "b">]><sst'),
        "workbook-damaged",
    ),
    "no sheet part": (
        lambda: _part_replaced("xl/_rels/workbook.xml.rels", b"sheet3.xml", b"sheet99.xml"),
        "workbook-damaged",
    ),
    "bad xml": (lambda: _part_replaced("xl/worksheets/sheet2.xml", b"<sheetData>", b"<sheetData"), "workbook-damaged"),
}


def _part_added(name: str, part: bytes) -> bytes:
    target = BytesIO(changed({}))
    with ZipFile(target, "a", ZIP_DEFLATED) as packed:
        packed.writestr(name, part)
    return target.getvalue()


def test_what_programs_add_beside_the_workbook_is_not_looked_at() -> None:
    data = _part_added("customXml/item1.xml", "<?xml version='1.0' encoding='utf-16'?><x/>".encode("utf-16"))
    assert import_workbook(data, "s.xlsx", vocabulary()).scheme == skeleton()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_fair_workbook_is_refused_as_a_whole(name: str) -> None:
    make, code = BROKEN[name]
    [(found, where, _)] = refused(make())
    assert (found, where) == (code, "s.xlsx")
