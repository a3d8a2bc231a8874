"""From the cells of a workbook to the values of a scheme file, with every error found and the cell of every value.

1. Each sheet is held against its columns: unknown sheets, columns and headings, gaps between rows.
2. Each row is read cell by cell; a row with an error is left out, but its names are known to the other sheets. Where
   names could not be read, nothing is said of what refers to them.
3. Rows are put where they belong in the scheme, which refuses names that stand twice or lead nowhere.

What the scheme format itself refuses is left to `schemes.reading`; `cell_of` says which cell its finding is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

from projections.workbooks.columns import (
    ACCEPTED,
    BANDS,
    CONDITION,
    CONTINUED,
    EXPLANATION,
    FIRST_ROW,
    GROUPS,
    INDICATORS,
    ITEMS,
    LABELS,
    MILESTONE,
    OUTPUTS,
    RULES,
    SCHEME_LINES,
    SCHEME_SHEET,
    SHEETS,
    STAGES,
    UNITS,
    VETOES,
    WAYS,
    Column,
    Parameter,
    SheetOf,
)
from projections.workbooks.files import Cells, address
from projections.workbooks.files import Value as CellValue
from projections.workbooks.values import Context, Kinds, WrongValueError, folded, nearest
from schemes.problem import Problem
from schemes.vocabulary import Vocabulary

Path = tuple[str | int, ...]
_TOKEN = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
_HEADING = ("项目", "内容", "说明")


def _path(dotted: str) -> Path:
    return tuple(int(at) if at else name for at, name in _TOKEN.findall(dotted))


def _parts(name: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in name.split("."))


class RawRow(NamedTuple):
    """The cells of one row by heading, each with its address and what it holds; `lacking` are needed headings."""

    start: str
    cells: Mapping[str, tuple[str, CellValue | None]]
    lacking: frozenset[str]


@dataclass
class Row:
    """A row as read: values and addresses by their place in the scheme; `whole` when none was wrong.

    `columns` are all that were looked at, with their cells, empty ones too.
    """

    start: str
    values: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    columns: dict[str, tuple[str, Column | Parameter]] = field(default_factory=dict)
    whole: bool = True


class Reading:
    """A workbook being read: the scheme's values, the cell of each, and the problems found so far."""

    def __init__(self, sheets: Mapping[str, Cells], vocabulary: Vocabulary) -> None:
        """Read all sheets."""
        self.data: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._sheets = sheets
        self._cells: dict[Path, str] = {}
        self._columns: dict[Path, Column | Parameter] = {}
        self._half_read: set[str] = set()
        self._context = Context(vocabulary)
        self._groups: dict[str, int | None] = {}
        self._rows: dict[tuple[str, str], int | None] = {}
        self._known_sheets()
        own = self._own_items()
        self._context = Context(vocabulary.extended({code: own[code] for code in own if code not in vocabulary.items}))
        self._scheme_lines()
        for sheet in (STAGES, BANDS, VETOES, OUTPUTS):
            self._list(sheet)
        if own:
            self.data["items"] = own
        self._list(ACCEPTED)
        self._read_groups()
        self._read_units()
        self._read_labels()
        self._read_indicators()
        self._read_rules()

    def sheets_with_problems(self) -> frozenset[str]:
        """Return the names of the sheets in which something is wrong."""
        return frozenset(problem.where.partition("!")[0] for problem in self.problems)

    def cell_of(self, dotted: str) -> str:
        """Return the address of the cell that a path of the scheme comes from, or the sheet it would stand in."""
        path = _path(dotted)
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self._cells), None)
        if known is not None:
            return self._cells[known]
        return next((sheet.name for sheet in SHEETS if path[:1] == (sheet.list_field,)), SCHEME_SHEET)

    def column_of(self, dotted: str) -> Column | Parameter | None:
        """Return the column that says what stands at a path of the scheme; None where no single one does."""
        return self._columns.get(_path(dotted))

    def _problem(self, code: str, where: str, message: str) -> None:
        self.problems.append(Problem(f"workbook-{code}", where, message))

    def _known_sheets(self) -> None:
        required = [SCHEME_SHEET, *(sheet.name for sheet in SHEETS if sheet.required)]
        for name in required:
            if not self._sheets.get(name):
                message = f"the sheet {name} is missing or empty; expected it as in the template"
                self._problem("missing-sheet", name, message)
                self._half_read.add(name)
        names = [SCHEME_SHEET, *(sheet.name for sheet in SHEETS)]
        for name, cells in self._sheets.items():
            if name not in names and cells:
                self._problem("unknown-sheet", name, f"found a sheet {name!r}; {nearest(name, names)}")

    def _own_items(self) -> dict[str, str]:
        own: dict[str, str] = {}
        for row in self._read(ITEMS):
            code = row.values.get("code")
            if code in own:
                self._problem("duplicate", row.cells["code"], f"the item {code!r} stands twice, expected once")
            elif row.whole:
                own[row.values["code"]] = row.values["label"]
                self._cells["items", row.values["code"]] = row.cells["code"]
        return own

    def _scheme_lines(self) -> None:
        if not self._sheets.get(SCHEME_SHEET):
            return
        row = Row(SCHEME_SHEET)
        cells = self._sheets.get(SCHEME_SHEET, {})
        lines = {column.heading: column for column in SCHEME_LINES}
        found: dict[str, tuple[str, CellValue | None]] = {}
        for (at, across), cell in sorted(cells.items()):
            place = address(SCHEME_SHEET, at, across)
            if at == 1 or across > len(_HEADING):
                if at > 1 or across > len(_HEADING) or cell != _HEADING[across - 1]:
                    self._problem("unknown-column", place, f"found {cell!r}, expected only {', '.join(_HEADING)}")
            elif across == 1:
                self._line(str(cell), at, place, lines, found, cells)
            elif across == 2 and (at, 1) not in cells:
                self._problem("unknown-line", place, f"found {cell!r} without a name in column A")
        for column in SCHEME_LINES:
            self._take(row, column, found.get(column.heading, (SCHEME_SHEET, None)))
        for name in ("document.number", "document.issued_on"):
            row.values.setdefault(name, None)
        self._put((), row)

    def _line(
        self,
        name: str,
        at: int,
        place: str,
        lines: Mapping[str, Column],
        found: dict[str, tuple[str, CellValue | None]],
        cells: Cells,
    ) -> None:
        heading = next((one for one in lines if folded(one) == folded(name)), None)
        if heading is None:
            self._problem("unknown-line", place, f"found {name!r}; {nearest(name, lines)}")
        elif heading in found:
            self._problem("duplicate", place, f"the line {heading} stands twice, expected once")
        else:
            found[heading] = (address(SCHEME_SHEET, at, 2), cells.get((at, 2)))

    def _list(self, sheet: SheetOf) -> None:
        seen: set[Any] = set()
        for row in self._read(sheet):
            name = row.values.get(sheet.columns[0].field)
            if name is not None and name in seen and sheet is not ACCEPTED:
                self._problem("duplicate", row.start, f"{name!r} stands twice in {sheet.name}, expected once")
                continue
            seen.add(name)
            if sheet is BANDS:
                row.values.setdefault("at_least", None)
            if row.whole and sheet.list_field:
                self._append((sheet.list_field,), row)

    def _read_groups(self) -> None:
        for row in self._read(GROUPS):
            name = row.values.get("id")
            if name is None:
                self._half_read.add(GROUPS.name)
            elif name in self._groups:
                self._problem("duplicate", row.cells["id"], f"the group {name!r} stands twice, expected once")
            else:
                self._groups[name] = self._append(("groups",), row) if row.whole else None
                if row.whole:
                    self.data["groups"][-1] |= {"units": []}

    def _read_units(self) -> None:
        seen: dict[str, str] = {}
        for row in self._read(UNITS):
            unit = row.values.get("unit")
            if unit is None:
                continue
            if unit in seen:
                message = f"the unit {unit} stands already in {seen[unit]}, expected once"
                self._problem("duplicate", row.cells["unit"], message)
                continue
            seen[unit] = row.start
            for at in self._groups_of(row, [row.values["group"]] if "group" in row.values else []):
                if row.whole:
                    units = self.data["groups"][at]["units"]
                    self._cells["groups", at, "units", len(units)] = row.cells["unit"]
                    units.append(unit)

    def _read_labels(self) -> None:
        for row in self._read(LABELS):
            for at in self._groups_of(row, row.values.pop("group", [])):
                if row.whole:
                    self._append(("groups", at, "labels"), row)

    def _read_indicators(self) -> None:
        for row in self._read(INDICATORS):
            groups, name = row.values.pop("group", []), row.values.get("id")
            if not groups or name is None:
                self._half_read.add(INDICATORS.name)
            for at, group in self._groups_and_names(row, groups):
                if (group, name) in self._rows:
                    message = f"the row {name!r} stands twice in group {group}, expected once"
                    self._problem("duplicate", row.cells["id"], message)
                elif name is not None:
                    self._rows[group, name] = self._append(("groups", at, "indicators"), row) if row.whole else None
            for group in groups:
                self._rows.setdefault((group, str(name)), None)

    def _read_rules(self) -> None:
        # The conditions of the milestone above; None where the line above has an error of its own.
        milestone: list[Path] | None = []
        about: tuple[Any, ...] = ()
        for raw in self._raw_rows(RULES):
            row = Row(raw.start)
            self._take_all(row, RULES.columns[:3], raw)
            way, groups, name = (row.values.pop(one, None) for one in ("way", "group", "id"))
            if way is None:
                milestone = None
                continue
            self._parameters(row, raw, way)
            if way == CONTINUED:
                if milestone is not None and groups is not None and name is not None:
                    self._continue(row, milestone if about == (groups, name) else [])
                continue
            paths = [(*place, "rules") for place in self._indicators_of(row, groups or [], name)]
            added = [(*path, self._append(path, row)) for path in paths] if row.whole else []
            if way == MILESTONE:
                milestone, about = added or None, (groups, name)
            else:
                milestone = [] if row.whole else None

    def _continue(self, row: Row, milestone: Sequence[Path]) -> None:
        if not milestone:
            message = f"found {CONTINUED}, expected it right below {MILESTONE} of the same row"
            self._problem("condition-alone", row.cells["way"], message)
        for path in milestone if row.whole else ():
            self._append((*path, "conditions"), row)

    def _parameters(self, row: Row, raw: RawRow, name: str) -> None:
        way = CONDITION if name == CONTINUED else WAYS[name]
        row.values |= way.fixed
        headings = {parameter.heading for parameter in way.parameters} | {one.heading for one in RULES.columns[:3]}
        self._take_all(row, way.parameters, raw)
        for heading, (place, found) in raw.cells.items():
            if heading not in headings and found is not None:
                used = ", ".join(parameter.heading for parameter in way.parameters) or "no other column"
                self._problem("column-not-used", place, f"{name} does not use the column {heading}; it uses {used}")
                row.whole = False

    def _indicators_of(self, row: Row, groups: Sequence[str], name: str | None) -> Iterator[Path]:
        for at, group in self._groups_and_names(row, groups):
            if name is None:
                continue
            if (group, name) not in self._rows:
                if INDICATORS.name not in self._half_read:
                    message = f"found {name!r}, expected a row of group {group} in the sheet {INDICATORS.name}"
                    self._problem("unknown-row", row.cells["id"], message)
                continue
            place = self._rows[group, name]
            if place is not None:
                yield ("groups", at, "indicators", place)

    def _groups_of(self, row: Row, names: Iterable[str]) -> Iterator[int]:
        return (at for at, _ in self._groups_and_names(row, names))

    def _groups_and_names(self, row: Row, names: Iterable[str]) -> Iterator[tuple[int, str]]:
        for name in names:
            if name not in self._groups:
                if GROUPS.name not in self._half_read:
                    message = f"found {name!r}, expected a 组编号 of the sheet {GROUPS.name}"
                    self._problem("unknown-group", row.cells["group"], f"{message}; {nearest(name, self._groups)}")
                continue
            at = self._groups[name]
            if at is not None:
                yield at, name

    def _read(self, sheet: SheetOf) -> Iterator[Row]:
        for raw in self._raw_rows(sheet):
            row = Row(raw.start)
            self._take_all(row, sheet.columns, raw)
            yield row

    def _take_all(self, row: Row, columns: Iterable[Column | Parameter], raw: RawRow) -> None:
        context = self._context
        for column in columns:
            if column.heading in raw.lacking:
                row.whole = False
                continue  # that the column is missing is told once
            if column.field.endswith("where") and not context.kinds and not row.whole:
                continue  # without its kinds a condition cannot be judged, and their error is told already
            self._take(row, column, raw.cells.get(column.heading, (raw.start, None)), context)
            if isinstance(column.value, Kinds) and column.field in row.values:
                context = replace(context, kinds=tuple(row.values[column.field]))

    def _take(
        self, row: Row, column: Column | Parameter, cell: tuple[str, CellValue | None], context: Context | None = None
    ) -> None:
        place, found = cell
        row.columns[column.field] = place, column
        if found is None:
            if column.required:
                row.whole = False
                message = f"{column.heading} is empty, expected {column.value.expected}"
                self._problem("missing", place, message)
            return
        try:
            row.values[column.field] = column.value.read(found, context or self._context)
            row.cells[column.field] = place
        except WrongValueError as wrong:
            row.whole = False
            self.problems.append(Problem(wrong.code, place, str(wrong)))

    def _raw_rows(self, sheet: SheetOf) -> Iterator[RawRow]:
        cells = self._sheets.get(sheet.name)
        if not cells:
            return
        headings = self._headings(sheet, cells)
        if not headings:
            self._half_read.add(sheet.name)
            return
        needed = {column.heading for column in sheet.columns if column.required}
        lacking = frozenset(needed.difference(headings.values()))
        if lacking.intersection(column.heading for column in sheet.columns[:2]):
            self._half_read.add(sheet.name)
        start = cells.get((2, 1))
        if not (isinstance(start, str) and start.strip().startswith(EXPLANATION)):
            message = f"found {start!r}, expected the explanations of the template, beginning with {EXPLANATION}"
            self._problem("explanations", address(sheet.name, 2, 1), f"{message} Put that row back")
        filled = sorted({at for at, _ in cells if at >= FIRST_ROW})
        if sheet.required and not filled:
            self._problem("empty-sheet", address(sheet.name, FIRST_ROW, 1), "found no row, expected one or more")
        previous = FIRST_ROW - 1
        for at in filled:
            if at > previous + 1:
                message = f"found a filled row below an empty one (row {previous + 1}); delete the empty rows"
                self._problem("row-after-gap", address(sheet.name, at, 1), message)
            previous = at
            row = {
                name: (address(sheet.name, at, across), cells.get((at, across))) for across, name in headings.items()
            }
            yield RawRow(address(sheet.name, at, 1), row, lacking)

    def _headings(self, sheet: SheetOf, cells: Cells) -> dict[int, str]:
        """The known headings by column; anything filled under another heading or none is a problem."""
        known = {column.heading: column for column in sheet.columns}
        found: dict[int, str] = {}
        first_row = {folded(text) for (at, _), text in cells.items() if at == 1 and isinstance(text, str)}
        if not first_row & {folded(heading) for heading in known}:
            message = f"found none of the headings in row 1, expected {', '.join(known)}"
            self._problem("headings", address(sheet.name, 1, 1), f"{message}; put that row back")
            return found
        for across in sorted({across for _, across in cells}):
            text = cells.get((1, across))
            heading = next((one for one in known if isinstance(text, str) and folded(one) == folded(text)), None)
            place = address(sheet.name, 1, across)
            if text is None:
                first = min(at for at, column in cells if column == across)
                message = f"found {cells[first, across]!r} in a column without heading; delete it"
                self._problem("unknown-column", address(sheet.name, first, across), message)
            elif heading is None:
                self._problem("unknown-column", place, f"found {text!r}; {nearest(str(text), known)}")
            elif heading in found.values():
                self._problem("duplicate", place, f"the column {heading} stands twice, expected once")
            else:
                found[across] = heading
        for column in sheet.columns:
            if column.required and column.heading not in found.values():
                self._problem("missing-column", address(sheet.name, 1, 1), f"the column {column.heading} is missing")
        return found

    def _append(self, path: Path, row: Row) -> int:
        """Put the row at the end of the list at the path, and return its place there."""
        target: Any = self.data
        for part in path[:-1]:
            target = target[part]
        listed = target.setdefault(path[-1], [])
        listed.append({})
        self._put((*path, len(listed) - 1), row)
        return len(listed) - 1

    def _put(self, path: Path, row: Row) -> None:
        if path:
            self._cells[path] = row.start
        for name, value in row.values.items():
            place = (*path, *_parts(name))
            self._set(place, value)
            if name in row.cells:
                for end in range(len(path) + 1, len(place) + 1):
                    self._cells.setdefault(place[:end], row.cells[name])
        for name, (cell, column) in row.columns.items():
            self._cells.setdefault((*path, *_parts(name)), cell)
            self._columns[*path, *_parts(name)] = column

    def _set(self, place: Path, value: Any) -> None:
        """Set a value deep inside; a list grows by what is put at its end, and a level left out is no level."""
        target: Any = self.data
        for part, following in pairwise(place):
            empty: Any = [] if isinstance(following, int) else {}
            if isinstance(target, list):
                if isinstance(part, int) and part >= len(target):
                    target.append(empty)
                target = target[-1] if isinstance(part, int) and part >= len(target) else target[part]  # type: ignore[index]
            else:
                target = target.setdefault(part, empty)
        if isinstance(target, list):
            target.append(value)
        else:
            target[place[-1]] = value
