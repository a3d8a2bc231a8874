"""The rows of a workbook as observations, and every cell that cannot be taken, in Chinese with what was expected.

- A merged cell holds for all of its rows. A row without a cell of its own is no row; neither is the template's row of
  explanations.
- A day is a date cell (its time of day is left out), or a text like 2024-01-31, 2024.1.31, 2024年1月31日 or 20240131.
- A number may be kept as text and in full-width digits. Blanks around and between words do not matter.
- Formulas and error values are refused where something is read from their cell, and nowhere else.
- A row without a kind has the one that its indicator asks for, where that is a single one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from ledger.commands import Observe
from projections.workbooks.columns import EXPLANATION
from projections.workbooks.files import Cells, ReadSheet, address
from projections.workbooks.files import Value as CellValue
from projections.workbooks.observations.fields import (
    COUNT,
    DAY,
    DOCUMENT,
    INDICATOR,
    KIND,
    NOTE,
    TITLE,
    UNIT,
    URL,
    Fields,
    WrongCellError,
    coded,
    one_of,
)
from projections.workbooks.observations.layout import Layout
from projections.workbooks.values import Context, Number, Whole, WrongValueError, folded
from schemes.exact import plain
from schemes.problem import Problem
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    DecimalAttribute,
    IntegerAttribute,
    ItemAttribute,
    UnitAttribute,
    Vocabulary,
)

_DAY: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?"
)
_COMPACT_DAY: Final = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_LIST: Final = re.compile(r"[,，;；\n]")
_LONGEST_LINE: Final = 500
_LONGEST_NOTE: Final = 4_000
_FORMULAS: Final = {
    "workbook-formula": "单元格是公式；请复制后“选择性粘贴—数值”",
    "workbook-error-value": "单元格是错误值；请重新填写",
}
_EXPECTED: Final = {
    "workbook-not-a-number": "不是数；应填如 2.5 的数，不带单位、百分号和千分位",
    "workbook-not-text": "是日期或带小数的数；应填文字，请把单元格设为文本格式后重新填写",
    "workbook-stray-space": "中间有空格或看不见的字符；请删去",
}
Step = Callable[[int, int], None]
"""Told how many rows of how many are done."""


class ReadRow(NamedTuple):
    """An observation and the number of its row."""

    row: int
    observation: Observe


def read_rows(sheet: ReadSheet, layout: Layout, fields: Fields, step: Step) -> tuple[list[ReadRow], list[Problem]]:
    """Return the observations of the sheet, and every problem of the rows that are none."""
    reading = _Reading(sheet, layout, fields)
    numbers = list(reading.rows)
    found: list[ReadRow] = []
    for at, number in enumerate(numbers):
        observation = reading.observation(number)
        if observation is not None:
            found.append(ReadRow(number, observation))
        step(at + 1, len(numbers))
    return found, reading.problems


class _Reading:
    def __init__(self, sheet: ReadSheet, layout: Layout, fields: Fields) -> None:
        self._layout = layout
        self._fields = fields
        self._marks = sheet.marks
        self._cells = _filled_down(sheet)
        self._own: dict[int, bool] = {}
        used = set(layout.columns.values())
        for row, column in sheet.cells.keys() | sheet.marks.keys():
            if column in used and row > layout.heading_row:
                self._own[row] = True
        self.problems: list[Problem] = []
        self._row = 0
        self._wrong = False

    @property
    def rows(self) -> Iterator[int]:
        """The rows that say something of their own, below the headings."""
        first = self._layout.heading_row + 1
        for row in sorted(self._own):
            explained = any(
                str(self._cells.get((first, column), "")).startswith(EXPLANATION)
                for column in self._layout.columns.values()
            )
            if not (row == first and explained):
                yield row

    def observation(self, row: int) -> Observe | None:
        """Return what the row says; None where something of it cannot be taken, which is then a problem."""
        self._row, self._wrong = row, False
        unit = self._read(UNIT, lambda cell: self._fields.unit(_line(cell)))
        kind = self._kind(unit)
        said: dict[str, Any] = {
            "unit": unit,
            "kind": kind,
            "occurred_on": self._read(DAY, _day),
            "count": self._read(COUNT, _count) or 1,
            "attributes": self._attributes(unit, kind) if kind is not None else {},
            "evidence": self._evidence(),
        }
        note = self._read(NOTE, _note)
        for name, value in ((UNIT, unit), (DAY, said["occurred_on"])):
            if value is None and not self._is_wrong(name):
                self._refuse(name, "workbook-empty", f"没有填“{name}”；每行都须填写")
        if self._wrong:
            return None
        try:
            return Observe.model_validate({**said, **({"note": note} if note else {})})
        except ValidationError as error:
            for one in error.errors(include_url=False):
                self._refuse(_FIELD_OF.get(str(one["loc"][0]), UNIT), "workbook-value", "内容过长或含有不能使用的字符")
            return None

    def _kind(self, unit: str | None) -> str | None:
        kind: str | None = self._read(KIND, lambda cell: self._fields.kind(_line(cell)))
        known = self._fields.unit_named(unit) if unit is not None else None
        row = None
        if known is not None:
            row = self._read(INDICATOR, lambda cell: self._fields.row(_line(cell), known.group))
        if row is None or known is None:
            # An indicator may tell the kind as soon as the unit is put right; without one, nothing does.
            told_later = known is None and self._cell(INDICATOR) is not None
            if kind is None and not told_later and not self._is_wrong(KIND, INDICATOR):
                self._refuse(KIND, "workbook-empty", f"没有填“{KIND}”；应为{self._labels(self._fields.kinds)}")
            return kind
        asked = self._fields.asked_by(known.group, row)
        if kind is None and len(asked) == 1 and not self._is_wrong(KIND):
            return asked[0]
        if kind not in asked and not self._is_wrong(KIND):
            found = "没有填事实种类" if kind is None else f"指标“{row.id}”不看“{self._labels([kind])}”"
            self._refuse(KIND, "workbook-kind-of-row", f"{found}；应为{self._labels(asked)}")
        return kind

    def _labels(self, kinds: Any) -> str:
        return one_of(self._fields.vocabulary.kinds[kind].label for kind in kinds)

    def _attributes(self, unit: str | None, kind: str) -> dict[str, Any]:
        attributes = self._fields.attributes_of(kind)
        label = self._fields.vocabulary.kinds[kind].label
        found: dict[str, Any] = {}
        for heading, (name, attribute) in attributes.items():
            value = self._read(heading, _reader(attribute, self._fields))
            if value is not None:
                found[name] = value
            elif attribute.required and not self._is_wrong(heading):
                self._refuse(heading, "workbook-empty", f"“{label}”须填“{heading}”；应为{_expected(attribute)}")
        for heading in self._layout.columns.keys() - attributes.keys():
            if heading in self._fields.attribute_headings and self._cell(heading) is not None:
                self._refuse(heading, "workbook-unknown-attribute", f"“{label}”没有“{heading}”这一项；请清空")
        if kind == "judgement":
            known = self._fields.unit_named(unit) if unit is not None else None
            row = None
            if known is not None and not self._is_wrong(INDICATOR):
                row = self._read(INDICATOR, lambda cell: self._fields.row(_line(cell), known.group))
            if row is not None:
                found["indicator"] = row.id
            elif known is not None and not self._is_wrong(INDICATOR):
                self._refuse(INDICATOR, "workbook-empty", f"“{label}”须填“{INDICATOR}”")
        return found

    def _evidence(self) -> list[dict[str, str]]:
        title, document, url = (self._read(name, _line) for name in (TITLE, DOCUMENT, URL))
        if url is not None and not re.fullmatch(r"https?://\S+", url):
            self._refuse(URL, "workbook-url", f"“{url}”不是网址；应以 http:// 或 https:// 开头，中间没有空格")
        if document is None and url is None and not self._is_wrong(DOCUMENT, URL):
            self._refuse(DOCUMENT, "workbook-no-evidence", f"没有依据；“{DOCUMENT}”“{URL}”至少填一项")
        named = title or document or "网页"
        found = [{"title": named, "document": document}] if document is not None else []
        return [*found, *([{"title": named, "url": url}] if url is not None else [])]

    # --- cells -------------------------------------------------------------------------------------------------

    def _cell(self, name: str) -> CellValue | None:
        """Return the field's cell, in the template's words; None where it is blank."""
        column = self._layout.columns.get(name)
        value = None if column is None else self._cells.get((self._row, column))
        if value is None or (isinstance(value, str) and not _clean(value)):
            value = self._layout.mapping.constants.get(name)
        words = self._layout.mapping.words.get(name)
        if words and value is not None:
            own = {folded(word): meant for word, meant in words.items()}
            return own.get(folded(str(value)), value)
        return value

    def _read(self, name: str, read: Callable[[CellValue], Any]) -> Any:
        place = (self._row, self._layout.columns.get(name, 0))
        if place in self._marks:
            mark = self._marks[place]
            self._refuse(name, mark.code, _FORMULAS[mark.code])
            return None
        cell = self._cell(name)
        if cell is None:
            return None
        try:
            return read(cell)
        except WrongCellError as wrong:
            self._refuse(name, wrong.code, str(wrong))
        except WrongValueError as wrong:
            shown = f"“{str(cell)[:40]}”"
            self._refuse(name, wrong.code, f"{shown}{_EXPECTED.get(wrong.code, '不能使用；请重新填写')}")
        return None

    def _place(self, name: str) -> str:
        column = self._layout.columns.get(name) or self._layout.columns.get(UNIT) or min(self._layout.columns.values())
        return address(self._layout.sheet, self._row, column)

    def _is_wrong(self, *names: str) -> bool:
        """Whether something was said of one of these cells of the row already."""
        places = {self._place(name) for name in names if name in self._layout.columns}
        return any(one.where in places for one in reversed(self.problems[-20:]))

    def _refuse(self, name: str, code: str, message: str) -> None:
        problem = Problem(code, self._place(name), message)
        self._wrong = True
        if problem not in self.problems[-20:]:
            self.problems.append(problem)


_FIELD_OF: Final = {"evidence": TITLE, "note": NOTE, "count": COUNT, "occurred_on": DAY, "kind": KIND}


def _filled_down(sheet: ReadSheet) -> Cells:
    """Return the cells with what is merged in each of its rows."""
    if not sheet.merged:
        return sheet.cells
    cells = dict(sheet.cells)
    for (top, left), (bottom, _) in sheet.merged:
        value = sheet.cells.get((top, left))
        if value is not None:
            cells.update({(row, left): value for row in range(top + 1, bottom + 1)})
    return cells


def _clean(text: str) -> str:
    """Return the text in one form, without what nobody sees and without blanks at the ends of its lines."""
    seen = "".join(one for one in unicodedata.normalize("NFC", text) if one == "\n" or not _unseen(one))
    lines = (" ".join(line.split()) for line in seen.replace("\r", "\n").split("\n"))
    return "\n".join(lines).strip()


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") and not character.isspace()


def _note(cell: CellValue) -> str:
    text = _shown_whole(cell)
    if not isinstance(text, str):
        raise WrongCellError("workbook-not-text", f"“{cell}”{_EXPECTED['workbook-not-text']}")
    text = _clean(text)
    if len(text) > _LONGEST_NOTE:
        raise WrongCellError("workbook-too-long", f"有{len(text)}个字；最多{_LONGEST_NOTE}个字")
    return text


def _line(cell: CellValue) -> str:
    text = " ".join(_note(cell).split())
    if len(text) > _LONGEST_LINE:
        raise WrongCellError("workbook-too-long", f"有{len(text)}个字；最多{_LONGEST_LINE}个字")
    return text


def _shown_whole(cell: CellValue) -> CellValue:
    """Return a whole number as the text that Excel shows, and any other value as it is."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and float(cell).is_integer():
        return str(int(cell))
    return cell


