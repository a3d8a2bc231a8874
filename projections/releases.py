"""What units may see of their own scores: what was released, as of its day and at its ledger position."""

from __future__ import annotations

from datetime import date, datetime

from ledger.rejection import rejected
from projections.jurisdictions import Jurisdictions
from projections.years import YearView


def released_view(
    jurisdictions: Jurisdictions, code: str, year: int, as_of: date | None, known_at: datetime | None
) -> YearView:
    """Return the year as of the day, no later than was released; refuses one of which nothing was released yet.

    What was recorded after the release is not in it, whatever the moment asked for.
    """
    released = jurisdictions.opened_year(code, year)[0].released
    if released is None:
        message = f"the scores of {year} have not been released to units yet; ask the assessment office"
        raise rejected("scores-not-released", "year", message)
    day = released.as_of if as_of is None else min(as_of, released.as_of)
    return jurisdictions.view(code, year, day, known_at, released.position)
