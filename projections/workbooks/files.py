"""The cells of a workbook from outside: bounded, free of formulas, each with its address.

1. The file's type is told by its content: anything but an .xlsx without password and macros is refused.
2. The parts of the workbook itself are unpacked within bounds and packed again from what was read, so that nothing
   behind a false size is ever inflated; their XML may declare no document type. What programs add beside them (queries,
   properties) is not looked at.
3. Each sheet's XML says where cells are, and which hold a formula or an error; far-off cells and too many are refused.
4. Only then `python_calamine` reads the values: text, numbers, dates, as Excel keeps them.

What a value means is left to `projections.workbooks.values`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Final, NamedTuple, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, fromstring
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineSheet, load_workbook

from schemes.problem import Problem, refuse

LARGEST_FILE: Final = 5_000_000
LARGEST_UNPACKED: Final = 40_000_000
MOST_PARTS: Final = 500
LONGEST_TEXT: Final = 2_000
_PORTION: Final = 1 << 16


class Bounds(NamedTuple):
    """How large a workbook may be: bytes, bytes unpacked, cells and last row and column of a sheet, longest text."""

    file: int
    unpacked: int
    cells: int
    last_row: int
    last_column: int
    text: int


SCHEME_BOUNDS: Final = Bounds(LARGEST_FILE, LARGEST_UNPACKED, 40_000, 5_000, 60, LONGEST_TEXT)

Value = str | int | float | bool | date | datetime | time | timedelta
Cells = dict[tuple[int, int], Value]
Range = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of merged ones, rows and columns counted from 1."""


class ReadSheet(NamedTuple):
    """A sheet: its filled cells, the formulas and errors among them by place, and the merged cells."""

    cells: Cells
    marks: dict[tuple[int, int], Problem]
    merged: tuple[Range, ...]


_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OWN = ("xl/", "_rels/", "[Content_Types]")
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_SAVE = "save it in Excel or WPS as .xlsx"


def address(sheet: str, row: int, column: int) -> str:
    """Return the address of a cell, row and column counted from 1: `规则!D7`."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{sheet}!{letters}{row}"


def read_cells(data: bytes, file: str, unread: frozenset[str]) -> tuple[dict[str, Cells], list[Problem]]:
    """Return the filled cells of each sheet that is not in `unread`, and the formulas, errors and merged cells.

    Raises `InvalidInput` when the file is no workbook that can be read, or larger than a scheme can need.
    """
    sheets = read_sheets(data, file, unread, SCHEME_BOUNDS)
    problems = []
    for name, sheet in sheets.items():
        problems += [*sheet.marks.values(), *(_merged_problem(name, merged) for merged in sheet.merged)]
    return {name: sheet.cells for name, sheet in sheets.items()}, problems


def read_sheets(data: bytes, file: str, unread: frozenset[str], bounds: Bounds) -> dict[str, ReadSheet]:
    """Return each sheet that is not in `unread`.

    Raises `InvalidInput` when the file is no workbook that can be read, or larger than the bounds.
    """
    parts = _unpacked(data, file, bounds)
    try:
        marks = {
            name: dict(_marks(parts[part], name, file, bounds)) for name, part in _sheets(parts) if name not in unread
        }
        _refuse_long_texts(parts, file, bounds)
        with load_workbook(BytesIO(_packed(parts))) as workbook:
            sheets = {name: workbook.get_sheet_by_name(name) for name in marks}
            return {name: ReadSheet(_filled(one), marks[name], tuple(_merged(one))) for name, one in sheets.items()}
    except (ParseError, CalamineError, KeyError) as error:
        raise refuse("workbook-damaged", file, f"cannot be read as a workbook ({error}); {_SAVE} again") from None


def _unpacked(data: bytes, file: str, bounds: Bounds) -> dict[str, bytes]:
    if len(data) > bounds.file:
        raise refuse("workbook-too-large", file, f"found {len(data)} bytes, expected at most {bounds.file}")
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise refuse("workbook-encrypted", file, "the workbook has a password; remove it and save it again")
        raise refuse("workbook-type", file, f"found an old workbook (.xls), expected .xlsx; {_SAVE}")
    try:
        with ZipFile(BytesIO(data)) as packed:
            parts = _bounded_parts(packed, file, bounds)
    except (BadZipFile, RuntimeError, EOFError, OSError, zlib.error):
        raise refuse("workbook-type", file, f"found no workbook, expected .xlsx; {_SAVE}") from None
    if "xl/workbook.xml" not in parts or "xl/_rels/workbook.xml.rels" not in parts:
        raise refuse("workbook-type", file, f"found another kind of file, expected .xlsx; {_SAVE}")
    if not all(_is_plain_xml(part) for part in parts.values()):
        message = "a part is not UTF-8 or declares a document type, which no workbook does"
        raise refuse("workbook-damaged", file, f"{message}; {_SAVE} again")
    return parts


def _is_plain_xml(part: bytes) -> bool:
    """Whether the part is UTF-8, says so if it says anything, and has no entities of its own."""
    declared = _ENCODING.match(part)
    if (declared and declared[1].lower() != b"utf-8") or b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        return False
    try:
        return "\0" not in part.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _bounded_parts(packed: ZipFile, file: str, bounds: Bounds) -> dict[str, bytes]:
    listed = packed.infolist()
    size = sum(one.file_size for one in listed)
    if size > bounds.unpacked or len(listed) > MOST_PARTS:
        found = f"found {len(listed)} parts of {size} bytes when unpacked"
        raise refuse("workbook-too-large", file, f"{found}, expected at most {MOST_PARTS} of {bounds.unpacked}")
    if any(one.flag_bits & 1 for one in listed):
        raise refuse("workbook-encrypted", file, "the file has a password; remove it and save it again")
    if any(one.filename.endswith("vbaProject.bin") for one in listed):
        raise refuse("workbook-type", file, f"found a workbook with macros, expected one without; {_SAVE}")
    names = {one.filename for one in listed}
    if len(names) < len(listed) or any(one.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for one in listed):
        raise BadZipFile
    own = [one for one in listed if one.filename.startswith(_OWN) and one.filename.endswith((".xml", ".rels"))]
    return {one.filename: packed.read(one) for one in own}


def _packed(parts: dict[str, bytes]) -> bytes:
    target = BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return target.getvalue()


def _xml(part: bytes) -> Element:
    return fromstring(part)  # noqa: S314  # bounded in size, and parts with a document type are refused before


def _sheets(parts: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the name of each sheet and of its part."""
    targets = {one.get("Id"): one.get("Target", "") for one in _xml(parts["xl/_rels/workbook.xml.rels"])}
    for sheet in _xml(parts["xl/workbook.xml"]).findall(".//{*}sheets/{*}sheet"):
        relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        target = targets[relation]
        yield sheet.attrib["name"], target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _refuse_long_texts(parts: dict[str, bytes], file: str, bounds: Bounds) -> None:
    # A shared text is copied for every cell that shows it: its length has to be bounded before that.
    for part in parts.values():
        if b"<sst" in part or b":sst" in part:
            longest = max((len("".join(one.itertext())) for one in _xml(part)), default=0)
            if longest > bounds.text:
                message = f"a cell holds {longest} characters, expected at most {bounds.text}"
                raise refuse("workbook-too-large", file, message)


