"""Answers as tables for the terminal."""

from __future__ import annotations

from rich.table import Table

from projections.answer_models import HistoryAnswer, RankingAnswer, SheetAnswer


def sheet_table(answer: SheetAnswer) -> Table:
    """Return the score sheet as a table for the terminal."""
    title = f"{answer.unit}  {answer.year}  {answer.as_of}  总分 {answer.total}  第 {answer.rank} 名"
    table = Table(title=f"{title}  {answer.grade or ''}", caption=_sections(answer), title_justify="left")
    for heading, justify in (("编号", "left"), ("指标", "left"), ("分值", "right"), ("得分", "right"), ("", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # the words are the library's
    for row in answer.rows:
        table.add_row(row.indicator, " / ".join(row.titles), row.points, row.value, "待评定" if row.pending else "")
    return table


def _sections(answer: SheetAnswer) -> str:
    span = f"，可能 {answer.lowest}～{answer.highest}" if answer.pending else ""
    return f"基础 {answer.base}  加分 {answer.bonus}  扣分 {answer.penalty}{span}"


def ranking_table(answer: RankingAnswer) -> Table:
    """Return the ranking as a table for the terminal."""
    table = Table(title=f"{answer.year}  {answer.as_of}", title_justify="left")
    for heading in ("组", "名次", "单位", "得分", "等次", "待评定", "最低", "最高"):
        table.add_column(heading, justify="left" if heading in ("组", "单位", "等次") else "right")
    for group in answer.groups:
        for place in group.places:
            standing = (place.total, place.grade or "", str(place.pending), place.lowest, place.highest)
            table.add_row(group.title, str(place.rank), place.unit, *standing)
        table.add_section()
    return table


_SWALLOWERS = {
    "maximum": "本条上限",
    "bounds": "本项上下限",
    "forfeit": "本项归零",
    "account": "非最低账号",
    "section_or_total": "加分或总分封顶、权重",
}


def history_table(answer: HistoryAnswer) -> Table:
    """Return the history as a table for the terminal."""
    title = f"{answer.unit}  {answer.year}  {answer.as_of}  总分 {answer.total}"
    table = Table(title=title, title_justify="left")
    for heading in ("日期", "事实", "指标", "应计", "实计", "指标现值", "总分", "差额去向"):
        figures = heading in ("应计", "实计", "指标现值", "总分")
        table.add_column(heading, justify="right" if figures else "left", no_wrap=heading == "日期")
    for line in answer.lines:
        fact = line.fact
        what = f"{fact.label}×{fact.count} {fact.note or ''}".strip() if fact else "年初"
        swallowed = "、".join(_SWALLOWERS[one] for one in line.swallowed_by)
        values = (line.nominal or "", line.effective, line.running_indicator or "", line.running_total, swallowed)
        table.add_row(str(line.day or ""), what, f"{line.indicator or ''} {line.clause or ''}".strip(), *values)
    return table
