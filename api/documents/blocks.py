"""The model of an official document (公文), and what its renderers share: numbering, dates, marks and the page.

The layout is that of GB/T 9704-2012: A4, type area 156 × 225 mm, 22 lines of 28 characters of size 三号. What stands
here is measured in twips (1/20 pt), the unit of Word, because every size of the standard is a whole number of them.
The model knows no scores and no county. Texts are shown as they are: nothing in them is ever markup; a line feed is a
line break; `printable` makes characters visible that have no shape of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, Literal, NamedTuple

Align = Literal["left", "center", "right"]
Level = Literal[1, 2, 3, 4]


class Layout(NamedTuple):
    """The measures of GB/T 9704-2012, section 5 and 7, in twips; margins as printed there in millimetres."""

    top_mm: int = 37
    bottom_mm: int = 35
    left_mm: int = 28
    right_mm: int = 26
    page_number_mm: int = 7  # below the type area
    line: int = 579  # 22 lines in 225 mm
    body: int = 320  # 三号
    title: int = 440  # 二号
    title_line: int = 680
    issuer: int = 900
    page_number: int = 280  # 四号
    caption: int = 280
    cell: int = 240  # 小四
    cell_line: int = 340
    kept_rows: int = 8  # of a table at the end that goes with the signature
    tracking: int = -5  # 28 characters of 三号 are 2 mm wider than the type area


LAYOUT: Final = Layout()
_LONGEST_OFFICE: Final = 2600  # a line of 28 characters, in hundredths, without the two right of a signature
TEXT_WIDTH: Final = 8844  # the width of the type area, 156 mm


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text within a paragraph."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading without its number, which the renderers write: 一、 （一） 1. （1）."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of body text, its first line indented by two characters."""

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, *texts: str | Run) -> Paragraph:
        """Return the paragraph of these texts, plain where they are not runs."""
        return cls(tuple(text if isinstance(text, Run) else Run(text) for text in texts))


@dataclass(frozen=True, slots=True)
class Quotation:
    """The words of a document, and where they stand (附件一 第8行)."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Names and their values, one to a line."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table whose header is repeated on every page.

    `widths` are relative; without them the columns are equal. `alignments` default to left. Raises `ValueError` where
    a row, the widths or the alignments have not one entry for each column.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str | None = None
    widths: tuple[int, ...] = ()
    alignments: tuple[Align, ...] = ()

    def __post_init__(self) -> None:
        columns = len(self.header)
        if not columns:
            raise ValueError("a table needs at least one column")
        object.__setattr__(self, "widths", self.widths or (1,) * columns)
        object.__setattr__(self, "alignments", self.alignments or ("left",) * columns)
        for name, entries in (("widths", self.widths), ("alignments", self.alignments)):
            if len(entries) != columns:
                raise ValueError(f"{name}: found {len(entries)} entries, expected {columns}")
        if min(self.widths) <= 0:
            raise ValueError(f"widths: found {self.widths}, expected positive parts")
        for number, row in enumerate(self.rows, 1):
            if len(row) != columns:
                raise ValueError(f"row {number}: found {len(row)} cells, expected {columns}")

    def column_twips(self) -> tuple[int, ...]:
        """Return the width of each column; together they fill the type area (156 mm)."""
        edges = [0]
        for width in self.widths:
            edges.append(edges[-1] + width)
        twips = [TEXT_WIDTH * edge // edges[-1] for edge in edges]
        return tuple(right - left for left, right in pairwise(twips))


Block = Heading | Paragraph | Quotation | KeyValues | Table


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment (附件): it begins on a page of its own, and its headings are numbered anew."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class OfficialDocument:
    """An official document.

    `number` is the document number (发文字号); with one, the document has the red head with the issuer's name, without
    one it is a draft or a record and begins with its title. `addressee` is the 主送机关, without its colon.
    `signature` is the office under whose name the day stands; without one neither is printed.
    """

    title: str
    issuer: str
    issued_on: date
    blocks: tuple[Block, ...]
    number: str | None = None
    addressee: str | None = None
    signature: str | None = None
    attachments: tuple[Attachment, ...] = ()


class NumberedBlock(NamedTuple):
    """A block and, for a heading, the number printed before it."""

    label: str
    block: Block


def numbered(blocks: Sequence[Block]) -> Iterator[NumberedBlock]:
    """Return the blocks, the headings with their numbers; a heading starts the levels below it anew."""
    counts = [0, 0, 0, 0]
    for block in blocks:
        if not isinstance(block, Heading):
            yield NumberedBlock("", block)
            continue
        counts[block.level - 1] += 1
        counts[block.level :] = [0] * (4 - block.level)
        yield NumberedBlock(_label(block.level, counts[block.level - 1]), block)


def _label(level: Level, number: int) -> str:
    match level:
        case 1:
            return f"{chinese_numeral(number)}、"
        case 2:
            return f"（{chinese_numeral(number)}）"
        case 3:
            return f"{number}."
        case 4:
            return f"（{number}）"


def chinese_numeral(number: int) -> str:
    """Return a number from 1 to 9999 in Chinese: 一, 十, 二十一, 一百零一."""
    if not 1 <= number <= 9999:
        raise ValueError(f"found {number}, expected a number from 1 to 9999")
    text = ""
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += "零一二三四五六七八九"[digit] + unit
        elif text and not text.endswith("零"):
            text += "零"
    text = text.rstrip("零")
    return text.removeprefix("一") if 10 <= number < 20 else text


def chinese_date(day: date) -> str:
    """Return a day as official documents print it: 2021年12月31日."""
    return f"{day.year}年{day.month}月{day.day}日"


def attachment_marks(document: OfficialDocument) -> tuple[str, ...]:
    """Return what stands above each attachment: 附件 for a single one, else 附件1, 附件2 and so on."""
    if len(document.attachments) == 1:
        return ("附件",)
    return tuple(f"附件{number}" for number, _ in enumerate(document.attachments, 1))


def attachment_lines(document: OfficialDocument) -> tuple[tuple[str, str], ...]:
    """Return the list of attachments below the body, as what hangs before each title and the title (7.3.4)."""
    if len(document.attachments) == 1:
        return (("附件：", document.attachments[0].title),)
    return tuple(
        ("附件：" if number == 1 else "", f"{number}.{attachment.title}")
        for number, attachment in enumerate(document.attachments, 1)
    )


class IssuerHead(NamedTuple):
    """The size of the issuer's name in the red head and the width of its lines, in twips."""

    size: int
    width: int


