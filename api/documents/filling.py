"""Word files as templates: an office types `{{单位}}` where a value goes, in Word or in WPS, and nothing else.

1. A placeholder is found wherever text stands: in the body, in tables and text boxes, in heads and feet; also where
   Word has cut it into several runs. It keeps the look of its first character. `｛｛单位｝｝` is the same.
2. A table row with placeholders like `{{排名.单位}}` is repeated, once for each entry of that list. A table of which
   only its first row is left is removed, and so is a paragraph of nothing but placeholders that are all empty.
3. A placeholder that is not known, one outside of such a row, a pair of braces without its other, and a further brace
   that touches a placeholder are refused, all at once: nothing is left standing in a paper.
4. A value is text. It is put in once and never read again, whatever stands in it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from io import BytesIO
from itertools import takewhile
from typing import Any, Final
from zipfile import BadZipFile

from docx import Document
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.opc.part import XmlPart
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.oxml.xmlchemy import BaseOxmlElement

from api.documents.blocks import printable
from api.documents.word import with_fixed_times
from schemes.problem import InvalidInput, Problem, refuse

_PLACEHOLDER: Final = re.compile(r"[{｛]{2}([^{}｛｝\n]*)[}｝]{2}")
_BRACES: Final = re.compile(r"[{｛]{2}|[}｝]{2}|[{}｛｝]\0|\0[{}｛｝]")
"""Braces that a paper would keep, or that touch a placeholder, for which a NUL stands: no XML has that character."""
_DAMAGED: Final = (
    PackageNotFoundError, BadZipFile, zlib.error, AttributeError, EOFError, KeyError, RuntimeError, SyntaxError,
    ValueError,
)  # fmt: skip
"""What a damaged package makes zipfile, lxml and python-docx raise."""
_PARAGRAPH, _ROW, _TABLE, _TEXT = (qn(f"w:{name}") for name in ("p", "tr", "tbl", "t"))
_BREAKS: Final = frozenset(qn(f"w:{name}") for name in ("br", "cr", "tab"))
_SECTION: Final = f"{qn('w:pPr')}/{qn('w:sectPr')}"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, slots=True)
class Rows:
    """The entries of a list, each with a text for every column."""

    columns: tuple[str, ...]
    entries: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Filling:
    """What there is to put into a template: texts by their placeholder, and lists for the rows of tables."""

    values: Mapping[str, str]
    rows: Mapping[str, Rows] = field(default_factory=dict)

    def known(self) -> list[str]:
        """Return every placeholder there is."""
        return [*self.values, *(f"{name}.{column}" for name, rows in self.rows.items() for column in rows.columns)]


def filled(template: bytes, filling: Filling, title: str, author: str, day: date, where: str) -> bytes:
    """Return the template, a Word file, with its placeholders filled; equal input gives equal bytes.

    Raises `InvalidInput`: `template-not-word` for what is no Word file, `template-placeholder` for a placeholder that
    is not known, `template-row` for one of a list outside of a table's row or beside one of another list,
    `template-braces` for a pair of braces without its other, or with a further one. `where` names the
    template there.
    """
    file = _opened(template, where)
    roots = [part.element for part in file.part.package.iter_parts() if isinstance(part, XmlPart)]
    problems = [problem for root in roots for problem in _problems(root, filling, where)]
    if problems:
        raise InvalidInput(tuple(dict.fromkeys(problems)))
    for root in roots:
        _fill(root, filling)
    properties = file.core_properties
    properties.title = printable(title).replace("\n", "")
    properties.author = properties.last_modified_by = printable(author)
    properties.created = properties.modified = datetime.combine(day, time(), UTC)
    saved = BytesIO()
    file.save(saved)
    return with_fixed_times(saved)


def _opened(template: bytes, where: str) -> WordDocument:
    try:
        file = Document(BytesIO(template))
        # Nothing looks at these two before they are written, when a file without them is half done.
        _ = file.core_properties.title, file.element.body.sectPr
    except _DAMAGED:
        raise refuse(
            "template-not-word", where, "expected a Word file (.docx); save it from Word or WPS again"
        ) from None
    return file


# --- what is wrong with a template ---------------------------------------------------------------------------------


def _problems(root: BaseOxmlElement, filling: Filling, where: str) -> Iterator[Problem]:
    known = filling.known()
    for paragraph in root.iter(_PARAGRAPH):
        text = "".join(said for _, said in _pieces(paragraph))
        for name in _names(text):
            if name not in known:
                message = f"found {{{{{name}}}}}, expected one of {', '.join(known)}"
                yield Problem("template-placeholder", where, message)
        if _BRACES.search(_PLACEHOLDER.sub("\0", text)):
            message = (
                f"found {text.strip()[:60]!r}, expected each {{{{ with its }}}} in the same line and no further brace"
            )
            yield Problem("template-braces", where, message)
        lists = {name.partition(".")[0] for name in _names(text) if name not in filling.values and name in known}
        row = next(paragraph.iterancestors(_ROW), None)
        beside = {name for row in paragraph.iterancestors(_ROW) for name in _lists(row, filling)}
        if lists and (row is None or len(beside) > 1):
            message = f"found {' and '.join(sorted(beside or lists))}, expected the placeholders of one list in one row"
            yield Problem("template-row", where, message)


def _names(text: str) -> list[str]:
    return [found[1].strip() for found in _PLACEHOLDER.finditer(text)]


def _lists(row: BaseOxmlElement, filling: Filling) -> set[str]:
    """Return the lists that a table's row, without the tables within it, has placeholders of."""
    own = (one for one in row.iter(_PARAGRAPH) if next(one.iterancestors(_ROW)) is row)
    names = (name for one in own for name in _names("".join(said for _, said in _pieces(one))))
    return {name.partition(".")[0] for name in names if name not in filling.values and name in filling.known()}


