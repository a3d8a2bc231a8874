"""What a cell of a scheme workbook may say: Chinese words for the format's codes, numbers, days, conditions.

Each `Value` reads a cell into the value of the scheme format, and writes that value back as the cell says it.

- Spaces at the ends of a text are dropped, full-width and non-breaking ones too: they are seen by nobody. Inside a
  text only single plain spaces are taken; anything else would make two names of what looks like one.
- A number may be kept as text and in full-width digits. It is taken as Excel shows it, with 15 significant digits, so
  that 0.30000000000000004 is 0.3.
- A day is a date cell, or a text like 2024-01-31, 2024/1/31 or 2024年1月31日; a bare serial number is refused.
- A text that Excel has turned into a number with a fraction, or into a date, is refused: 1.10 reads 1.1 then.
- A word is found by its Chinese label or by its code, whatever the width of its characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from projections.workbooks.files import LONGEST_TEXT
from projections.workbooks.files import Value as CellValue
from schemes.exact import parse_decimal, plain
from schemes.vocabulary import Vocabulary

UNBOUND: Final = "不设"
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"
_DAY = re.compile(r"([0-9]{4})(?:-|/|年)([0-9]{1,2})(?:-|/|月)([0-9]{1,2})日?")
_SERIAL_START = date(1899, 12, 30)
_SEPARATORS = str.maketrans({"，": ",", "；": ";", "\n": ";", "＝": "=", "＞": ">", "＜": "<"})


class WrongValueError(ValueError):
    """Raised for a cell that cannot be taken: a stable `code`, and what was found and expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = f"workbook-{code}"


@dataclass(frozen=True)
class Context:
    """What the meaning of a cell depends on: the known words, and the kinds of facts its row is about."""

    vocabulary: Vocabulary
    kinds: tuple[str, ...] = ()


class Value:
    """A text on one line; single plain spaces may stand inside."""

    expected = "text"
    spaces = True
    lines = False

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the value of the scheme format; raises `WrongValueError`."""
        return self.text(cell)

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return what the cell says for a value of the scheme format."""
        return str(value)

    def choices(self) -> tuple[str, ...]:
        """Return the words a cell can be chosen from; none for anything but a closed list."""
        return ()

    def text(self, cell: CellValue) -> str:
        """Return the text without what nobody sees at its ends; raises `WrongValueError`."""
        if isinstance(cell, float | int) and not isinstance(cell, bool) and float(cell).is_integer():
            return str(int(cell))
        if not isinstance(cell, str):
            turned = "a date" if isinstance(cell, date | timedelta) else f"the number {cell}"
            hint = "set the format of the cell to text and type it again"
            raise WrongValueError("not-text", f"found {turned}, expected {self.expected}; {hint}")
        text = unicodedata.normalize("NFC", cell).strip(f"{_UNSEEN} \t\r\n\u00a0\u3000").strip()
        for at, character in enumerate(text, start=1):
            if not self._may_stand(character) or (character == " " == text[at]):
                name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
                found = f"found {text!r} with {name} as character {at}"
                allowed = "single spaces" if self.spaces else "no space"
                raise WrongValueError("stray-space", f"{found}, expected {allowed} inside; delete it")
        if len(text) > LONGEST_TEXT:
            raise WrongValueError("too-long", f"found {len(text)} characters, expected at most {LONGEST_TEXT}")
        return text

    def _may_stand(self, character: str) -> bool:
        if character == "\n":
            return self.lines
        if character == " ":
            return self.spaces
        return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")


class Name(Value):
    """A name or id: no space inside."""

    expected = "a name"
    spaces = False


class Note(Value):
    """A text of one or more lines."""

    lines = True