def issuer_head(issuer: str) -> IssuerHead:
    """Return how the issuer's name stands in the red head: on one line, as large as fits.

    A name that would be smaller than the title stands in the title's size on lines of equal length.
    """
    length = max(1, len(printable(issuer)))
    size = min(LAYOUT.issuer, TEXT_WIDTH // length)
    if size >= LAYOUT.title:
        return IssuerHead(size, TEXT_WIDTH)
    lines = -(-length // (TEXT_WIDTH // LAYOUT.title))
    return IssuerHead(LAYOUT.title, -(-length // lines) * LAYOUT.title)


class SignatureIndents(NamedTuple):
    """The space right of the signing office and of the day, in hundredths of a character."""

    office: int
    day: int


def signature_indents(office: str, day: date) -> SignatureIndents:
    """Return where an unsealed signature stands (7.3.5.2).

    The office stands two characters from the right and the day begins two characters right of the office's first
    character; a day longer than that leaves stands two characters from the right itself, and moves the office. An
    office longer than a line fills it.
    """
    office_width, day_width = min(_width(office), _LONGEST_OFFICE), _width(chinese_date(day))
    if office_width - day_width >= 200:
        return SignatureIndents(200, office_width - day_width)
    return SignatureIndents(400 + day_width - office_width, 200)


def _width(text: str) -> int:
    return sum(100 if unicodedata.east_asian_width(character) in "WFA" else 50 for character in text)


def printable(text: str) -> str:
    r"""Return the text with a visible `\u202e` in place of each character that has no shape or is not one.

    Control and format characters (also those that turn the direction of writing), surrogates and code points without
    a character; a tab is a space, every kind of line end is a line feed.
    """
    text = re.sub("\r\n?|[\u2028\u2029]", "\n", text).replace("\t", " ")
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn"):
        return character
    return escaped(character)


def escaped(character: str) -> str:
    r"""Return a character's code point as text: `\u202e`, `\U0001f600`."""
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
