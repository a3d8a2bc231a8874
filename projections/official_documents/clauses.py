"""Where a clause of a scheme stands in the scheme's official document.

A clause is written as an office worker would say it: 附件一 第8行, 附件3 检查通报 2, 附件 序号5第1项, 第十六条,
正文 三(三). It is looked up in the order of its words: first the part (an annex, or the body before the first annex),
then the row, article or heading, then the item within it. Tables are read where the text keeps their cells apart: by
tabs, or by lines that hold a bar alone. Where it does not, numbers count only if they can be read in one way, and names
only if they stand in one place. A clause that could be in two places is in none: no place is better than a wrong one.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from projections.official_documents.pages import Page

LONGEST_EXCERPT: Final = 600
_LONGEST_LABEL: Final = 30
_MOST_LINES: Final = 8
_NUMERALS: Final = "一二三四五六七八九十"
_PART: Final = re.compile(rf"(?:(正文)|附件\s*([0-9{_NUMERALS}]*))\s*(.*)")
_ANNEX: Final = re.compile(rf"附件\s*([0-9{_NUMERALS}]*)\s*[:：]?")


class Place(NamedTuple):
    """Where a clause stands: page and lines count from 1; `excerpt` is the text there, at most 600 characters.

    A place that runs on to the next page ends with the last line of its own; the excerpt goes on. `how` says whether
    the clause's own words led there (`exact`) or only a title that stands in a single place (`by_title`).
    """

    page: int
    first_line: int
    last_line: int
    excerpt: str
    how: Literal["exact", "by_title"]


class _Line(NamedTuple):
    page: int
    number: int
    text: str


class _Cell(NamedTuple):
    text: str
    first: int
    last: int


_Row = list[_Cell]


class _Span(NamedTuple):
    """Lines, by their index, and the words meant."""

    first: int
    last: int
    text: str


class _Part(NamedTuple):
    """The lines of an annex or of the body, from `start`, and the rows of the tables in it."""

    start: int
    lines: list[_Line]
    rows: list[_Row]


def locate(pages: Sequence[Page], clause: str, titles: Sequence[str]) -> Place | None:
    """Return the one place of a clause in the document, or None where it is not found or not found once.

    `titles` are those of the row or veto that names the clause, the nearest last.
    """
    lines = [
        _Line(page.number, number, re.sub("</?p>", "", text))
        for page in pages
        for number, text in enumerate(page.lines, 1)
    ]
    found = _part(lines, clause)
    if found is None:
        return None
    part, words = found
    span = _exactly(part, words)
    if span is not None:
        return _place(lines, span, "exact")
    # A number is no part of a title: what it counts would be lost.
    named = () if re.search(rf"\d|第|\([{_NUMERALS}]+\)", words) else (words,)
    for title in (*named, *titles[-1:]):
        span = _only_mention(part, title)
        if span is not None:
            return _place(lines, span, "by_title")
    return None


def _place(lines: Sequence[_Line], span: _Span, how: Literal["exact", "by_title"]) -> Place:
    first, last = lines[span.first], lines[span.last]
    on_page = last.number if last.page == first.page else max(x.number for x in lines if x.page == first.page)
    text = span.text.strip()
    text = text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
    return Place(first.page, first.number, on_page, text, how)


# --- parts -------------------------------------------------------------------------------------------------------


def _part(lines: Sequence[_Line], clause: str) -> tuple[_Part, str] | None:
    """Return the part a clause speaks of (the whole document where it names none), and its further words."""
    clause = unicodedata.normalize("NFKC", clause).strip()
    marks = [(index, mark[1]) for index, line in enumerate(lines) if (mark := _ANNEX.fullmatch(line.text.strip()))]
    named = _PART.fullmatch(clause)
    if named is None:
        return _cut(lines, 0, len(lines)), clause
    if named[1]:
        return _cut(lines, 0, marks[0][0] if marks else len(lines)), named[3]
    fitting = [at for at, (_, number) in enumerate(marks) if _value(number) == _value(named[2])]
    if len(fitting) != 1:
        return None
    at = fitting[0]
    end = marks[at + 1][0] if at + 1 < len(marks) else len(lines)
    return _cut(lines, marks[at][0] + 1, end), named[3]


def _cut(lines: Sequence[_Line], start: int, end: int) -> _Part:
    part = list(lines[start:end])
    barred = sum(line.text.strip() == "|" for line in part) >= 3
    return _Part(start, part, _barred_rows(part, start) if barred else _tabbed_rows(part, start))


def _value(numeral: str) -> int:
    """Return the value of a numeral up to 99, 0 for none, -1 for what is not one."""
    if not numeral or numeral.isdecimal():
        return int(numeral[:4] or 0)
    parts = re.fullmatch(rf"([{_NUMERALS[:9]}]?)(十?)([{_NUMERALS[:9]}]?)", numeral)
    if parts is None or (parts[1] and parts[3] and not parts[2]):
        return -1
    tens, ten, ones = (_NUMERALS.index(part) + 1 if part else 0 for part in parts.groups())
    return 10 * (tens or 1) + ones if ten else tens + ones


# --- tables ------------------------------------------------------------------------------------------------------


def _tabbed_rows(lines: Sequence[_Line], start: int) -> list[_Row]:
    """Return the rows of lines with tabs, without the header and its repetitions on further pages.

    A row that a page's end has cut in two is one row.
    """
    rows: list[_Row] = []
    header: list[str] | None = None
    for index, line in enumerate(lines, start):
        if "\t" not in line.text:
            continue
        texts = [text.strip() for text in line.text.split("\t")]
        if header is None:
            header = texts if _is_header(texts) else []
        if texts == header:
            continue
        if rows and lines[rows[-1][-1].last - start].page != line.page and _goes_on(rows[-1], texts):
            rows[-1] = [_Cell(cell.text + more, cell.first, index) for cell, more in zip(rows[-1], texts, strict=True)]
        else:
            rows.append([_Cell(text, index, index) for text in texts])
    return rows


def _is_header(texts: Sequence[str]) -> bool:
    return all(0 < len(text) <= 12 and not text.isdecimal() for text in texts)


def _goes_on(above: _Row, texts: Sequence[str]) -> bool:
    """Return whether the first row of a page is the rest of the last one of the page before.

    It has no label of its own, and either a sentence was cut, or the numbers of the row (its points) are not repeated.
    """
    if len(above) != len(texts) or texts[0]:
        return False
    cells = [(cell.text, text) for cell, text in zip(above, texts, strict=True) if cell.text]
    if not any(text for _, text in cells):
        return False
    longest, rest = max(cells, key=lambda cell: len(cell[0]))
    cut = bool(rest) and longest[-1] not in "。；;！"
    numbers = [text for upper, text in cells if re.fullmatch(r"[-—~\d.]+分?", upper)]
    return (bool(numbers) and not any(numbers)) or (cut and not any(text.isdecimal() for text in numbers))


def _barred_rows(lines: Sequence[_Line], start: int) -> list[_Row]:
    """Return the rows of cells that each end with a line holding a bar alone.

    With a header that begins with 序号 the columns are counted from it to the number 1. Without one a row ends with
    its long cell, and a row with fewer labels before it goes on under those of the row above.
    """
    cells = list(_barred_cells(lines, start))
    texts = [cell.text for cell in cells]
    if "序号" in texts and "1" in texts:
        width = texts.index("1") - texts.index("序号")
        return [cells[at : at + width] for at in range(texts.index("1"), len(cells), width)]
    rows: list[_Row] = []
    labels: _Row = []
    for cell in cells:
        labels.append(cell)
        if len(cell.text) > _LONGEST_LABEL or cell.text.endswith("。"):
            rows.append(labels)
            labels = []
    most = max((len(row) for row in rows), default=0)
    return [[_Cell("", row[0].first, row[0].first)] * (most - len(row)) + row for row in rows]


def _barred_cells(lines: Sequence[_Line], start: int) -> Iterator[_Cell]:
    words: list[str] = []
    bars = 0
    for index, line in enumerate(lines, start):
        if line.text.strip() != "|":
            words.append(line.text.strip())
            continue
        # Before the first cell stand the lines of the annex's title: a label has one line, and its points another.
        kept = words if bars else words[-2:] if words[-1:] and re.match("[(（]", words[-1]) else words[-1:]
        yield _Cell("".join(kept), index - max(1, len(kept)), index - 1)
        words, bars = [], bars + 1


def _words(row: _Row) -> str:
    return " | ".join(cell.text for cell in row if cell.text)


def _whole(rows: Sequence[_Row]) -> _Span | None:
    if not rows:
        return None
    full = [[cell for cell in row if cell.text] or row for row in rows]
    return _Span(full[0][0].first, full[-1][-1].last, "\n".join(map(_words, full)))


def _plain(text: str) -> str:
    """Return a label without what is printed differently from place to place: points, spaces, punctuation."""
    text = re.sub(r"[(（][^()（）]*[)）]", "", text)
    return "".join(one for one in text if unicodedata.category(one)[0] in "LN")


def _labels(row: _Row) -> list[tuple[int, str]]:
    """Return the columns of the row's leading short texts, and these texts."""
    found: list[tuple[int, str]] = []
    for column, cell in enumerate(row):
        if len(cell.text) > _LONGEST_LABEL:
            break
        if cell.text:
            found.append((column, _plain(cell.text)))
    return found