class Number(Value):
    """An exact decimal."""

    expected = "a number like 2.5"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the decimal as Excel shows it."""
        if isinstance(cell, bool | date | timedelta) or not isinstance(cell, str | int | float):
            raise WrongValueError("not-a-number", f"found {cell}, expected {self.expected}")
        if isinstance(cell, str):
            written = unicodedata.normalize("NFKC", self.text(cell))
        else:
            written = plain(Decimal(format(cell, ".15g")))
        number = parse_decimal(written)
        if number is None:
            hint = "without unit, percent sign or thousands separator"
            raise WrongValueError("not-a-number", f"found {cell!r}, expected {self.expected}, {hint}")
        return number

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the number itself."""
        return Decimal(value)


class Bound(Number):
    """A number, or 不设 for no bound."""

    expected = f"a number like 2.5, or {UNBOUND}"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the number, or None for no bound."""
        return None if isinstance(cell, str) and folded(cell) == UNBOUND else super().read(cell, context)

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the number, or 不设."""
        return UNBOUND if value is None else super().write(value, context)


class Whole(Number):
    """A whole number."""

    expected = "a whole number like 3"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the whole number."""
        number = super().read(cell, context)
        if number != int(number):
            raise WrongValueError("not-a-number", f"found {plain(number)}, expected {self.expected}")
        return int(number)


class Day(Value):
    """A day of the calendar."""

    expected = "a day like 2024-01-31"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the day."""
        if isinstance(cell, datetime):
            if (cell.hour, cell.minute, cell.second) != (0, 0, 0):
                raise WrongValueError("not-a-day", f"found the moment {cell}, expected {self.expected}")
            return cell.date()
        if isinstance(cell, date):
            return cell
        if isinstance(cell, int | float) and not isinstance(cell, bool) and 1 <= cell < 100_000:
            shown = _SERIAL_START + timedelta(days=int(cell))
            hint = f"give the cell a date format if {shown} is meant"
            raise WrongValueError("not-a-day", f"found the number {cell:g}, expected {self.expected}; {hint}")
        written = _DAY.fullmatch(unicodedata.normalize("NFKC", cell.strip())) if isinstance(cell, str) else None
        try:
            if written:
                return date(int(written[1]), int(written[2]), int(written[3]))
        except ValueError:
            written = None
        raise WrongValueError("not-a-day", f"found {cell!r}, expected {self.expected}")

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the day itself."""
        return date.fromisoformat(str(value))


class Words(Value):
    """One word of a closed list, for a code of the format."""

    spaces = False

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = words
        self.expected = f"one of {', '.join(words)}"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the code of the word."""
        return word(self.text(cell), self.words.items())

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the word of the code."""
        return next(label for label, code in self.words.items() if code == value)

    def choices(self) -> tuple[str, ...]:
        """Return the words."""
        return tuple(self.words)


class Names(Value):
    """Names with commas between them; 无 is an empty list."""

    expected = "names with commas between them"
    lines = True

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the list of names."""
        text = self.text(cell).replace("\n", ",")
        if "、" in text:
            raise between(text, "several names", ",")
        return [] if text == "无" else [Name().text(part) for part in parts_of(text, ",")]

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the names."""
        return "，".join(value) or "无"


class Item(Name):
    """An item of the vocabulary or of the scheme's own, by label or code."""

    expected = "an item of the sheet 词汇 or 自定义事项"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the item's code."""
        return item_code(self.text(cell), context)

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the item's label, or its code where two items have that label."""
        return label_of(value, ((label, code) for code, label in context.vocabulary.items.items()))


class Kinds(Value):
    """One or several kinds of facts, with commas between them."""

    expected = "kinds of facts, with commas between them"
    lines = True

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the codes of the kinds."""
        known = [(kind.label, code) for code, kind in context.vocabulary.kinds.items()]
        return [word(part, known) for part in parts_of(self.text(cell).replace("\n", ","), ",")]

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the labels of the kinds."""
        return "，".join(context.vocabulary.kinds[code].label for code in value)


