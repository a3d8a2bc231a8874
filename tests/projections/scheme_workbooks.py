"""Scheme workbooks for tests: the template filled with the skeleton, some of its cells changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types

from projections.scheme_files import vocabulary
from projections.workbooks.files import Cells, address, read_cells
from projections.workbooks.importing import import_workbook, template
from schemes.problem import InvalidInput
from schemes.reading import read_scheme
from schemes.scheme import Scheme

SKELETON = files("schemes").joinpath("skeletons", "scheme.yaml").read_text("utf-8")
_ADDRESS = re.compile(r"(.+)!([A-Z]+)([0-9]+)")


class Formula(NamedTuple):
    """A formula and the value it was worked out to."""

    text: str
    value: object


def skeleton() -> Scheme:
    return read_scheme(SKELETON, "scheme.yaml", vocabulary())


def filled() -> dict[str, Cells]:
    """The cells of the template, filled with the skeleton."""
    sheets, problems = read_cells(template(vocabulary(), skeleton()), "s.xlsx", frozenset())
    assert problems == []
    return sheets


def changed(changes: Mapping[str, object], merged: str | None = None) -> bytes:
    """The filled template with some cells changed; None empties one, and a new sheet's cells make that sheet."""
    sheets: dict[str, dict[tuple[int, int], Any]] = {name: dict(cells) for name, cells in filled().items()}
    for place, value in changes.items():
        match = _ADDRESS.fullmatch(place)
        assert match
        at = int(match[3]), [address("", 1, n) for n in range(1, 200)].index(f"!{match[2]}1") + 1
        sheets.setdefault(match[1], {}).pop(at, None)
        if value is not None:
            sheets[match[1]][at] = value
    target = BytesIO()
    with Workbook(target, {"in_memory": True}) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, cells in sheets.items():
            worksheet = workbook.add_worksheet(name)
            for (row, column), value in cells.items():
                _write(worksheet, row - 1, column - 1, value, day)
            if merged and merged.startswith(f"{name}!"):
                worksheet.merge_range(merged.partition("!")[2], "合并")
    return target.getvalue()


def _write(worksheet: Any, row: int, column: int, value: object, day: object) -> None:
    match value:
        case Formula():
            worksheet.write_formula(row, column, value.text, value=value.value)
        case datetime() | date():
            worksheet.write_datetime(row, column, value, day)
        case bool():
            worksheet.write_boolean(row, column, value)
        case int() | float():
            worksheet.write_number(row, column, value)
        case _:
            worksheet.write_string(row, column, str(value))


def refused(data: bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        import_workbook(data, "s.xlsx", vocabulary())
    return [(problem.code, problem.where, problem.message) for problem in caught.value.problems]


def imported(changes: Mapping[str, object]) -> Scheme:
    return import_workbook(changed(changes), "s.xlsx", vocabulary()).scheme
