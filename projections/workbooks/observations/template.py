"""The workbook to fill in: one column a field, lists to choose from, one row an observation. No row of it is data.

The bytes depend on nothing but the year: its units, its scheme and the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types
from xlsxwriter.utility import xl_col_to_name  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from projections.workbooks.columns import EXPLANATION, GUIDE_SHEET
from projections.workbooks.observations.fields import (
    COUNT,
    DAY,
    DOCUMENT,
    INDICATOR,
    KIND,
    NOTE,
    TITLE,
    UNIT,
    URL,
    Fields,
    row_label,
)
from projections.workbooks.observations.layout import DATA_SHEET
from schemes.asking import asked_kinds
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    DecimalAttribute,
    IntegerAttribute,
    ItemAttribute,
    UnitAttribute,
)

LISTS_SHEET: Final = "词表"
_CREATED: Final = datetime(2024, 1, 1)  # noqa: DTZ001  # a fixed property of the file, no moment in time
_FONT: Final = "宋体"
_LAST_VALIDATED: Final = 50_000
_EXPLAINED: Final[Mapping[str, str]] = {
    UNIT: "必填，从下拉列表选；合并单元格时各行都算这个单位",
    INDICATOR: "考核表中的哪一行；只有一种事实的行，可以只填指标，不填事实种类",
    KIND: "发生了什么，从下拉列表选",
    DAY: "必填，如 2024-01-31",
    COUNT: "几处、几次、几件；不填为1",
    NOTE: "具体情况，可不填",
    TITLE: "通报或网页的名称；不填则用文号",
    DOCUMENT: "依据的文号；文号、网址至少填一项",
    URL: "依据的网址，以 http 开头",
}
_WIDTHS: Final[Mapping[str, int]] = {UNIT: 22, INDICATOR: 26, KIND: 20, DAY: 13, COUNT: 8, NOTE: 36, TITLE: 30, URL: 30}
_EXAMPLES: Final = (
    "示例（只供参照，不会读入）",
    "单位：某某街道　指标：（被通报所在的行）　事实种类：被通报　发生日期：2024-03-29　层级：设区市",
    "通报对象：政务新媒体　周期：季度　依据标题：第一季度检查情况通报　文号：某府办字〔2024〕20号",
)


def template(fields: Fields) -> bytes:
    """Return the blank workbook of the year."""
    target = BytesIO()
    workbook = Workbook(target, {"in_memory": True})
    workbook.set_properties({"title": "登记表", "created": _CREATED})
    plain_text = {"font_name": _FONT, "valign": "top", "text_wrap": True}
    formats = {
        "text": workbook.add_format({**plain_text, "num_format": "@"}),
        "day": workbook.add_format({**plain_text, "num_format": "yyyy-mm-dd"}),
        "number": workbook.add_format(plain_text),
        "heading": workbook.add_format(
            {**plain_text, "bold": True, "bg_color": "#D9E2F3", "border": 1, "valign": "vcenter"}
        ),
        "explanation": workbook.add_format({**plain_text, "font_color": "#595959", "bg_color": "#F2F2F2", "border": 1}),
    }
    data = workbook.add_worksheet(DATA_SHEET)
    guide = workbook.add_worksheet(GUIDE_SHEET)
    lists = workbook.add_worksheet(LISTS_SHEET)
    lists.hide()
    _headings(data, fields, formats)
    _lists(data, lists, fields, formats["text"])
    _guide(guide, fields, formats)
    workbook.close()
    return target.getvalue()


def _headings(worksheet: Worksheet, fields: Fields, formats: Mapping[str, Any]) -> None:
    for across, heading in enumerate(fields.headings):
        style = "day" if heading == DAY else "number" if heading == COUNT or _is_number(fields, heading) else "text"
        worksheet.set_column(across, across, _WIDTHS.get(heading, 14), formats[style])
        worksheet.write_string(0, across, heading, formats["heading"])
        text = _EXPLAINED.get(heading) or _explained(fields, heading)
        worksheet.write_string(1, across, f"{EXPLANATION if across == 0 else ''}{text}", formats["explanation"])
    worksheet.set_row(0, 24)
    worksheet.set_row(1, 78)
    worksheet.freeze_panes(2, 1)
    last = _LAST_VALIDATED + 1
    day = fields.headings.index(DAY)
    period = fields.scheme.period
    worksheet.data_validation(
        *(2, day, last, day),
        {
            "validate": "date",
            "criteria": "between",
            "minimum": datetime(period.first.year - 1, 1, 1),  # noqa: DTZ001  # a day
            "maximum": datetime(period.last.year, period.last.month, period.last.day),  # noqa: DTZ001  # a day
            "error_title": "日期不对",
            "error_message": f"应为考核期间的日期，{period.last} 以前，如 {period.first}",
            "error_type": "warning",
        },
    )
    count = fields.headings.index(COUNT)
    whole = {"validate": "integer", "criteria": ">=", "value": 1, "error_message": "应为1或更大的整数"}
    worksheet.data_validation(2, count, last, count, whole)


def _asked(fields: Fields, heading: str) -> list[tuple[str, Attribute]]:
    """Return the kinds of the scheme that have a field of that heading, with the field."""
    having = ((kind, fields.attributes_of(kind).get(heading)) for kind in fields.kinds)
    return [(kind, found[1]) for kind, found in having if found is not None]


def _is_number(fields: Fields, heading: str) -> bool:
    asked = _asked(fields, heading)
    return bool(asked) and all(isinstance(one, IntegerAttribute | DecimalAttribute) for _, one in asked)


def _explained(fields: Fields, heading: str) -> str:
    labels = fields.vocabulary.kinds
    needed = [labels[kind].label for kind, one in _asked(fields, heading) if one.required]
    others = [labels[kind].label for kind, one in _asked(fields, heading) if not one.required]
    parts = [f"{'、'.join(needed)}须填"] if needed else []
    return "；".join([*parts, *([f"{'、'.join(others)}可填"] if others else [])])


def _lists(data: Worksheet, lists: Worksheet, fields: Fields, style: Any) -> None:
    """Write each list into a column of the hidden sheet, and let the column of its heading choose from it."""
    chosen = {heading: choices for heading in fields.headings if (choices := _choices(fields, heading))}
    for across, (heading, choices) in enumerate(chosen.items()):
        lists.write_string(0, across, heading, style)
        for at, choice in enumerate(choices, start=1):
            lists.write_string(at, across, choice, style)
        column = fields.headings.index(heading)
        letters = xl_col_to_name(across)
        several = any(isinstance(one, CodesAttribute) for _, one in _asked(fields, heading))
        data.data_validation(
            *(2, column, _LAST_VALIDATED + 1, column),
            {
                "validate": "list",
                "source": f"={LISTS_SHEET}!${letters}$2:${letters}${len(choices) + 1}",
                "show_error": not several,
                "error_title": "请从列表中选择",
                "error_message": "这一列只能填列表中的词。",
            },
        )


def _choices(fields: Fields, heading: str) -> Sequence[str]:
    if heading == UNIT:
        return [unit.name_on(fields.scheme.period.last) for unit in fields.state.units.values()]
    if heading == INDICATOR:
        return list(dict.fromkeys(row_label(row) for group in fields.scheme.groups for row in group.indicators))
    if heading == KIND:
        return [fields.vocabulary.kinds[kind].label for kind in fields.kinds]
    labels: dict[str, None] = {}
    for kind, attribute in _asked(fields, heading):
        match attribute:
            case CodeAttribute() | CodesAttribute():
                labels |= dict.fromkeys(attribute.values.values())
            case ItemAttribute():
                labels |= dict.fromkeys(_items(fields, kind))
            case UnitAttribute():
                labels |= dict.fromkeys(_choices(fields, UNIT))
            case _:
                pass
    return list(labels)


def _items(fields: Fields, kind: str) -> list[str]:
    """Return the labels of the items that some row of the scheme can count for the kind."""
    found: dict[str, None] = {}
    for one in fields.asking:
        for asked in asked_kinds(one, fields.vocabulary):
            if asked.kind == kind:
                for field in asked.fields:
                    if isinstance(field.attribute, ItemAttribute):
                        found |= dict.fromkeys((field.values or {}).values())
    return list(found)


def _guide(worksheet: Worksheet, fields: Fields, formats: Mapping[str, Any]) -> None:
    period = fields.scheme.period
    lines = (
        f"{fields.scheme.jurisdiction.name}{fields.state.year}年度登记表",
        f"1. 在“{DATA_SHEET}”表从第3行填起，一行一条事实；第1、2行不要改动。本表和隐藏的“{LISTS_SHEET}”不会读入。",
        f"2. 发生日期应在 {period.first} 至 {period.last} 之间。",
        "3. 每条都要有依据：文号、网址至少填一项；两项都填，记为两件依据。",
        "4. 事实不带分数：加分、扣分由方案算出，导入前可以预览每个单位的得分变化。",
        "5. 不要用公式；从别处复制来的请“选择性粘贴—数值”。隐藏、筛选掉的行也会读入。",
        "6. 有一处填错，整个文件都不会登记；全部错误会连同单元格一次列出。同一内容再次导入，不会重复登记。",
        *_EXAMPLES,
        "",
        "各种事实须填、可填的列",
    )
    worksheet.set_column(0, 0, 30, formats["text"])
    worksheet.set_column(1, 1, 60, formats["text"])
    for at, line in enumerate(lines):
        style = formats["heading"] if at == 0 or line == lines[-1] or line == _EXAMPLES[0] else formats["text"]
        worksheet.merge_range(at, 0, at, 1, "", style)
        worksheet.write_string(at, 0, line, style)
        worksheet.set_row(at, 18 * (1 + len(line) // 46))
    for at, kind in enumerate(fields.kinds, start=len(lines)):
        attributes = fields.attributes_of(kind)
        needed = [heading for heading, (_, one) in attributes.items() if one.required]
        others = [heading for heading, (_, one) in attributes.items() if not one.required]
        said = "；".join(f"{word}{'、'.join(names)}" for word, names in (("须填", needed), ("可填", others)) if names)
        worksheet.write_string(at, 0, fields.vocabulary.kinds[kind].label, formats["text"])
        worksheet.write_string(at, 1, said or (f"须填{INDICATOR}" if kind == "judgement" else ""), formats["text"])
