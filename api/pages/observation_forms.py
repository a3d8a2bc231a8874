"""Forms about one fact: which fields a kind has, what was typed into them, and the reading that they say.

A form begins with the unit, then the scheme's row; the row asks for kinds, and a kind for fields (`schemes.asking`).
Nothing is judged here: what is missing is named, and what is wrong is the ledger's to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal

from api.pages.forms import Form
from api.pages.pinyin import readings
from ledger.decisions import Unit
from projections.sentences import scheme_words
from projections.years import YearView
from schemes.asking import AskedField, AskedKind, asked_kinds
from schemes.exact import plain
from schemes.rules import MeanRating
from schemes.scheme import Indicator, Scheme, Veto
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

ATTRIBUTE: Final = "attribute."
LONGEST_NOTE: Final = 4000
_VETO: Final = "veto:"
Input = Literal["fixed", "choice", "choices", "unit", "integer", "decimal", "text"]


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen; `readings` are those of its label's characters, to be found by typing."""

    value: str
    label: str

    @property
    def readings(self) -> str:
        """The readings of each character of the label that is one, as scripts read them."""
        return " ".join("|".join(one) for one in readings(self.label))


@dataclass(frozen=True, slots=True)
class Options:
    """Options under one heading."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field as a form shows it: its name there, its label, what can be entered, and what was."""

    name: str
    label: str
    input: Input
    required: bool
    options: tuple[Option, ...] = ()
    at_least: str | None = None
    at_most: str | None = None
    value: str = ""
    chosen: tuple[str, ...] = ()


def units_of(view: YearView) -> list[Options]:
    """Return the units assessed on the day by their names then, under their groups' titles."""
    scheme = view.scheme
    found = []
    for group in scheme.groups:
        units = tuple(_unit_option(view, unit) for unit in view.units if unit.group == group.id)
        found.append(Options(group.title, units))
    return found


def _unit_option(view: YearView, unit: Unit) -> Option:
    name = unit.name_on(view.as_of)
    return Option(name, name)


def rows_of(scheme: Scheme, group: str, unit: str | None, words: Vocabulary, prefix: str = "") -> list[Options]:
    """Return the rows of a group that ask for facts, under their first titles, and then vetoes on facts.

    Only those that apply to the unit of that key, if one is named. `prefix` comes before each row's id.
    """
    found: dict[str, list[Option]] = {}
    known = scheme.group(group)
    for row in known.indicators if known else ():
        if (unit is None or row.applies(unit)) and row.kinds:
            found.setdefault(row.titles[0], []).append(Option(f"{prefix}{row.id}", row_label(row)))
    for veto in scheme.vetoes:
        if asked_kinds(veto, words):
            found.setdefault("否决情形", []).append(Option(f"{prefix}{_VETO}{veto.id}", veto.title))
    return [Options(title, tuple(options)) for title, options in found.items()]


def row_label(row: Indicator) -> str:
    """Return a row as it is chosen: its number and its last title."""
    return f"{row.id} {row.titles[-1]}"


def row_named(scheme: Scheme, group: str, unit: str | None, name: str) -> Indicator | Veto | None:
    """Return the row (or veto) that a form names, where the unit's sheet has it."""
    if name.startswith(_VETO):
        return next((veto for veto in scheme.vetoes if veto.id == name.removeprefix(_VETO)), None)
    known = scheme.group(group)
    row = known.indicator(name) if known else None
    return row if row is not None and (unit is None or row.applies(unit)) else None


@dataclass(frozen=True)
class Asked:
    """What a form asks once its row is chosen: kinds, and the fields of the one chosen, with what was typed."""

    form: Form
    view: YearView
    row: Indicator | Veto | None
    group: str | None
    unit: str | None

    @cached_property
    def words(self) -> Vocabulary:
        """The vocabulary with the scheme's own items."""
        return scheme_words(self.view.scheme)

    @cached_property
    def kinds(self) -> tuple[AskedKind, ...]:
        """The kinds that the row asks for."""
        return () if self.row is None else asked_kinds(self.row, self.words)

    @cached_property
    def kind(self) -> AskedKind | None:
        """The kind chosen; the first that the row asks for, where none of them is."""
        chosen = self.form.text("kind")
        return next((one for one in self.kinds if one.kind == chosen), self.kinds[0] if self.kinds else None)

    @cached_property
    def fields(self) -> list[Field]:
        """The fields of the kind."""
        return [] if self.kind is None else [self._shown(field) for field in self.kind.fields]

    @property
    def attributes(self) -> dict[str, Any]:
        """What was typed, as the ledger reads it: whole numbers as such, lists of codes as lists."""
        kind = self.kind
        return {} if kind is None else attributes_sent(self.form, {one.name: one.attribute for one in kind.fields})

    def missing(self) -> Iterator[str]:
        """Yield the labels of required fields that are empty."""
        for field in self.fields:
            if field.required and not field.value and not field.chosen:
                yield field.label

    def _shown(self, field: AskedField) -> Field:
        attribute = field.attribute
        low, high = _bounds(attribute)
        low = low if field.at_least is None else plain(field.at_least)
        if self.kind is not None and self.kind.kind == "judgement" and field.name == "value":
            judged = self.row.judged if isinstance(self.row, Indicator) else None
            low, high = (None, None) if judged is None else (plain(judged.min), plain(judged.max))
        default = str(self.view.scheme.year - 1) if self.kind and (self.kind.kind, field.name) == _LAST_YEAR else ""
        needed = attribute.model_copy(update={"required": field.needed})
        return shown(self.form, field.name, needed, field.values, self.view, (low, high), default, self._others)

    def _others(self, unit: Unit) -> bool:
        """Whether the fact can name the unit beside its own: ratings count from other groups only."""
        rated = isinstance(self.row, Indicator) and any(isinstance(rule, MeanRating) for rule in self.row.rules)
        return unit.key != self.unit and not (rated and unit.group == self.group)


