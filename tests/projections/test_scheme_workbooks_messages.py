"""Errors of a scheme workbook in its own words, and without what only follows from them."""

from __future__ import annotations

from datetime import date

import pytest

from projections.workbooks.files import address
from tests.projections.scheme_workbooks import changed, filled, refused

JUDGED: dict[str, object] = {"规则!C3": "评定", "规则!D3": None, "规则!E3": None, "规则!L3": 0}
STEPS: dict[str, object] = {"规则!C3": "阶梯扣分", "规则!D3": "应做未做、应公开未公开", "规则!E3": None}
SHARED: dict[str, object] = {"分组!D3": "好", "分组!E3": 0.5, "分组!F3": "中"}
NO_BANDS: dict[str, object] = {f"等次!{column}{row}": None for column in "AB" for row in range(3, 7)}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            JUDGED | {"规则!J3": 9, "规则!K3": 4},
            ("scheme-value-error", "规则!J3", "评定最低 9 is more than 评定最高 4"),
        ),
        (
            STEPS | {"规则!I3": "1=5, 2=10"},
            ("workbook-separator", "规则!I3", "found '1=5, 2=10'; separate the steps with a semicolon (;)"),
        ),
        (
            {"评分项!O3": "甲镇", "评分项!P3": "乙镇"},
            ("scheme-value-error", "评分项!P3", "仅适用 and 不适用于 are both filled in, expected one of them"),
        ),
        (
            {"评分项!I3": "扣分", "评分项!K3": "满分起扣"},
            ("scheme-start", "评分项!K3", "a row of the 板块 扣分 starts at 0; leave 起评 empty"),
        ),
        (
            {"规则!C4": "加分", "评分项!I3": "扣分", "评分项!K3": None},
            (
                "scheme-direction",
                "规则!C4",
                "this 计分方式 does not fit the 板块 扣分 of its row: 加分 only gains, 扣分 only loses",
            ),
        ),
        (
            {"方案!B18": "基础分"},
            ("scheme-missing", "方案!B19", "加分门槛分值 is empty, expected a number like 2.5"),
        ),
        (
            {"等次!B6": 1},
            ("scheme-bands", "等次!B6", "found 1 as 最低分 of the last row, expected it empty"),
        ),
        (
            {"等次!B4": None},
            ("scheme-bands", "等次!B4", "最低分 is empty, expected it on every row but the last"),
        ),
        (
            NO_BANDS | SHARED | {"分组!G3": "差"},
            ("scheme-missing", "分组!H3", "末尾比例 is empty, expected a number like 2.5"),
        ),
        (
            NO_BANDS | SHARED | {"分组!G3": "差", "分组!H3": 0.6},
            ("scheme-quotas", "分组!H3", "前列比例 and 末尾比例 are together more than 1"),
        ),
        (
            {"分组!A4": "department", "分组!B4": "部门", "单位!A6": "department", "单位!B6": "财政局"},
            ("scheme-missing", "分组!A4", "the group has no row in the sheet 评分项"),
        ),
        (
            {"自定义事项!A3": "annual_report", "自定义事项!B3": "年报"},
            (
                "scheme-known-item",
                "自定义事项!A3",
                "'annual_report' is an item of the vocabulary already: 年度报告; take it out, or choose another code",
            ),
        ),
    ],
)
def test_what_the_format_refuses_is_told_in_the_headings_of_the_workbook(
    changes: dict[str, object], told: tuple[str, str, str]
) -> None:
    assert refused(changed(changes)) == [told]


def column(letter: str, sheet: str) -> dict[str, object]:
    return {f"{sheet}!{letter}{row}": None for row in range(1, 12)}


def sheet_emptied(name: str) -> dict[str, object]:
    return {address(name, row, across): None for row, across in filled()[name]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (column("H", "评分项"), [("workbook-missing-column", "评分项!A1")]),
        ({"评分项!H1": "分数"}, [("workbook-unknown-column", "评分项!H1"), ("workbook-missing-column", "评分项!A1")]),
        (column("B", "评分项"), [("workbook-missing-column", "评分项!A1")]),
        (sheet_emptied("评分项"), [("workbook-missing-sheet", "评分项")]),
        ({"评分项!B3": date(2024, 1, 1)}, [("workbook-not-text", "评分项!B3")]),
        ({"方案!B12": "2024年13月"}, [("workbook-not-a-day", "方案!B12")]),
        (
            {"方案!B12": "2024年13月", "方案!B11": "2024.1"},
            [("workbook-not-a-day", f"方案!B{row}") for row in (11, 12)],
        ),
        (
            {"规则!C3": "达标", "规则!C4": "并且", "规则!F4": None, "规则!G4": None, "规则!V4": 1},
            [("workbook-unknown-word", "规则!C3")],
        ),
        (
            {"规则!C3": "达标加分", "规则!F3": "5分", "规则!V3": 1}
            | {"规则!C4": "并且", "规则!F4": None, "规则!G4": None, "规则!V4": 1},
            [("workbook-not-a-number", "规则!F3")],
        ),
    ],
)
def test_an_error_is_told_without_what_only_follows_from_it(
    changes: dict[str, object], told: list[tuple[str, str]]
) -> None:
    assert [(code, where) for code, where, _ in refused(changed(changes))] == told


def test_nothing_is_guessed_for_a_number_that_is_no_row() -> None:
    [(code, where, message)] = refused(changed({"规则!B3": "2.11"}))
    assert (code, where) == ("workbook-unknown-row", "规则!B3")
    assert "did you mean" not in message


def test_a_word_of_the_vocabulary_says_whether_it_must_be_stated() -> None:
    cells = filled()["词汇"]
    rows = {tuple(cells.get((at, across), "") for across in range(2, 6)) for at, _ in cells}
    assert cells[1, 5] == "必填"
    assert ("事项", "item", "应做未做、应公开未公开", "是") in rows
    assert ("账号", "account", "更新不及时", "") in rows


def test_a_line_of_several_groups_is_told_once() -> None:
    groups: dict[str, object] = {
        "分组!A4": "department",
        "分组!B4": "部门",
        "单位!A6": "department",
        "单位!B6": "财政局",
    }
    lines: dict[str, object] = {f"{sheet}!A{row}": "township,department" for sheet, row in (("评分项", 3), ("规则", 4))}
    found = refused(changed(groups | lines | {"规则!F4": -1}))
    assert [(code, where) for code, where, _ in found] == [("scheme-greater-than-equal", "规则!F4")]
