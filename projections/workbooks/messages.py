"""What the scheme format refuses, in the words of the workbook: headings instead of fields, and the cell to look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from projections.workbooks.columns import BANDS, INDICATORS, UNITS
from projections.workbooks.reading import Reading
from schemes.problem import Problem


class _Told(NamedTuple):
    """A message of the format: its code, the end of its path, its words; then the field to look at, and what to say."""

    code: str
    path: str
    message: str
    field: str
    said: str


_EITHER_VETO: Final = "a veto is either on 事实种类, or on 小计 and 低于"
_SECTIONS: Final[Mapping[str, str]] = {"base": "基础", "bonus": "加分", "penalty": "扣分"}
_TOLD: Final = (
    _Told(
        "scheme-value-error",
        r"vetoes\[\d+\]",
        "expected grade, total or both",
        ".grade",
        "定为等次 and 总分定为 are both empty, expected one of them or both",
    ),
    _Told("scheme-missing", r"vetoes\[\d+\]\.when", ".*", ".kinds", f"the condition is missing; {_EITHER_VETO}"),
    _Told(
        "scheme-extra-forbidden",
        r"vetoes\[\d+\]\.when\.(basis|below)",
        ".*",
        "",
        f"found something beside 事实种类; {_EITHER_VETO}",
    ),
    _Told(
        "scheme-value-error",
        r"rules\[\d+\]",
        "min (.+) is more than max (.+)",
        ".min",
        "评定最低 {0} is more than 评定最高 {1}",
    ),
    _Told(
        "scheme-value-error",
        r"conditions\[\d+\]",
        "expected at_least, at_most or both",
        ".at_least",
        "至少次数 and 至多次数 are both empty, expected one of them or both",
    ),
    _Told(
        "scheme-value-error",
        "applies_to",
        "expected either only or all_but",
        ".all_but",
        "仅适用 and 不适用于 are both filled in, expected one of them",
    ),
    _Told(
        "scheme-direction",
        r"rules\[\d+\]",
        ".* does not fit the (.+) section",
        ".way",
        "this 计分方式 does not fit the 板块 {0} of its row: 加分 only gains, 扣分 only loses",
    ),
    _Told(
        "scheme-start",
        "start",
        ".*",
        "",
        "a row of the 板块 扣分 starts at 0; leave 起评 empty",
    ),
    _Told(
        "scheme-bounds",
        r"indicators\[\d+\]",
        "the floor (.+) is above the ceiling (.+)",
        ".floor",
        "下限 {0} is above 上限 {1}",
    ),
    _Told(
        "scheme-two-values",
        "rules",
        ".*",
        "",
        "found several of 评定, 完成率 and 数值分档 for this row, expected at most one of them",
    ),
    _Told("scheme-mixed-pool", "pool", ".*", "", "this 合用上限 is shared by 扣分 and 加分, expected one of the two"),
    _Told(
        "scheme-quotas",
        "quotas",
        "expected either bands or quotas.*",
        "",
        f"grades are shared out here, and the sheet {BANDS.name} is filled in too; expected one of the two",
    ),
    _Told(
        "scheme-quotas",
        "quotas",
        "the two shares are more than the whole group",
        ".bottom.share",
        "前列比例 and 末尾比例 are together more than 1",
    ),
    _Told(
        "scheme-quotas",
        "quotas",
        "expected three grades that differ",
        "",
        "expected 前列等次, 中间等次 and 末尾等次 to differ",
    ),
    _Told(
        "scheme-bands",
        "at_least",
        "found no lower bound.*",
        "",
        "最低分 is empty, expected it on every row but the last",
    ),
    _Told(
        "scheme-bands",
        "at_least",
        "found the lower bound (.+), .*",
        "",
        "found {0} as 最低分 of the last row, expected it empty",
    ),
    _Told(
        "scheme-too-short", "units", ".*", "", f"the group has no unit in the sheet {UNITS.name}, expected one or more"
    ),
    _Told("scheme-missing", "indicators", ".*", "", f"the group has no row in the sheet {INDICATORS.name}"),
)


def in_words_of_the_workbook(problem: Problem, path: str, reading: Reading) -> Problem:
    """Return the problem at its cell, with headings for the fields that its message names."""
    for told in _TOLD:
        found = re.fullmatch(told.message, problem.message)
        if problem.code == told.code and found and re.search(rf"(^|[.]){told.path}$", path):
            names = [_SECTIONS.get(one, one) for one in found.groups()]
            return Problem(problem.code, reading.cell_of(path + told.field), told.said.format(*names))
    column = reading.column_of(path)
    if problem.code == "scheme-missing" and column is not None:
        message = f"{column.heading} is empty, expected {column.value.expected}"
        return Problem(problem.code, reading.cell_of(path), message)
    return Problem(problem.code, reading.cell_of(path), problem.message)
