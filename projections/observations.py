"""The observations of a year as they read now: found by unit, kind, day and status, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Literal

from ledger.decisions import Unit
from projections.years import Observed, YearView

Status = Literal["counts", "void"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which observations: of one unit, of one kind, from a day, to a day, that count or are void; null is any."""

    unit: Unit | None = None
    kind: str | None = None
    first: date | None = None
    last: date | None = None
    status: Status | None = None

    def includes(self, one: Observed, view: YearView) -> bool:
        """Whether the observation, as it reads now, is one of those wanted."""
        fact = one.fact
        return (
            (self.kind is None or fact.kind == self.kind)
            and (self.first is None or fact.occurred_on >= self.first)
            and (self.last is None or fact.occurred_on <= self.last)
            and (self.status is None or one.void == (self.status == "void"))
            and (self.unit is None or view.state.unit(fact.unit) == self.unit)
        )


def page_of(view: YearView, wanted: Wanted, after: int, limit: int) -> tuple[list[Observed], int | None]:
    """Return up to `limit` observations recorded after the ledger position, in the order they were recorded.

    The second value is the position to go on after, or None when there are no more.
    """
    found = list(islice(_matching(view, wanted, after), limit + 1))
    page = found[:limit]
    return page, page[-1].position if len(found) > limit else None


def _matching(view: YearView, wanted: Wanted, after: int) -> Iterator[Observed]:
    return (one for one in view.observed if one.position > after and wanted.includes(one, view))