_LIKENESSES: Final[tuple[Callable[[str, str], bool], ...]] = (
    lambda name, label: name == label,
    lambda name, label: name in label,
    lambda name, label: bool(rest := iter(label)) and all(one in rest for one in name),
)


def _block(rows: Sequence[_Row], name: str) -> Sequence[_Row]:
    """Return the rows under the one label that is, contains, or abridged gives the name; none if there are several."""
    name = _plain(name)
    if not name:
        return ()
    for alike in _LIKENESSES:
        hits = [
            (at, column, label) for at, row in enumerate(rows) for column, label in _labels(row) if alike(name, label)
        ]
        if not hits and alike is _LIKENESSES[1]:
            # A name may be put together from labels that stand side by side (政务新媒体, 开设情况).
            joined = [(at, "".join(label for _, label in _labels(row))) for at, row in enumerate(rows)]
            hits = [(at, len(rows[at]), label) for at, label in joined if name in label]
        if hits:
            at, column, label = hits[0]
            end = _end_of_block(rows, at, column, label)
            return rows[at:end] if all(at <= other < end for other, _, _ in hits) else ()
    return ()


def _end_of_block(rows: Sequence[_Row], at: int, column: int, label: str) -> int:
    """Return the row after the last under a label: the next that has another label in its column or left of it."""
    for end in range(at + 1, len(rows)):
        above = [(where, text) for where, text in _labels(rows[end]) if where <= column]
        if column >= len(rows[end]) or any((where, text) != (column, label) for where, text in above):
            return end
    return len(rows)