def _marks(part: bytes, sheet: str, file: str, bounds: Bounds) -> Iterator[tuple[tuple[int, int], Problem]]:
    """Yield the formulas and errors of a sheet; raises `InvalidInput` when cells lie too far out or are too many."""
    row = column = count = 0
    for event, element in _elements(part):
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            at = element.get("r")
            row, column = _reference(f"A{at}", sheet, file)[0] if at else row + 1, 0
        elif event == "end" and tag == "c":
            at = element.get("r")
            row, column = _reference(at, sheet, file) if at else (row, column + 1)
            if len(element):
                count += 1
                _refuse_far(row, column, count, sheet, file, bounds)
            mark = _mark(element, address(sheet, row, column))
            if mark is not None:
                yield (row, column), mark
        elif event == "end" and tag == "row":
            element.clear()


def _elements(part: bytes) -> Iterator[tuple[str, Element]]:
    """Yield what begins and ends, fed in portions: a sheet of many rows is never a tree as a whole."""
    parser: XMLPullParser[Element] = XMLPullParser(events=("start", "end"))
    for start in range(0, len(part), _PORTION):
        parser.feed(part[start : start + _PORTION])
        yield from cast(Iterator[tuple[str, Element]], parser.read_events())
    parser.close()


def _mark(cell: Element, place: str) -> Problem | None:
    if cell.find("{*}f") is not None:
        message = "found a formula, expected a value; copy the cell and paste it as a value"
        return Problem("workbook-formula", place, message)
    if cell.get("t") == "e":
        found = cell.findtext("{*}v", "an error")
        return Problem("workbook-error-value", place, f"found {found}, expected a value; type it again")
    return None


def _reference(text: str, sheet: str, file: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise refuse("workbook-damaged", file, f"sheet {sheet} has a cell {text[:20]!r}; {_SAVE} again")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column


def _refuse_far(row: int, column: int, count: int, sheet: str, file: str, bounds: Bounds) -> None:
    if row > bounds.last_row or column > bounds.last_column or count > bounds.cells:
        last = address(sheet, bounds.last_row, bounds.last_column)
        message = f"found a filled cell at {address(sheet, row, column)} or too many of them; expected at most "
        raise refuse("workbook-too-large", file, f"{message}{bounds.cells}, none beyond {last}")


def _merged(sheet: CalamineSheet) -> Iterator[Range]:
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        yield (top + 1, left + 1), (bottom + 1, right + 1)


def _merged_problem(sheet: str, merged: Range) -> Problem:
    first, last = (address(sheet, *cell) for cell in merged)
    message = "found merged cells, expected single ones; unmerge them and fill in each row"
    return Problem("workbook-merged-cells", f"{first}:{last.rpartition('!')[2]}", message)


def _filled(sheet: CalamineSheet) -> Cells:
    rows = sheet.to_python(skip_empty_area=False)
    return {
        (at, across): value
        for at, row in enumerate(rows, start=1)
        for across, value in enumerate(row, start=1)
        if not (isinstance(value, str) and not value.strip())
    }
