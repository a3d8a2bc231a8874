"""Appeals and claims of units: filed, returned or accepted, reviewed, decided, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response
from starlette.status import HTTP_201_CREATED

from api.edge import READ, WRITTEN, YEAR, Command, Edge, Given, JurisdictionCode, Key, YearNumber
from api.replies import content_reply
from api.routes import closings, scheme_documents
from api.routes.appeal_bodies import (
    ACCEPT,
    COMPLETE,
    DECIDE_APPEAL,
    DECIDE_CLAIM,
    FILE_APPEAL,
    FILE_CLAIM,
    RETURN,
    REVIEW,
    WITHDRAW,
)
from api.strict_bodies import StrictRoute
from ledger.commands import (
    Accept,
    Complete,
    DecideAppeal,
    DecideClaim,
    FileAppeal,
    FileClaim,
    Return,
    Review,
    Step,
    Withdraw,
)
from ledger.decisions import local_day
from ledger.events import Day
from ledger.proceedings import Kind, Status
from projections.proceedings import deciding
from projections.proceedings.models import ProceedingAnswer, ProceedingRecorded, ProceedingsAnswer
from projections.proceedings.proceedings import (
    ProceedingsWanted,
    proceeding_answer,
    proceeding_of,
    proceedings_answer,
    recorded_answer,
)

router = APIRouter(route_class=StrictRoute, tags=["appeals"])
router.include_router(closings.router)
router.include_router(scheme_documents.router)

PROCEEDING = f"{YEAR}/{{kinds}}/{{proceeding}}"
Kinds = Annotated[
    Literal["appeals", "claims"], Path(description="Whether it is an appeal or a claim.", examples=["appeals"])
]
Identifier = Annotated[UUID, Path(description="The id of the appeal or claim, as it was given when it was filed.")]
UnitWanted = Annotated[str | None, Query(description="Only of this unit.", examples=["福城街道"])]
StatusWanted = Annotated[Status | None, Query(description="Only those that stand so.", examples=["accepted"])]
OverdueOn = Annotated[
    Day | None,
    Query(description="Only open ones whose term to decide has run out on this day.", examples=["2021-12-31"]),
]
Within = Annotated[
    int, Query(ge=0, le=365, description="Only with `overdue_on`: also those that become so in as many days after it.")
]


@router.post(f"{YEAR}/appeals", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN)
def file_appeal(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[FileAppeal, Body(openapi_examples=FILE_APPEAL)],
) -> ProceedingRecorded:
    """File an appeal of a unit, within the term, about observations said of it or rows of its sheet."""
    given.refuse_foreign(jurisdiction, year, body.unit, body.observations)
    given.refuse_unseen_files(jurisdiction, key, body.evidence)
    ledgers, own = given.jurisdictions, given.own_units(jurisdiction)
    return _recorded(
        given,
        jurisdiction,
        year,
        key,
        lambda _, attempt: deciding.file_appeal(ledgers, jurisdiction, year, attempt, body, own),
    )


@router.get(f"{YEAR}/appeals", response_model=ProceedingsAnswer, responses=READ)
def list_appeals(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitWanted = None,
    status: StatusWanted = None,
    overdue_on: OverdueOn = None,
    within: Within = 0,
) -> Response:
    """List the year's appeals in the order of their filing."""
    wanted = ProceedingsWanted("appeal", status=status, overdue_on=overdue_on, within=within)
    return _list(request, given, jurisdiction, year, unit, wanted)


@router.get(f"{YEAR}/appeals/{{proceeding}}", response_model=ProceedingAnswer, responses=READ)
def read_appeal(
    request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber, proceeding: Identifier
) -> Response:
    """Return an appeal with all its steps, what its decision ordered, and when it is due."""
    return _read(request, given, jurisdiction, year, "appeal", proceeding)


@router.post(
    f"{YEAR}/appeals/{{proceeding}}/decide",
    status_code=HTTP_201_CREATED,
    response_model=ProceedingRecorded,
    responses=WRITTEN,
)
def decide_appeal(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    proceeding: Identifier,
    key: Key,
    body: Annotated[DecideAppeal, Body(openapi_examples=DECIDE_APPEAL)],
) -> ProceedingRecorded:
    """Decide an appeal, once a second person approves; what the decision orders is recorded with it, or nothing."""
    ledgers = given.jurisdictions
    return _recorded(
        given,
        jurisdiction,
        year,
        key,
        lambda _, attempt: deciding.decide_appeal(ledgers, jurisdiction, year, attempt, proceeding, body),
        proceeding,
    )


@router.post(f"{YEAR}/claims", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN)
def file_claim(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[FileClaim, Body(openapi_examples=FILE_CLAIM)],
) -> ProceedingRecorded:
    """File a unit's claim that a row of its sheet does not concern it this year."""
    given.refuse_foreign(jurisdiction, year, body.unit)
    given.refuse_unseen_files(jurisdiction, key, body.evidence)
    return _recorded(given, jurisdiction, year, key, lambda on, attempt: on.file_claim(attempt, year, body))


