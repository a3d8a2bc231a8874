"""Answers as tables for the terminal, readable at 80 columns.

What people wrote is shown as they wrote it: cells are `Text`, in which square brackets are no mark-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.proceeding_labels import RESULTS
from ledger.decisions import CHINA
from projections.answer_models import HistoryAnswer, LineAnswer, RankingAnswer, SheetAnswer
from projections.proceedings.dossier_models import DossierAnswer
from projections.swallower_labels import SWALLOWER_LABELS


def sheet_table(answer: SheetAnswer) -> Table:
    """Return the score sheet as a table for the terminal."""
    span = f"，可能 {answer.lowest}～{answer.highest}" if answer.pending else ""
    sums = f"基础 {answer.base}  加分 {answer.bonus}  扣分 {answer.penalty}{span}"
    title = f"{answer.unit}  {answer.as_of}  总分 {answer.total}  第 {answer.rank} 名  {answer.grade or ''}"
    table = new_table(title, ["编号", "指标"], ["分值", "得分"], [""])
    table.caption = Text(sums)
    for row in answer.rows:
        add_row(table, row.indicator, " / ".join(row.titles), row.points, row.value, "待评定" if row.pending else "")
    return table


def edges_table(answer: RankingAnswer, places: int) -> Table:
    """Return the first and the last places of each group."""
    groups = [
        group.model_copy(update={"places": group.places[:places] + group.places[places:][-places:]})
        for group in answer.groups
    ]
    return ranking_table(answer.model_copy(update={"groups": groups}))


def ranking_table(answer: RankingAnswer) -> Table:
    """Return the ranking as a table for the terminal."""
    table = new_table(
        f"{answer.year}  {answer.as_of}", ["组"], ["名次"], ["单位"], ["得分"], ["等次"], ["待定", "最低", "最高"]
    )
    for group in answer.groups:
        for place in group.places:
            standing = (place.total, place.grade or "", str(place.pending), place.lowest, place.highest)
            add_row(table, group.title, str(place.rank), place.unit, *standing)
        table.add_section()
    return table


def history_table(answer: HistoryAnswer) -> RenderableType:
    """Return the history for the terminal: the lines, then what was corrected and what was voided."""
    title = f"{answer.unit}  {answer.as_of}  总分 {answer.total}"
    table = new_table(title, ["日期", "事实、依据与证据", "指标"], ["应计", "实计", "总分"])
    for line in answer.lines:
        add_row(
            table,
            str(line.day or ""),
            "\n".join(_told(line)),
            line.indicator or "",
            line.nominal or "",
            line.effective,
            line.running_total,
        )
    later = [f"更正 {_day(one.recorded_at)} {one.observation}：{one.reason}" for one in answer.amendments] + [
        f"作废 {_day(one.recorded_at)} {one.observation}：{one.reason}" for one in answer.voided
    ]
    return Group(table, *(Text(one) for one in later))


def moved_table(dossier: DossierAnswer) -> RenderableType:
    """Return what the decision on an appeal changed: total, rank and grade of the unit, and of others that moved."""
    filed, decided = dossier.proceeding.steps[0], dossier.proceeding.steps[-1]
    table = new_table("", ["单位"], ["决定前", "决定后"], ["名次", "等次"])
    for one in dossier.moved:
        ranks = f"{one.before.rank} → {one.after.rank}"
        grades = f"{one.before.grade or '无'} → {one.after.grade or '无'}"
        add_row(table, one.unit, one.before.total, one.after.total, ranks, grades)
    reasons = [reason for share in dossier.shares for reason in share.why_not]
    told = (f"申诉：{filed.text}", f"决定：{RESULTS[dossier.proceeding.outcome or '']}。{decided.text}", *reasons)
    return Group(*map(Text, told), table)


def _told(line: LineAnswer) -> Iterable[str]:
    """Yield the fact with the recorder's words, the rule's clause, the evidence, the entry, and what was swallowed."""
    if line.fact is None:
        yield "年初"
        return
    yield f"{line.fact.label}×{line.fact.count} {line.fact.note or ''}".strip()
    if line.clause:
        yield f"依据：{line.clause}（{'、'.join(line.rules) or '随动'}）"
    for one in line.evidence:
        yield f"证据：{one.title}{' ' + one.locator if one.locator else ''}"
    if line.recorded_at is not None:
        yield f"登记：{_day(line.recorded_at)} {line.fact.observation or ''}".strip()
    elif line.fact.kind == "prior_grade":
        yield "推导：上年度结果公布时的等次"
    else:
        yield "推导：由申请、答复日期得出"
    if line.swallowed_by:
        yield f"差额：{'、'.join(SWALLOWER_LABELS[one] for one in line.swallowed_by)}"


def _day(recorded_at: datetime) -> str:
    return recorded_at.astimezone(CHINA).date().isoformat()


def new_table(title: str, *columns: list[str]) -> Table:
    """Return an empty table whose columns turn from left-aligned to right-aligned and back with each list."""
    table = Table(title=Text(title), title_justify="left")
    for at, headings in enumerate(columns):
        for heading in headings:
            table.add_column(heading, justify="right" if at % 2 else "left", no_wrap=heading == "日期", overflow="fold")
    return table


def add_row(table: Table, *values: str) -> None:
    """Add a row of plain texts: square brackets in them are no mark-up."""
    table.add_row(*(Text(value) for value in values))
