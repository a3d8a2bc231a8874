"""A filled-in workbook checked, previewed and recorded: all of its rows in one append, or none.

1. The workbook is read within bounds; where its columns are is told by their headings and the mapping.
2. Every row is read, and every cell that cannot be taken is a problem with its address, in Chinese.
3. The ledger says of each observation whether it could be recorded; its reasons are problems at the row's cells.
4. What recording would do to the scores is worked out; rows that are recorded already in the same words are named.
5. The key of the append is made of what was read: the same content again, whoever sends it and however the file was
   saved, records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger.application import MOST_OBSERVATIONS, LedgerApplication
from ledger.commands import Attempt, Observe, Receipt
from ledger.rejection import Refusal, Rejection
from projections.scheme_files import vocabulary
from projections.workbooks.columns import GUIDE_SHEET
from projections.workbooks.files import Bounds, address, read_sheets
from projections.workbooks.observations.effects import Effects, effects
from projections.workbooks.observations.fields import COUNT, DAY, INDICATOR, KIND, UNIT, Fields
from projections.workbooks.observations.layout import ColumnMapping, Layout, find_layout
from projections.workbooks.observations.reading import ReadRow, read_rows
from projections.workbooks.observations.template import LISTS_SHEET
from projections.years import YearView
from schemes.problem import InvalidInput, Problem, refuse

BOUNDS: Final = Bounds(
    file=30_000_000,
    unpacked=200_000_000,
    cells=2_500_000,
    last_row=MOST_OBSERVATIONS + 100,
    last_column=100,
    text=4_000,
)
_UNREAD: Final = frozenset({GUIDE_SHEET, LISTS_SHEET})
_FIELDS: Final = {"unit": UNIT, "kind": KIND, "occurred_on": DAY, "count": COUNT, "attributes.indicator": INDICATOR}
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it, and how much there is."""


@dataclass(frozen=True)
class Checked:
    """What a workbook says: either `problems`, or `rows` with what recording them would do.

    `recorded_at` is the ledger position at which the same content was recorded before, if it was: then there are no
    effects.
    """

    year: int
    layout: Layout
    rows: tuple[ReadRow, ...]
    problems: tuple[Problem, ...]
    key: str
    recorded_at: int | None = None
    effects: Effects | None = None

    def place(self, at: int) -> str:
        """Return the address of the first cell of a row, by its place among the rows."""
        return address(self.layout.sheet, self.rows[at].row, self.layout.columns.get(UNIT, 1))


def fields_of(view: YearView) -> Fields:
    """Return the words of the view's year."""
    return Fields(view.state, view.scheme, vocabulary().extended(view.scheme.items))


def check_workbook(
    ledger: LedgerApplication, view: YearView, data: bytes, file: str, mapping: ColumnMapping, progress: Progress
) -> Checked:
    """Return what the workbook says and what recording it would do; nothing is recorded.

    Raises `InvalidInput` where it is no workbook that can be read or its columns cannot be told, and `Rejection` where
    the year takes no observations.
    """
    year = view.state.year
    view.state.refuse_closed()
    progress("读取文件", 0, 0)
    fields = fields_of(view)
    sheets = read_sheets(data, file, _UNREAD, BOUNDS)
    layout = find_layout(sheets, fields, mapping, file)
    if layout.problems:
        return Checked(year, layout, (), layout.problems, "")
    rows, problems = read_rows(sheets[layout.sheet], layout, fields, lambda at, of: progress("核对单元格", at, of))
    if not rows and not problems:
        raise refuse("import-empty", layout.sheet, "没有可登记的内容；请从标题行的下一行填起")
    if len(rows) > MOST_OBSERVATIONS:
        raise refuse("batch-size", layout.sheet, f"有{len(rows)}行；一次最多{MOST_OBSERVATIONS}行，请分成几个文件")
    problems += _inadmissible(ledger, year, rows, layout, lambda at, of: progress("核对方案", at, of))
    key = _key(year, [row.observation for row in rows])
    checked = Checked(year, layout, tuple(rows), tuple(sorted(problems, key=_in_order)), key)
    if problems:
        return checked
    used = ledger.ledger_recorder.find_key(key)
    if used is not None:
        return replace(checked, recorded_at=used.first_position)
    progress("测算得分", 0, 0)
    return replace(checked, effects=effects(view, [row.observation for row in rows]))


def record_workbook(ledger: LedgerApplication, attempt: Attempt, checked: Checked) -> list[Receipt]:
    """Record all rows in one append, under the key made of their content; content recorded before is not again."""
    if checked.problems:
        raise InvalidInput(checked.problems)
    return ledger.observe(replace(attempt, key=checked.key), checked.year, [row.observation for row in checked.rows])


def _key(year: int, observations: Sequence[Observe]) -> str:
    whole = sha256()
    for one in observations:
        data = one.model_dump_json(exclude_none=True).encode()
        whole.update(b"%d:%b" % (len(data), data))
    return f"workbook/{year}/{whole.hexdigest()}"


def _in_order(problem: Problem) -> tuple[int, str]:
    digits = "".join(one for one in problem.where.rpartition("!")[2] if one.isdigit())
    return int(digits or 0), problem.where


def _inadmissible(
    ledger: LedgerApplication, year: int, rows: Sequence[ReadRow], layout: Layout, step: Callable[[int, int], None]
) -> list[Problem]:
    problems: list[Problem] = []
    for at, row in enumerate(rows, start=1):
        try:
            ledger.check_observation(year, row.observation)
        except Rejection as rejection:
            problems += [_at_cell(one, row, layout) for one in rejection.refusals]
        step(at, len(rows))
    return problems


_SAID: Final[Mapping[str, str]] = {
    "date-outside-year": "不在考核期间内",
    "not-a-judged-indicator": "这个指标不由考评组评定",
    "judgement-out-of-range": "评定分超出这个指标的范围",
    "rank-out-of-range": "名次超出参加排名的单位数",
    "unknown-unit": "不是本年度的单位",
    "calendar-unknown-year": "这一年的放假安排还没有公布，答复期限算不出",
}


def _at_cell(refusal: Refusal, row: ReadRow, layout: Layout) -> Problem:
    attributes = vocabulary().kinds[row.observation.kind].attributes
    labels = {f"attributes.{name}": attribute.label for name, attribute in attributes.items()}
    heading = {**labels, **_FIELDS}.get(refusal.where, UNIT)
    column = layout.columns.get(heading) or layout.columns.get(UNIT, 1)
    said = _SAID.get(refusal.code, "不符合本年度方案")
    return Problem(refusal.code, address(layout.sheet, row.row, column), f"{said}（{refusal.message}）")
