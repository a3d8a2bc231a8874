"""总览: where a year stands, what was recorded last, what waits; for a unit's account, its own matters only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from api.edge import Given, JurisdictionCode, YearNumber
from api.pages.page import YEAR_PAGE, Page, PageAsked, PageRoute
from api.proceeding_labels import ACTIONS, STATUSES
from ledger.decisions import local_day
from ledger.events import Day
from projections.overviews import earlier_day, overview
from projections.own_overviews import Released, own_overview
from projections.proposals import ProposalsWanted, proposals_answer

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DayAsked = Annotated[Day | None, BeforeValidator(lambda typed: typed or None), Query()]
"""A day from a form that may be left blank."""


@router.get(YEAR_PAGE)
def show_overview(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    as_of: DayAsked = None,
    group: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show the year as of the day; left out, as of today; in both cases no day outside the year's period."""
    given = page.given
    state, _ = given.jurisdictions.opened_year(jurisdiction, year)
    period, _ = state.opened()
    today = local_day(given.clock())
    day = min(max(as_of or today, period.first), period.last)
    if given.own_units(jurisdiction) is not None:
        released = None if state.released is None else _released(given, jurisdiction, year, day)
        own = own_overview(given.items(jurisdiction, year), released, today)
        return _shown(page, "own", overview=own, period=period)
    answer = overview(
        given.items(jurisdiction, year),
        given.scores(jurisdiction, year, day, None),
        given.scores(jurisdiction, year, earlier_day(day), None),
        proposals_answer(given.jurisdictions, jurisdiction, ProposalsWanted(status="open")).proposals,
        today,
        group or None,
    )
    return _shown(page, "overview", overview=answer, chosen=group, day=day, period=period)


def _released(given: Given, jurisdiction: str, year: int, day: date) -> Released:
    """What was released, as of the day at the latest, and as of the day that changes are counted from."""
    shown = given.scores(jurisdiction, year, day, None)
    return Released(shown, given.scores(jurisdiction, year, earlier_day(shown.as_of), None))


def _shown(page: Page, name: str, **context: Any) -> Response:
    """The whole page, or only what changes on it."""
    query = page.request.url.query
    context = {
        "statuses": STATUSES,
        "actions": ACTIONS,
        "address": page.path + (f"?{query}" if query else ""),
        **context,
    }
    if page.is_fragment:
        return page.fragment(f"overview/{name}_parts.html", **context)
    return page.render(f"overview/{name}.html", menu="overview", **context)
