"""Terms in working days: whether one has run out, the day on which it ends where that can be told, what it starts with.

The day that a term starts from does not count. A year whose holiday notice is not published is never guessed: only
days before the one that is asked about are looked at, and where even these leave it open, that is refused.
"""

from __future__ import annotations

from datetime import date, datetime

from ledger.decisions import local_day
from ledger.rejection import rejected
from projections.years import FactEntry, YearView
from schemes.working_days import DAY, calendar_problem, is_working_day


def term_end(start: date, working_days: int, before: date) -> date | None:
    """Return the last of the working days after `start`, or None when it does not lie before that day.

    Raises `Rejection` (`calendar-unknown-year`) where the days without a holiday notice would decide it.
    """
    day = start
    while working_days and day + DAY < before:
        day += DAY
        problem = calendar_problem(day, "calendar")
        if problem is not None:
            if (before - day).days < working_days:
                return None
            raise rejected(problem.code, problem.where, problem.message)
        working_days -= is_working_day(day)
    return None if working_days else day


def due_day(start: date, working_days: int) -> date | None:
    """Return the last of the working days after `start`, or None where no holiday notice tells it yet."""
    day = start
    while working_days:
        day += DAY
        if calendar_problem(day, "calendar") is not None:
            return None
        working_days -= is_working_day(day)
    return day


def last_said(view: YearView, observation: str) -> FactEntry:
    """Return the entry since which an observation reads as it does: its term to file starts there."""
    return [entry for entry in view.entries_of(observation) if entry.said.fact is not None][-1]


def filing_start(view: YearView, said_at: datetime) -> datetime:
    """Return when the term to dispute what was said then starts: in a closed year no earlier than its close."""
    return max(said_at, view.state.closed_at or said_at)


def filing_due(view: YearView, said_at: datetime) -> date | None:
    """Return the last day to dispute what was said then, or None where no holiday notice tells it yet."""
    start = filing_start(view, said_at)
    return due_day(local_day(start), view.state.terms_at(start).days_to_file)