def _headed(rows: Sequence[_Row], name: str) -> Sequence[_Row]:
    """Return the rows under a label of the first column, else under the one of just that name."""
    first = [[*row[:1], *([row[0]._replace(text="")] * (len(row) - 1))] for row in rows]
    under = _block(first, name)
    if under:
        at = next(index for index, row in enumerate(first) if row is under[0])
        return rows[at : at + len(under)]
    named = any(label == _plain(name) for row in rows for _, label in _labels(row))
    return _block(rows, name) if named else ()


# --- clauses by their own words ----------------------------------------------------------------------------------


def _exactly(part: _Part, words: str) -> _Span | None:
    if found := re.fullmatch(r"第(\d{1,4})行", words):
        return _whole(part.rows[int(found[1]) - 1 : int(found[1])])
    if found := re.fullmatch(r"序号(\d{1,4})(?:[-–—~](\d{1,4}))?(?:第(\d{1,4})项)?(?:及|\s)*(?:备注)?", words):
        return _item(_numbered(part, int(found[1]), int(found[2] or found[1])), found[3])
    if found := re.fullmatch(r"(\S+)\s+第(\d{1,4})行(?:前半|后半)?", words):
        return _whole(_headed(part.rows, found[1])[int(found[2]) - 1 : int(found[2])])
    if found := re.fullmatch(r"(\S+)\s+第(\d{1,4})项", words):
        return _item(_whole(_block(part.rows, found[1])), found[2])
    if found := re.fullmatch(rf"第[{_NUMERALS}百]+条", words):
        return _section(part, 0, len(part.lines), rf"{words}(?=\s|$)")
    if re.fullmatch(rf"[{_NUMERALS}]+(?:\([{_NUMERALS}]+\)(?:\d+(?:\(\d+\))?)?)?", words):
        return _heading(part, words)
    if found := re.fullmatch(rf"(\S+?)\s*\(([{_NUMERALS}]+)\)", words):
        return _listed(part, found[1], _value(found[2]))
    if found := re.fullmatch(r"(\D+?)\s*(\d{1,4})", words):
        rows = _block(part.rows, found[1])
        return _marked(_whole(rows[:1]), int(found[2])) or _whole(rows[int(found[2]) - 1 : int(found[2])])
    return _whole(_block(part.rows, words)[:1])


