"""工作日历: the working days of a year, and the day on which a term in working days ends.

Terms are counted as everywhere here (`projections.proceedings.terms`): the day of receipt does not count, make-up
working Saturdays and Sundays do, and a year without a published notice is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Query, Response

from api.pages.page import PageAsked, PageRoute
from ledger.decisions import local_day
from ledger.rejection import Rejection, rejected
from projections.proceedings.terms import due_day
from schemes.working_days import KNOWN_YEARS, is_working_day

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_DAYS: Final = 365
_SATURDAY: Final = 5
Sort = Literal["working", "weekend", "rest", "make-up"]


class CalendarDay(NamedTuple):
    """A day of the calendar: `rest` is a weekday off, `make-up` a Saturday or Sunday on which offices work."""

    day: date
    sort: Sort


class Month(NamedTuple):
    """A month by weeks from Monday to Sunday, None before its first and after its last day; and its working days."""

    number: int
    weeks: Sequence[Sequence[CalendarDay | None]]
    working: int


@router.get("/system/calendar")
def show_calendar(
    page: PageAsked,
    year: Annotated[int | None, Query(ge=1990, le=2200)] = None,
    received: Annotated[str, Query(max_length=20)] = "",
    days: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """Show a year's calendar, and when a term ends that begins on a day."""
    shown = year or local_day(page.given.clock()).year
    context: dict[str, Any] = {
        "year": shown,
        "known": sorted(KNOWN_YEARS),
        "months": months_of(shown) if shown in KNOWN_YEARS else [],
        "received": received,
        "days": days,
        "due": None,
        "reckoned": False,
    }
    if not received and not days:
        return page.render("system/calendar.html", menu="calendar", **context)
    try:
        start, term = _day(received), _term(days)
    except Rejection as refused:
        return page.refuse("system/calendar.html", refused, menu="calendar", **context)
    return page.render(
        "system/calendar.html", menu="calendar", **context | {"due": due_day(start, term), "reckoned": True}
    )


def months_of(year: int) -> list[Month]:
    """Return the months of a year whose holiday notice is known; raises `InvalidInput` for another."""
    first = date(year, 1, 1)
    every = [first + timedelta(days=at) for at in range((date(year + 1, 1, 1) - first).days)]
    return [_month(number, list(days)) for number, days in groupby(every, key=attrgetter("month"))]


def _month(number: int, days: Sequence[date]) -> Month:
    told: list[CalendarDay | None] = [None] * days[0].weekday()
    told += [CalendarDay(day, sort_of(day)) for day in days]
    told += [None] * (-len(told) % 7)
    weeks = [told[at : at + 7] for at in range(0, len(told), 7)]
    return Month(number, weeks, sum(is_working_day(day) for day in days))


def sort_of(day: date) -> Sort:
    """Return what sort of day it is; raises `InvalidInput` for a year without a holiday notice."""
    if is_working_day(day):
        return "make-up" if day.weekday() >= _SATURDAY else "working"
    return "weekend" if day.weekday() >= _SATURDAY else "rest"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise rejected("field-invalid", "received", f"found {text!r}, expected a day as YYYY-MM-DD") from None


def _term(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_DAYS):
        raise rejected("field-invalid", "days", f"found {text!r}, expected a number of working days, 1 to {MOST_DAYS}")
    return int(text)