def _day(cell: CellValue) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _line(cell)
    written = unicodedata.normalize("NFKC", text)
    match = _DAY.fullmatch(written) or _COMPACT_DAY.fullmatch(written)
    try:
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        match = None
    raise WrongCellError("workbook-not-a-day", f"“{text}”不是日期；应填如 2024-01-31 的日期")


def _count(cell: CellValue) -> int:
    if re.fullmatch(r"[0-9]{16,}", unicodedata.normalize("NFKC", str(_shown_whole(cell))).strip()):
        raise WrongCellError("workbook-not-a-number", f"次数“{_shown_whole(cell)}”太大；请核对")
    number = _number(cell, Whole())
    if number < 1:
        raise WrongCellError("workbook-not-a-number", f"“{_shown_whole(cell)}”不能作次数；应为1或更大的整数")
    return int(number)


def _number(cell: CellValue, value: Number) -> Any:
    try:
        return value.read(cell, _NO_WORDS)
    except WrongValueError:
        what = "不是整数；应填如 3 的整数" if isinstance(value, Whole) else _EXPECTED["workbook-not-a-number"]
        raise WrongCellError("workbook-not-a-number", f"“{_shown_whole(cell)}”{what}") from None


_NO_WORDS: Final = Context(Vocabulary(kinds={}, items={}))


