"""Which facts a rule means: one or several kinds and a small typed predicate on their attributes.

In a scheme file a condition is a mapping from attribute to test; all of them must hold:

    where: {item: annual_report, nature: [privacy, state_secret], days: {at_least: 14}, forms: {size_at_least: 3}}

A plain value means `=`, a list means `in`; `any`, `all` and `not` combine. On a list attribute `=` and `in`
mean 'any of'. A missing attribute fails every test, so only `not` can hold for it. `rectified: true` asks
whether the unit had put the matter right by the day of the query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from schemes.fact import AttributeValue, Fact

Scalar = bool | int | Decimal | str
Matcher = Callable[[Fact], bool]
RECTIFIED = "rectified"


class Comparison(BaseModel):
    """Bounds on a number or on the size of a list; every bound stated must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least: Decimal | None = None
    at_most: Decimal | None = None
    size_at_least: int | None = None
    size_at_most: int | None = None

    def holds(self, value: AttributeValue) -> bool:
        """Whether the value is within every stated bound; a value of the wrong type is not."""
        if isinstance(value, tuple):
            bounds = (self.size_at_least, self.size_at_most)
            return (self.at_least, self.at_most) == (None, None) and _within(len(value), *bounds)
        if isinstance(value, str) or (self.size_at_least, self.size_at_most) != (None, None):
            return False
        return _within(value, self.at_least, self.at_most)


def _within(value: int | Decimal, low: int | Decimal | None, high: int | Decimal | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _shape(value: object) -> str:
    if isinstance(value, dict | Comparison):
        return "comparison"
    return "list" if isinstance(value, list | tuple) else "value"


Test = Annotated[
    Annotated[Comparison, Tag("comparison")]
    | Annotated[tuple[Scalar, ...], Tag("list")]
    | Annotated[Scalar, Tag("value")],
    Discriminator(_shape),
]


class Where(BaseModel):
    """A predicate on a fact's attributes: attribute tests and combinations of them, all of which must hold."""

    model_config = ConfigDict(frozen=True, extra="allow", serialize_by_alias=True)

    __pydantic_extra__: dict[str, Test] = Field(init=False)
    all_of: tuple[Where, ...] = Field(default=(), alias="all")
    any_of: tuple[Where, ...] = Field(default=(), alias="any")
    none_of: Where | None = Field(default=None, alias="not")

    @property
    def tests(self) -> Mapping[str, Test]:
        """The tests on single attributes, by attribute."""
        return self.__pydantic_extra__ or {}

    @cached_property
    def matches(self) -> Matcher:
        """The predicate as a function of a fact."""
        parts = [_test_matcher(name, test) for name, test in self.tests.items()]
        parts += [part.matches for part in self.all_of]
        if self.any_of:
            options = tuple(part.matches for part in self.any_of)
            parts.append(lambda fact: any(option(fact) for option in options))
        if self.none_of is not None:
            excluded = self.none_of.matches
            parts.append(lambda fact: not excluded(fact))
        return _all_of(parts)


def _all_of(parts: Sequence[Matcher]) -> Matcher:
    # Most predicates have one or two parts, and each looks at every fact of its kinds.
    match parts:
        case [one]:
            return one
        case [one, other]:
            return lambda fact: one(fact) and other(fact)
        case _:
            return lambda fact: all(part(fact) for part in parts)


def _test_matcher(name: str, test: Test) -> Matcher:
    if name == RECTIFIED:
        return lambda fact: (fact.rectified_on is not None) is test
    if isinstance(test, Comparison):
        return lambda fact: (value := fact.attributes.get(name)) is not None and test.holds(value)
    wanted = frozenset(test if isinstance(test, tuple) else (test,))

    def is_one_of(fact: Fact) -> bool:
        value: Any = fact.attributes.get(name)
        return not wanted.isdisjoint(value) if isinstance(value, tuple) else value in wanted

    return is_one_of
