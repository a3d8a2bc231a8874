"""A workbook to be read by people: headings that stay in sight, rows as high as their texts, and never a formula.

Every text is written as a text, whatever it begins with, into a cell whose format is text too: it does not become a
formula when somebody edits it. A text longer than a cell may be is cut, and says so. The bytes depend on nothing but
what is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

_CREATED: Final = datetime(2024, 1, 1)  # noqa: DTZ001  # a fixed property of the file, no moment in time
_FONT: Final = "宋体"
_LONGEST: Final = 32_000
_CUT: Final = "……（过长，以下从略，见系统）"
_LINE_HEIGHT: Final = 15
_HIGHEST: Final = 400
_NOT_IN_NAMES: Final = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_LONGEST_NAME: Final = 31

Cell = str | int | Decimal | date | None


class Paper:
    """A workbook being written; `bytes` closes it."""

    def __init__(self, title: str) -> None:
        self._target = BytesIO()
        self._workbook = Workbook(self._target, {"in_memory": True})
        self._workbook.set_properties({"title": title, "created": _CREATED})
        plain = {"font_name": _FONT, "font_size": 10, "border": 1, "valign": "vcenter", "text_wrap": True}
        text = {**plain, "num_format": "@"}
        self._formats = {
            "title": self._workbook.add_format(
                {"font_name": _FONT, "font_size": 16, "bold": True, "align": "center", "valign": "vcenter"}
            ),
            "line": self._workbook.add_format({"font_name": _FONT, "font_size": 10, "text_wrap": True}),
            "heading": self._workbook.add_format({**text, "bold": True, "align": "center", "bg_color": "#D9E2F3"}),
            "text": self._workbook.add_format(text),
            "bold": self._workbook.add_format({**text, "bold": True}),
            "number": self._workbook.add_format({**plain, "align": "right"}),
            "bold number": self._workbook.add_format({**plain, "align": "right", "bold": True}),
            "day": self._workbook.add_format({**plain, "num_format": "yyyy-mm-dd", "align": "center"}),
        }
        self._names: set[str] = set()

    def sheet(self, name: str, widths: Sequence[int]) -> PaperSheet:
        """Return a new sheet, named so as far as Excel takes the name, with columns of these widths."""
        plain = " ".join(name.translate(_NOT_IN_NAMES).split()).strip("'") or "表"
        number, unique = 1, plain[:_LONGEST_NAME]
        while unique.casefold() in self._names:
            number += 1
            unique = f"{plain[: _LONGEST_NAME - 4]}({number})"
        self._names.add(unique.casefold())
        return PaperSheet(self._workbook.add_worksheet(unique), self._formats, widths)

    def bytes(self) -> bytes:
        """Return the finished workbook."""
        self._workbook.close()
        return self._target.getvalue()


class PaperSheet:
    """A sheet, written row by row from its top."""

    def __init__(self, worksheet: Worksheet, formats: dict[str, Any], widths: Sequence[int]) -> None:
        self._worksheet = worksheet
        self._formats = formats
        self._widths = widths
        self._row = 0
        for across, width in enumerate(widths):
            worksheet.set_column(across, across, width)
        worksheet.set_landscape()
        worksheet.set_paper(9)
        worksheet.fit_to_pages(1, 0)

    @property
    def next_row(self) -> int:
        """The row that is written next, from 0."""
        return self._row

    def title(self, text: str, *lines: str) -> None:
        """Write a title over all columns, and lines below it."""
        for at, one in enumerate((text, *lines)):
            style = "title" if at == 0 else "line"
            last = len(self._widths) - 1
            if last:
                self._worksheet.merge_range(self._row, 0, self._row, last, "", self._formats[style])
            self._put(0, one, style)
            height = 30 if at == 0 else _LINE_HEIGHT * _lines(one, sum(self._widths))
            self._worksheet.set_row(self._row, min(_HIGHEST, height))
            self._row += 1

    def headings(self, names: Sequence[str], still: int = 0) -> None:
        """Write the headings, which stay in sight together with so many columns at the left."""
        for across, name in enumerate(names):
            self._put(across, name, "heading")
        self._worksheet.set_row(self._row, 24)
        self._worksheet.repeat_rows(self._row)
        self._row += 1
        self._worksheet.freeze_panes(self._row, still)

    def row(self, cells: Sequence[Cell], bold: bool = False) -> None:
        """Write a row, as high as its longest text needs."""
        for across, cell in enumerate(cells):
            self._put(across, cell, _style(cell, bold))
        lines = max(
            (_lines(one, width) for one, width in zip(cells, self._widths, strict=False) if isinstance(one, str)),
            default=1,
        )
        self._worksheet.set_row(self._row, min(_HIGHEST, _LINE_HEIGHT * lines + 3))
        self._row += 1

    def merge_down(self, column: int, first: int, text: str) -> None:
        """Merge the column's cells from the row `first` to the last one written; they show the text."""
        if self._row - first > 1:
            self._worksheet.merge_range(first, column, self._row - 1, column, "", self._formats["text"])
            self._put(column, text, "text", row=first)

    def filter_from(self, row: int) -> None:
        """Let the reader filter the rows below the headings in that row."""
        self._worksheet.autofilter(row, 0, max(row, self._row - 1), len(self._widths) - 1)

    def _put(self, column: int, cell: Cell, style: str, row: int | None = None) -> None:
        at, form = self._row if row is None else row, self._formats[style]
        if cell is None or cell == "":
            self._worksheet.write_blank(at, column, None, form)
        elif isinstance(cell, str):
            text = cell if len(cell) <= _LONGEST else cell[: _LONGEST - len(_CUT)] + _CUT
            self._worksheet.write_string(at, column, text, form)
        elif isinstance(cell, date):
            self._worksheet.write_datetime(at, column, cell, form)
        else:
            self._worksheet.write_number(at, column, float(cell), form)


def _style(cell: Cell, bold: bool) -> str:
    if isinstance(cell, date):
        return "day"
    name = "number" if isinstance(cell, int | Decimal) else "text"
    return name if not bold else "bold" if name == "text" else "bold number"


def _lines(text: str, width: int) -> int:
    """Return how many lines the text takes in a column of that width: merged and wrapped rows do not grow alone."""
    return sum(-(-max(1, _width(line)) // max(1, width - 1)) for line in text.split("\n"))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in text)