def _reader(attribute: Attribute, fields: Fields) -> Callable[[CellValue], Any]:
    """Return what reads a cell as the attribute's raw value, within its bounds."""

    def read(cell: CellValue) -> Any:
        value = _raw(attribute, cell, fields)
        if attribute.problem(value, fields.vocabulary) is not None:
            raise WrongCellError("workbook-value", f"“{_shown_whole(cell)}”超出范围；应为{_expected(attribute)}")
        return value

    return read


def _raw(attribute: Attribute, cell: CellValue, fields: Fields) -> str | int | list[str]:
    match attribute:
        case CodeAttribute():
            return coded(_line(cell), attribute.values)
        case CodesAttribute():
            return _codes(_note(cell), attribute.values)
        case ItemAttribute():
            return fields.item(_line(cell))
        case UnitAttribute():
            return fields.unit(_line(cell))
        case IntegerAttribute():
            return int(_number(cell, Whole()))
        case DecimalAttribute():
            return plain(_number(cell, Number()))
        case _:
            return _line(cell)


def _codes(text: str, values: Mapping[str, str]) -> list[str]:
    parts = [part.strip() for part in _LIST.split(text) if part.strip()]
    known = {folded(label) for label in values.values()}
    apart = [one for part in parts for one in ([part] if folded(part) in known else part.split("、"))]
    return list(dict.fromkeys(coded(one.strip(), values) for one in apart))


def _expected(attribute: Attribute) -> str:
    match attribute:
        case CodeAttribute():
            return one_of(attribute.values.values())
        case CodesAttribute():
            return f"{one_of(attribute.values.values())}（几项用逗号隔开）"
        case ItemAttribute():
            return "词汇中的事项"
        case UnitAttribute():
            return "本年度的单位"
        case IntegerAttribute():
            return f"{attribute.at_least}或更大的整数"
        case DecimalAttribute():
            limits = (("不小于", attribute.at_least), ("不大于", attribute.at_most), ("大于", attribute.more_than))
            bounds = [f"{word}{plain(bound)}" for word, bound in limits if bound is not None]
            return f"数（{'，'.join(bounds)}）" if bounds else "数"
        case _:
            return "文字"
