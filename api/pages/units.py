"""单位: the units of a year, and one unit's score on any day: its course, what it is put together from, every row.

A unit's account is shown its own units only, and of their scores what was released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from api.edge import JurisdictionCode, UnitName, YearNumber
from api.pages.page import YEAR_PAGE, Page, PageAsked, PageRoute
from api.pages.pinyin import matches
from ledger.decisions import CHINA, Unit
from ledger.events import Day
from ledger.rejection import Rejection
from projections.answer_models import FactAnswer, RankedGroup, ReadingAnswer, RowAnswer, SheetAnswer
from projections.answers import history_answer, ranking_answer, sheet_answer
from projections.courses import CourseAnswer, StepAnswer, course_answer, waterfall
from projections.sentences import reading_phrase, scheme_words
from projections.swallower_labels import SWALLOWER_LABELS
from projections.years import YearView
from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.wording import choice_label, day_phrase

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SECTIONS: Final = (("base", "基础分"), ("bonus", "加分"), ("penalty", "减分"))


def _typed(value: object) -> object:
    """Take a date field that was left empty as no day."""
    return value or None


DayAsked = Annotated[Day | None, BeforeValidator(_typed), Query()]
Search = Annotated[str, Query(max_length=100)]
Known = Literal["now", "then"]


@router.get(f"{YEAR_PAGE}/units")
def list_units(
    page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, as_of: DayAsked = None, search: Search = ""
) -> Response:
    """List the units by group with total, grade and rank; a unit's account sees its own."""
    try:
        view = page.given.scores(jurisdiction, year, as_of, None)
    except Rejection as refused:
        return not_released(page, refused)
    groups = [*_groups(view, search.strip())]
    context: dict[str, Any] = {"groups": groups, "view": view, "asked": as_of, "search": search}
    if page.is_fragment:
        return page.fragment("units/groups.html", **context)
    return page.render("units/units.html", menu="units", **context)


@router.get(f"{YEAR_PAGE}/units/{{unit:path}}")
def show_unit(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitName,
    as_of: DayAsked = None,
    known: Known = "now",
) -> Response:
    """Show a unit's score as of the day, as known now or at that day's end."""
    try:
        present = page.given.scores(jurisdiction, year, None, None)
        day = min(as_of or present.as_of, present.as_of)
        known_at = end_of(day) if known == "then" else None
        view = page.given.scores(jurisdiction, year, day, known_at)
    except Rejection as refused:
        return not_released(page, refused)
    found = view.unit(unit)
    context = {**_score(page, view, found), "known": known, "span": _span(present, found)}
    if page.is_fragment:
        return page.fragment("units/score.html", **context)
    return page.render("units/unit.html", menu="units", charts=True, **context)


def not_released(page: Page, refused: Rejection) -> Response:
    """Return the page that says that units cannot see scores yet; any other refusal is raised again."""
    if refused.refusals[0].code != "scores-not-released":
        raise refused
    if page.is_fragment:
        return page.fragment("units/not_released_part.html")
    return page.render("units/not_released.html", menu="units")


def end_of(day: date) -> datetime:
    """Return the last moment of the day in Chinese time."""
    return datetime.combine(day, time.max, CHINA)


def derivation_address(page: Page, view: YearView, unit: str) -> Callable[..., str]:
    """Return what gives the address of the unit's derivation in the view: of a row of its sheet, or of all of it."""
    standing = {"as_of": view.as_of.isoformat()}
    if view.known_at is not None:
        standing["known_at"] = view.known_at.isoformat()

    def address(row: str | None = None) -> str:
        asked = standing if row is None else {"row": row, **standing}
        return f"{page.path}/derivations/{quote(unit)}?{urlencode(asked)}"

    return address


def fact_words(view: YearView) -> Callable[[FactAnswer | ReadingAnswer], str]:
    """Return what tells a fact in Chinese, without its day."""
    words = scheme_words(view.scheme)

    def told(said: FactAnswer | ReadingAnswer) -> str:
        return reading_phrase(said, words).removeprefix(f"{day_phrase(said.occurred_on)} ")

    return told


def _groups(view: YearView, search: str) -> Iterator[RankedGroup]:
    """Yield the groups with the units that the account may see and the search finds."""
    for group in ranking_answer(view).groups:
        places = [place for place in group.places if view.shows(place.unit) and matches(place.unit, search)]
        if places:
            yield group.model_copy(update={"places": places})


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the sheet, and what its bounds kept from what its rules say (null: nothing)."""

    told: RowAnswer
    swallowed: str | None


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of the sheet: the rows that something happened to, and the others."""

    title: str
    points: str
    moved: Sequence[_Row]
    still: Sequence[_Row]


