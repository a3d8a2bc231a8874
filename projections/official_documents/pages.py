"""The official document of a scheme, read as pages of lines: what clauses are looked up in.

A plain text is one page. A PDF gives the text it carries, page by page; one that is only a picture of its pages has
pages without lines. The row of a ruled table is one line, its cells apart by tabs; a cell that spans rows stands in the
first of them. Empty lines and page numbers (— 3 —) are left out. Nothing is recognised from pictures, repaired or kept
here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple

from pypdf import PageObject, PdfReader, apply_configuration
from pypdf.errors import PyPdfError

from ledger.rejection import Rejection, rejected

PDF: Final = "application/pdf"
TEXT: Final = "text/plain"
MOST_PAGES: Final = 200
MOST_DRAWN: Final = 500_000
"""Most operators on all pages, and most pairs of a text and a rule on one of them."""
LARGEST_STREAM: Final = 4_000_000
"""Most bytes that a stream of a PDF may unpack to."""
_THIN: Final = 3  # points: a filled rectangle no thicker than this is a rule
_PAGE_NUMBER: Final = re.compile(r"\s*[-–—]\s*\d{1,4}\s*[-–—]")
# What pypdf lets through from inside when a file's objects are not what the format says.
_BROKEN: Final = (PyPdfError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Page(NamedTuple):
    """A page by its number from 1, and its lines from top to bottom, line ends and spaces after them left out."""

    number: int
    lines: tuple[str, ...]


def pages(content: bytes, media_type: str) -> list[Page]:
    """Return the pages of a document.

    Raises `Rejection`: `document-type-unknown` for any other media type, `document-not-text` for text that is not
    UTF-8, `document-encrypted`, `document-broken` and `document-too-long` for a PDF.
    """
    match media_type.partition(";")[0].strip().lower():
        case "text/plain":
            return [Page(1, _text_lines(content))]
        case "application/pdf":
            return _pdf_pages(content)
        case other:
            raise rejected("document-type-unknown", "media_type", f"found {other!r}, expected {TEXT} or {PDF}")


def _text_lines(content: bytes) -> tuple[str, ...]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise rejected(
            "document-not-text", "content", f"byte {error.start} is not UTF-8; save the document as UTF-8 text"
        ) from None
    if "\0" in text:
        raise rejected("document-not-text", "content", "found a NUL character, expected plain text")
    return _lines(text)


def _pdf_pages(content: bytes) -> list[Page]:
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted:
            raise rejected("document-encrypted", "content", "the PDF is encrypted; give it without a password")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise _too_long(f"{count} pages, expected at most {MOST_PAGES}")
        with apply_configuration(
            zlib_maximum_output_length=LARGEST_STREAM,
            lzw_maximum_output_length=LARGEST_STREAM,
            run_length_maximum_output_length=LARGEST_STREAM,
            array_based_stream_maximum_output_length=LARGEST_STREAM,
        ):
            return list(_read(reader))
    except Rejection:
        raise
    except _BROKEN as error:
        raise rejected(
            "document-broken", "content", f"the PDF cannot be read ({type(error).__name__}); save it anew and try again"
        ) from None


def _read(reader: PdfReader) -> Iterator[Page]:
    left = MOST_DRAWN
    for number, page in enumerate(reader.pages, 1):
        drawing = _Drawing(page, left)
        left -= drawing.operators
        yield Page(number, _page_lines(drawing))


def _too_long(found: str) -> Rejection:
    return rejected("document-too-long", "content", f"found {found}; register the part that counts, or its text")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.rstrip(" ") for line in re.split(r"\r\n|[\n\r\f\v\u2028\u2029]", text))


# --- pages of a PDF ----------------------------------------------------------------------------------------------


class _Text(NamedTuple):
    """A piece of text and where it begins, in points from the page's lower left corner."""

    x: float
    y: float
    text: str


class _Rule(NamedTuple):
    """A line at a place, from one end to the other: upright at an x, level at a y."""

    at: float
    begin: float
    end: float


class _Cell(NamedTuple):
    """The four rules around a text."""

    left: float
    bottom: float
    right: float
    top: float


