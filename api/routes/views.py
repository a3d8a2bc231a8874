"""Where every unit stands, as of any day and as known at any moment: sheets, ranking, history."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.edge import READ, YEAR, UnitName, ViewAsked
from api.replies import view_reply
from api.strict_bodies import StrictRoute
from projections.answer_models import HistoryAnswer, RankingAnswer, SheetAnswer, YearSheets
from projections.answers import history_answer, ranking_answer, sheet_answer, sheets_answer

router = APIRouter(route_class=StrictRoute, tags=["scores"])


@router.get(f"{YEAR}/sheets", response_model=YearSheets, responses=READ)
def read_sheets(request: Request, view: ViewAsked) -> Response:
    """Return the score sheets of all units assessed on the day."""
    return view_reply(request, view, lambda: sheets_answer(view))


@router.get(f"{YEAR}/sheets/{{unit:path}}", response_model=SheetAnswer, responses=READ)
def read_sheet(request: Request, view: ViewAsked, unit: UnitName) -> Response:
    """Return the score sheet of one unit: every row, the sections, total, rank and grade, and what is still open."""
    found = view.unit(unit)
    return view_reply(request, view, lambda: sheet_answer(view, found))


@router.get(f"{YEAR}/ranking", response_model=RankingAnswer, responses=READ)
def read_ranking(request: Request, view: ViewAsked) -> Response:
    """Return the ranking of every group."""
    return view_reply(request, view, lambda: ranking_answer(view))


@router.get(f"{YEAR}/history/{{unit:path}}", response_model=HistoryAnswer, responses=READ)
def read_history(request: Request, view: ViewAsked, unit: UnitName) -> Response:
    """Return how a unit's total came about: one line for each fact and row; their effective points add up to it."""
    found = view.unit(unit)
    return view_reply(request, view, lambda: history_answer(view, found))