# --- filling ---------------------------------------------------------------------------------------------------------


def _fill(root: BaseOxmlElement, filling: Filling) -> None:
    repeated = [(row, name) for row in root.iter(_ROW) for name in _lists(row, filling)]
    own: dict[BaseOxmlElement, Mapping[str, str]] = {}
    for row, name in repeated:
        rows = filling.rows[name]
        for entry in rows.entries:
            copy = deepcopy(row)
            row.addprevious(copy)
            columns = (f"{name}.{column}" for column in rows.columns)
            own[copy] = {**filling.values, **dict(zip(columns, entry, strict=True))}
        table = next(row.iterancestors(_TABLE))
        table.remove(row)
        if len(table.findall(_ROW)) <= 1 and not rows.entries:
            table.getparent().remove(table)
    # Each paragraph once: what was put in is not looked at again.
    for paragraph in list(root.iter(_PARAGRAPH)):
        row = next((one for one in paragraph.iterancestors(_ROW) if one in own), None)
        _fill_paragraph(paragraph, filling.values if row is None else own[row])


def _fill_paragraph(paragraph: BaseOxmlElement, values: Mapping[str, str]) -> None:
    pieces = _pieces(paragraph)
    text = "".join(said for _, said in pieces)
    found = list(_PLACEHOLDER.finditer(text))
    said = [printable(values[one[1].strip()]) for one in found]
    if found and not "".join(said) and not _PLACEHOLDER.sub("", text).strip() and _may_go(paragraph):
        paragraph.getparent().remove(paragraph)
    elif found:
        _put(paragraph, [(one.start(), one.end(), value) for one, value in zip(found, said, strict=True)])


def _put(paragraph: BaseOxmlElement, found: Sequence[tuple[int, int, str]]) -> None:
    """Put the values in; each line of the first that has several is a paragraph, as a break would stretch its line."""
    many = next((at for at, (_, _, value) in enumerate(found) if "\n" in value), None)
    if many is None or paragraph.find(_SECTION) is not None:
        _replace(_pieces(paragraph), found)
        return
    start, end, value = found[many]
    lines = value.split("\n")
    paragraphs = [paragraph, *(deepcopy(paragraph) for _ in lines[1:])]
    for one in reversed(paragraphs[1:]):
        paragraph.addnext(one)
    pieces = [_pieces(one) for one in paragraphs]
    length = sum(len(text) for _, text in pieces[0])
    begin = sum(len(text) for _, text in takewhile(lambda piece: piece[0].tag != _TEXT, pieces[0]))
    last = len(lines) - 1
    for at, line in enumerate(lines):
        before = found[:many] if at == 0 else ()
        after = found[many + 1 :] if at == last else ()
        own = (start if at == 0 else begin, end if at == last else length, line)
        _replace(pieces[at], [*before, own, *after])


def _may_go(paragraph: BaseOxmlElement) -> bool:
    """A cell, a head and a foot need a paragraph; one that ends a section holds the section's page."""
    parent = paragraph.getparent()
    return parent.tag == qn("w:body") and paragraph.find(_SECTION) is None


def _pieces(paragraph: BaseOxmlElement) -> list[tuple[Any, str]]:
    """Return the paragraph's elements of text, without those of a text box within it; a break is a line feed."""
    own = (one for one in paragraph.iter(_TEXT, *_BREAKS) if next(one.iterancestors(_PARAGRAPH)) is paragraph)
    return [(one, (one.text or "") if one.tag == _TEXT else "\n") for one in own if one.getparent().tag == qn("w:r")]


def _replace(pieces: Sequence[tuple[Any, str]], found: Sequence[tuple[int, int, str]]) -> None:
    """Put each value where its placeholder begins, and take the placeholder's characters out of all its pieces."""
    at = 0
    for element, text in pieces:
        first, at = at, at + len(text)
        if element.tag != _TEXT:
            continue
        kept, done = [], first
        for start, end, value in found:
            if start < at and end > first:
                kept.append(text[done - first : max(start, first) - first])
                kept.append(value if start >= first else "")
                done = min(end, at)
        kept.append(text[done - first :])
        _write(element, "".join(kept))


def _write(element: Any, text: str) -> None:
    first, *others = text.split("\n")
    element.text = first
    element.set(_SPACE, "preserve")
    for line in others:
        line_break, following = OxmlElement("w:br"), OxmlElement("w:t")
        following.text = line
        following.set(_SPACE, "preserve")
        element.addnext(line_break)
        line_break.addnext(following)
        element = following