class _Drawing:
    """What is drawn on a page: its texts, and the rules of its tables."""

    def __init__(self, page: PageObject, most: int) -> None:
        self.operators = 0
        self._most = most
        self.texts: list[_Text] = []
        self.upright: list[_Rule] = []
        self.level: list[_Rule] = []
        self._path: list[tuple[float, float, float, float, bool]] = []
        self._point = (0.0, 0.0)
        page.extract_text(visitor_text=self._see_text, visitor_operand_before=self._see_operator)
        pairs = len(self.texts) * (len(self.upright) + len(self.level))
        if pairs > MOST_DRAWN:
            raise _too_long(f"a page with {pairs} pairs of a text and a rule, expected at most {MOST_DRAWN}")

    def cell(self, text: _Text) -> _Cell | None:
        """Return the cell a text stands in, or None outside of tables."""
        # A text begins on its base line: a little right of and above that is surely within its cell.
        x, y = text.x + 1, text.y + 2
        upright = [rule.at for rule in self.upright if rule.begin <= y <= rule.end]
        level = [rule.at for rule in self.level if rule.begin <= x <= rule.end]
        left, right = (
            max((at for at in upright if at <= x), default=None),
            min((at for at in upright if at > x), default=None),
        )
        bottom, top = (
            max((at for at in level if at <= y), default=None),
            min((at for at in level if at > y), default=None),
        )
        if left is None or right is None or bottom is None or top is None:
            return None
        return _Cell(left, bottom, right, top)

    def _see_text(self, text: str, outer: list[float], inner: list[float], *_: Any) -> None:
        if text:
            x, y = _moved(outer, inner[4], inner[5])
            self.texts.append(_Text(x, y, text))

    def _see_operator(self, operator: bytes, operands: list[Any], outer: list[float], _: list[float]) -> None:
        self.operators += 1
        if self.operators > self._most:
            raise _too_long(f"pages that draw more than {MOST_DRAWN} times")
        match operator:
            case b"m":
                self._point = _moved(outer, *map(float, operands))
            case b"l":
                point = _moved(outer, *map(float, operands))
                self._path.append((*self._point, *point, False))
                self._point = point
            case b"re":
                x, y, width, height = map(float, operands)
                self._path.append((*_moved(outer, x, y), *_moved(outer, x + width, y + height), True))
            case b"S" | b"s" | b"B" | b"B*" | b"b" | b"b*":
                self._keep(stroked=True)
            case b"f" | b"F" | b"f*":
                self._keep(stroked=False)
            case b"n":
                self._path.clear()
            case _:
                pass

    def _keep(self, *, stroked: bool) -> None:
        for x1, y1, x2, y2, is_box in self._path:
            (left, right), (bottom, top) = sorted((x1, x2)), sorted((y1, y2))
            if min(right - left, top - bottom) <= _THIN and (stroked or is_box):
                is_upright = top - bottom > right - left
                self._add_rule(left, bottom, right, top, is_upright=is_upright)
            elif is_box and stroked:
                for x in (left, right):
                    self._add_rule(x, bottom, x, top, is_upright=True)
                for y in (bottom, top):
                    self._add_rule(left, y, right, y, is_upright=False)
        self._path.clear()

    def _add_rule(self, left: float, bottom: float, right: float, top: float, *, is_upright: bool) -> None:
        # Rules of neighbouring cells may leave a gap as wide as they are thick.
        if is_upright:
            self.upright.append(_Rule(round((left + right) / 2), bottom - _THIN, top + _THIN))
        else:
            self.level.append(_Rule(round((bottom + top) / 2), left - _THIN, right + _THIN))


def _moved(matrix: Sequence[float], x: float, y: float) -> tuple[float, float]:
    return matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]


def _page_lines(drawing: _Drawing) -> tuple[str, ...]:
    """Return the lines of a page in the order they are drawn in, each table where its first text is."""
    placed = [(text, drawing.cell(text) if text.text.strip() else None) for text in drawing.texts]
    tables = _tables({cell for _, cell in placed if cell is not None})
    words: dict[_Cell, list[str]] = {}
    for text, cell in placed:
        if cell in tables:
            words.setdefault(cell, []).append(text.text.strip())
    written: list[str] = []
    done: list[list[_Cell]] = []
    for text, cell in placed:
        if cell is None or cell not in tables:
            written.append(text.text)
        elif tables[cell] not in done:
            done.append(tables[cell])
            written.append("\n" + "\n".join(_rows(tables[cell], words, drawing.upright)) + "\n")
    return tuple(line for line in _lines("".join(written)) if line.strip() and not _PAGE_NUMBER.fullmatch(line))


def _tables(cells: set[_Cell]) -> dict[_Cell, list[_Cell]]:
    """Return the table of each cell: those that hang together from top to bottom, in more than one column."""
    tables: list[list[_Cell]] = []
    bottom = 0.0
    for cell in sorted(cells, key=lambda one: -one.top):
        if not tables or cell.top < bottom - _THIN:
            tables.append([])
            bottom = cell.bottom
        tables[-1].append(cell)
        bottom = min(bottom, cell.bottom)
    return {cell: table for table in tables if len({one.left for one in table}) > 1 for cell in table}


def _rows(table: list[_Cell], words: dict[_Cell, list[str]], upright: list[_Rule]) -> list[str]:
    """Return the rows of a table, one cell for each of its columns, also those without any text."""
    bottom, top = min(cell.bottom for cell in table), max(cell.top for cell in table)
    columns: list[float] = []
    for at in sorted(rule.at for rule in upright if rule.begin < top and rule.end > bottom):
        if not columns or at - columns[-1] > _THIN:
            columns.append(at)
    rows: dict[float, list[str]] = {}
    for cell in table:
        row = rows.setdefault(cell.top, [""] * (len(columns) - 1))
        row[bisect_right(columns, cell.left + _THIN) - 1] = _joined(words[cell])
    return ["\t".join(row) for _, row in sorted(rows.items(), reverse=True)]


def _joined(pieces: list[str]) -> str:
    """Return the text of a cell's lines: Chinese goes on without a space, words of Latin letters do not."""
    text = ""
    for piece in pieces:
        apart = text[-1:].isascii() and text[-1:].isalpha() and piece[:1].isascii() and piece[:1].isalpha()
        text += f" {piece}" if apart else piece
    return " ".join(text.split())