def _score(page: Page, view: YearView, unit: Unit) -> dict[str, Any]:
    """Return all that is shown of the unit's score in the view."""
    sheet, history = sheet_answer(view, unit), history_answer(view, unit)
    course, steps = course_answer(view, unit, history), waterfall(sheet)
    return {
        "view": view,
        "unit": unit,
        "known_until": None if view.known_at is None else view.known_at.astimezone(CHINA).date(),
        "sheet": sheet,
        "among": sum(one.group == unit.group for one in view.units),
        "history": history,
        "course": course,
        "steps": steps,
        "drawn": {"course": _course_chart(view, course, fact_words(view)), "waterfall": _steps_chart(steps)},
        "sections": [*_sections(sheet)],
        "frozen": _frozen_grade(page, view, unit),
        "derivation": derivation_address(page, view, sheet.unit),
        "fact_words": fact_words(view),
        "swallowers": SWALLOWER_LABELS,
        "difference": _difference,
        "effect_title": lambda effect: choice_label("effect", effect),
    }


def _span(present: YearView, unit: Unit) -> tuple[date, date]:
    """Return the first and the last day that can be asked for."""
    period = present.scheme.period
    last = date.fromordinal(unit.left_on.toordinal() - 1) if unit.left_on else period.last
    return max(period.first, unit.joined_on or period.first), min(present.as_of, last)


def _sections(sheet: SheetAnswer) -> Iterator[_Section]:
    for section, title in SECTIONS:
        rows = [_Row(row, _swallowed(row)) for row in sheet.rows if row.section == section]
        if rows:
            moved = [row for row in rows if _is_moved(row.told)]
            points = {"base": sheet.base, "bonus": sheet.bonus, "penalty": sheet.penalty}[section]
            yield _Section(title, points, moved, [row for row in rows if not _is_moved(row.told)])


def _is_moved(row: RowAnswer) -> bool:
    """Whether the row lost or earned something, waits for something, or had facts that were of no effect."""
    untouched = row.points if row.section == "base" else "0"
    effects = any(effect.fact is not None or effect.nominal != "0" for effect in row.effects)
    return row.pending or row.value != untouched or effects or bool(row.forfeits)


def _swallowed(row: RowAnswer) -> str | None:
    if row.forfeits:
        return None
    with exact_arithmetic():
        said = [row.start, *(effect.effective for effect in row.effects)]
        left = sum(map(Decimal, said), ZERO) - Decimal(row.value)
    return plain(left) if left else None


def _difference(first: str, second: str) -> str:
    with exact_arithmetic():
        return plain(Decimal(first) - Decimal(second))


def _frozen_grade(page: Page, view: YearView, unit: Unit) -> str | None:
    """Return the grade that the year was closed with, to those who may read closings, while it is closed."""
    if view.sight is not None or view.state.closed_at is None:
        return None
    closing = page.given.jurisdictions.closings(page.code, view.state.year)[-1]
    return next((one.grade for one in closing.frozen.grades.grades if one.key == unit.key), None)


def _course_chart(view: YearView, course: CourseAnswer, words: Callable[[FactAnswer], str]) -> dict[str, Any]:
    """Return the course as the chart takes it: the steps, and every entry on them."""
    line = [[one.day.isoformat(), one.total] for one in course.days]
    if course.days and course.days[-1].day < view.as_of:
        line.append([view.as_of.isoformat(), course.days[-1].total])
    entries = [
        {
            "at": [one.day.isoformat(), one.total],
            "texts": list(
                dict.fromkeys(f"{words(line.fact)}（{line.effective}分）" for line in one.lines if line.fact)
            ),
        }
        for one in course.days
        if one.lines
    ]
    first, last = view.scheme.period.first.isoformat(), view.scheme.period.last.isoformat()
    return {"first": first, "last": last, "line": line, "entries": entries, "title": "总分", "marks": "登记事项"}


def _steps_chart(steps: Sequence[StepAnswer]) -> dict[str, Any]:
    """Return the waterfall as the chart takes it: each bar from where the one before led to."""
    bars = []
    before = "0"
    for one in steps:
        whole = one.step in ("full", "total")
        tone = "whole" if whole else "loss" if one.points.startswith("-") else "gain"
        bars.append(
            {
                "title": one.title,
                "from": "0" if whole else before,
                "to": one.running,
                "text": one.points if whole or tone == "loss" or one.points == "0" else f"+{one.points}",
                "tone": tone,
            }
        )
        before = one.running
    return {"bars": bars}
