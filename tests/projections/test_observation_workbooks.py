"""Observations from workbooks: the template and back, an office's own columns, every error with its cell."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.commands import Observe
from ledger.decisions import Unit, YearState
from ledger.events import Evidence, Period
from projections.jurisdictions import scheme_units, scheme_version
from projections.scheme_files import shipped, source, vocabulary
from projections.workbooks.files import Cells, ReadSheet, read_sheets
from projections.workbooks.observations.cell_refusals import CellProblem
from projections.workbooks.observations.fields import Fields
from projections.workbooks.observations.importing import (
    BOUNDS,
    Checked,
    check_again,
    check_workbook,
    record_workbook,
)
from projections.workbooks.observations.layout import (
    NO_MAPPING,
    ColumnMapping,
    SheetUntoldError,
    find_layout,
    read_mapping,
)
from projections.workbooks.observations.reading import read_rows
from projections.workbooks.observations.template import LISTS_SHEET, template
from schemes.problem import InvalidInput
from tests.projections.conftest import CODE, County
from tests.projections.observation_workbooks import ROW, filled, own_workbook, written

PERIOD = (date(2021, 1, 1), date(2021, 12, 31))


def _fields(scheme_id: str) -> Fields:
    scheme, version = scheme_version(source(scheme_id), scheme_id)
    groups = scheme_units(scheme)
    units = {name: Unit(name, group.id) for group in groups for name in group.units}
    period = Period(first=scheme.period.first, last=scheme.period.last)
    state = YearState(scheme.year, 1, period, version.reference, tuple(one.id for one in groups), units)
    return Fields(state, scheme, vocabulary().extended(scheme.items))


FIELDS = _fields("zhangshu-2021")
TEMPLATE = {name: sheet.cells for name, sheet in read_sheets(template(FIELDS), "t.xlsx", frozenset(), BOUNDS).items()}


def _read(data: bytes, mapping: ColumnMapping = NO_MAPPING) -> tuple[list[Observe], list[tuple[str, str]]]:
    sheets = read_sheets(data, "x.xlsx", frozenset({LISTS_SHEET}), BOUNDS)
    layout = find_layout(sheets, FIELDS, mapping, "x.xlsx")
    if layout.problems:
        return [], [(one.where, one.message) for one in layout.problems]
    rows, problems = read_rows(sheets[layout.sheet], layout, FIELDS, lambda *_: None)
    return [row.observation for row in rows], [(one.where, one.message) for one in problems]


# --- the template ------------------------------------------------------------------------------------------------

TEXTS = st.text("通报 abc=+-@〔〕0189", min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)


@st.composite
def observations(draw: st.DrawFn) -> Observe:
    kind = draw(st.sampled_from([one for one in FIELDS.kinds if one != "judgement"]))
    attributes: dict[str, Any] = {}
    for name, attribute in (named for named in FIELDS.attributes_of(kind).values()):
        if attribute.required or draw(st.booleans()):
            attributes[name] = draw(VALUES[attribute.type])(attribute)
    title = draw(TEXTS)
    sources = {"document": draw(TEXTS)} if draw(st.booleans()) else {"url": "https://example.gov.cn/通报?a=1"}
    return Observe(
        unit=draw(st.sampled_from(list(FIELDS.state.units))),
        kind=kind,
        occurred_on=draw(st.dates(*PERIOD)),
        count=draw(st.integers(1, 9)),
        attributes=attributes,
        evidence=(Evidence(title=title, **sources),),
        note=draw(st.none() | TEXTS),
    )


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS.map(lambda text: lambda _: text),
    "unit": st.sampled_from(list(FIELDS.state.units)).map(lambda unit: lambda _: unit),
    "item": st.sampled_from(sorted({label: code for code, label in FIELDS.vocabulary.items.items()}.values())).map(
        lambda code: lambda _: code
    ),
    "code": st.integers(0, 99).map(lambda at: lambda attribute: list(attribute.values)[at % len(attribute.values)]),
    "codes": st.integers(1, 3).map(lambda size: lambda attribute: list(attribute.values)[:size]),
    "integer": st.integers(2000, 2100).map(lambda number: lambda _: number),
    "decimal": st.integers(1, 400).map(lambda quarters: lambda _: format(quarters / 4, "g")),
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(observations(), min_size=1, max_size=6))
def test_observations_written_into_the_template_are_read_back_the_same(said: list[Observe]) -> None:
    assert _read(filled(TEMPLATE, FIELDS, said)) == (said, [])


def test_a_judgement_names_its_row_in_the_column_of_indicators() -> None:
    said = Observe(
        unit="福城街道",
        kind="judgement",
        occurred_on=date(2021, 12, 1),
        attributes={"value": "4", "indicator": "1.2"},
        evidence=(Evidence(title="记录", document="1号"),),
    )
    assert _read(filled(TEMPLATE, FIELDS, [said])) == ([said], [])


@pytest.mark.parametrize("scheme_id", shipped())
def test_the_template_of_every_scheme_has_no_row_that_would_be_read(scheme_id: str) -> None:
    fields = _fields(scheme_id)
    sheets = read_sheets(template(fields), "t.xlsx", frozenset({LISTS_SHEET}), BOUNDS)
    layout = find_layout({"登记": sheets["登记"]}, fields, NO_MAPPING, "t.xlsx")
    assert (layout.unused, layout.problems) == ((), ())
    assert read_rows(sheets["登记"], layout, fields, lambda *_: None) == ([], [])


def test_the_template_is_the_same_bytes_for_the_same_year() -> None:
    assert template(FIELDS) == template(FIELDS)


# --- an office's own columns -------------------------------------------------------------------------------------


def test_the_usual_headings_of_an_office_are_known_below_a_title_and_beside_other_columns() -> None:
    rows, problems = _read(
        own_workbook([{"序号": 1, **ROW, "数量": "２", "备注": "未 更新\n栏目"}], above=["扣分台账"])
    )
    assert problems == []
    assert rows == [
        Observe(
            unit="福城街道",
            kind="circular",
            occurred_on=date(2021, 3, 29),
            count=2,
            attributes={"level": "municipal", "subject": "new_media", "period": "quarterly"},
            evidence=(Evidence(title="宜府办字〔2021〕20号", document="宜府办字〔2021〕20号"),),
            note="未 更新\n栏目",
        )
    ]


@pytest.mark.parametrize(
    "said",
    [
        "2021-03-29",
        "2021/3/29",
        "2021.3.29",
        "2021年3月29日",
        "２０２１－０３－２９",
        "20210329",
        "2021-03-29 09:30:00",
        pytest.param(20210329, id="a whole number"),
        datetime(2021, 3, 29, 9, 30),  # noqa: DTZ001  # as Excel keeps it
    ],
)
def test_a_day_may_be_written_in_many_ways(said: object) -> None:
    rows, problems = _read(own_workbook([{**ROW, "时间": said}]))
    assert problems == []
    assert rows[0].occurred_on == date(2021, 3, 29)


def test_a_merged_unit_holds_for_all_of_its_rows_and_a_row_of_nothing_else_is_no_row() -> None:
    rest = {name: value for name, value in ROW.items() if name != "被考核单位"}
    rows, problems = _read(own_workbook([ROW, rest], merged=[("A2:A4", "大桥街道")]))

    assert [row.unit for row in rows] == ["大桥街道", "大桥街道"]
    assert problems == []


def test_a_mapping_names_columns_constants_and_own_words() -> None:
    mapping = read_mapping(
        "columns: {受检对象: 单位, 何事: 事实种类, 备注: ''}\n"
        "constants: {文号: 宜府办字〔2021〕20号, 发生日期: '2021-03-29', 层级: 设区市,"
        " 通报对象: 政务新媒体, 周期: 季度}\n"
        "words: {事实种类: {挨批: 被通报}}\n".encode(),
        "m.yaml",
    )
    rows, problems = _read(own_workbook([{"受检对象": "福城街道", "何事": "挨批", "备注": "不读"}]), mapping)
    assert problems == []
    assert [(row.unit, row.kind, row.note) for row in rows] == [("福城街道", "circular", None)]


def test_a_column_that_nobody_can_tell_is_asked_for_and_two_of_one_are_refused() -> None:
    assert _read(own_workbook([{"受检对象": "福城街道", "时间": "2021-03-29", "日期": "2021-03-29"}])) == (
        [],
        [
            ("台账!A1", "“发生日期”有两列；请指明哪一列是它，另一列不用"),
            ("台账!A1", "没有找到“单位”列；请指明哪一列是它"),
            ("台账!A1", "没有找到“事实种类”列；请指明哪一列是它"),
        ],
    )


def test_a_mapping_of_fields_that_there_are_not_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        _read(own_workbook([ROW]), ColumnMapping(columns={"受检对象": "对象"}))
    assert [one.code for one in refused.value.problems] == ["mapping-field"]
    with pytest.raises(InvalidInput):
        read_mapping(b"columns: [1]", "m.yaml")
    with pytest.raises(InvalidInput):
        read_mapping(b"{", "m.json")


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"被考核单位": "福城街"}, ("台账!A2", "“福城街”不是本年度的单位；是否指“福城街道”？")),
        ({"被考核单位": None}, ("台账!A2", "没有填“单位”；每行都须填写")),
        ({"时间": "三月底"}, ("台账!C2", "“三月底”不是日期；应填如 2024-01-31 的日期")),
        ({"时间": "2021-02-30"}, ("台账!C2", "“2021-02-30”不是日期；应填如 2024-01-31 的日期")),
        ({"层级": "乡镇"}, ("台账!D2", "“乡镇”不是可填的内容；应为国家、省、设区市、县（市、区）之一")),
        ({"层级": None}, ("台账!D2", "“被通报”须填“层级”；应为国家、省、设区市、县（市、区）之一")),
        ({"文号": None}, ("台账!G2", "没有依据；“文号”“网址”至少填一项")),
        ({"数量": "两次"}, ("台账!H2", "“两次”不是整数；应填如 3 的整数")),
        ({"数量": 0}, ("台账!H2", "“0”不能作次数；应为1或更大的整数")),
        ({"数量": 1e20}, ("台账!H2", "次数“100000000000000000000”太大；请核对")),
        ({"媒体": "日报"}, ("台账!H2", "“被通报”没有“媒体”这一项；请清空")),
        (
            {"链接": "www.example.gov.cn"},
            ("台账!H2", "“www.example.gov.cn”不是网址；应以 http:// 或 https:// 开头，中间没有空格"),
        ),
        ({"被考核单位": ("=A1",)}, ("台账!A2", "单元格是公式；请复制后“选择性粘贴—数值”")),
        ({"考核指标": "2.1"}, ("台账!B2", "指标“2.1”不看“被通报”；应为新媒体账号问题")),
    ],
)
def test_what_cannot_be_taken_is_told_with_its_cell_and_what_was_expected(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    keep = {"被考核单位": ROW["被考核单位"]}
    data = own_workbook([{**ROW, **changes}, ROW | keep])
    rows, problems = _read(data)
    assert problems == [expected]
    assert len(rows) == 1


def test_a_wrong_unit_hides_no_missing_kind_unless_an_indicator_may_tell_it() -> None:
    row = {**ROW, "被考核单位": "无此单位", "种类": None}
    _, problems = _read(own_workbook([row, ROW]))
    assert [where for where, _ in problems] == ["台账!A2", "台账!B2"]
    _, problems = _read(own_workbook([{**row, "考核指标": "2.2"}, ROW]))
    assert [where for where, _ in problems] == ["台账!A2"]


def test_all_errors_of_all_rows_come_together() -> None:
    _, problems = _read(own_workbook([{**ROW, "时间": "x", "层级": "y"}, ROW, {**ROW, "被考核单位": "z"}]))
    assert [where for where, _ in problems] == ["台账!C2", "台账!D2", "台账!A4"]


# --- checked and recorded ----------------------------------------------------------------------------------------


def _checked(county: County, data: bytes) -> Checked:
    view = county.jurisdictions.view(CODE, 2021)
    return check_workbook(county.ledger, view, data, "x.xlsx", NO_MAPPING, lambda *_: None)


def test_a_workbook_is_previewed_then_recorded_in_one_append(county: County) -> None:
    rows = [{**ROW, "时间": date(2021, 3, 1) + timedelta(days=at)} for at in range(3)]
    size = county.ledger.ledger_recorder.head().size
    checked = _checked(county, own_workbook(rows))

    assert county.ledger.ledger_recorder.head().size == size
    assert checked.effects is not None
    [effect] = checked.effects.units
    receipts = record_workbook(county.ledger, county.attempt(), checked)
    assert [one.position for one in receipts] == [size + 1, size + 2, size + 3]
    assert county.total() == effect.after != effect.before


def test_the_same_content_again_changes_nothing_however_it_was_saved_and_whoever_sends_it(county: County) -> None:
    first = _checked(county, own_workbook([ROW]))
    record_workbook(county.ledger, county.attempt(), first)
    size = county.ledger.ledger_recorder.head().size

    again = _checked(county, own_workbook([{"序号": 7, **ROW}], above=["另存"]))
    assert again.recorded_at == size
    record_workbook(county.ledger, county.attempt("another key"), again)
    assert county.ledger.ledger_recorder.head().size == size


def test_rows_that_stand_in_the_ledger_already_are_named_before_more_of_them_are_recorded(county: County) -> None:
    record_workbook(county.ledger, county.attempt(), _checked(county, own_workbook([ROW])))

    longer = _checked(county, own_workbook([{**ROW, "时间": "2021-04-01"}, ROW]))
    assert longer.effects is not None
    assert longer.alike == ("台账!A3",)


def test_of_a_file_that_grew_the_new_rows_are_worked_out_and_recorded_alone(county: County) -> None:
    record_workbook(county.ledger, county.attempt(), _checked(county, own_workbook([ROW])))
    grown = own_workbook([{**ROW, "时间": "2021-04-01"}, ROW])
    new = _checked(county, grown).new
    assert new is not None
    assert new.effects is not None
    [effect] = new.effects.units
    receipts = record_workbook(county.ledger, county.attempt("second"), new)
    assert len(receipts) == 1
    assert county.total() == effect.after != effect.before

    again = _checked(county, grown)
    assert len(again.alike) == 2
    assert again.new is None


def test_of_two_rows_alike_the_second_is_new_where_the_ledger_has_one(county: County) -> None:
    record_workbook(county.ledger, county.attempt(), _checked(county, own_workbook([ROW])))
    twice = _checked(county, own_workbook([ROW, ROW]))
    assert twice.alike == ("台账!A2",)
    assert twice.new is not None
    assert [row.row for row in twice.new.rows] == [3]


def test_the_same_rows_in_another_order_are_the_same_content(county: County) -> None:
    rows = [{**ROW, "时间": date(2021, 3, 1 + at)} for at in range(3)]
    first, second = (_checked(county, own_workbook(listed)) for listed in (rows, rows[::-1]))
    record_workbook(county.ledger, county.attempt(), first)

    now = check_again(county.ledger, county.jurisdictions.view(CODE, 2021), second, lambda *_: None)
    assert now.recorded_at == county.ledger.ledger_recorder.head().size - 2
    assert now.outlook != second.outlook


def test_a_check_holds_until_what_it_showed_is_no_longer_so(county: County) -> None:
    checked = _checked(county, own_workbook([ROW]))
    view = county.jurisdictions.view(CODE, 2021)
    assert check_again(county.ledger, view, checked, lambda *_: None) is checked

    county.observe()
    now = check_again(county.ledger, county.jurisdictions.view(CODE, 2021), checked, lambda *_: None)
    assert now.position == checked.position + 1
    assert now.outlook != checked.outlook
    assert now.effects == _checked(county, own_workbook([ROW])).effects


def test_one_wrong_row_keeps_all_from_being_recorded(county: County) -> None:
    checked = _checked(county, own_workbook([ROW, {**ROW, "时间": "2022-01-01"}]))
    [problem] = checked.problems
    assert isinstance(problem, CellProblem)
    assert (problem.code, problem.where) == ("date-outside-year", "台账!C3")
    assert problem.message == "“2022-01-01”不在考核期间内；应为 2021-01-01 至 2021-12-31 的日期"
    assert problem.detail.startswith("found 2022-01-01")
    with pytest.raises(InvalidInput):
        record_workbook(county.ledger, county.attempt(), checked)


def test_a_judgement_out_of_range_is_told_with_the_bounds_in_chinese(county: County) -> None:
    row = {"单位": "福城街道", "指标": "1.2", "发生日期": "2021-12-01", "文号": "1号"}
    said = {**row, "事实种类": "考评组评定", "评定分": 99}
    [problem] = _checked(county, own_workbook([said])).problems
    assert problem.message == "评定分“99”超出这个指标的范围；应为 0 至 5"


def test_of_several_sheets_that_fit_one_is_to_be_named() -> None:
    cells = {(2, at): value for at, value in enumerate(ROW.values(), start=1)}
    data = written({name: {**_headings(), **cells} for name in ("一季度", "二季度")})
    with pytest.raises(SheetUntoldError) as untold:
        _read(data)
    assert untold.value.sheets == ("一季度", "二季度")
    rows, problems = _read(data, ColumnMapping(sheet="二季度"))
    assert (len(rows), problems) == (1, [])


def test_a_workbook_without_rows_is_refused(county: County) -> None:
    with pytest.raises(InvalidInput) as refused:
        _checked(county, written({"台账": _headings()}))
    assert [one.code for one in refused.value.problems] == ["import-empty"]


def _headings() -> Cells:
    return {(1, at): heading for at, heading in enumerate(ROW, start=1)}


def test_a_sheet_is_read_without_what_another_holds() -> None:
    sheets: dict[str, ReadSheet] = read_sheets(
        written({"登记": {(1, 1): "单位"}, "汇总": {(1, 1): ("=1+1",)}}), "x.xlsx", frozenset({"汇总"}), BOUNDS
    )
    assert list(sheets) == ["登记"]
