"""Observations: record one or several, read, list, amend, void, rectify."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response
from starlette.status import HTTP_201_CREATED

from api.cursors import cursor_at, position_of
from api.edge import JURISDICTION, READ, WRITTEN, YEAR, Given, JurisdictionCode, Key, YearNumber
from api.replies import view_reply
from api.routes.bodies import AMEND, BATCH, OBSERVE, RECTIFY, VOID, Batch
from api.strict_bodies import BatchRoute, StrictRoute
from ledger.commands import Amend, Observe, Rectify, Void
from ledger.events import Day
from ledger.rejection import rejected
from projections.answer_models import ObservationAnswer, ObservationPage, ReceiptAnswer
from projections.answers import observation_answer
from projections.observations import Status, Wanted, page_of
from projections.scheme_files import vocabulary

router = APIRouter(route_class=StrictRoute, tags=["observations"])
batches = APIRouter(route_class=BatchRoute, tags=["observations"])

OBSERVATION = f"{JURISDICTION}/observations/{{observation}}"
Identifier = Annotated[UUID, Path(description="The observation's id, as its receipt gave it.")]
LARGEST_PAGE = 500


@router.post(f"{YEAR}/observations", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def observe(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[Observe, Body(openapi_examples=OBSERVE)],
) -> ReceiptAnswer:
    """Record one observation: a fact about a unit on a day, with its evidence. It carries no points.

    Discretion, and what a veto or a forfeit of the year's scheme looks at, becomes a proposal.
    """
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.observe(attempt, year, [body]))
    return receipt


@batches.post(
    f"{YEAR}/observations/batch",
    status_code=HTTP_201_CREATED,
    response_model=list[ReceiptAnswer],
    responses=WRITTEN,
)
def observe_batch(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[Batch, Body(openapi_examples=BATCH)],
) -> list[ReceiptAnswer]:
    """Record up to 50,000 observations together, all or none; a refusal names all that is wrong in any of them."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    return given.record(ledger, key, lambda on, attempt: on.observe(attempt, year, body.observations))


@router.get(f"{YEAR}/observations", response_model=ObservationPage, responses=READ)
def list_observations(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: Annotated[str | None, Query(description="Only of this unit.", examples=["福城街道"])] = None,
    kind: Annotated[str | None, Query(description="Only of this kind.", examples=["circular"])] = None,
    first: Annotated[Day | None, Query(alias="from", description="Only from this day on.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Only up to this day.")] = None,
    status: Annotated[Status | None, Query(description="Only those that count, or only void ones.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """List a year's observations as they read now, in the order they were recorded, page by page."""
    if kind is not None and kind not in vocabulary().kinds:
        allowed = ", ".join(vocabulary().kinds)
        raise rejected("unknown-kind", "kind", f"found {kind!r}, expected one of {allowed}")
    view = given.items(jurisdiction, year)
    wanted = Wanted(view.unit_of_year(unit) if unit is not None else None, kind, first, last, status)
    after = position_of(cursor)

    def build() -> ObservationPage:
        pending = given.pending(jurisdiction)
        page, position = page_of(view, wanted, after, limit)
        return ObservationPage(
            observations=[observation_answer(view, one.observation, pending) for one in page],
            next=None if position is None else cursor_at(position),
        )

    return view_reply(request, view, build)


@router.get(OBSERVATION, response_model=ObservationAnswer, responses=READ)
def read_observation(
    request: Request, given: Given, jurisdiction: JurisdictionCode, observation: Identifier
) -> Response:
    """Return an observation as it reads now, with everything that was said about it."""
    year = given.jurisdictions.known_ledger(jurisdiction).observation(observation).year
    view = given.items(jurisdiction, year)
    view.refuse_hidden(observation)
    return view_reply(request, view, lambda: observation_answer(view, str(observation), given.pending(jurisdiction)))


@router.post(f"{OBSERVATION}/amend", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def amend(
    given: Given,
    jurisdiction: JurisdictionCode,
    observation: Identifier,
    key: Key,
    body: Annotated[Amend, Body(openapi_examples=AMEND)],
) -> ReceiptAnswer:
    """Correct an observation: the named fields read otherwise from now on, `attributes` as a whole."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.amend(attempt, observation, body))
    return receipt


@router.post(f"{OBSERVATION}/void", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def void(
    given: Given,
    jurisdiction: JurisdictionCode,
    observation: Identifier,
    key: Key,
    body: Annotated[Void, Body(openapi_examples=VOID)],
) -> ReceiptAnswer:
    """Void an observation, once a second person approves: it does not count from then on. A void is final."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.void(attempt, observation, body))
    return receipt


@router.post(f"{OBSERVATION}/rectify", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def rectify(
    given: Given,
    jurisdiction: JurisdictionCode,
    observation: Identifier,
    key: Key,
    body: Annotated[Rectify, Body(openapi_examples=RECTIFY)],
) -> ReceiptAnswer:
    """Record the day on which the unit has put the matter right."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.rectify(attempt, observation, body))
    return receipt
