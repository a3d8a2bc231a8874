"""Working days of the State Council's holiday calendar, and the due day of a reply to a disclosure request.

国务院令第711号 article 33: 20 working days from receipt, extendable once by 20; for requests received before
2019-05-15 the earlier regulation, 国务院令第492号 article 24: 15, extendable by 15. The day of receipt does not
count. Make-up working Saturdays and Sundays count. A year without a published notice is an error, never a guess.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from chinese_calendar import is_workday
from chinese_calendar.constants import holidays

from schemes.problem import InvalidInput, Problem

NEW_REGULATION = date(2019, 5, 15)
DAY = timedelta(days=1)
KNOWN_YEARS = frozenset(day.year for day in holidays)


def reply_term(received: date) -> int:
    """Return the working days allowed for a reply without extension; an extension grants as many again."""
    return 20 if received >= NEW_REGULATION else 15


def calendar_problem(day: date, where: str) -> Problem | None:
    """Return the problem with a day whose year has no holiday notice, or None."""
    if day.year in KNOWN_YEARS:
        return None
    return Problem(
        "calendar-unknown-year",
        where,
        f"no holiday notice is known for {day.year}, so {day} cannot be told a working day or not; expected a day "
        f"from {min(KNOWN_YEARS)} to {max(KNOWN_YEARS)}; later years come with a newer chinesecalendar package",
    )


@cache
def is_working_day(day: date) -> bool:
    """Whether offices work on this day; raises `InvalidInput` for a year without a holiday notice."""
    problem = calendar_problem(day, "calendar")
    if problem is not None:
        raise InvalidInput((problem,))
    return bool(is_workday(day))


def due_day(received: date, working_days: int, before: date) -> date | None:
    """Return the day that ends the term, or None when it does not end before that day.

    Days from `before` on are never looked up: a calendar not yet published matters only once it is reached.
    """
    day = received
    while working_days:
        day += DAY
        if day >= before:
            return None
        working_days -= is_working_day(day)
    return day
