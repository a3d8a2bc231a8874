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
from typing import Final, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, fromstring
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineSheet, load_workbook

from schemes.problem import Problem, refuse

LARGEST_FILE: Final = 5_000_000
LARGEST_UNPACKED: Final = 40_000_000
MOST_PARTS: Final = 500
MOST_CELLS: Final = 40_000
LAST_ROW: Final = 5_000
LAST_COLUMN: Final = 60
LONGEST_TEXT: Final = 2_000

Value = str | int | float | bool | date | datetime | time | timedelta
Cells = dict[tuple[int, int], Value]
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
    parts = _unpacked(data, file)
    try:
        found, problems = {}, []
        marks = {name: list(_marks(parts[part], name, file)) for name, part in _sheets(parts) if name not in unread}
        _refuse_long_texts(parts, file)
        with load_workbook(BytesIO(_packed(parts))) as workbook:
            for name, listed in marks.items():
                sheet = workbook.get_sheet_by_name(name)
                problems += [*listed, *_merged(sheet)]
                found[name] = _filled(sheet)
    except (ParseError, CalamineError, KeyError) as error:
        raise refuse("workbook-damaged", file, f"cannot be read as a workbook ({error}); {_SAVE} again") from None
    return found, problems


def _unpacked(data: bytes, file: str) -> dict[str, bytes]:
    if len(data) > LARGEST_FILE:
        raise refuse("workbook-too-large", file, f"found {len(data)} bytes, expected at most {LARGEST_FILE}")
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise refuse("workbook-encrypted", file, "the workbook has a password; remove it and save it again")
        raise refuse("workbook-type", file, f"found an old workbook (.xls), expected .xlsx; {_SAVE}")
    try:
        with ZipFile(BytesIO(data)) as packed:
            parts = _bounded_parts(packed, file)
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


def _bounded_parts(packed: ZipFile, file: str) -> dict[str, bytes]:
    listed = packed.infolist()
    size = sum(one.file_size for one in listed)
    if size > LARGEST_UNPACKED or len(listed) > MOST_PARTS:
        found = f"found {len(listed)} parts of {size} bytes when unpacked"
        raise refuse("workbook-too-large", file, f"{found}, expected at most {MOST_PARTS} of {LARGEST_UNPACKED}")
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


def _refuse_long_texts(parts: dict[str, bytes], file: str) -> None:
    # A shared text is copied for every cell that shows it: its length has to be bounded before that.
    for part in parts.values():
        if b"<sst" in part or b":sst" in part:
            longest = max((len("".join(one.itertext())) for one in _xml(part)), default=0)
            if longest > LONGEST_TEXT:
                message = f"a cell holds {longest} characters, expected at most {LONGEST_TEXT}"
                raise refuse("workbook-too-large", file, message)


def _marks(part: bytes, sheet: str, file: str) -> Iterator[Problem]:
    """Yield the formulas and errors of a sheet; raises `InvalidInput` when cells lie too far out or are too many."""
    parser: XMLPullParser[Element] = XMLPullParser(events=("start", "end"))
    parser.feed(part)
    row = column = count = 0
    for event, element in cast(Iterator[tuple[str, Element]], parser.read_events()):
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            at = element.get("r")
            row, column = _reference(f"A{at}", sheet, file)[0] if at else row + 1, 0
        elif event == "end" and tag == "c":
            at = element.get("r")
            row, column = _reference(at, sheet, file) if at else (row, column + 1)
            if len(element):
                count += 1
                _refuse_far(row, column, count, sheet, file)
            yield from _mark(element, address(sheet, row, column))
            element.clear()


def _mark(cell: Element, place: str) -> Iterator[Problem]:
    if cell.find("{*}f") is not None:
        message = "found a formula, expected a value; copy the cell and paste it as a value"
        yield Problem("workbook-formula", place, message)
    elif cell.get("t") == "e":
        found = cell.findtext("{*}v", "an error")
        yield Problem("workbook-error-value", place, f"found {found}, expected a value; type it again")


def _reference(text: str, sheet: str, file: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise refuse("workbook-damaged", file, f"sheet {sheet} has a cell {text[:20]!r}; {_SAVE} again")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column


def _refuse_far(row: int, column: int, count: int, sheet: str, file: str) -> None:
    if row > LAST_ROW or column > LAST_COLUMN or count > MOST_CELLS:
        last = address(sheet, LAST_ROW, LAST_COLUMN)
        message = f"found a filled cell at {address(sheet, row, column)} or too many of them; expected at most "
        raise refuse("workbook-too-large", file, f"{message}{MOST_CELLS}, none beyond {last}")


def _merged(sheet: CalamineSheet) -> Iterator[Problem]:
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        last = address("", bottom + 1, right + 1).removeprefix("!")
        place = f"{address(sheet.name, top + 1, left + 1)}:{last}"
        message = "found merged cells, expected single ones; unmerge them and fill in each row"
        yield Problem("workbook-merged-cells", place, message)


def _filled(sheet: CalamineSheet) -> Cells:
    rows = sheet.to_python(skip_empty_area=False)
    return {
        (at, across): value
        for at, row in enumerate(rows, start=1)
        for across, value in enumerate(row, start=1)
        if not (isinstance(value, str) and not value.strip())
    }
