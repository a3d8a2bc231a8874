"""Jurisdictions, their years, and a year's units and schemes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import TypeAdapter
from starlette.status import HTTP_201_CREATED

from api.access.permissions import may
from api.edge import API, JURISDICTION, READ, WRITTEN, YEAR, Given, JurisdictionCode, Key, UnitName, YearNumber
from api.replies import content_reply
from api.routes.bodies import (
    ADOPT,
    JOIN,
    LEAVE,
    OPEN,
    RENAME,
    AdoptScheme,
    JoinUnit,
    LeaveUnit,
    OpenYear,
    RenameUnit,
    SchemeChoice,
)
from api.strict_bodies import StrictRoute
from ledger.commands import SchemeVersion
from projections.answer_models import (
    AdoptionAnswer,
    JurisdictionAnswer,
    ReceiptAnswer,
    UnitAnswer,
    YearAnswer,
)
from projections.answers import adoption_answers, jurisdiction_answer, unit_answer, year_answer
from projections.jurisdictions import Jurisdictions, scheme_for, scheme_units
from projections.scheme_files import source
from schemes.scheme import Scheme

router = APIRouter(route_class=StrictRoute)
_JURISDICTIONS = TypeAdapter(list[JurisdictionAnswer])
_YEARS = TypeAdapter(list[YearAnswer])
_UNITS = TypeAdapter(list[UnitAnswer])
_ADOPTIONS = TypeAdapter(list[AdoptionAnswer])


@router.get(f"{API}/jurisdictions", tags=["years"], response_model=list[JurisdictionAnswer], responses=READ)
def list_jurisdictions(request: Request, given: Given) -> Response:
    """List the jurisdictions that have a ledger and that the account has a role in, with their years."""
    codes = [code for code in given.jurisdictions.codes() if may(given.asking, "years.read", code)]
    found = [_jurisdiction(given.jurisdictions, code) for code in codes]
    return content_reply(request, _JURISDICTIONS.dump_json(found))


@router.get(JURISDICTION, tags=["years"], response_model=JurisdictionAnswer, responses=READ)
def read_jurisdiction(request: Request, given: Given, jurisdiction: JurisdictionCode) -> Response:
    """Return one jurisdiction with its years."""
    return content_reply(request, _jurisdiction(given.jurisdictions, jurisdiction).model_dump_json().encode())


@router.get(f"{JURISDICTION}/years", tags=["years"], response_model=list[YearAnswer], responses=READ)
def list_years(request: Request, given: Given, jurisdiction: JurisdictionCode) -> Response:
    """List the years that have been opened, oldest first."""
    return content_reply(request, _YEARS.dump_json(_jurisdiction(given.jurisdictions, jurisdiction).years))


@router.post(
    f"{JURISDICTION}/years",
    tags=["years"],
    status_code=HTTP_201_CREATED,
    response_model=list[ReceiptAnswer],
    responses=WRITTEN,
)
def open_year(
    given: Given,
    jurisdiction: JurisdictionCode,
    key: Key,
    body: Annotated[OpenYear, Body(openapi_examples=OPEN)],
) -> list[ReceiptAnswer]:
    """Open a year under a scheme. The scheme says which; its unit lists are taken unless `groups` are given."""
    scheme, version = _chosen(jurisdiction, body)
    groups = scheme_units(scheme) if body.groups is None else body.groups
    ledger = given.jurisdictions.ledger(jurisdiction)
    return given.record(ledger, key, lambda on, attempt: on.open_year(attempt, scheme.year, version, groups))


@router.get(YEAR, tags=["years"], response_model=YearAnswer, responses=READ)
def read_year(request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Return a year: its period, its groups and the scheme in force."""
    answer = year_answer(jurisdiction, *given.jurisdictions.opened_year(jurisdiction, year))
    return content_reply(request, answer.model_dump_json().encode())


@router.get(f"{YEAR}/units", tags=["units"], response_model=list[UnitAnswer], responses=READ)
def list_units(request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """List all units that were ever in the year, in the order of groups and of joining."""
    state, _ = given.jurisdictions.opened_year(jurisdiction, year)
    return content_reply(request, _UNITS.dump_json([unit_answer(unit) for unit in state.units.values()]))


@router.post(
    f"{YEAR}/units", tags=["units"], status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN
)
def join_unit(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[JoinUnit, Body(openapi_examples=JOIN)],
) -> ReceiptAnswer:
    """Let a unit join the year: it is assessed from a day on."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(
        ledger, key, lambda on, attempt: on.join_unit(attempt, year, body.unit, body.group, body.on, body.reason)
    )
    return receipt


@router.post(
    f"{YEAR}/units/{{unit:path}}/leave",
    tags=["units"],
    status_code=HTTP_201_CREATED,
    response_model=ReceiptAnswer,
    responses=WRITTEN,
)
def leave_unit(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitName,
    key: Key,
    body: Annotated[LeaveUnit, Body(openapi_examples=LEAVE)],
) -> ReceiptAnswer:
    """Let a unit leave the year: it is not assessed from a day on."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.leave_unit(attempt, year, unit, body.on, body.reason))
    return receipt


@router.post(
    f"{YEAR}/units/{{unit:path}}/rename",
    tags=["units"],
    status_code=HTTP_201_CREATED,
    response_model=ReceiptAnswer,
    responses=WRITTEN,
)
def rename_unit(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitName,
    key: Key,
    body: Annotated[RenameUnit, Body(openapi_examples=RENAME)],
) -> ReceiptAnswer:
    """Give a unit another name from a day on; facts under either name are its own."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(
        ledger, key, lambda on, attempt: on.rename_unit(attempt, year, unit, body.name, body.on, body.reason)
    )
    return receipt


@router.get(f"{YEAR}/schemes", tags=["schemes"], response_model=list[AdoptionAnswer], responses=READ)
def list_adopted_schemes(request: Request, given: Given, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """List the scheme versions of the year, oldest first; the last one is in force."""
    state, _ = given.jurisdictions.opened_year(jurisdiction, year)
    events = given.jurisdictions.ledger(jurisdiction).year_events(state.year)
    answers = adoption_answers(events, lambda digest: given.jurisdictions.scheme(jurisdiction, digest))
    return content_reply(request, _ADOPTIONS.dump_json(answers))


@router.post(
    f"{YEAR}/schemes",
    tags=["schemes"],
    status_code=HTTP_201_CREATED,
    response_model=list[ReceiptAnswer],
    responses=WRITTEN,
)
def adopt_scheme(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[AdoptScheme, Body(openapi_examples=ADOPT)],
) -> list[ReceiptAnswer]:
    """Put a scheme version in force for the year from now on; what was shown before stays as it was `known_at` then."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    _, version = _chosen(jurisdiction, body, year)
    return given.record(ledger, key, lambda on, attempt: on.adopt_scheme(attempt, year, version, body.reason))


def _jurisdiction(jurisdictions: Jurisdictions, code: str) -> JurisdictionAnswer:
    ledger = jurisdictions.known_ledger(code)
    years = [jurisdictions.opened_year(code, state.year) for state in jurisdictions.open_years(code)]
    return jurisdiction_answer(code, ledger.ledger_recorder.head().size, years)


def _chosen(jurisdiction: str, choice: SchemeChoice, year: int | None = None) -> tuple[Scheme, SchemeVersion]:
    if choice.document is not None:
        return scheme_for(jurisdiction, choice.document, "document", year)
    return scheme_for(jurisdiction, source(str(choice.scheme)), f"{choice.scheme}.yaml", year)