def _numbered(part: _Part, first: int, last: int) -> _Span | None:
    """Return the rows that bear the numbers from first to last."""
    if not 1 <= first <= last:
        return None
    if part.rows:
        numbers = [next((cell.text for cell in row[:2] if cell.text.isdecimal()), "0")[:4] for row in part.rows]
        rows = [(int(number), row) for number, row in zip(numbers, part.rows, strict=True)]
        wanted = [(number, row) for number, row in rows if first <= number <= last]
        in_order = [number for number, _ in wanted] == list(range(first, last + 1))
        return _whole([row for _, row in wanted]) if in_order else None
    starts = _chain(part, last + 1)
    if starts is None:
        return None
    begin, end = starts[first], starts.get(last + 1, part.start + len(part.lines))
    return _Span(begin, end - 1, "\n".join(line.text for line in part.lines[begin - part.start : end - part.start]))


def _chain(part: _Part, highest: int) -> dict[int, int] | None:
    """Return the lines that begin with 1, 2, 3 … up to the highest there is, if they can be read in one way only.

    Points stand alone on lines too. What is found from the first number on and from the last one back must agree.
    """
    leading = [(index, int(found[1])) for index, line in enumerate(part.lines, part.start)
               if (found := re.match(r"\s*(\d{1,3})(?=\s|$)", line.text))]  # fmt: skip
    forward: dict[int, int] = {}
    for index, number in leading:
        if number == len(forward) + 1:
            forward[number] = index
    backward: dict[int, int] = {}
    for index, number in reversed(leading):
        if number == len(forward) - len(backward):
            backward[number] = index
    wanted = range(1, min(highest, len(forward)) + 1)
    agreed = all(forward[number] == backward.get(number) for number in wanted)
    return forward if agreed and len(forward) >= highest - 1 else None


def _item(span: _Span | None, number: str | None) -> _Span | None:
    """Return the item of that number; the whole where its items bear no numbers."""
    if span is None or number is None:
        return span
    return _marked(span, int(number)) or (None if _marked(span, 1) else span)


def _marked(span: _Span | None, number: int) -> _Span | None:
    """Return the item that follows the mark `2.` or `2、` after those before it."""
    if span is None:
        return None
    starts: list[int] = []
    for wanted in range(1, number + 2):
        mark = re.compile(rf"(?<![\d.]){wanted}\s*[.、．](?!\d)").search(span.text, starts[-1] if starts else 0)
        if mark is None:
            break
        starts.append(mark.start())
    if len(starts) < number:
        return None
    end = starts[number] if len(starts) > number else len(span.text)
    return span._replace(text=span.text[starts[number - 1] : end].split(" | ")[0])


_MARKS: Final = (
    rf"[{_NUMERALS}]+、",
    rf"[(（][{_NUMERALS}]+[)）]",
    r"\d+[.、．](?!\d)",
    r"[(（]\d+[)）]",
)
_OUTER_MARKS: Final = (rf"第[{_NUMERALS}百]+[条章](?=\s|$)", "附件?[:：]")


def _heading(part: _Part, words: str) -> _Span | None:
    """Return the text under a heading that is named by the numbers on the way to it: 三(三)."""
    begin, end = 0, len(part.lines)
    span = None
    for level, number in enumerate(re.findall(rf"[0-9]+|[{_NUMERALS}]+", words)):
        mark = (f"{number}、", rf"[(（]{number}[)）]", rf"{number}[.、．](?!\d)", rf"[(（]{number}[)）]")[level]
        span = _section(part, begin, end, mark, _MARKS[: level + 1])
        if span is None:
            return None
        begin, end = span.first - part.start + 1, span.last - part.start + 1
    return span


