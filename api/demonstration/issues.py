"""When things are reported: the issues of a bulletin over a year, on working days and in office hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from itertools import groupby
from random import Random

from schemes.working_days import DAY, is_working_day

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_MORNING_AND_AFTERNOON = (9, 10, 11, 14, 15, 16)


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a bulletin: the days it covers, the day it is dated, and when it is recorded."""

    number: int
    first: date
    last: date
    dated: date
    recorded_at: datetime

    @property
    def words(self) -> dict[str, object]:
        """What a title, number or address may name."""
        return {
            "year": self.first.year,
            "month": self.first.month,
            "quarter": (self.first.month + 2) // 3,
            "number": self.number,
            "date": f"{self.dated:%Y%m%d}",
        }


@cache
def working_days(first: date, last: date) -> tuple[date, ...]:
    """Return the working days from the first day to the last, both included."""
    days = (first + DAY * number for number in range((last - first).days + 1))
    return tuple(day for day in days if is_working_day(day))


def working_days_after(day: date, number: int) -> date:
    """Return the day that many working days after the day; 0 gives the day itself or the next working day."""
    while number or not is_working_day(day):
        day += DAY
        number -= is_working_day(day) and number > 0
    return day


def office_hour(day: date, chance: Random) -> datetime:
    """Return a moment of the day at which an office records."""
    hour, minute = chance.choice(_MORNING_AND_AFTERNOON), chance.randrange(60)
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def office_opens(day: date) -> datetime:
    """Return the moment of the day at which offices open, before anything is recorded."""
    return datetime.combine(day, time(8, 30), SHANGHAI)


def issues_of(every: str, delay: tuple[int, int], first: date, last: date, chance: Random) -> list[Issue]:
    """Return the issues that cover the period, in order; spans without a working day have none."""
    found = []
    for number, days in enumerate(_spans(every, working_days(first, last)), start=1):
        recorded_on = working_days_after(days[-1], chance.randint(*delay))
        found.append(Issue(number, days[0], days[-1], days[-1], office_hour(recorded_on, chance)))
    return found


def covering(issues: Iterable[Issue], day: date) -> Issue:
    """Return the issue that reports on the day: the first one that is not over by then."""
    return next(issue for issue in issues if issue.last >= day)


def _spans(every: str, days: Sequence[date]) -> list[list[date]]:
    return [list(span) for _, span in groupby(days, key=lambda day: _span(every, day))]


def _span(every: str, day: date) -> tuple[int, ...]:
    match every:
        case "day":
            return (day.toordinal(),)
        case "week":
            return day.isocalendar()[:2]
        case "month":
            return (day.year, day.month)
        case "quarter":
            return (day.year, (day.month + 2) // 3)
        case _:
            return (day.year,)
