"""A scheme as a workbook that an office worker fills in, and back: the scheme file, or every error with its cell.

The law: a scheme written into the template is read back as the same scheme. Two things are beyond a workbook and are
refused when one is written: nested predicates (`any`, `all`, `not` of several tests), and more than four titles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import yaml

from projections.workbooks.columns import (
    BANDS,
    GROUPS,
    GUIDE_SHEET,
    ITEMS,
    SCHEME_SHEET,
    STAGES,
    UNITS,
    VOCABULARY_SHEET,
)
from projections.workbooks.files import read_cells
from projections.workbooks.messages import in_words_of_the_workbook
from projections.workbooks.reading import Reading
from projections.workbooks.template import written_workbook
from schemes.exact import plain
from schemes.problem import InvalidInput, Problem
from schemes.reading import read_scheme
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

_FILE: Final = "scheme"
_UNREAD: Final = frozenset({GUIDE_SHEET, VOCABULARY_SHEET})
# What the format says only because a row with an error of its own was left out.
_FOLLOWS: Final = {
    "scheme-unknown-unit": UNITS.name,
    "scheme-stage": STAGES.name,
    "scheme-bands": BANDS.name,
    "scheme-quotas": BANDS.name,
    "scheme-unknown-item": ITEMS.name,
    "scheme-year-outside-period": SCHEME_SHEET,
    "scheme-window-outside-period": SCHEME_SHEET,
}
_STAND_INS: Final[Mapping[str, Any]] = {
    "id": "x",
    "version": "x",
    "document": {"title": "x", "issuer": "x", "number": None, "issued_on": None},
    "jurisdiction": {"code": "000000", "name": "x"},
    "year": 2000,
    "period": {"first": date(2000, 1, 1), "last": date(2000, 12, 31)},
    "full": 100,
    "not_applicable": "drop",
}
_BLOCKS: Final = frozenset({"document", "items"})
_LISTS_OF_BLOCKS: Final = frozenset({"groups", "indicators", "vetoes"})


class Imported(NamedTuple):
    """A scheme read from a workbook, and the text of its scheme file."""

    text: str
    scheme: Scheme


def import_workbook(data: bytes, file: str, vocabulary: Vocabulary) -> Imported:
    """Return the scheme of a filled-in workbook; raises `InvalidInput` with every error and its cell."""
    sheets, problems = read_cells(data, file, _UNREAD)
    reading = Reading(sheets, vocabulary)
    problems += reading.problems
    values = _with_stand_ins(reading.data) if reading.problems else reading.data
    text = scheme_file(values)
    try:
        scheme = read_scheme(text, _FILE, vocabulary)
    except InvalidInput as invalid:
        raise InvalidInput((*problems, *_by_cell(invalid, reading))) from None
    if problems:
        raise InvalidInput(tuple(problems))
    return Imported(text, scheme)


def template(vocabulary: Vocabulary, scheme: Scheme | None = None) -> bytes:
    """Return the workbook to fill in: blank, or holding a scheme.

    Raises `InvalidInput` where a cell cannot say what the scheme says.
    """
    data = written_workbook(vocabulary, scheme)
    if scheme is not None and import_workbook(data, _FILE, vocabulary).scheme != scheme:
        message = "the scheme states something that no column of the workbook holds; edit its file instead"
        raise InvalidInput((Problem("workbook-beyond", scheme.id, message),))
    return data


def _with_stand_ins(data: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what is missing at the top, so that the rest can still be judged."""
    filled = {**_STAND_INS, **data}
    for name, value in _STAND_INS.items():
        if isinstance(value, Mapping):
            filled[name] = {**value, **data.get(name, {})}
    days = data.get("period", {}).values()
    if len(days) == 1:
        filled["period"] = dict.fromkeys(("first", "last"), *days)
    return filled


def _by_cell(invalid: InvalidInput, reading: Reading) -> list[Problem]:
    wrong = reading.sheets_with_problems()
    found = []
    for problem in invalid.problems:
        path = problem.where.partition(" ")[2]
        emptied = problem.code == "scheme-too-short" or path.endswith(("groups", ".units", ".indicators"))
        follows = bool(wrong) and emptied
        if not follows and _FOLLOWS.get(problem.code) not in wrong:
            told = in_words_of_the_workbook(problem, path, reading) if path else replace(problem, where=GROUPS.name)
            found.append(told)
    # A line of several groups is told once.
    return list(dict.fromkeys(found))


class _Inline(dict[str, Any]):
    """A mapping written on one line."""


class _InlineList(list[Any]):
    """A list written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes decimals as plain numbers, rules on a line each, and no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = plain(value)
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(
    _Inline, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)
_Dumper.add_representer(
    _InlineList, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)
)


def scheme_file(values: Mapping[str, Any]) -> str:
    """Return the scheme file of a scheme's values: headings and rows in blocks, each rule on a line of its own."""
    return yaml.dump(
        {name: _laid_out(value, name in _BLOCKS, name) for name, value in values.items()},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=110,
    )


def _laid_out(value: Any, block: bool, name: str) -> Any:
    if isinstance(value, Mapping):
        if not block:
            return _inline(value)
        return {key: _laid_out(one, key in _BLOCKS, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        if any(isinstance(one, Mapping) for one in value):
            return [_laid_out(one, name in _LISTS_OF_BLOCKS, name) for one in value]
        return _inline(value)
    return value


def _inline(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _Inline({key: _inline(one) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return _InlineList(_inline(one) for one in value)
    return value
