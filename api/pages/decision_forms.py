"""The form that decides an appeal: what may be ordered about it, and the orders that were chosen.

Offered are the observations in dispute and those that the disputed rows take into account, each to leave, to void or
to amend; and the judged rows in dispute, each to judge anew. Whether an order is possible the ledger decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from api.invalid_fields import model_problems
from api.pages.forms import Form
from ledger.commands import DecideAppeal, Order
from projections.answer_models import FactAnswer, ObservationAnswer, ReadingAnswer, RowAnswer, SheetAnswer, Shown
from projections.answers import observation_answer, sheet_answer
from projections.proceedings.models import ProceedingAnswer
from projections.sentences import reading_phrase
from projections.years import YearView
from schemes.problem import InvalidInput
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    IntegerAttribute,
    ItemAttribute,
    UnitAttribute,
    Vocabulary,
)

_ORDERS: Final[TypeAdapter[tuple[Order, ...]]] = TypeAdapter(tuple[Order, ...])


@dataclass(frozen=True, slots=True)
class OrderField:
    """An attribute of an observation as a field: `options` are codes with their labels, where it is a choice."""

    name: str
    label: str
    several: bool
    whole: bool
    options: Mapping[str, str] | None
    value: Shown | None


@dataclass(frozen=True, slots=True)
class Orderable:
    """An observation that something may be ordered about; `disputed`: the appeal names it."""

    observation: str
    reading: ReadingAnswer
    phrase: str
    disputed: bool
    fields: Sequence[OrderField]


@dataclass(frozen=True, slots=True)
class Judgeable:
    """A judged row that may be judged anew: `value` is what it holds, `day` the first on which it would count."""

    row: RowAnswer
    day: date


@dataclass(frozen=True, slots=True)
class DecisionForm:
    """What the decision of an appeal may order."""

    observations: Sequence[Orderable]
    rows: Sequence[Judgeable]
    units: Sequence[str]


def decision_form(view: YearView, answer: ProceedingAnswer, words: Vocabulary, today: date) -> DecisionForm:
    """Return what may be ordered about an open appeal, as the year stands in the view."""
    unit = view.unit_of_year(answer.key)
    sheet = sheet_answer(view, unit) if unit in view.units else None
    disputed = [one.observation for one in answer.observations]
    rows = list(_rows_in_dispute(sheet, answer))
    looked_at = [fact.observation for row in rows for fact in _facts(row) if fact.observation is not None]
    names = list(dict.fromkeys([*disputed, *looked_at]))
    found = [observation_answer(view, name) for name in names]
    units = [one.name_on(view.as_of) for one in view.units]
    day = min(today, view.scheme.period.last)
    return DecisionForm(
        observations=[
            _orderable(one, one.observation in disputed, words, units) for one in found if one.status == "counts"
        ],
        rows=[
            Judgeable(row, max(day, row.judged_by.occurred_on) if row.judged_by else day)
            for row in rows
            if row.minimum is not None
        ],
        units=units,
    )


def _rows_in_dispute(sheet: SheetAnswer | None, answer: ProceedingAnswer) -> Iterator[RowAnswer]:
    """Yield the rows that the appeal names, and those whose judgement it names."""
    named = {one.indicator for one in answer.indicators}
    named |= {
        str(one.reading.attributes.get("indicator")) for one in answer.observations if one.reading.kind == "judgement"
    }
    yield from (row for row in (sheet.rows if sheet else ()) if row.indicator in named)


def _facts(row: RowAnswer) -> Iterator[FactAnswer]:
    yield from (effect.fact for effect in row.effects if effect.fact is not None)
    yield from row.forfeits


def _orderable(one: ObservationAnswer, disputed: bool, words: Vocabulary, units: Sequence[str]) -> Orderable:
    reading = one.reading
    attributes = words.kinds[reading.kind].attributes
    fields = [
        OrderField(
            name,
            attribute.label,
            isinstance(attribute, CodesAttribute),
            isinstance(attribute, IntegerAttribute),
            _options(attribute, words, units),
            reading.attributes.get(name),
        )
        for name, attribute in attributes.items()
    ]
    return Orderable(one.observation, reading, reading_phrase(reading, words), disputed, fields)


def _options(attribute: Attribute, words: Vocabulary, units: Sequence[str]) -> Mapping[str, str] | None:
    match attribute:
        case CodeAttribute() | CodesAttribute():
            return attribute.values
        case ItemAttribute():
            return words.items
        case UnitAttribute():
            return {unit: unit for unit in units}
        case _:
            return None


def orders_sent(form: Form, offered: DecisionForm) -> list[dict[str, Any]]:
    """Return the orders that were chosen, as `DecideAppeal` reads them."""
    found: list[dict[str, Any]] = []
    for one in offered.observations:
        chosen = form.text(f"order.{one.observation}")
        if chosen == "void":
            found.append({"void": one.observation})
        elif chosen == "amend":
            found.append({"amend": one.observation, "changes": _changes(form, one)})
    for row in offered.rows:
        place = f"judge.{row.row.indicator}."
        value = form.text(f"{place}value")
        if value:
            found.append({"judge": row.row.indicator, "value": value, "occurred_on": form.text(f"{place}day")})
    return found


def orders_read(sent: Sequence[Mapping[str, Any]]) -> tuple[Order, ...]:
    """Return the orders as the ledger takes them; raises `InvalidInput` with every field that is wrong."""
    try:
        return _ORDERS.validate_python(list(sent))
    except ValidationError as invalid:
        errors = [{**one, "loc": ("orders", *one["loc"])} for one in invalid.errors()]
        raise InvalidInput(tuple(model_problems(errors, {"orders": list(sent)}, DecideAppeal))) from None


def _changes(form: Form, one: Orderable) -> dict[str, Any]:
    """Return the fields that read otherwise now; `attributes` as a whole where one of them does."""
    place, reading = f"amend.{one.observation}.", one.reading
    said = {
        "unit": (form.text(f"{place}unit"), reading.unit),
        "occurred_on": (form.text(f"{place}occurred_on"), reading.occurred_on.isoformat()),
        "count": (_whole(form.text(f"{place}count")), reading.count),
    }
    changes: dict[str, Any] = {name: new for name, (new, old) in said.items() if new not in ("", old)}
    given = {field.name: _given(form, f"{place}attributes.{field.name}", field) for field in one.fields}
    attributes = {name: value for name, value in given.items() if value not in ("", [])}
    if attributes != dict(reading.attributes):
        changes["attributes"] = attributes
    return changes


def _given(form: Form, name: str, field: OrderField) -> str | int | list[str]:
    if field.several:
        return form.texts(name)
    text = form.text(name)
    return _whole(text) if field.whole else text


def _whole(text: str) -> str | int:
    """Return a whole number as one; anything else as it was typed, which is then refused in its place."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text
