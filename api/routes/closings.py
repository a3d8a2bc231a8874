"""Closing and reopening a year, what was frozen, and the terms of its appeals."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response
from starlette.status import HTTP_201_CREATED

from api.edge import READ, WRITTEN, YEAR, Given, JurisdictionCode, Key, YearNumber
from api.replies import JSON, content_reply
from api.routes.appeal_bodies import CLOSE, REOPEN, TERMS, CloseYear, ReopenYear
from api.strict_bodies import StrictRoute
from ledger.commands import SetTerms
from projections.answer_models import ReceiptAnswer
from projections.proceedings.closings import close_year, closed_answer, closings_answer, frozen_document
from projections.proceedings.models import ClosedAnswer, ClosingsAnswer

router = APIRouter(route_class=StrictRoute)
Number = Annotated[int, Path(ge=1, description="Which of the year's closes, counted from 1.", examples=[1])]


@router.post(f"{YEAR}/close", status_code=HTTP_201_CREATED, response_model=ClosedAnswer, responses=WRITTEN)
def close(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[CloseYear, Body(openapi_examples=CLOSE)],
) -> ClosedAnswer:
    """Close a year: all sheets are frozen as recorded. Open appeals and pending rows are no obstacle, and are named."""
    ledgers = given.jurisdictions
    [receipt] = given.record(
        ledgers.known_ledger(jurisdiction),
        key,
        lambda _, attempt: close_year(ledgers, jurisdiction, year, attempt, body.reason),
    )
    return closed_answer(ledgers, jurisdiction, year, receipt)


@router.post(f"{YEAR}/reopen", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def reopen(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[ReopenYear, Body(openapi_examples=REOPEN)],
) -> ReceiptAnswer:
    """Reopen a closed year for entries; what was frozen stays frozen, and a later close freezes anew."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.reopen_year(attempt, year, body.reason))
    return receipt


@router.post(f"{YEAR}/terms", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def set_terms(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[SetTerms, Body(openapi_examples=TERMS)],
) -> ReceiptAnswer:
    """Set the working days to file an appeal and to decide one, from now on; 15 and 10 where nobody has set them."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.set_terms(attempt, year, body))
    return receipt


@router.get(f"{YEAR}/closings", response_model=ClosingsAnswer, responses=READ)
def list_closings(request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """List the year's closes: what each froze beside what is so now, and which decisions changed it."""
    answer = closings_answer(given.jurisdictions, jurisdiction, year)
    return content_reply(request, answer.model_dump_json().encode())


@router.get(
    f"{YEAR}/closings/{{number}}/sheets",
    response_class=Response,
    responses=READ | {200: {"description": "The frozen sheets", "content": {JSON: {"schema": {"type": "object"}}}}},
)
def read_frozen_sheets(
    request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber, number: Number
) -> Response:
    """Return the document that a close froze, in the very bytes whose SHA-256 the ledger holds."""
    return content_reply(request, frozen_document(given.jurisdictions, jurisdiction, year, number))