class Table(Value):
    """A table written as `1=7; 2=10`: from a bound, or an item, to points."""

    lines = True

    def __init__(self, key: Value, names: tuple[str, str] | None) -> None:
        self._key = key
        self._names = names
        self.expected = f"a table like {'事项=2; 另一事项=1' if names is None else '1=7; 2=10'}"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the list of steps, or the points by item."""
        pairs = []
        for part in parts_of(self.text(cell), ";"):
            key, equals, points = part.partition("=")
            if "=" in points:
                raise between(part, "the steps", ";")
            if not equals:
                raise WrongValueError("table", f"found {part!r}, expected {self.expected}")
            pairs.append((self._key.read(key, context), Number().read(points, context)))
        if self._names is not None:
            return [dict(zip(self._names, pair, strict=True)) for pair in pairs]
        if len(dict(pairs)) < len(pairs):
            raise WrongValueError("table", f"found {cell!r}, expected each item once")
        return dict(pairs)

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the table as text."""
        pairs = value.items() if self._names is None else ([step[name] for name in self._names] for step in value)
        return "; ".join(f"{_shown(self._key.write(key, context))}={plain(points)}" for key, points in pairs)


def _shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def parts_of(text: str, separator: str) -> list[str]:
    """Return the parts of a text between separators, full-width ones too, without empty ones."""
    return [part.strip() for part in text.translate(_SEPARATORS).split(separator) if part.strip()]


def unified(text: str) -> str:
    """Return the text with plain separators and signs of comparison."""
    return text.translate(_SEPARATORS).replace("≥", ">=").replace("≤", "<=")


def folded(text: str) -> str:
    """Return the text without differences of width and without spaces, to compare words by."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def nearest(text: str, expected: Iterable[str], others: Iterable[str] = ()) -> str:
    """Return a hint for a name that is none of those expected: the one most like it, or all of them."""
    names = list(dict.fromkeys(expected))
    near = get_close_matches(text, [*names, *others], n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(names)}"


def between(text: str, parts: str, mark: str) -> WrongValueError:
    """Return the error for a text whose parts stand together without the mark that separates them."""
    named = {",": "a comma", ";": "a semicolon"}[mark]
    return WrongValueError("separator", f"found {text!r}; separate {parts} with {named} ({mark})")


def word(text: str, known: Iterable[tuple[str, Any]]) -> Any:
    """Return the code meant by a label or a code; raises `WrongValueError` with the nearest word."""
    listed = list(known)
    by_code = [code for _, code in listed if folded(str(code)) == folded(text)]
    found = by_code or list(dict.fromkeys(code for label, code in listed if folded(label) == folded(text)))
    if len(found) == 1:
        return found[0]
    if found:
        raise WrongValueError("ambiguous-word", f"found {text!r}, which is {' and '.join(found)}; write the code")
    if any(folded(part) in (folded(label), folded(str(code))) for part in text.split("、") for label, code in listed):
        raise between(text, "several", ",")
    codes = [code for _, code in listed if isinstance(code, str)]
    labels = [label for label, _ in listed]
    raise WrongValueError("unknown-word", f"found {text!r}; {nearest(text, labels, codes)}")


def item_code(text: str, context: Context) -> str:
    """Return the code of an item by its label or code; raises `WrongValueError` with the nearest one."""
    known = [(label, code) for code, label in context.vocabulary.items.items()]
    try:
        return str(word(text, known))
    except WrongValueError as wrong:
        if "expected one of" not in str(wrong):
            raise
        hint = "expected an item of the sheet 词汇, or one that the sheet 自定义事项 adds"
        raise WrongValueError("unknown-word", f"found {text!r}, {hint}") from None


def label_of(code: str, known: Iterable[tuple[str, str]]) -> str:
    """Return the label of a code, or the code itself where its label would not lead back to it."""
    listed = list(known)
    label = next((label for label, one in listed if one == code), code)
    alike = [one for other, one in listed if folded(label) in (folded(other), folded(one))]
    return label if alike == [code] and not set(unified(label)) & set(",;=<>\n") else code
