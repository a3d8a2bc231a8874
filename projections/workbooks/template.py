"""The workbook to fill in: headings, explanations, lists to choose from, the words of the vocabulary; blank or filled.

The bytes depend on nothing but what is written: the same scheme gives the same file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final, NamedTuple

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types
from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from projections.workbooks.columns import (
    CONDITION,
    CONTINUED,
    EXPLANATION,
    FIRST_ROW,
    GUIDE_SHEET,
    INDICATORS,
    ITEMS,
    LABELS,
    MILESTONE,
    RULES,
    SCHEME_LINES,
    SCHEME_SHEET,
    SHEETS,
    UNITS,
    VOCABULARY_SHEET,
    WAYS,
    Column,
    Parameter,
    SheetOf,
    Way,
)
from projections.workbooks.files import address
from projections.workbooks.values import Context, Day, Item, Kinds, Number, Value, WrongValueError
from schemes.problem import InvalidInput, Problem
from schemes.scheme import Group, Indicator, Scheme
from schemes.vocabulary import CodeAttribute, CodesAttribute, Vocabulary

_CREATED: Final = datetime(2024, 1, 1)  # noqa: DTZ001  # a fixed property of the file, no moment in time
_LAST_VALIDATED: Final = 1_000
_LONGEST_LIST: Final = 255
_SEVERAL_GROUPS: Final = (INDICATORS, RULES, LABELS)
_INSTRUCTIONS: Final = (
    "怎样填写",
    "1. 从“方案”填起，再填“分组”“单位”“评分项”“规则”；其余各表用得着才填。",
    "2. 每张表第1行是标题，第2行是说明，都不要改动；从第3行起一行一条，中间不要空行。隐藏、筛选掉的行和列也会读入。",
    "3. 表中一行考核内容，在“评分项”填一行；它怎样加分扣分，在“规则”填一行或几行，用组和编号对应。",
    "4. 不要合并单元格，不要用公式（从别处复制来的请“选择性粘贴—数值”）。",
    "5. 编号是文本：1.10 若被存成数字会变成 1.1。分数只写数字，不写“分”“%”。",
    "6. 事实种类、事项、属性和取值的名称见“词汇”（登记时必填的属性有标明）；词汇里没有的事项，先在“自定义事项”里加。",
    "7. 条件写成“属性=值,值; 属性>=数”，各条都要成立；“属性 不含 值”表示没有这些值；“形式个数>=3”数有几种。",
    "8. 填好后运行 mingzhang scheme import 本文件.xlsx --out 方案.yaml，全部错误会连同单元格一次列出。",
    "",
    "计分方式",
)


class _Formats(NamedTuple):
    heading: Format
    explanation: Format
    text: Format
    day: Format
    number: Format


class _Line(NamedTuple):
    """One row to write: the columns or parameters that may be filled, and its values by field."""

    columns: tuple[Column | Parameter, ...]
    values: Mapping[str, Any]


def written_workbook(vocabulary: Vocabulary, scheme: Scheme | None) -> bytes:
    """Return the workbook, blank or with a scheme; raises `InvalidInput` where a cell cannot say what it must."""
    target = BytesIO()
    workbook = Workbook(target, {"in_memory": True})
    workbook.set_properties({"title": "考核方案填写模板", "created": _CREATED})
    formats = _formats(workbook)
    known = vocabulary.extended(scheme.items) if scheme else vocabulary
    context = Context(known)
    problems: list[Problem] = []
    _guide(workbook.add_worksheet(GUIDE_SHEET), formats)
    values = _dump(scheme) if scheme else {}
    _scheme_sheet(workbook.add_worksheet(SCHEME_SHEET), formats, values, context)
    for sheet in SHEETS:
        worksheet = workbook.add_worksheet(sheet.name)
        _headings(worksheet, sheet, formats, vocabulary)
        lines = _lines(sheet, values, scheme) if scheme else ()
        for at, line in enumerate(lines, start=FIRST_ROW):
            problems += _write(worksheet, sheet, at, line, formats, context)
    _vocabulary(workbook.add_worksheet(VOCABULARY_SHEET), vocabulary, formats)
    workbook.close()
    if problems:
        raise InvalidInput(tuple(problems))
    return target.getvalue()


def _formats(workbook: Workbook) -> _Formats:
    plain_text: dict[str, Any] = {"num_format": "@", "valign": "top", "text_wrap": True}
    heading = {"bold": True, "bg_color": "#D9E2F3", "border": 1, "valign": "vcenter", "text_wrap": True}
    explanation = {"italic": True, "font_color": "#595959", "bg_color": "#F2F2F2", "valign": "top", "text_wrap": True}
    return _Formats(
        workbook.add_format(heading),
        workbook.add_format(explanation),
        workbook.add_format(plain_text),
        workbook.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
        workbook.add_format({"valign": "top"}),
    )


def _format_of(value: Value, formats: _Formats) -> Format:
    if isinstance(value, Day):
        return formats.day
    return formats.number if isinstance(value, Number) else formats.text


def _guide(worksheet: Worksheet, formats: _Formats) -> None:
    worksheet.set_column(0, 0, 18, formats.text)
    worksheet.set_column(1, 2, 60, formats.text)
    for at, line in enumerate(_INSTRUCTIONS):
        worksheet.write_string(at, 0, line, formats.heading if line and line[0] not in "12345678" else None)
    start = len(_INSTRUCTIONS)
    for at, (name, way) in enumerate({**WAYS, CONTINUED: CONDITION}.items(), start=start):
        used = "、".join(parameter.heading for parameter in way.parameters) or "（不填其他列）"
        for across, text in enumerate((name, way.meaning, used)):
            worksheet.write_string(at, across, text, formats.text)


def _scheme_sheet(worksheet: Worksheet, formats: _Formats, values: Mapping[str, Any], context: Context) -> None:
    for across, (heading, width) in enumerate((("项目", 16), ("内容", 44), ("说明", 52))):
        worksheet.set_column(across, across, width)
        worksheet.write_string(0, across, heading, formats.heading)
    worksheet.freeze_panes(1, 1)
    for at, line in enumerate(SCHEME_LINES, start=1):
        worksheet.write_string(at, 0, line.heading, formats.heading)
        style = _format_of(line.value, formats)
        stated, value = _stated(values, line)
        if stated:
            _put(worksheet, at, 1, line.value.write(value, context), style)
        else:
            worksheet.write_blank(at, 1, None, style)
        worksheet.write_string(at, 2, _explained(line), formats.explanation)
        _choices(worksheet, (at, 1, at, 1), line.value, None)


def _headings(worksheet: Worksheet, sheet: SheetOf, formats: _Formats, vocabulary: Vocabulary) -> None:
    for across, column in enumerate(sheet.columns):
        worksheet.set_column(across, across, column.width, _format_of(column.value, formats))
        worksheet.write_string(0, across, column.heading, formats.heading)
        text = f"{EXPLANATION if across == 0 else ''}{_explained(column)}"
        worksheet.write_string(1, across, text, formats.explanation)
        _choices(worksheet, (FIRST_ROW - 1, across, _LAST_VALIDATED, across), column.value, vocabulary)
    worksheet.set_row(0, 30)
    worksheet.set_row(1, 75)
    worksheet.freeze_panes(2, 2)


def _explained(column: Column) -> str:
    return f"（必填）{column.explanation}" if column.required else column.explanation


def _choices(
    worksheet: Worksheet, area: tuple[int, int, int, int], value: Value, vocabulary: Vocabulary | None
) -> None:
    """Give the cells a list to choose from; several words or own items may be typed where that is allowed."""
    choices = value.choices()
    if choices and len(",".join(choices)) <= _LONGEST_LIST:
        message = {"error_title": "请从列表中选择", "error_message": "这一列只能填列表中的词。"}
        worksheet.data_validation(*area, {"validate": "list", "source": list(choices), **message})
    elif vocabulary and isinstance(value, Kinds | Item):
        first = 2 if isinstance(value, Kinds) else 2 + len(vocabulary.kinds)
        last = first - 1 + len(vocabulary.kinds if isinstance(value, Kinds) else vocabulary.items)
        source = f"={VOCABULARY_SHEET}!$B${first}:$B${last}"
        worksheet.data_validation(*area, {"validate": "list", "source": source, "show_error": False})


def _vocabulary(worksheet: Worksheet, vocabulary: Vocabulary, formats: _Formats) -> None:
    """List the words: first kinds, then items, which the lists to choose from refer to; then attributes and values."""
    rows = [("种类", kind.label, code, "", "") for code, kind in vocabulary.kinds.items()]
    rows += [("事项", label, code, "", "") for code, label in vocabulary.items.items()]
    for kind in vocabulary.kinds.values():
        for name, attribute in kind.attributes.items():
            rows.append(("属性", attribute.label, name, kind.label, "是" if attribute.required else ""))
            if isinstance(attribute, CodeAttribute | CodesAttribute):
                rows += [
                    ("取值", label, code, f"{kind.label}·{attribute.label}", "")
                    for code, label in attribute.values.items()
                ]
    for across, (heading, width) in enumerate((("类别", 8), ("名称", 36), ("代码", 32), ("用于", 36), ("必填", 8))):
        worksheet.set_column(across, across, width, formats.text)
        worksheet.write_string(0, across, heading, formats.heading)
    for at, row in enumerate(rows, start=1):
        for across, text in enumerate(row):
            worksheet.write_string(at, across, text, formats.text)
    worksheet.autofilter(0, 0, len(rows), 4)
    worksheet.freeze_panes(1, 0)


def _write(
    worksheet: Worksheet, sheet: SheetOf, at: int, line: _Line, formats: _Formats, context: Context
) -> Iterator[Problem]:
    headings = [column.heading for column in sheet.columns]
    for column in line.columns:
        stated, value = _stated(line.values, column)
        if not stated:
            continue
        if isinstance(column.value, Kinds):
            context = replace(context, kinds=tuple(value))
        cell = column.value.write(value, context)
        across = headings.index(column.heading)
        if not _reads_back(column.value, cell, value, context):
            message = f"a cell cannot say {value!r} of {column.field}; edit the scheme's file instead"
            yield Problem("workbook-beyond", address(sheet.name, at, across + 1), message)
        _put(worksheet, at - 1, across, cell, _format_of(column.value, formats))


def _put(worksheet: Worksheet, at: int, across: int, cell: str | Decimal | date, style: Format) -> None:
    if isinstance(cell, Decimal):
        worksheet.write_number(at, across, float(cell), style)
    elif isinstance(cell, date):
        worksheet.write_datetime(at, across, cell, style)
    else:
        worksheet.write_string(at, across, cell, style)


def _reads_back(value: Value, cell: str | Decimal | date, stated: Any, context: Context) -> bool:
    try:
        return bool(value.read(float(cell) if isinstance(cell, Decimal) else cell, context) == stated)
    except WrongValueError:
        return False


def _stated(values: Any, column: Column | Parameter) -> tuple[bool, Any]:
    for part in column.field.split("."):
        if isinstance(values, list):
            if int(part) >= len(values):
                return False, None
            values = values[int(part)]
        elif not isinstance(values, Mapping) or part not in values:
            return False, None
        else:
            values = values[part]
    # Only a bound is told apart from what is not stated: null is then no bound.
    return values is not None or column.field in ("floor", "ceiling"), values


def _dump(scheme: Scheme) -> dict[str, Any]:
    dumped: dict[str, Any] = _with_lists(scheme.model_dump(by_alias=True, exclude_defaults=True))
    return dumped


def _with_lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_lists(one) for key, one in value.items()}
    return [_with_lists(one) for one in value] if isinstance(value, list | tuple) else value


def _lines(sheet: SheetOf, values: Mapping[str, Any], scheme: Scheme) -> Iterator[_Line]:
    if sheet is ITEMS:
        for code, label in scheme.items.items():
            yield _Line(sheet.columns, {"code": code, "label": label})
    elif sheet.list_field is not None:
        for one in values.get(sheet.list_field, ()):
            yield _Line(sheet.columns, one)
    else:
        for group, dumped in zip(scheme.groups, values["groups"], strict=True):
            yield from _lines_of_group(sheet, group, dumped)


def _lines_of_group(sheet: SheetOf, group: Group, dumped: Mapping[str, Any]) -> Iterator[_Line]:
    name = [group.id] if sheet in _SEVERAL_GROUPS else group.id
    if sheet is UNITS:
        for unit in group.units:
            yield _Line(sheet.columns, {"group": name, "unit": unit})
    elif sheet is LABELS:
        for label in dumped.get("labels", ()):
            yield _Line(sheet.columns, {**label, "group": name})
    else:
        for row, values in zip(group.indicators, dumped["indicators"], strict=True):
            if sheet is INDICATORS:
                yield _Line(sheet.columns, {**_without_usual_bounds(row, values), "group": name})
                continue
            for rule in values.get("rules", ()):
                yield from _rule_lines({"group": name, "id": row.id}, rule)


def _without_usual_bounds(row: Indicator, values: Mapping[str, Any]) -> dict[str, Any]:
    penalty = row.section == "penalty"
    usual = {
        "floor": None if penalty else 0,
        "ceiling": 0 if penalty else row.points,
        "start": "zero" if penalty else "",
    }
    return {key: value for key, value in values.items() if key not in usual or value != usual[key]}


def _rule_lines(about: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[_Line]:
    name, way = next((name, way) for name, way in WAYS.items() if _says(way, rule))
    first = RULES.columns[:3]
    yield _Line((*first, *way.parameters), {**rule, **about, "way": name})
    if name == MILESTONE:
        for condition in rule["conditions"][1:]:
            yield _Line((*first, *CONDITION.parameters), {**condition, **about, "way": CONTINUED})


def _says(way: Way, rule: Mapping[str, Any]) -> bool:
    fixed = all(rule.get(name) == value for name, value in way.fixed.items())
    return fixed and all(_stated(rule, one)[0] for one in way.parameters if one.required)
