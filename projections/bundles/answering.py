"""The answers of a bundle, worked out from its entries alone. Pure: no database is asked.

Who makes a bundle holds them against the ledger's answers, who checks one against those that it states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from ledger.decisions import Unit
from ledger.events import YearClosed
from projections.answers import ranking_answer, sheet_answer
from projections.bundles.entries import LedgerEntry, fact_entries, turns
from projections.bundles.format import LastGradeAssumed, Mode
from projections.questions.derivations import derivation_of
from projections.years import LastGrade, LastGrades, YearView, close_in_force
from schemes.scheme import Scheme


class Asked(NamedTuple):
    """What is asked: of which unit (its key), as of which day, as known at which moment (null: all entries)."""

    year: int
    unit: str
    as_of: date
    known_at: datetime | None
    mode: Mode


class Answers(NamedTuple):
    """The unit's sheet, the ranking of all groups (null for one unit alone), and the unit's derivation, as JSON."""

    sheet: dict[str, Any]
    ranking: dict[str, Any] | None
    derivation: dict[str, Any]


def year_view(
    entries: Sequence[LedgerEntry],
    size: int,
    asked: Asked,
    scheme: Callable[[str], Scheme],
    last_grades: LastGrades | None,
) -> YearView:
    """Return the year that the entries give; `scheme` finds a version by the digest of its document.

    Raises as folding does where the entries are of no year: `Rejection`, `LookupError`.
    """
    known = [
        one for one in turns(entries, asked.year) if asked.known_at is None or one.event.recorded_at <= asked.known_at
    ]
    facts = fact_entries(entries, asked.year)
    return YearView.of(asked.year, known, facts, size, asked.as_of, asked.known_at, scheme, last_grades)


def last_close(entries: Sequence[LedgerEntry], asked: Asked) -> YearClosed | None:
    """Return the close of the year before that gives the year its grades, by all entries of the ledger."""
    own = [
        one for one in turns(entries, asked.year) if asked.known_at is None or one.event.recorded_at <= asked.known_at
    ]
    return close_in_force(own, turns(entries, asked.year - 1), asked.known_at)


def assumed_grades(unit: str, assumed: LastGradeAssumed | None) -> LastGrades | None:
    """Return the frozen grade that a bundle of one unit takes as given, under the unit's key of this year."""
    return None if assumed is None else LastGrades(assumed.year, [LastGrade(unit, unit, assumed.grade)])


def answers(view: YearView, unit: Unit, mode: Mode) -> Answers:
    """Return what a bundle states of the unit, assessed on the day.

    Of one unit alone neither rank is stated nor a grade that depends on ranks, and the derivation is that of the total.
    """
    sheet = sheet_answer(view, unit).model_dump(mode="json")
    derivation = derivation_of(view, unit).model_dump(mode="json")
    if mode == "year":
        return Answers(sheet, ranking_answer(view).model_dump(mode="json"), derivation)
    del sheet["rank"], derivation["rank"], derivation["grade"]
    group = view.scheme.group(unit.group)
    if group is not None and group.quotas is not None and not view.scheme.bands:
        del sheet["grade"]
    derivation["tree"] = next(child for child in derivation["tree"]["children"] if child["operator"] == "total")
    return Answers(sheet, None, derivation)


def first_difference(stated: object, worked_out: object, path: str = "") -> str | None:
    """Return where the two JSON values first differ, with both; None where they are the same."""
    if isinstance(stated, Mapping) and isinstance(worked_out, Mapping):
        for key in dict.fromkeys((*worked_out, *stated)):
            place = f"{path}.{key}" if path else str(key)
            if key not in stated or key not in worked_out:
                return f"{place}：{'缺少' if key not in stated else '多出'}这一项"
            found = first_difference(stated[key], worked_out[key], place)
            if found is not None:
                return found
        return None
    if isinstance(stated, list) and isinstance(worked_out, list):
        if len(stated) != len(worked_out):
            return f"{path}：写着{len(stated)}项，算得{len(worked_out)}项"
        pairs = (
            first_difference(*pair, f"{path}[{at}]") for at, pair in enumerate(zip(stated, worked_out, strict=True))
        )
        return next((found for found in pairs if found is not None), None)
    # True and 1 are equal to Python, and are not the same answer.
    same = type(stated) is type(worked_out) and stated == worked_out
    return None if same else f"{path}：写着{stated!r}，算得{worked_out!r}"
