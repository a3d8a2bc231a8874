"""A scheme: one year's scoring document as data, with its groups, units, indicators, caps, grades and vetoes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from schemes.rules import Basis, IfTotal, Judged, Model, Number, Points, Rule, Selection, kinds_of

Section = Literal["base", "bonus", "penalty"]
NotApplicable = Literal["drop", "rescale", "full_credit"]
Share = Annotated[Number, Field(ge=0, le=1)]


class Document(Model):
    """The official document a scheme comes from; `number` and `issued_on` are null where none is printed."""

    title: str
    number: str | None
    issuer: str
    issued_on: date | None


class Jurisdiction(Model):
    """A county, county-level city or district by its GB/T 2260 code, with its full name."""

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    name: str


class Period(Model):
    """The days whose facts count, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.first > self.last:
            raise ValueError(f"first day {self.first} is after the last day {self.last}")
        return self

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Stage(Model):
    """One of several sheets weighed into the total; a fact counts in it only when it occurred in its window."""

    id: str
    title: str
    weight: Points
    full: Points
    window: Period | None = None


class AppliesTo(Model):
    """The units a row is for: only these, or all but these; exactly one of the two is stated."""

    only: tuple[str, ...] | None = None
    all_but: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one(self) -> AppliesTo:
        if (self.only is None) == (self.all_but is None):
            raise ValueError("expected either only or all_but")
        return self

    def includes(self, unit: str) -> bool:
        """Whether the row is for this unit."""
        return unit in self.only if self.only is not None else unit not in (self.all_but or ())

    def with_units(self, keys: Mapping[str, str]) -> AppliesTo:
        """Return the same with each unit under its key, where it has one other than its name."""
        return AppliesTo(only=_under_keys(self.only, keys), all_but=_under_keys(self.all_but, keys))


def _under_keys(names: tuple[str, ...] | None, keys: Mapping[str, str]) -> tuple[str, ...] | None:
    return None if names is None else tuple(keys.get(name, name) for name in names)