@router.get(f"{YEAR}/claims", response_model=ProceedingsAnswer, responses=READ)
def list_claims(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitWanted = None,
    status: StatusWanted = None,
    overdue_on: OverdueOn = None,
    within: Within = 0,
) -> Response:
    """List the year's claims in the order of their filing."""
    wanted = ProceedingsWanted("claim", status=status, overdue_on=overdue_on, within=within)
    return _list(request, given, jurisdiction, year, unit, wanted)


@router.get(f"{YEAR}/claims/{{proceeding}}", response_model=ProceedingAnswer, responses=READ)
def read_claim(
    request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber, proceeding: Identifier
) -> Response:
    """Return a claim with all its steps, and when it is due."""
    return _read(request, given, jurisdiction, year, "claim", proceeding)


@router.post(
    f"{YEAR}/claims/{{proceeding}}/decide",
    status_code=HTTP_201_CREATED,
    response_model=ProceedingRecorded,
    responses=WRITTEN,
)
def decide_claim(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    proceeding: Identifier,
    key: Key,
    body: Annotated[DecideClaim, Body(openapi_examples=DECIDE_CLAIM)],
) -> ProceedingRecorded:
    """Decide a claim, once a second person approves; granted, its row is not applicable to the unit from then on."""
    return _recorded(
        given, jurisdiction, year, key, lambda on, attempt: on.decide_claim(attempt, year, proceeding, body), proceeding
    )


@router.post(f"{PROCEEDING}/return", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN)
def return_proceeding(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    key: Key,
    body: Annotated[Return, Body(openapi_examples=RETURN)],
) -> ProceedingRecorded:
    """Return an appeal or a claim to the unit, which has to complete it."""
    return _stepped(given, jurisdiction, year, key, kinds, proceeding, body)


@router.post(
    f"{PROCEEDING}/complete", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN
)
def complete_proceeding(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    key: Key,
    body: Annotated[Complete, Body(openapi_examples=COMPLETE)],
) -> ProceedingRecorded:
    """Complete what was returned; the term to decide begins anew."""
    return _stepped(given, jurisdiction, year, key, kinds, proceeding, body)


@router.post(f"{PROCEEDING}/accept", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN)
def accept_proceeding(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    key: Key,
    body: Annotated[Accept, Body(openapi_examples=ACCEPT)],
) -> ProceedingRecorded:
    """Accept an appeal or a claim: it will be reviewed and decided."""
    return _stepped(given, jurisdiction, year, key, kinds, proceeding, body)


@router.post(f"{PROCEEDING}/review", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN)
def review_proceeding(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    key: Key,
    body: Annotated[Review, Body(openapi_examples=REVIEW)],
) -> ProceedingRecorded:
    """Record what a review of an accepted appeal or claim found and recommends; there may be several."""
    return _stepped(given, jurisdiction, year, key, kinds, proceeding, body)


@router.post(
    f"{PROCEEDING}/withdraw", status_code=HTTP_201_CREATED, response_model=ProceedingRecorded, responses=WRITTEN
)
def withdraw_proceeding(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    key: Key,
    body: Annotated[Withdraw, Body(openapi_examples=WITHDRAW)],
) -> ProceedingRecorded:
    """Withdraw an appeal or a claim before it is decided."""
    return _stepped(given, jurisdiction, year, key, kinds, proceeding, body)


def _stepped(
    given: Edge, jurisdiction: str, year: int, key: str, kinds: str, proceeding: UUID, step: Step
) -> ProceedingRecorded:
    kind: Kind = "appeal" if kinds == "appeals" else "claim"
    if given.own_units(jurisdiction) is not None:
        proceeding_of(given.items(jurisdiction, year), kind, proceeding)
        given.refuse_unseen_files(jurisdiction, key, step.evidence if isinstance(step, Complete) else ())
    return _recorded(given, jurisdiction, year, key, lambda on, attempt: on.step(attempt, year, kind, proceeding, step))


def _recorded(
    given: Edge, jurisdiction: str, year: int, key: str, command: Command, about: UUID | None = None
) -> ProceedingRecorded:
    receipts = given.record(given.jurisdictions.known_ledger(jurisdiction), key, command)
    return recorded_answer(given.items(jurisdiction, year), receipts, local_day(given.clock()), about)


def _list(
    request: Request, given: Edge, jurisdiction: str, year: int, unit: str | None, wanted: ProceedingsWanted
) -> Response:
    view = given.items(jurisdiction, year)
    wanted = replace(wanted, unit=view.unit_of_year(unit) if unit is not None else None)
    answer = proceedings_answer(view, wanted, local_day(given.clock()))
    pending = given.pending(jurisdiction)
    found = [one.model_copy(update={"pending": pending.get(one.id, [])}) for one in answer.proceedings]
    answer = answer.model_copy(update={"proceedings": found})
    return content_reply(request, answer.model_dump_json().encode())


def _read(request: Request, given: Edge, jurisdiction: str, year: int, kind: Kind, proceeding: UUID) -> Response:
    view = given.items(jurisdiction, year)
    answer = proceeding_answer(view, proceeding_of(view, kind, proceeding), local_day(given.clock()))
    answer = answer.model_copy(update={"pending": given.pending(jurisdiction).get(answer.id, [])})
    return content_reply(request, answer.model_dump_json().encode())
