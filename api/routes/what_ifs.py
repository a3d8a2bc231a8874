"""What would be if: without observations, with others, under another version. What is sent here is recorded nowhere."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response

from api.edge import READ, YEAR, Given, JurisdictionCode, UnitName, ViewAsked, YearNumber, problems
from api.replies import view_reply
from api.strict_bodies import StrictRoute
from projections.questions.models import ReplayAnswer, ReplayChoice, Suppositions, WhatIfAnswer, WithoutEachAnswer
from projections.questions.revised_replays import chosen_version, replay_answer
from projections.questions.what_ifs import what_if_answer, without_each_answer

router = APIRouter(route_class=StrictRoute, tags=["scores"])

ASKED: Final = problems(400, 404, 409, 413, 415, 422)
_SUPPOSITIONS: Final[dict[str, Any]] = {
    "added": {
        "summary": "如果再被通报一次",
        "value": {
            "added": [
                {
                    "kind": "circular",
                    "occurred_on": "2021-06-01",
                    "attributes": {"level": "municipal", "subject": "new_media", "period": "monthly"},
                }
            ]
        },
    },
    "judgement": {
        "summary": "如果考评组评定为4.5分",
        "value": {"judgements": [{"indicator": "1.2", "value": "4.5"}]},
    },
}
_REPLAYS: Final[dict[str, Any]] = {
    "shipped": {"summary": "按随附方案重算", "value": {"scheme": "zhangshu-2021"}},
    "kept": {
        "summary": "按台账保存的版本重算",
        "value": {"scheme_id": "zhangshu-2021", "scheme_version": "1"},
    },
}


@router.get(f"{YEAR}/what-if/{{unit:path}}", response_model=WithoutEachAnswer, responses=READ)
def read_without_each(request: Request, view: ViewAsked, unit: UnitName) -> Response:
    """Return what each observation of a unit is worth, and which would have to fall for its total or grade to move.

    The share of an observation has three names: `nominal`, `effective_in_order` and `effect_of_removal`. Where leaving
    it out alone would change nothing, the answer says why, and what else would have to fall.
    """
    found = view.unit(unit)
    return view_reply(request, view, lambda: without_each_answer(view, found))


@router.post(f"{YEAR}/what-if/{{unit:path}}", response_model=WhatIfAnswer, responses=ASKED)
def ask_what_if(
    view: ViewAsked, unit: UnitName, body: Annotated[Suppositions, Body(openapi_examples=_SUPPOSITIONS)]
) -> WhatIfAnswer:
    """Return what suppositions would change for the unit and for every other that moves. Nothing is recorded."""
    return what_if_answer(view, view.unit(unit), body)


@router.post(f"{YEAR}/replay", response_model=ReplayAnswer, responses=ASKED)
def replay_year(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    view: ViewAsked,
    body: Annotated[ReplayChoice, Body(openapi_examples=_REPLAYS)],
) -> ReplayAnswer:
    """Return the year under another version of its scheme, held against the one in force. Nothing is recorded.

    Each unit's old and new total, rank and grade, each row that moves, and which change of the scheme causes how much:
    alone, all together, and the remainder that only their combination explains.
    """
    version = chosen_version(given.jurisdictions, jurisdiction, year, body)
    return replay_answer(view, version, kept=body.scheme_id is not None)
