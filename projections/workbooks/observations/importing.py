"""A filled-in workbook checked, previewed and recorded: all of its rows in one append, or none.

1. The workbook is read within bounds; where its columns are is told by their headings and the mapping.
2. Every row is read, and every cell that cannot be taken is a problem with its address, in Chinese.
3. The ledger says of each observation whether it could be recorded; its reasons are problems at the row's cells.
4. What recording would do to the scores is worked out, also for the new rows alone where others are recorded already
   in the same words. It holds for the ledger it was worked out on: `check_again` says whether it still does.
5. The key of the append is made of what was read: the same content again, whoever sends it, however the file was saved
   and in whatever order its rows stand, records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger.application import MOST_OBSERVATIONS, LedgerApplication
from ledger.commands import Attempt, Receipt
from ledger.rejection import Rejection
from projections.sentences import scheme_words
from projections.workbooks.columns import GUIDE_SHEET
from projections.workbooks.files import Bounds, address, read_sheets
from projections.workbooks.observations.cell_refusals import at_cell
from projections.workbooks.observations.effects import Effects, effects
from projections.workbooks.observations.fields import UNIT, Fields
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
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it, and how much there is."""


@dataclass(frozen=True)
class Checked:
    """What a workbook says: either `problems`, or `rows` with what recording them would do.

    `position` is the length of the ledger that this was worked out on. `recorded_at` is the ledger position at which
    the same content was recorded before, if it was: then there are no effects. Where rows stand in the ledger in the
    same words already (`effects.alike`), `new` is the others alone, and None where there are no others.
    """

    year: int
    layout: Layout
    rows: tuple[ReadRow, ...]
    problems: tuple[Problem, ...]
    position: int
    key: str = ""
    recorded_at: int | None = None
    effects: Effects | None = None
    new: Checked | None = None

    @property
    def outlook(self) -> tuple[object, ...]:
        """What was shown of the check: while it stays the same, what was agreed to is what will be done."""
        new = None if self.new is None else self.new.effects
        return self.problems, self.recorded_at, self.effects, new

    @property
    def alike(self) -> tuple[str, ...]:
        """The addresses of the rows that stand in the ledger in the same words."""
        return () if self.effects is None else tuple(self.place(at) for at in self.effects.alike)

    def place(self, at: int) -> str:
        """Return the address of the first cell of a row, by its place among the rows."""
        return address(self.layout.sheet, self.rows[at].row, self.layout.columns.get(UNIT, 1))


def fields_of(view: YearView) -> Fields:
    """Return the words of the view's year."""
    return Fields(view.state, view.scheme, scheme_words(view.scheme))


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
        return Checked(year, layout, (), layout.problems, view.position)
    rows, problems = read_rows(sheets[layout.sheet], layout, fields, lambda at, of: progress("核对单元格", at, of))
    if not rows and not problems:
        raise refuse("import-empty", layout.sheet, "没有可登记的内容；请从标题行的下一行填起")
    if len(rows) > MOST_OBSERVATIONS:
        raise refuse("batch-size", layout.sheet, f"有{len(rows)}行；一次最多{MOST_OBSERVATIONS}行，请分成几个文件")
    checked = Checked(year, layout, tuple(rows), tuple(problems), view.position)
    return _worked_out(ledger, view, checked, fields, progress)


def check_again(ledger: LedgerApplication, view: YearView, checked: Checked, progress: Progress) -> Checked:
    """Return the check as of the view: itself where the ledger has not moved since, else worked out again.

    Raises `Rejection` where the year takes no observations any more.
    """
    if checked.problems or view.position == checked.position:
        return checked
    view.state.refuse_closed()
    bare = Checked(checked.year, checked.layout, checked.rows, (), view.position)
    return _worked_out(ledger, view, bare, fields_of(view), progress)


def _worked_out(
    ledger: LedgerApplication, view: YearView, checked: Checked, fields: Fields, progress: Progress
) -> Checked:
    refused = _inadmissible(ledger, checked, fields, lambda at, of: progress("核对方案", at, of))
    problems = tuple(sorted((*checked.problems, *refused), key=_in_order))
    checked = replace(checked, problems=problems)
    if problems:
        return checked
    content = _digest(checked.rows)
    checked = replace(checked, key=f"workbook/{checked.year}/{content}")
    used = ledger.ledger_recorder.find_key(checked.key)
    if used is not None:
        return replace(checked, recorded_at=used.first_position)
    progress("测算得分", 0, 0)
    checked = replace(checked, effects=_effects(view, checked.rows))
    known = frozenset(checked.effects.alike) if checked.effects else frozenset()
    rows = tuple(row for at, row in enumerate(checked.rows) if at not in known)
    if not known or not rows:
        return checked
    # Of the whole file too: the same few rows may be what is new of another one.
    key = f"{checked.key}/{_digest(rows)}"
    return replace(checked, new=replace(checked, rows=rows, key=key, effects=_effects(view, rows)))


def _effects(view: YearView, rows: Sequence[ReadRow]) -> Effects:
    return effects(view, [row.observation for row in rows])


def record_workbook(ledger: LedgerApplication, attempt: Attempt, checked: Checked) -> list[Receipt]:
    """Record all rows in one append, under the key made of their content; content recorded before is not again."""
    if checked.problems:
        raise InvalidInput(checked.problems)
    return ledger.observe(replace(attempt, key=checked.key), checked.year, [row.observation for row in checked.rows])


def _digest(rows: Iterable[ReadRow]) -> str:
    """Return what tells the content of the rows, in whatever order they stand."""
    each = (sha256(row.observation.model_dump_json(exclude_none=True).encode()).digest() for row in rows)
    return sha256(b"".join(sorted(each))).hexdigest()


def _in_order(problem: Problem) -> tuple[int, str]:
    digits = "".join(one for one in problem.where.rpartition("!")[2] if one.isdigit())
    return int(digits or 0), problem.where


def _inadmissible(
    ledger: LedgerApplication, checked: Checked, fields: Fields, step: Callable[[int, int], None]
) -> list[Problem]:
    problems: list[Problem] = []
    for at, row in enumerate(checked.rows, start=1):
        try:
            ledger.check_observation(checked.year, row.observation)
        except Rejection as rejection:
            problems += [at_cell(one, row, checked.layout, fields) for one in rejection.refusals]
        step(at, len(checked.rows))
    return problems