def _schema_of_bounds(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema what a file may leave out: the bounds, and the start of a penalty row."""
    schema["required"] = [name for name in schema["required"] if name not in ("start", "floor", "ceiling")]
    schema["if"] = {"properties": {"section": {"const": "penalty"}}, "required": ["section"]}
    schema["then"] = {"properties": {"start": {"const": "zero", "default": "zero"}}}
    schema["else"] = {"required": ["start"]}
    schema["properties"]["floor"]["description"] = "Null is no bound; unstated it is 0, in a penalty row no bound."
    schema["properties"]["ceiling"]["description"] = "Null is no bound; unstated it is the points, in a penalty row 0."


class Indicator(Model):
    """One scoring row: its place in the document, its points, its bounds and its rules.

    `floor` and `ceiling` are null where there is no bound. Unstated, the ceiling is the points and the floor 0;
    a penalty row starts at 0, has the ceiling 0 and no floor.
    """

    model_config = ConfigDict(json_schema_extra=_schema_of_bounds)

    id: str
    titles: tuple[str, ...] = Field(min_length=1)
    clause: str
    points: Points
    section: Section = "base"
    stage: str | None = None
    start: Literal["full", "zero"]
    floor: Number | None
    ceiling: Number | None
    per_account: bool = False
    applies_to: AppliesTo | None = None
    rules: tuple[Rule, ...] = ()
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bounds(cls, data: Any) -> Any:
        """Fill in the bounds the file leaves out."""
        if not isinstance(data, dict):
            return data
        penalty = data.get("section") == "penalty"
        filled = {"floor": None if penalty else 0, "ceiling": 0 if penalty else data.get("points")}
        if penalty:
            filled["start"] = "zero"
        return {**filled, **data}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of facts that can touch the row; without any of them it scores the same for every unit."""
        return frozenset(kind for rule in self.rules for kind in kinds_of(rule))

    @cached_property
    def sees_subtotals(self) -> bool:
        """Whether the row has an `if_total` rule, and so depends on the other rows of the sheet."""
        return any(isinstance(rule, IfTotal) for rule in self.rules)

    @property
    def judged(self) -> Judged | None:
        """The row's judged rule, if it is a judged row."""
        return next((rule for rule in self.rules if isinstance(rule, Judged)), None)

    def applies(self, unit: str) -> bool:
        """Whether the row is in this unit's sheet."""
        return self.applies_to is None or self.applies_to.includes(unit)


class Label(Model):
    """The points the document prints beside a heading, whether or not its rows add up to them.

    `bonus_share` is the share of them that awards in its rows should not exceed, where the document states one. It
    is a rule for those who write the scheme: no score depends on it.
    """

    titles: tuple[str, ...] = Field(min_length=1)
    points: Number
    bonus_share: Share | None = None


class Output(Model):
    """A figure reported beside the score and never part of it: a metric times a factor."""

    id: str
    titles: tuple[str, ...]
    clause: str
    metric: str
    factor: Number


class Group(Model):
    """Units that are ranked together, and the rows they are scored on."""

    id: str
    title: str
    units: tuple[str, ...] = Field(min_length=1)
    example_units: bool = False
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    labels: tuple[Label, ...] = ()
    quotas: Quotas | None = None

    def indicator(self, identifier: str) -> Indicator | None:
        """Return the row of that id, or None."""
        return next((row for row in self.indicators if row.id == identifier), None)


class Band(Model):
    """A grade and the lowest total that earns it; the last band has no bound."""

    grade: str
    at_least: Number | None


class End(Model):
    """The grade of one end of the ranking and its share of the units."""

    grade: str
    share: Share


class Quotas(Model):
    """Grades by rank within the group: the best, the rest, the last."""

    top: End
    middle: str
    bottom: End


class Gate(Model):
    """The bonus section counts only when the subtotal reaches the threshold."""

    basis: Basis
    at_least: Number


class VetoFacts(Selection):
    """Fires on this many times, optionally only of facts that share one value of an attribute."""

    min_count: int = Field(default=1, ge=1)
    same: str | None = None


class VetoSubtotal(Model):
    """Fires when a subtotal lies below a threshold (a fail line)."""

    basis: Basis | Literal["total"]
    below: Number


def _condition(value: Any) -> str:
    return "facts" if "kinds" in (value if isinstance(value, dict) else vars(value)) else "subtotal"


class Veto(Model):
    """Forces a grade, fixes the total, or both, when its condition holds."""

    id: str
    title: str
    clause: str
    when: Annotated[
        Annotated[VetoFacts, Tag("facts")] | Annotated[VetoSubtotal, Tag("subtotal")],
        Discriminator(_condition),
    ]
    grade: str | None = None
    total: Number | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Veto:
        if self.grade is None and self.total is None:
            raise ValueError("expected grade, total or both")
        return self


class Accepted(Model):
    """A finding of the lint that the scheme's authors know of and keep: which one, where, and why.

    Without `indicator` (and `group`) it accepts the code's findings wherever in the group (or the scheme) they are.
    """

    code: str
    group: str | None = None
    indicator: str | None = None
    reason: Annotated[str, Field(min_length=1)]


class Scheme(Model):
    """One version of a scheme. A null `cap`, `floor`, `bonus_cap`, `bonus_gate` or `penalty_cap` is no bound."""

    model_config = ConfigDict(json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"})

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: str
    document: Document
    jurisdiction: Jurisdiction
    year: Annotated[int, Field(ge=1990, le=2200)]
    period: Period
    full: Points
    cap: Number | None = None
    cap_after: Literal["bonus", "all"] = "bonus"
    floor: Number | None = Decimal(0)
    bonus_cap: Number | None = None
    bonus_gate: Gate | None = None
    penalty_cap: Number | None = None
    not_applicable: NotApplicable
    stages: tuple[Stage, ...] = ()
    bands: tuple[Band, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    outputs: tuple[Output, ...] = ()
    items: dict[str, str] = Field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()
    groups: tuple[Group, ...] = Field(min_length=1)

    def group_of(self, unit: str) -> Group | None:
        """Return the group whose unit list of the scheme names the unit, or None."""
        return next((group for group in self.groups if unit in group.units), None)

    def group(self, identifier: str) -> Group | None:
        """Return the group of that id, or None."""
        return next((group for group in self.groups if group.id == identifier), None)

    def with_units(self, keys: Mapping[str, str]) -> Scheme:
        """Return the scheme whose rows apply to units by their keys; their lists and all else stay as written."""
        if not keys:
            return self
        groups = tuple(
            group.model_copy(update={"indicators": tuple(_row_with_units(row, keys) for row in group.indicators)})
            for group in self.groups
        )
        return self.model_copy(update={"groups": groups})


def _row_with_units(row: Indicator, keys: Mapping[str, str]) -> Indicator:
    if row.applies_to is None:
        return row
    return row.model_copy(update={"applies_to": row.applies_to.with_units(keys)})


Group.model_rebuild()