_LAST_YEAR: Final = ("prior_grade", "year")


def shown(
    form: Form,
    name: str,
    attribute: Attribute,
    values: Mapping[str, str] | None,
    view: YearView,
    bounds: tuple[str | None, str | None] = (None, None),
    default: str = "",
    offers: Callable[[Unit], bool] = lambda _: True,
) -> Field:
    """Return a field with what was typed into it; `values` are the codes offered, `offers` says which units are."""
    sent = f"{ATTRIBUTE}{name}"
    offered = tuple(Option(code, label) for code, label in (values or {}).items())
    typed, chosen = form.text(sent, default), tuple(form.texts(sent))
    low, high = bounds
    if isinstance(attribute, CodesAttribute):
        return Field(sent, attribute.label, "choices", attribute.required, offered, chosen=chosen)
    if attribute.required and len(offered) == 1:
        return Field(sent, attribute.label, "fixed", True, offered, value=offered[0].value)
    if values is not None:
        return Field(sent, attribute.label, "choice", attribute.required, offered, value=typed)
    if isinstance(attribute, UnitAttribute):
        units = tuple(_unit_option(view, unit) for unit in view.units if offers(unit))
        return Field(sent, attribute.label, "unit", attribute.required, units, value=typed)
    entered: Input = "text"
    if isinstance(attribute, IntegerAttribute | DecimalAttribute):
        entered = "integer" if isinstance(attribute, IntegerAttribute) else "decimal"
    return Field(sent, attribute.label, entered, attribute.required, (), low, high, typed)


def _bounds(attribute: Attribute) -> tuple[str | None, str | None]:
    match attribute:
        case IntegerAttribute():
            return str(attribute.at_least), str(attribute.at_most)
        case DecimalAttribute():
            low = attribute.at_least if attribute.at_least is not None else attribute.more_than
            high = attribute.at_most
            return None if low is None else plain(low), None if high is None else plain(high)
        case _:
            return None, None


def known_values(attribute: Attribute, words: Vocabulary) -> Mapping[str, str] | None:
    """Return every code of an attribute with its label, None where it is open."""
    if isinstance(attribute, CodeAttribute | CodesAttribute):
        return attribute.values
    return words.items if isinstance(attribute, ItemAttribute) else None


def all_fields(form: Form, view: YearView, kind: str) -> list[Field]:
    """Return the fields of a kind with all that its vocabulary knows, whatever a row asks for."""
    words = scheme_words(view.scheme)
    return [
        shown(form, name, attribute, known_values(attribute, words), view, _bounds(attribute))
        for name, attribute in words.kinds[kind].attributes.items()
    ]


def attributes_sent(form: Form, attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    """Return what was typed into the fields of these attributes, without those left empty."""
    found: dict[str, Any] = {}
    for name, attribute in attributes.items():
        texts = form.texts(f"{ATTRIBUTE}{name}")
        if isinstance(attribute, CodesAttribute):
            found[name] = texts
        elif texts:
            found[name] = whole_number(texts[-1]) if isinstance(attribute, IntegerAttribute) else texts[-1]
    return {name: value for name, value in found.items() if value != []}


def whole_number(text: str) -> int | str:
    """Return the whole number that the text is; the text itself where it is none, for the ledger to refuse."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def day_within(view: YearView, today: date) -> date:
    """Return today, or the nearest day of the year's period."""
    period = view.scheme.period
    return min(max(today, period.first), period.last)


def named(options: Sequence[Options], value: str) -> bool:
    """Whether one of the options has that value."""
    return any(option.value == value for one in options for option in one.options)
