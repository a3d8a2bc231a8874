"""Where a workbook says what: which sheet, which row of headings, which column is which field.

The template's own headings are known, and so are the usual ones of offices. What is not guessed, or guessed wrongly, a
mapping says: a small file (JSON or YAML), or what was chosen on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from projections.workbooks.files import Cells, ReadSheet, address
from projections.workbooks.observations.fields import DAY, INDICATOR, KIND, UNIT, Fields, one_of
from projections.workbooks.values import folded
from schemes.problem import InvalidInput, Problem, refuse
from schemes.reading import dotted

DATA_SHEET: Final = "登记"
_LAST_HEADING_ROW: Final = 20
_NOT_PART: Final = "*＊"


class SheetUntoldError(InvalidInput):
    """Raised where it cannot be told which of the `sheets` holds the rows; naming one of them puts it right."""

    def __init__(self, problem: Problem, sheets: Iterable[str]) -> None:
        super().__init__((problem,))
        self.sheets = tuple(sheets)


class ColumnMapping(BaseModel):
    """What a user says of a workbook: its sheet, the field of each heading, what holds for every row, own words.

    A field is named by its heading in the template. A heading whose field is empty is left aside; `words` gives, by
    field, the template's word for each of the office's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sheet: str | None = None
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}


NO_MAPPING: Final = ColumnMapping()


@dataclass(frozen=True)
class Layout:
    """A sheet, the row of its headings, the column of each field, its headings by column, and what is wrong."""

    sheet: str
    heading_row: int
    columns: Mapping[str, int]
    headings: Mapping[int, str]
    mapping: ColumnMapping = NO_MAPPING
    problems: tuple[Problem, ...] = ()

    @property
    def unused(self) -> tuple[str, ...]:
        """The headings of columns that nothing is read from."""
        used = set(self.columns.values())
        return tuple(heading for column, heading in self.headings.items() if column not in used)

    def field_of(self, column: int) -> str:
        """Return the field of a column; empty where nothing is read from it."""
        return next((name for name, at in self.columns.items() if at == column), "")


def read_mapping(data: bytes, file: str) -> ColumnMapping:
    """Return the mapping in a JSON or YAML file; raises `InvalidInput` with everything that is wrong in it."""
    try:
        value = yaml.safe_load(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise refuse("mapping-not-readable", file, f"expected JSON or YAML in UTF-8: {error}") from None
    try:
        return ColumnMapping.model_validate(value)
    except ValidationError as error:
        found = [
            Problem(
                "mapping-invalid",
                f"{file} {dotted(one['loc'])}",
                f"{one['msg']}; expected texts under sheet, columns, constants and words",
            )
            for one in error.errors(include_url=False)
        ]
        raise InvalidInput(tuple(found)) from None


def find_layout(sheets: Mapping[str, ReadSheet], fields: Fields, mapping: ColumnMapping, file: str) -> Layout:
    """Return the layout of the workbook, with `problems` where a field's column cannot be told.

    Raises `InvalidInput` (in Chinese) where the sheet or its headings cannot be told, and for unknown fields.
    """
    _refuse_unknown_fields(fields, mapping)
    wanted = mapping.sheet or (DATA_SHEET if DATA_SHEET in sheets else None)
    if wanted is not None and wanted not in sheets:
        raise _untold("workbook-sheet", file, f"没有名为“{wanted}”的工作表；应为{one_of(sheets)}", sheets)
    candidates = [wanted] if wanted is not None else list(sheets)
    layouts = [_layout(name, sheets[name].cells, fields, mapping) for name in candidates]
    found = [layout for layout in layouts if layout is not None and {UNIT, DAY} & layout.columns.keys()]
    if len(found) > 1:
        names = "、".join(one.sheet for one in found)
        message = f"“{names}”几张工作表都像登记表；请指明是哪一张，或把要导入的改名为“{DATA_SHEET}”"
        raise _untold("workbook-sheet", file, message, [one.sheet for one in found])
    found = found or [layout for layout in layouts if layout is not None]
    if not found:
        expected = f"应有“{UNIT}”“{DAY}”等列，在前{_LAST_HEADING_ROW}行之内"
        raise _untold("workbook-headings", file, f"没有找到列标题行；{expected}", sheets)
    return _complete(found[0])


def _untold(code: str, file: str, message: str, sheets: Iterable[str]) -> SheetUntoldError:
    return SheetUntoldError(Problem(code, file, message), sheets)


def _refuse_unknown_fields(fields: Fields, mapping: ColumnMapping) -> None:
    expected = tuple(dict.fromkeys(fields.known.values()))
    said = [("columns", name) for name in mapping.columns.values() if name]
    said += [("constants", name) for name in mapping.constants] + [("words", name) for name in mapping.words]
    problems = [
        Problem("mapping-field", where, f"“{name}”不是模板中的列；应为{one_of(expected)}")
        for where, name in said
        if name not in expected
    ]
    if problems:
        raise InvalidInput(tuple(problems))


def _layout(sheet: str, cells: Cells, fields: Fields, mapping: ColumnMapping) -> Layout | None:
    """Return the layout by the row that has most headings known, then most texts; None without a row of texts."""
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), value in sorted(cells.items()):
        if row <= _LAST_HEADING_ROW and isinstance(value, str):
            by_row.setdefault(row, {})[column] = " ".join(value.split())
    layouts = [
        Layout(sheet, row, *_columns(address(sheet, row, 1), headings, fields, mapping))
        for row, headings in by_row.items()
        if len(headings) > 1
    ]
    return max(layouts, key=lambda one: (len(one.columns), len(one.headings), -one.heading_row), default=None)


def _columns(
    place: str, headings: Mapping[int, str], fields: Fields, mapping: ColumnMapping
) -> tuple[dict[str, int], Mapping[int, str], ColumnMapping, tuple[Problem, ...]]:
    """Return the column of each field: what the mapping says first, then the template's own headings, then others."""
    said = {folded(heading): name for heading, name in mapping.columns.items()}
    left = dict(headings)
    found: dict[str, int] = {}
    problems: dict[str, Problem] = {}
    for known in (said, {folded(one): one for one in fields.headings}, fields.known):
        named = {at: known[word] for at, text in left.items() for word in (folded(text), _bare(text)) if word in known}
        for column, name in named.items():
            del left[column]
            if name and name not in found:
                found[name] = column
            elif name and named.get(found[name]) == name:
                message = f"“{name}”有两列；请指明哪一列是它，另一列不用"
                problems[name] = Problem("workbook-heading-twice", place, message)
    return found, headings, mapping, tuple(problems.values())


def _bare(heading: str) -> str:
    return folded(heading).strip(_NOT_PART).removesuffix("(必填)")


def _complete(layout: Layout) -> Layout:
    """Return the layout with a problem for each field that must be there and is not."""
    said = layout.columns.keys() | layout.mapping.constants.keys()
    missing = [one for one in (UNIT, DAY) if one not in said]
    if KIND not in said and INDICATOR not in said:
        missing.append(KIND)
    place = address(layout.sheet, layout.heading_row, 1)
    found = [Problem("workbook-headings", place, f"没有找到“{one}”列；请指明哪一列是它") for one in missing]
    return replace(layout, problems=(*layout.problems, *found))
