"""What the ledger refuses of a row, said in Chinese at the row's cell; the ledger's own words are kept beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.decisions import BEFORE_THE_PERIOD
from ledger.rejection import Refusal
from projections.scheme_files import vocabulary
from projections.workbooks.files import address
from projections.workbooks.observations.fields import COUNT, DAY, INDICATOR, KIND, UNIT, Fields
from projections.workbooks.observations.layout import Layout
from projections.workbooks.observations.reading import ReadRow
from schemes.exact import plain
from schemes.problem import Problem
from schemes.scheme import Indicator

_FIELDS: Final = {"unit": UNIT, "kind": KIND, "occurred_on": DAY, "count": COUNT, "attributes.indicator": INDICATOR}
_SAID: Final[Mapping[str, str]] = {
    "unknown-unit": "不是本年度的单位",
    "unit-has-left": "这个单位已退出本年度考核",
    "calendar-unknown-year": "这一年的放假安排还没有公布，答复期限算不出",
    "not-a-judged-indicator": "这个指标不由考评组评定",
    "rank-out-of-range": "名次超出参加排名的单位数",
}


@dataclass(frozen=True, slots=True)
class CellProblem(Problem):
    """A problem in Chinese; `detail` is what the ledger says itself, for those who look after the system."""

    detail: str = ""


def at_cell(refusal: Refusal, row: ReadRow, layout: Layout, fields: Fields) -> CellProblem:
    """Return the refusal of a row at the cell that it is about."""
    attributes = vocabulary().kinds[row.observation.kind].attributes
    labels = {f"attributes.{name}": attribute.label for name, attribute in attributes.items()}
    heading = {**labels, **_FIELDS}.get(refusal.where, UNIT)
    column = layout.columns.get(heading) or layout.columns.get(UNIT, 1)
    place = address(layout.sheet, row.row, column)
    return CellProblem(refusal.code, place, _said(refusal.code, row, fields), refusal.message)


def _said(code: str, row: ReadRow, fields: Fields) -> str:
    said = row.observation
    if code == "date-outside-year":
        period, _ = fields.state.opened()
        early = "（这种事实可早至考核期间前一年）" if said.kind in BEFORE_THE_PERIOD else ""
        return f"“{said.occurred_on}”不在考核期间内；应为 {period.first} 至 {period.last} 的日期{early}"
    if code == "judgement-out-of-range":
        judged = _indicator(row, fields)
        bounds = judged.judged if judged else None
        expected = f"；应为 {plain(bounds.min)} 至 {plain(bounds.max)}" if bounds else ""
        return f"评定分“{said.attributes.get('value')}”超出这个指标的范围{expected}"
    return _SAID.get(code, "不符合本年度方案；请核对这一行各项内容")


def _indicator(row: ReadRow, fields: Fields) -> Indicator | None:
    unit = fields.unit_named(row.observation.unit)
    group = fields.scheme.group(unit.group) if unit else None
    return group.indicator(str(row.observation.attributes.get("indicator"))) if group else None
