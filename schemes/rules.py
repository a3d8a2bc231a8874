"""The closed set of rule kinds: what a row of a rubric can do with the facts it means.

Each kind is a frozen model read from the scheme file; `schemes.scoring` is their one evaluator. Points are
stated without sign: `deduct` takes them away, `award` adds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from schemes.conditions import Where
from schemes.exact import parse_decimal
from schemes.fact import Fact

FactsByKind = Mapping[str, Sequence[Fact]]


def _plainly_written(value: Any) -> Any:
    """Refuse a number written with an exponent or otherwise not plainly; the file says 0.5 and means it."""
    if isinstance(value, str) and parse_decimal(value) is None:
        raise ValueError(f"found {value!r}, expected a plain decimal like 2.5")
    return value


Number = Annotated[Decimal, BeforeValidator(_plainly_written)]
Points = Annotated[Number, Field(ge=0)]
Basis = Literal["base", "base+bonus", "base-penalty", "base+bonus-penalty"]
Direction = Literal["award", "deduct"]
Order = Literal["highest_first", "lowest_first"]
Among = Literal["group", "all"]


class Model(BaseModel):
    """Base of everything read from a scheme file: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Selection(Model):
    """Facts of one or several kinds, narrowed by a predicate."""

    kinds: tuple[str, ...] = Field(min_length=1)
    where: Where = Where()

    def matching(self, facts: FactsByKind) -> list[Fact]:
        """Return the selected facts, in the order of facts."""
        matches = self.where.matches
        found = [fact for kind in self.kinds for fact in facts.get(kind, ()) if matches(fact)]
        if len(self.kinds) > 1:
            found.sort(key=attrgetter("order"))
        return found


class Deduct(Selection):
    """Minus `each` × count per fact; `max` caps the sum of the rule, or of all rules with the same `pool`."""

    effect: Literal["deduct"]
    each: Points
    max: Points | None = None
    pool: str | None = Field(default=None, min_length=1)


class Award(Selection):
    """Plus `each` × count per fact; `max` and `pool` as for `deduct`."""

    effect: Literal["award"]
    each: Points
    max: Points | None = None
    pool: str | None = Field(default=None, min_length=1)


class Forfeit(Selection):
    """Any matching fact sets the indicator to 0, whatever else it holds."""

    effect: Literal["forfeit"]


class Step(Model):
    """From this many times on, these points."""

    times: int = Field(ge=1)
    points: Points


class Tiers(Selection):
    """A table from how many times to points; the highest step reached applies."""

    effect: Literal["tiers"]
    direction: Direction
    steps: tuple[Step, ...] = Field(min_length=1)


class Checklist(Selection):
    """Points per distinct item: earned once when present, or lost once when missing."""

    effect: Literal["checklist"]
    mode: Literal["earn", "lose"]
    items: dict[str, Points] = Field(min_length=1)


class Judged(Model):
    """The latest judgement for this indicator, within `min`..`max`; pending at `default` until there is one."""

    effect: Literal["judged"]
    min: Number
    max: Number
    default: Number

    @model_validator(mode="after")
    def _ordered(self) -> Judged:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class ByRankingFact(Model):
    """The rank is the one somebody outside gave (`ranking` facts of this name)."""

    ranking: str


class ByMetric(Model):
    """The rank is worked out from the latest `metric` facts of this name."""

    metric: str
    order: Order


class ByCount(Model):
    """The rank is worked out from the sum of counts of these facts."""

    count: Selection
    order: Order


def _source(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else vars(value)
    return next((key for key in ("ranking", "metric", "count") if key in keys), None)


RankSource = Annotated[
    Annotated[ByRankingFact, Tag("ranking")] | Annotated[ByMetric, Tag("metric")] | Annotated[ByCount, Tag("count")],
    Discriminator(
        _source,
        custom_error_type="rank_source",
        custom_error_message="expected one of ranking, metric, count",
    ),
]


class Place(Model):
    """Up to this rank, these points."""

    rank: int = Field(ge=1)
    points: Points


class ByRank(Model):
    """A table from rank to points, counted from the top or from the bottom; equal values share the better rank."""

    effect: Literal["by_rank"]
    direction: Direction
    source: RankSource
    among: Among
    from_bottom: bool = False
    places: tuple[Place, ...] = Field(min_length=1)


class Shortfall(Model):
    """Minus `each` per whole `step` (a fraction of the mean) by which the unit's metric lies below the mean."""

    effect: Literal["shortfall"]
    metric: str
    step: Annotated[Number, Field(gt=0)]
    each: Points
    among: Among


class MeanRating(Model):
    """The mean of ratings by units of other groups, rounded half up to 2 decimals; 0 without any."""

    effect: Literal["mean_rating"]


class Threshold(Selection):
    """A condition on how many times facts occurred: at least, at most, or both."""

    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _bounded(self) -> Threshold:
        if self.at_least is None and self.at_most is None:
            raise ValueError("expected at_least, at_most or both")
        return self


class Milestone(Model):
    """`points` once, when every condition holds."""

    effect: Literal["milestone"]
    points: Points
    conditions: tuple[Threshold, ...] = Field(min_length=1)


class IfTotal(Model):
    """`points` once, when the subtotal named by `basis` reaches `at_least`."""

    effect: Literal["if_total"]
    basis: Basis
    at_least: Number
    points: Points


class PriorGrade(Model):
    """`points` once, when last year's grade is the one named."""

    effect: Literal["prior_grade"]
    grade: str
    points: Points


class Discretion(Model):
    """Takes the points of `discretion` facts of its section."""

    effect: Literal["discretion"]
    section: Literal["bonus", "penalty"]


class Inform(Selection):
    """No points: the matching facts are listed beside a judged row for the one who judges."""

    effect: Literal["inform"]


class Proportional(Model):
    """Full points × metric ÷ `target`, rounded half up to 2 decimals, between 0 and the points."""

    effect: Literal["proportional"]
    metric: str
    target: Annotated[Number, Field(gt=0)]


class ValueStep(Model):
    """From this value on, these points."""

    at_least: Number
    points: Points


class ByValue(Model):
    """A table from thresholds of a metric to points; below all of them 0."""

    effect: Literal["by_value"]
    metric: str
    steps: tuple[ValueStep, ...] = Field(min_length=1)


Rule = Annotated[
    Deduct
    | Award
    | Forfeit
    | Tiers
    | Checklist
    | Judged
    | ByRank
    | Shortfall
    | MeanRating
    | Milestone
    | IfTotal
    | PriorGrade
    | Discretion
    | Inform
    | Proportional
    | ByValue,
    Field(discriminator="effect"),
]


def kinds_of(rule: Rule) -> tuple[str, ...]:
    """Return the kinds of facts that the rule can be touched by."""
    match rule:
        case Selection():
            return rule.kinds
        case Milestone():
            return tuple(dict.fromkeys(kind for condition in rule.conditions for kind in condition.kinds))
        case ByRank(source=ByCount() as source):
            return source.count.kinds
        case ByRank(source=ByRankingFact()):
            return ("ranking",)
        case ByRank() | Shortfall() | Proportional() | ByValue():
            return ("metric",)
        case Judged():
            return ("judgement",)
        case MeanRating():
            return ("rating",)
        case PriorGrade():
            return ("prior_grade",)
        case Discretion():
            return ("discretion",)
        case IfTotal():
            return ()
