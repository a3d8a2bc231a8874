"""Workbooks of observations for tests: the template filled in, and workbooks of an office's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types

from ledger.commands import Observe
from projections.workbooks.files import Cells
from projections.workbooks.observations.fields import Fields, row_label
from schemes.vocabulary import CodeAttribute, CodesAttribute, DecimalAttribute, ItemAttribute

ROW = {
    "被考核单位": "福城街道",
    "种类": "被通报",
    "时间": date(2021, 3, 29),
    "层级": "设区市",
    "通报对象": "政务新媒体",
    "周期": "季度",
    "文号": "宜府办字〔2021〕20号",
}


def own_workbook(
    rows: Sequence[Mapping[str, Any]], merged: Sequence[tuple[str, Any]] = (), above: Sequence[str] = ()
) -> bytes:
    """A workbook with the headings of its rows, perhaps below a title; `merged` are ranges with their values."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    lines: list[list[Any]] = [
        *([title] for title in above),
        headings,
        *([row.get(one) for one in headings] for row in rows),
    ]
    cells = {(at, across): value for at, line in enumerate(lines, 1) for across, value in enumerate(line, 1)}
    return written({"台账": {place: value for place, value in cells.items() if value is not None}}, merged)


def written(sheets: Mapping[str, Mapping[tuple[int, int], Any]], merged: Sequence[tuple[str, Any]] = ()) -> bytes:
    """The workbook with these cells; a text that begins with `=` in a one-element tuple is a formula."""
    target = BytesIO()
    with Workbook(target, {"in_memory": True}) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for name, cells in sheets.items():
            worksheet = workbook.add_worksheet(name)
            for (row, column), value in cells.items():
                match value:
                    case (formula,):
                        worksheet.write_formula(row - 1, column - 1, formula, value="福城街道")
                    case datetime() | date():
                        worksheet.write_datetime(row - 1, column - 1, value, day)
                    case bool() | int() | float():
                        worksheet.write_number(row - 1, column - 1, value)
                    case _:
                        worksheet.write_string(row - 1, column - 1, value)
            for area, value in merged:
                worksheet.merge_range(area, value)
    return target.getvalue()


def filled(template: Mapping[str, Cells], fields: Fields, observations: Sequence[Observe]) -> bytes:
    """The template with a row for each of the observations, in the words of its lists."""
    sheets: dict[str, dict[tuple[int, int], Any]] = {name: dict(cells) for name, cells in template.items()}
    for row, one in enumerate(observations, start=3):
        for heading, value in _line(fields, one).items():
            sheets["登记"][row, fields.headings.index(heading) + 1] = value
    return written(sheets)


def _line(fields: Fields, one: Observe) -> dict[str, Any]:
    line: dict[str, Any] = {
        "单位": one.unit,
        "事实种类": fields.vocabulary.kinds[one.kind].label,
        "发生日期": one.occurred_on,
        "次数": one.count,
    }
    line |= {"说明": one.note} if one.note else {}
    for evidence in one.evidence:
        line["依据标题"] = evidence.title
        line |= {"文号": evidence.document} if evidence.document else {"网址": evidence.url}
    if one.kind == "judgement":
        unit = fields.state.unit(one.unit)
        group = fields.scheme.group(unit.group) if unit else None
        row = group.indicator(str(one.attributes["indicator"])) if group else None
        assert row
        line["指标"] = row_label(row)
    for heading, (name, attribute) in fields.attributes_of(one.kind).items():
        if name in one.attributes:
            line[heading] = _said(fields, attribute, one.attributes[name])
    return line


def _said(fields: Fields, attribute: object, value: Any) -> Any:
    match attribute:
        case CodeAttribute():
            return attribute.values[value]
        case CodesAttribute():
            return "，".join(attribute.values[one] for one in value)
        case ItemAttribute():
            return fields.vocabulary.items[value]
        case DecimalAttribute():
            return float(value)
        case _:
            return value
