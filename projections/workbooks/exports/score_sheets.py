"""Score sheets in the layout of the document's annex: titles merged, points, score, and why in the remarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from ledger.decisions import Unit
from projections.answer_models import EffectAnswer, RowAnswer, SheetAnswer
from projections.answers import sheet_answer
from projections.sentences import reading_phrase, scheme_words
from projections.workbooks.exports.wording import cited, evidence_of
from projections.workbooks.exports.writing import Cell, Paper, PaperSheet
from projections.years import YearView
from schemes.exact import ZERO, plain
from schemes.subtotals import unbounded_total
from schemes.wording import change_phrase

_LEVELS: Final = ("一级指标", "二级指标", "三级指标", "四级指标")
_MOST_REASONS: Final = 60
_LEFT_OUT: Final = "不涉及"


def score_sheets(view: YearView, units: Sequence[Unit]) -> bytes:
    """Return a workbook with a sheet for each of the units, which are assessed on the view's day."""
    written = Paper("考核评分表")
    for unit in units:
        answer = sheet_answer(view, unit)
        _Annex(view, answer).write(written)
    return written.bytes()


class _Annex:
    def __init__(self, view: YearView, answer: SheetAnswer) -> None:
        self._view = view
        self._answer = answer
        self._words = scheme_words(view.scheme)
        scored = {row.indicator: row for row in answer.rows}
        group = view.scheme.group(answer.group)
        self._rows = [(row, scored.get(row.id)) for row in (group.indicators if group else ())]
        self._levels = max((len(row.titles) for row, _ in self._rows), default=1)

    def write(self, written: Paper) -> None:
        """Write the unit's sheet."""
        answer, scheme = self._answer, self._view.scheme
        titles = [18, *(26 for _ in range(self._levels - 1))]
        sheet = written.sheet(answer.unit, [*titles, 7, 8, 8, 60])
        sheet.title(
            f"{scheme.jurisdiction.name}{answer.year}年度考核评分表",
            f"单位：{answer.unit}　组别：{answer.group_title}　截至 {answer.as_of}　"
            f"依据：{scheme.document.title}{scheme.document.number or ''}",
        )
        sheet.headings([*_LEVELS[: self._levels], "编号", "分值", "得分", "备注"], still=1)
        self._write_rows(sheet)
        for cells in self._sums():
            sheet.row([*cells[:1], *[None] * self._levels, *cells[1:]], bold=True)

    def _write_rows(self, sheet: PaperSheet) -> None:
        begun: list[tuple[tuple[str, ...], int]] = []
        for row, scored in self._rows:
            # A title is merged as long as it and those above it stay the same.
            for level in range(len(begun)):
                if begun[level][0] != row.titles[: level + 1]:
                    self._merge(sheet, begun, level)
                    break
            merged = range(len(begun), min(len(row.titles), self._levels - 1) or 1)
            begun.extend((row.titles[: level + 1], sheet.next_row) for level in merged)
            titles = [*row.titles, *[None] * (self._levels - len(row.titles))]
            remarks = _LEFT_OUT if scored is None else "\n".join(self._remarks(scored))
            value = None if scored is None else Decimal(scored.value)
            sheet.row([*titles, row.id, row.points, value, remarks])
        self._merge(sheet, begun, 0)

    @staticmethod
    def _merge(sheet: PaperSheet, begun: list[tuple[tuple[str, ...], int]], level: int) -> None:
        for at in range(level, len(begun)):
            titles, first = begun[at]
            sheet.merge_down(at, first, titles[-1])
        del begun[level:]

    def _remarks(self, row: RowAnswer) -> Iterator[str]:
        """Yield why the row has its score: who judged, each fact with its points and evidence, what was left out."""
        if row.pending:
            yield "待评定"
        if row.judged_by is not None:
            note = f"，{row.judged_by.note}" if row.judged_by.note else ""
            yield f"评定{row.start}分{note}（{cited(evidence_of(self._view, row.judged_by))}）"
        if row.account is not None:
            yield f"按账号“{row.account}”计"
        for at, effect in enumerate(row.effects):
            if at == _MOST_REASONS:
                yield f"另有{len(row.effects) - at}条，见台账"
                break
            yield self._reason(effect)
        for fact in row.forfeits[:_MOST_REASONS]:
            yield f"{reading_phrase(fact, self._words)}，本项归零（{cited(evidence_of(self._view, fact))}）"
        beyond = _swallowed(row)
        if beyond:
            yield f"以上合计超出本项上下限{plain(beyond)}分，不计"

    def _reason(self, effect: EffectAnswer) -> str:
        points, nominal = Decimal(effect.effective), Decimal(effect.nominal)
        bounded = f"（应{change_phrase(nominal)}，已到上限）" if points != nominal else ""
        if effect.fact is None:
            return f"{change_phrase(points)}{bounded}"
        note = f"：{effect.fact.note}" if effect.fact.note else ""
        basis = cited(evidence_of(self._view, effect.fact))
        said = f"{reading_phrase(effect.fact, self._words)}{note}，{change_phrase(points)}{bounded}"
        return f"{said}（{basis}）" if basis else said

    def _sums(self) -> Iterator[list[Cell]]:
        answer = self._answer
        for part in answer.sections:
            named = f"{part.title}（权重{part.weight}）" if part.title else ""
            base = _differs(part.base_rows, part.base, "按不涉及的项目调整后")
            bonus = "未达到加分门槛，加分不计" if part.gated else _differs(part.bonus_rows, part.bonus, "封顶后")
            yield [f"{named}基础分", None, Decimal(part.base), base]
            yield [f"{named}加分", None, Decimal(part.bonus), bonus]
            yield [f"{named}扣分", None, Decimal(part.penalty), _differs(part.penalty_rows, part.penalty, "封顶后")]
        for veto in answer.vetoes:
            yield [f"否决：{veto.title}", None, None, veto.clause]
        pending = f"有{len(answer.pending)}项待评定，可能在 {answer.lowest} 至 {answer.highest} 之间"
        remarks = [self._bounded_total(), pending if answer.pending else None]
        yield ["总分", self._view.scheme.full, Decimal(answer.total), "；".join(filter(None, remarks)) or None]
        yield ["名次", None, answer.rank, f"等次：{answer.grade}" if answer.grade else None]
        for output in answer.outputs:
            yield [output.titles[-1], None, None if output.value is None else Decimal(output.value), "只报告，不计分"]

    def _bounded_total(self) -> str | None:
        """Return what cap, floor or veto made of the sections' sum; None where they left it as it is."""
        score = self._view.sheets()[self._answer.key].score
        whole, counted = unbounded_total(self._view.scheme, score.sections), Decimal(self._answer.total)
        vetoed = any(one.total is not None for one in self._answer.vetoes)
        return _differs(plain(whole), plain(counted), "否决后" if vetoed else "封顶后" if whole > counted else "保底后")


def _differs(together: str, counted: str, why: str) -> str | None:
    return None if together == counted else f"各项合计{together}，{why}计{counted}"


def _swallowed(row: RowAnswer) -> Decimal:
    """Return how many points of a row's effects its own bounds kept from its value; none of one that is forfeited."""
    if row.forfeits:
        return ZERO
    return abs(sum((Decimal(one.effective) for one in row.effects), Decimal(row.start)) - Decimal(row.value))