def _section(part: _Part, begin: int, end: int, mark: str, stops: Sequence[str] = ()) -> _Span | None:
    """Return the lines from the only one with the mark to before the next stop, article or list of annexes."""
    starts = [index for index in range(begin, end) if re.match(rf"\s*{mark}", part.lines[index].text)]
    if len(starts) != 1:
        return None
    stop = re.compile("|".join(rf"\s*{one}" for one in (*stops, *_OUTER_MARKS)))
    last = next((index for index in range(starts[0] + 1, end) if stop.match(part.lines[index].text)), end) - 1
    while not part.lines[last].text.strip():
        last -= 1
    text = "\n".join(line.text for line in part.lines[starts[0] : last + 1] if line.text)
    return _Span(part.start + starts[0], part.start + last, text)


def _listed(part: _Part, name: str, number: int) -> _Span | None:
    """Return an item of the list (一), (二), … that belongs to a label."""
    text = "\n".join(line.text for line in part.lines)
    starts = [0, *accumulate(len(line.text) + 1 for line in part.lines)]
    items = _list_of(part, _plain(name), text, starts)
    if not 0 < number < len(items):
        return None
    begin, end = items[number - 1 : number + 1]
    item = re.split(r"\t|\n\s*\n", text[begin:end])[0].rstrip()
    first, last = (bisect_right(starts, at) - 1 for at in (begin, begin + len(item) - 1))
    return _Span(part.start + first, part.start + last, item)


def _list_of(part: _Part, name: str, text: str, starts: Sequence[int]) -> list[int]:
    """Return where the items of a label's list begin and the list ends; nothing where that is not certain.

    The list stands right behind its label. Or the table ends with labels that have no text, and as many lists follow.
    """
    labels = [index for index, line in enumerate(part.lines) if _plain(line.text).startswith(name)]
    if len(labels) != 1 or not name:
        return []
    lists = list(_lists(text))
    for items in lists:
        between = _plain(text[starts[labels[0]] : items[0]])
        if name in between and len(between) <= len(name) + 2:
            return items
    empty = _labels_without_text(part)
    after = [items for items in lists if empty and items[0] >= starts[empty[-1] + 1]]
    return after[empty.index(labels[0])] if labels[0] in empty and len(after) == len(empty) else []


def _labels_without_text(part: _Part) -> list[int]:
    """Return the lines of the last rows of the table that have a label and at most one more cell that is not empty."""
    found: list[int] = []
    for row in reversed(part.rows):
        if not row[0].text or sum(bool(cell.text) for cell in row) > 2 or _LIST_MARK.search(_words(row)):
            break
        found.insert(0, row[0].first - part.start)
    return found


_LIST_MARK: Final = re.compile(rf"(?:^|(?<=[\s;；。]))[(（]([{_NUMERALS}]+)[)）]", re.MULTILINE)


def _lists(text: str) -> Iterator[list[int]]:
    """Return where the items of each list begin, and last where the list ends: with the sentence of its last item."""
    items: list[int] = []
    for mark in _LIST_MARK.finditer(text):
        value = _value(mark[1])
        if value == 1 and items:
            yield [*items, _end_of_sentence(text, items[-1], mark.start())]
            items = []
        if value == len(items) + 1:
            items.append(mark.start())
    if items:
        yield [*items, _end_of_sentence(text, items[-1], len(text))]


def _end_of_sentence(text: str, begin: int, end: int) -> int:
    stop = re.compile(r"[。;；](?=\s|$)").search(text, begin, end)
    return stop.end() if stop else end


# --- clauses by a title ------------------------------------------------------------------------------------------


def _only_mention(part: _Part, title: str) -> _Span | None:
    """Return the text at a title that stands in one place, also where a line ends within it."""
    title = _plain(title)
    if len(title) < 3:
        return None
    letters = [(one, index) for index, line in enumerate(part.lines) for one in _plain(line.text)]
    text = "".join(one for one, _ in letters)
    at = [letters[found.start()][1] for found in re.finditer(f"(?={re.escape(title)})", text)]
    if not at or at[-1] - at[0] > 1:
        return None
    last = at[0]
    end = min(at[0] + _MOST_LINES, len(part.lines))
    while last + 1 < end and not part.lines[last].text.endswith(("。", ";", "；")):
        last += 1
    return _Span(part.start + at[0], part.start + last, "\n".join(x.text for x in part.lines[at[0] : last + 1]))
