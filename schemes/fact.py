"""Facts as the engine sees them: one current reading of one observation, or one derived from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

AttributeValue = str | int | Decimal | tuple[str, ...]

REQUEST_KINDS = frozenset({"request_received", "request_extended", "request_answered"})


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One fact about one unit on one day; it carries no points.

    `position` is the ledger position of the `observe` entry: with `occurred_on` it is the order of facts, and
    an amended observation keeps it. `sources` names the observations a derived fact comes from (empty for a
    recorded one).
    """

    id: str
    position: int
    unit: str
    kind: str
    occurred_on: date
    count: int
    attributes: Mapping[str, AttributeValue]
    rectified_on: date | None = None
    sources: tuple[str, ...] = field(default=())

    @property
    def order(self) -> tuple[date, int]:
        """The order of facts: day, then ledger position."""
        return (self.occurred_on, self.position)

    def text(self, name: str) -> str | None:
        """Return a text attribute, or None when the fact has none of that name."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) else None

    def decimal(self, name: str) -> Decimal:
        """Return a decimal attribute the vocabulary requires for this kind."""
        value = self.attributes[name]
        if not isinstance(value, Decimal):
            raise TypeError(f"expected a decimal in {name!r} of fact {self.id}, got {value!r}")
        return value

    def integer(self, name: str) -> int:
        """Return an integer attribute the vocabulary requires for this kind."""
        value = self.attributes[name]
        if not isinstance(value, int):
            raise TypeError(f"expected an integer in {name!r} of fact {self.id}, got {value!r}")
        return value
