"""Answers as tables for the terminal."""

from __future__ import annotations

from datetime import timedelta, timezone

from rich.table import Table

from projections.answer_models import HistoryAnswer, LineAnswer, RankingAnswer, SheetAnswer

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


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


def edges_table(answer: RankingAnswer, places: int) -> Table:
    """Return the first and the last places of each group."""
    groups = [
        group.model_copy(update={"places": group.places[:places] + group.places[places:][-places:]})
        for group in answer.groups
    ]
    return ranking_table(answer.model_copy(update={"groups": groups}))


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
    "section": "加分封顶、门槛或扣分限额",
    "total": "总分封顶、下限或否决",
}


def history_table(answer: HistoryAnswer) -> Table:
    """Return the history as a table for the terminal."""
    title = f"{answer.unit}  {answer.year}  {answer.as_of}  总分 {answer.total}"
    table = Table(title=title, title_justify="left")
    for heading in ("日期", "记录于", "事实与证据", "指标", "应计", "实计", "指标现值", "总分", "差额去向"):
        figures = heading in ("应计", "实计", "指标现值", "总分")
        table.add_column(heading, justify="right" if figures else "left", no_wrap=heading in ("日期", "记录于"))
    for line in answer.lines:
        recorded = line.recorded_at.astimezone(CHINA).date() if line.recorded_at else ""
        swallowed = "、".join(_SWALLOWERS[one] for one in line.swallowed_by)
        points = (line.nominal or "", line.effective, line.running_indicator or "", line.running_total, swallowed)
        place = f"{line.indicator or ''} {line.clause or ''}".strip()
        table.add_row(str(line.day or ""), str(recorded), _told(line), place, *points)
    return table


def _told(line: LineAnswer) -> str:
    """The fact, the recorder's words, and what it rests on."""
    if line.fact is None:
        return "年初"
    words = [f"{line.fact.label}×{line.fact.count}", line.fact.note or ""]
    words += [f"［{one.title}{' ' + one.locator if one.locator else ''}］" for one in line.evidence]
    return " ".join(filter(None, words))
