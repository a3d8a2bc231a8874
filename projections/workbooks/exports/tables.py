"""The ranking, a unit's history and the year's entries as workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ledger.decisions import Unit
from ledger.events import Evidence
from projections.answer_models import HistoryAnswer, LineAnswer
from projections.answers import history_answer, ranking_answer
from projections.sentences import reading_phrase, scheme_words
from projections.swallower_labels import SWALLOWER_LABELS
from projections.workbooks.exports.wording import ENTRIES, cited, evidence_of, moment
from projections.workbooks.exports.writing import Cell, Paper, PaperSheet
from projections.years import FactEntry, YearView
from schemes.fact import Fact
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase

_RANKING: Final = ("组别", "名次", "单位", "得分", "等次", "待评定项数", "最低可能", "最高可能")
_HISTORY: Final = (
    "日期",
    "登记时间",
    "指标",
    "事实",
    "应计分",
    "本项变化",
    "总分变化",
    "未计原因",
    "累计总分",
    "依据",
    "说明",
)
_CORRECTIONS: Final = ("时间", "类别", "原事实", "改为", "理由", "依据", "经手人")
_LEDGER: Final = (
    "序号",
    "登记时间",
    "类别",
    "单位",
    "事实",
    "发生日期",
    "次数",
    "整改日期",
    "说明",
    "理由",
    "依据",
    "经手人",
    "记录编号",
)


def ranking(view: YearView) -> bytes:
    """Return the ranking of every group, the groups in the scheme's order."""
    answer = ranking_answer(view)
    written = Paper("考核排名")
    sheet = written.sheet("排名", [18, 8, 30, 10, 12, 12, 10, 10])
    sheet.title(f"{view.scheme.jurisdiction.name}{answer.year}年度考核排名", f"截至 {answer.as_of}")
    first = sheet.next_row
    sheet.headings(_RANKING, still=3)
    for group in answer.groups:
        for one in group.places:
            span = (Decimal(one.lowest), Decimal(one.highest))
            sheet.row([group.title, one.rank, one.unit, Decimal(one.total), one.grade, one.pending, *span])
    sheet.filter_from(first)
    return written.bytes()


def history(view: YearView, unit: Unit) -> bytes:
    """Return how the unit's total came about, line by line, and what was corrected or voided."""
    answer = history_answer(view, unit)
    words = scheme_words(view.scheme)
    written = Paper("得分明细")
    sheet = written.sheet("得分明细", [12, 17, 28, 46, 9, 9, 9, 20, 10, 40, 30])
    sheet.title(f"{answer.unit}{answer.year}年度得分明细", f"截至 {answer.as_of}　总分 {answer.total}")
    first = sheet.next_row
    sheet.headings(_HISTORY, still=1)
    for line in answer.lines:
        sheet.row(_line(view, line, words))
    sheet.filter_from(first)
    if answer.amendments or answer.voided:
        _corrections(written.sheet("更正与作废", [17, 8, 46, 46, 40, 40, 16]), answer, words)
    return written.bytes()


def _line(view: YearView, line: LineAnswer, words: Vocabulary) -> list[Cell]:
    fact = line.fact
    indicator = f"{line.indicator} {line.titles[-1]}" if line.indicator else None
    consequence = "期初" if fact is None else reading_phrase(fact, words)
    return [
        line.day,
        moment(line.recorded_at),
        indicator,
        consequence,
        None if line.nominal is None else Decimal(line.nominal),
        Decimal(line.indicator_points),
        Decimal(line.effective),
        "、".join(SWALLOWER_LABELS[one] for one in line.swallowed_by),
        Decimal(line.running_total),
        cited(evidence_of(view, fact)) if fact else None,
        fact.note if fact else None,
    ]


def _corrections(sheet: PaperSheet, answer: HistoryAnswer, words: Vocabulary) -> None:
    sheet.headings(_CORRECTIONS)
    for one in answer.amendments:
        before, after = (reading_phrase(reading, words) if reading else None for reading in (one.before, one.after))
        sheet.row([moment(one.recorded_at), "更正", before, after, one.reason, cited(one.evidence), one.actor])
    for gone in answer.voided:
        said = reading_phrase(gone.reading, words)
        sheet.row([moment(gone.recorded_at), "作废", said, None, gone.reason, cited(gone.evidence), gone.actor])


def ledger(view: YearView) -> bytes:
    """Return every entry about observations that the view shows, in the order of recording."""
    words = scheme_words(view.scheme)
    written = Paper("台账")
    sheet = written.sheet("台账", [8, 17, 8, 22, 46, 12, 7, 12, 36, 30, 40, 16, 38])
    sheet.title(f"{view.scheme.jurisdiction.name}{view.state.year}年度台账", f"账本共 {view.position} 条")
    first = sheet.next_row
    sheet.headings(_LEDGER, still=1)
    shown = (entry for observation in view.by_observation for entry in view.entries_of(observation))
    for entry in sorted(shown, key=lambda one: one.position):
        sheet.row(_entry(entry, words))
    sheet.filter_from(first)
    return written.bytes()


def _entry(entry: FactEntry, words: Vocabulary) -> Sequence[Cell]:
    fact: Fact | None = entry.said.fact
    evidence = [Evidence.model_validate(one) for one in entry.evidence]
    return [
        entry.position,
        moment(entry.recorded_at),
        ENTRIES[entry.entry],
        fact.unit if fact else None,
        fact_phrase(fact, words) if fact else None,
        fact.occurred_on if fact else None,
        fact.count if fact else None,
        entry.said.rectified_on,
        entry.note,
        entry.reason,
        cited(evidence),
        entry.actor,
        entry.observation,
    ]
